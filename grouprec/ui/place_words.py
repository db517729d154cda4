"""Sentences of lower layers in the words of the pages: what is a switch on the command line is a place here."""

from __future__ import annotations

import re

_PLACES = (
    (r"say which it is with --map (?P<role>\w+)=COLUMN, one of: ", r"choose it for {role} under Columns, one of: "),
    (r"choose other columns with --map user=COLUMN,item=COLUMN", "choose other columns under Columns"),
    (
        r"choose another( column)? with --map (?P<role>\w+)=COLUMN( or \w+=)?",
        "choose another column for {role} under Columns",
    ),
    (r"do without with --map (?P<role>\w+)=", "do without: choose “–” for {role} under Columns"),
    (r"switch the time off with --map (?P<role>\w+)=", "choose “–” for {role} under Columns"),
    (r"is --map (?P<role>\w+)=COLUMN right\?", "is the column for {role} under Columns right?"),
    (r" for --map (\w+)=\.\.\.", r" for “\1”"),
    (r"--map gives the column", "“Columns” gives the column"),
    (r"name it with --map (?P<role>\w+)=COLUMN", "choose it for {role} under Columns"),
    (r"set split to user", "choose “user” for “Split by” under Preparation"),
    (r"have every line read by itself with --encoding mixed", "choose “mixed” as encoding under Rows"),
    (r"by the step 'k-core'", "by the step “rare users and items”"),
    (
        r"lower min_item_users or min_user_items",
        "lower “Fewest users of an item” or “Fewest items of a user” under Preparation",
    ),
    (r"keep fewer items \(data\.min_item_users\)", "keep fewer items (“Fewest users of an item” under Preparation)"),
    (r"allow more with --set data\.most_rejected=\d+(\.\d+)?", "allow more: “Most unreadable rows” under Preparation"),
)


def on_page(message: str) -> str:
    """Return a message as the Data page says it."""
    for switch, place in _PLACES:
        message = re.sub(switch, lambda found, place=place: _filled(found, place), message)
    return message


def _filled(found: re.Match[str], place: str) -> str:
    """Fill in a place; roles are called as the page calls them."""
    role = found.groupdict().get("role")
    return found.expand(place) if role is None else place.format(role=f"“{role.capitalize()}”")
