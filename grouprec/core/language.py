"""The reader's language: words from a catalogue, numbers and dates as the language writes them.

English stands in the code. ``grouprec/locale/LANGUAGE/LC_MESSAGES/grouprec.po`` has what each message is called in
another language (GNU gettext); what it lacks stays English. Which language holds is asked at every word: the one that
:func:`speaking` sets, else the one that :func:`follow` finds, as the dashboard does for every visitor, else English.
So logs, files for machines and processes in the background speak English by themselves.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from functools import cache, reduce
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TypeVar

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

ENGLISH = "en"
LANGUAGES = {ENGLISH: "English", "zh": "简体中文"}  # what each is called by those who read it
CATALOGUES = Path(__file__).parents[1] / "locale"
DOMAIN = "grouprec"

_SIGN = re.compile(r"(?<=[\d}]) %(?![\w{(|])")  # not where a template of a chart begins, as %{x}
_LARGEST = 1e15  # of numbers that are written out: beyond, digits say nothing

T = TypeVar("T")
K = TypeVar("K")

_set: ContextVar[str | None] = ContextVar("language", default=None)


def _nobody() -> str | None:
    return None


_find: Callable[[], str | None] = _nobody


# -- which language


def current() -> str:
    """Return the language that holds here and now, a key of ``LANGUAGES``."""
    return _set.get() or _find() or ENGLISH


def follow(find: Callable[[], str | None]) -> None:
    """Have a function say the language wherever :func:`speaking` does not; None leaves English."""
    global _find
    _find = find


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have words in a language, a key of ``LANGUAGES``, in this thread or task only."""
    token = _set.set(language)
    try:
        yield
    finally:
        _set.reset(token)


def keeping(make: Callable[[], T]) -> Callable[[], T]:
    """Return what makes something later, in another thread even, in the language that holds now."""
    language = current()

    def made() -> T:
        with speaking(language):
            return make()

    return made


def known(tag: str | None) -> str | None:
    """Return the language of a tag such as ``zh-CN`` or ``en_GB.UTF-8`` where the app speaks it, else None."""
    language = (tag or "").replace("_", "-").split("-")[0].split(".")[0].casefold()
    return language if language in LANGUAGES else None


def preferred(header: str) -> str | None:
    """Return the first language of an ``Accept-Language`` header that the app speaks; its order is not sorted by q."""
    found = (known(part.split(";")[0].strip()) for part in header.split(","))
    return next(filter(None, found), None)


@cache
def catalogue_of(language: str) -> NullTranslations:
    """Return the words of a language, read once; none for English."""
    if language == ENGLISH:
        return NullTranslations()
    with (CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        catalogue = read_po(file, locale=language, domain=DOMAIN)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


# -- words


def _(message: str) -> str:
    """Return a message in the reader's language; as it stands where the catalogue lacks it."""
    return _together(catalogue_of(current()).gettext(message)) if message else message


def ngettext(one: str, many: str, n: float) -> str:
    """Return the form of a message that suits a number; ``n`` itself is not put in."""
    form = int(n) if math.isfinite(n) and n == int(n) else 2
    return _together(catalogue_of(current()).ngettext(one, many, form))


def pgettext(context: str, message: str) -> str:
    """Return a message that means different things in different places; the context says where it stands."""
    return _together(catalogue_of(current()).pgettext(context, message))


def _together(said: str) -> str:
    """Return words in which no line breaks between a number and its per cent sign."""
    return _SIGN.sub("\u00a0%", said) if " %" in said else said


def searchable(said: str) -> str:
    """Return words with plain blanks before per cent signs, where they are searched and cut and no line is set."""
    return said.replace("\u00a0%", " %")


def N_(message: str) -> str:  # gettext's own name for it
    """Mark a message for the catalogue where the language is not known yet; ``_`` of it says it later."""
    return message


def NP_(context: str, message: str) -> str:
    """Mark a message as :func:`N_` does; ``pgettext`` of it and its context says it later."""
    return message


class Glossary(Mapping[K, str]):
    """What things are called: name -> message, which is in the reader's language when it is read."""

    def __init__(self, messages: Mapping[K, str]) -> None:
        self._messages = dict(messages)

    def __getitem__(self, name: K) -> str:
        return _(self._messages[name])

    def __iter__(self) -> Iterator[K]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def __or__(self, more: Mapping[K, str]) -> dict[K, str]:
        return {**self, **more}


def commas(parts: Iterable[str]) -> str:
    """Return ``a, b, c``."""
    return pgettext("between the parts of a list", ", ").join(parts)


def series(parts: Iterable[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *most, last = parts
    return pgettext("the end of a list", "{most} and {last}").format(most=commas(most), last=last) if most else last


def semicolons(parts: Iterable[str]) -> str:
    """Return ``a; b; c``: parts of a sentence that are sentences themselves."""
    return pgettext("between the parts of a sentence", "; ").join(parts)


def full_stop(said: str) -> str:
    """Return what is said with a full stop."""
    return pgettext("the end of a sentence", "{said}.").format(said=said)


def passage(*said: str) -> str:
    """Return whole sentences one after another, without those that say nothing; Chinese leaves no space between."""
    after = pgettext("one sentence after another", "{said} {more}")
    kept = [one for one in said if one]
    return reduce(lambda one, more: after.format(said=one, more=more), kept) if kept else ""


# -- numbers and dates


def decimal(value: float, digits: int = 0, sign: bool = False) -> str:
    """Return a number with so many digits behind the point, in the language's own signs: ``2,700``, ``0.081``.

    Args:
        sign: write the sign of numbers above 0, too; below 0 it is a real minus sign then. What is written as 0 has
            none.
    """
    if not abs(value) < _LARGEST:
        return f"{value:{'+' if sign else ''}.3g}".replace("inf", "∞").replace("-", "−" if sign else "-")
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    rounded = Decimal(f"{value:.{digits}f}") + 0  # which makes -0 a 0
    written = format_decimal(rounded, format=pattern, locale=current())
    return f"{'+' if rounded > 0 else ''}{written}".replace("-", "−") if sign else written


def day(moment: date) -> str:
    """Return ``05 Jan 2024``."""
    return format_date(moment, pgettext("pattern of a date", "dd MMM y"), locale=current())


def long_day(moment: date) -> str:
    """Return ``05 January 2024``."""
    return format_date(moment, pgettext("pattern of a date", "dd MMMM y"), locale=current())


def month(moment: date) -> str:
    """Return ``January``."""
    return format_date(moment, "MMMM", locale=current())


def plain_day(moment: date) -> str:
    """Return ``5 January 2024``."""
    return format_date(moment, pgettext("pattern of a date", "d MMMM y"), locale=current())


def plain_minute(moment: datetime) -> str:
    """Return ``5 Jan 14:30``."""
    return _written(moment, pgettext("pattern of a date", "d MMM HH:mm"))


def minute(moment: datetime) -> str:
    """Return ``05 Jan 2024 14:30``; the moment in its own time zone; of midnight, as files of days have it, the day."""
    if not (moment.hour or moment.minute or moment.second):
        return day(moment)
    return _written(moment, pgettext("pattern of a date", "dd MMM y HH:mm"))


def short_minute(moment: datetime) -> str:
    """Return ``05 Jan 14:30``."""
    return _written(moment, pgettext("pattern of a date", "dd MMM HH:mm"))


def long_minute(moment: datetime) -> str:
    """Return ``05 January 2024, 14:30``."""
    return _written(moment, pgettext("pattern of a date", "dd MMMM y, HH:mm"))


def _written(moment: datetime, pattern: str) -> str:
    """Return a moment by a pattern of CLDR."""
    return format_datetime(moment.replace(tzinfo=None), pattern, locale=current())
