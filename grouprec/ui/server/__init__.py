"""The server's own HTTP routes: the live API and uploads."""
