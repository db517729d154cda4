"""Groupers: predicted preferences to groups of users."""
