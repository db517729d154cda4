"""Catalogues are whole and of today: every message of the code, translated, with the same fields."""

from __future__ import annotations

import io
import re

import pytest
from babel.messages.catalog import Catalog, Message

from benchmarks import words
from grouprec.core.language import ENGLISH, LANGUAGES

FIELDS = re.compile(r"(?<!%)\{\w*\}|%\{[^}]*\}|<[^>]+>|:material/\w+:|⏎|\n")
OTHERS = [language for language in LANGUAGES if language != ENGLISH]


@pytest.fixture(scope="module")
def asked() -> Catalog:
    return words.template()


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_every_message_of_the_code_and_no_other(asked: Catalog, language: str) -> None:
    found = words.catalogue(language)
    keys = [{(message.context, message.id) for message in one if message.id} for one in (asked, found)]
    assert keys[0] == keys[1], "run make words, and translate what is new"
    assert not found.obsolete


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated_with_its_fields(language: str) -> None:
    wrong = [message.id for message in words.catalogue(language) if message.id and not _sound(message)]
    assert wrong == []


def _sound(message: Message) -> bool:
    """Return whether a translation is there, is no guess, and has what the message has to be filled in."""
    forms = message.id if isinstance(message.id, tuple) else (message.id,)
    said = message.string if isinstance(message.string, tuple) else (message.string,)
    fields = [sorted(FIELDS.findall(form)) for form in (forms[-1], *said)]
    return not message.fuzzy and all(said) and all(_same(fields[0], own) for own in fields[1:])


def _same(asked: list[str], own: list[str]) -> bool:
    dates = re.compile(r"%\{x\|[^}]*\}")  # a pattern of a date is the language's own
    return [dates.sub("%{x}", one) for one in asked] == [dates.sub("%{x}", one) for one in own]


def test_messages_are_found_where_they_are_declared() -> None:
    code = b"""
_("one"); N_("two"); ngettext("{n} thing", "{n} things", n); pgettext("where", "three"); plural(n, "user")
NP_("where", "four")
Glossary({"name": "five", **more})
@encoders.register("als", title="six", cite="not this", called="seven")
class A:
    learning_rate: float = Field(1.0, description="eight")
_("a" + b); other("nine")
"""
    found = [message for _, _, message, _ in words.extract(io.BytesIO(code), None, None, None)]
    assert sorted(map(str, found)) == sorted(
        map(
            str,
            [
                *("one", "two", ("{n} thing", "{n} things"), ("where", "three"), ("{n} user", "{n} users")),
                *(("where", "four"), "five", "six", "seven", "Learning rate", "eight"),
            ],
        )
    )
