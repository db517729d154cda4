"""How things are said, without a page: escaped text, numbers for people. Knows no Streamlit; reports use it, too."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd

from grouprec.core.language import ENGLISH, N_, NP_, Glossary, _, current, decimal, ngettext, pgettext

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHORTCODE = re.compile(r":(?=[\w+\-/]+:)")
_BLANKS = re.compile(r"(?:(?!\u00a0%)\s)+")
NOTHING = "–"
TOO_FEW = N_("too few to tell")  # of fewer than ``ENOUGH`` users no difference is claimed


def plain(text: object) -> str:
    """Return text from the data such that Streamlit's markdown shows it letter by letter.

    Every punctuation mark is escaped (markdown, LaTeX, colour directives, links); emoji and icon shortcodes, which
    are looked for after that, get a word joiner (U+2060, invisible) behind their first colon. So do punctuation marks
    at either end where words follow one another without spaces: markdown takes ``**A (1999)**B`` for no bold text.
    """
    line = one_line(text)
    shown = _PUNCTUATION.sub(r"\\\1", _SHORTCODE.sub(":\u2060", line))
    if current() == ENGLISH or not line:
        return shown
    first, last = ("\u2060" * (unicodedata.category(line[at])[0] in "PS") for at in (0, -1))
    return f"{first}{shown}{last}"


def one_line(text: object) -> str:
    """Return text with single spaces between its words; a number and its per cent sign stay together."""
    return _BLANKS.sub(" ", str(text)).strip()


def literal(text: object) -> str:
    """Return text from the data such that Plotly, which reads some HTML in texts, shows it letter by letter."""
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(text: object, length: int = 40) -> str:
    """Return text cut to a length at its end, with an ellipsis where something is cut. Not escaped."""
    whole = one_line(text)
    return whole if len(whole) <= length else whole[: length - 1].rstrip() + "…"


def count(value: float) -> str:
    """Return 2,700 for 2700."""
    return NOTHING if pd.isna(value) else decimal(value)


def percent(value: float) -> str:
    """Return 47 % for 0.47; below 10 % one decimal is kept where it says something."""
    if pd.isna(value):
        return NOTHING
    tenths = 0 < abs(value) < 0.0995 and not f"{100 * value:.1f}".endswith(".0")
    return in_percent(decimal(100 * value, 1 if tenths else 0))


def percents(*values: float) -> list[str]:
    """Return percentages beside one another: with one decimal each where different ones would read alike."""
    said = [percent(value) for value in values]
    known = {value for value in values if not pd.isna(value)}
    if len(set(said)) >= len(known):
        return said
    return [NOTHING if pd.isna(value) else in_percent(decimal(100 * value, 1)) for value in values]


def in_percent(number: str) -> str:
    """Return ``47 %`` for ``47``: a number that is written already, with the sign where the language has it."""
    return pgettext("a percentage", "{number} %").format(number=number)


def score(value: float) -> str:
    """Return 0.081: an evaluation result with three decimals."""
    return NOTHING if pd.isna(value) else decimal(value, 3)


def interval(value: float, low: float, high: float) -> str:
    """Return ``0.081 (0.076–0.086)``."""
    return score(value) if pd.isna(low) or pd.isna(high) else f"{score(value)} ({score(low)}–{score(high)})"


def difference(value: float, low: float, high: float) -> str:
    """Return ``+0.012 (+0.004 to +0.020)``, with a real minus sign; nothing where there is no value.

    Where there is no interval, there were too few users to tell.
    """
    if pd.isna(value):
        return ""
    few = pd.isna(low) or pd.isna(high)
    sure = _(TOO_FEW) if few else from_to(decimal(low, 3, sign=True), decimal(high, 3, sign=True))
    return _("{value} ({sure})").format(value=decimal(value, 3, sign=True), sure=sure)


def from_to(low: str, high: str) -> str:
    """Return ``6 to 12``: the ends of an interval, written already."""
    return _("{low} to {high}").format(low=low, high=high)


def ratio(value: float) -> str:
    """Return 3.8 for 3.8123: how many times one number another is."""
    return NOTHING if pd.isna(value) else decimal(value, 1) if value < 99.95 else count(value)


def number(value: float) -> str:
    """Return an attribute's value: whole above 100, else up to three significant digits."""
    if pd.isna(value):
        return NOTHING
    return decimal(value) if abs(value) >= 99.95 else f"{value:.3g}"


def plural(n: int, word: str) -> str:
    """Return ``1 user``, ``2 users``; ``word`` stands in the catalogue as ``{n} user``."""
    return ngettext(f"{{n}} {word}", f"{{n}} {word}s", n).format(n=count(n))


def attribute_title(name: object) -> str:
    """Return what an attribute is called: its column's name with spaces, where the preparation made it in words."""
    return pgettext("an attribute", MADE.get(str(name), str(name).replace("_", " ")))


MADE = {  # attributes that come from what users did
    "recency_days": NP_("an attribute", "days inactive"),
    "frequency": NP_("an attribute", "times active"),
    "spend": NP_("an attribute", "spent in all"),
    "usual weekday": NP_("an attribute", "usual weekday"),
    "usual part of the day (UTC)": NP_("an attribute", "usual part of the day (UTC)"),
    "number of items": NP_("an attribute", "number of items"),
}


def attribute_value(name: object, value: object) -> str:
    """Return what an attribute says of somebody: as the file has it, where the preparation made it in words."""
    said = str(value)
    return pgettext("a value", said) if str(name).startswith("usual ") and said in MADE_VALUES else said


MADE_VALUES = (  # when users act, as data/preparing/rhythm.py writes it
    *(NP_("a value", "Monday"), NP_("a value", "Tuesday"), NP_("a value", "Wednesday"), NP_("a value", "Thursday")),
    *(NP_("a value", "Friday"), NP_("a value", "Saturday"), NP_("a value", "Sunday")),
    *(NP_("a value", "night"), NP_("a value", "morning"), NP_("a value", "afternoon"), NP_("a value", "evening")),
)


# What a step of the preparation is called for people, where its name is a term of art
_STEPS = Glossary(
    {
        "read": "rows of the file",
        "unknown to the training": "what is new after the part that trains",
        "outliers": "very large quantities",
        "k-core": "rare users and items",
        "weights": "scale of weights",
    }
)


def step_title(step: object) -> str:
    """Return what a step of the preparation left out, or did."""
    return _STEPS.get(str(step)) or _(str(step))


def group_label(group: int, name: str) -> str:
    """Return ``3: Tea towels``, or ``Group 3`` where that is all its name says. Not escaped."""
    if name == f"Group {group}":
        return name
    return _("{group}: {name}").format(group=group, name=name)
