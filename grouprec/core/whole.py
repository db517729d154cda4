"""Whole numbers that somebody typed: in an address, a request, a setting or an option."""

from __future__ import annotations

MOST_DIGITS = 9  # of a number that anybody means; Python itself reads 4,300 of them, and fails beyond


def whole(text: str) -> int | None:
    """Return the whole number, 0 or more, that a text writes in the digits 0 to 9; None where it is none or endless."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
