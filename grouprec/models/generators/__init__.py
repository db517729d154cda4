"""Generators: noise and a group to virtual members of that group."""
