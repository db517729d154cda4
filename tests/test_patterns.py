"""No text holds up a regular expression of the package: its time grows with the text's length, not with its square."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import grouprec
from grouprec.core.mentions import mention_of
from grouprec.data import features
from grouprec.data.roles import header_words
from grouprec.data.values import time_periods
from grouprec.ui import place_words
from tests.support.patterns import Found, all_patterns, held_up_by

PACKAGES = sorted(folder.parent.name for folder in Path(grouprec.__path__[0]).glob("*/__init__.py"))
_MARKS = (",", ";", r"\t", r"\|", "::")
_USERS = mention_of(["u 1", "anna@example.org", "12"]).pattern
_QUOTED = '(?:[^"{0}]*|"(?:[^"]|"")*")'  # a value, quoted or not, with a delimiter behind it
_EDGES = ("(?:^|{0} ?)'[^']*'(?={0}|$)", '(?:^|{0})"', '"(?:{0}|$)', '{0} +"', '{0}"')
# What functions build, as they build it.
BUILT = {
    "grouprec.core.mentions.mention_of": [_USERS],
    "grouprec.core.mentions.names_any": [_USERS],
    "grouprec.data.values.cells.are_shown": [" ", "-0(?: |$)"],
    "grouprec.data.features._split_tags": [*features._BETWEEN_TAGS],
    "grouprec.data.reading.find_layout._quotings": [edge.format(mark) for edge in _EDGES for mark in _MARKS],
    "grouprec.data.roles.header_words._compiled": [header_words.PATTERNS[role][-1] for role in ("user", "label")],
    "grouprec.data.values.numerals._parted": [rf"\d{{1,3}}(\{sign}\d{{3}})+" for sign in ",."],
    "grouprec.data.reading.rows._well_quoted": [f"{_QUOTED}(?:{{0}}{_QUOTED})*".format(mark) for mark in _MARKS],
    "grouprec.data.preparing.services._service_words": [r"\bgift card\b"],
    "grouprec.data.values.time_periods.weeks_and_quarters": [*time_periods._WEEKS, *time_periods._QUARTERS],
    "grouprec.ranking.rules._with_words": [r"(?<!\w)(?:red|a\ b)(?!\w)"],
    "grouprec.ui.place_words.on_page": [switch for switch, _ in place_words._PLACES],
}
_FACT = r"[A-Za-z][\w ]*: [^|]*?"
OLD = [  # as they once stood here
    Found("facts", rf"{_FACT}(?:, {_FACT})+(?:\|{_FACT}(?:, {_FACT})+)*", 0, ("fullmatch",)),
    Found("names", r'\s*\{\s*"(?:columns|fields|header)"\s*:\s*(\[(?:\s*"[^"]*"\s*,?)+\])\s*,', 0, ("match",)),
    Found("script", r"(?:\s|--[^\n]*\n|/\*.*?\*/;?)*(?:insert|create)\b", re.DOTALL, ("match",)),
    Found("counts", r"^\s*(.+?)\s*[x×*]\s*(\d{1,4})\s*$", re.DOTALL, ("match",)),
    Found("mail", r"[^@\s]+@[^@\s]+\.[^@\s]+", 0, ("fullmatch",)),
    Found("brackets", r"[(\[][^)\]]*[)\]]", 0, ("finditer",)),
    Found("cents", r"(?<=\d)[.,](-+|—)(?=\D*$)", 0, ("finditer",)),
]


def _of(package: str) -> list[Found]:
    found, unknown = all_patterns()
    built = [
        Found(one.function, pattern, int(re.MULTILINE), one.ways) for one in unknown for pattern in BUILT[one.function]
    ]
    return [one for one in (*found, *built) if one.where.startswith(f"grouprec.{package}.")]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_text_holds_up_a_pattern(package: str) -> None:
    slow = {one.where: (one.pattern, text) for one in _of(package) if (text := held_up_by(one))}
    assert not slow, "take blanks and other repeats whole (*+), exclude what ends them, or bound the text"


def test_what_functions_build_is_known() -> None:
    found, unknown = all_patterns()
    assert {one.function for one in unknown} == set(BUILT), "BUILT says what such a pattern looks like"
    assert len(found) > 150
    assert {one.where.split(".")[1] for one in found} <= set(PACKAGES)


@pytest.mark.parametrize("old", OLD, ids=lambda old: old.where)
def test_a_pattern_that_a_text_can_hold_up_is_found(old: Found) -> None:
    assert held_up_by(old, 0.3)
