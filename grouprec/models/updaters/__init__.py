"""Updaters: a stream of events to user vectors that move with every event."""
