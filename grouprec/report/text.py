"""How things are said, without a page: escaped text, numbers for people. Knows no Streamlit; reports use it, too."""

from __future__ import annotations

import re

import pandas as pd

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHORTCODE = re.compile(r":(?=[\w+\-/]+:)")
NOTHING = "–"
TOO_FEW = "too few to tell"  # of fewer than ``ENOUGH`` users no difference is claimed


def plain(text: object) -> str:
    """Return text from the data such that Streamlit's markdown shows it letter by letter.

    Every punctuation mark is escaped (markdown, LaTeX, colour directives, links); emoji and icon shortcodes, which
    are looked for after that, get a word joiner (U+2060, invisible) behind their first colon.
    """
    one_line = " ".join(str(text).split())
    return _PUNCTUATION.sub(r"\\\1", _SHORTCODE.sub(":\u2060", one_line))


def literal(text: object) -> str:
    """Return text from the data such that Plotly, which reads some HTML in texts, shows it letter by letter."""
    one_line = " ".join(str(text).split())
    return one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(text: object, length: int = 40) -> str:
    """Return text cut to a length at its end, with an ellipsis where something is cut. Not escaped."""
    whole = " ".join(str(text).split())
    return whole if len(whole) <= length else whole[: length - 1].rstrip() + "…"


def count(value: float) -> str:
    """Return 2,700 for 2700."""
    return NOTHING if pd.isna(value) else f"{value:,.0f}"


def percent(value: float) -> str:
    """Return 47 % for 0.47; below 10 % one decimal is kept where it says something."""
    if pd.isna(value):
        return NOTHING
    rounded = f"{100 * value:.1f}" if 0 < abs(value) < 0.0995 else f"{100 * value:.0f}"
    return f"{rounded.removesuffix('.0')} %"


def score(value: float) -> str:
    """Return 0.081: an evaluation result with three decimals."""
    return NOTHING if pd.isna(value) else f"{value:.3f}"


def interval(value: float, low: float, high: float) -> str:
    """Return ``0.081 (0.076–0.086)``."""
    return score(value) if pd.isna(low) or pd.isna(high) else f"{score(value)} ({score(low)}–{score(high)})"


def difference(value: float, low: float, high: float) -> str:
    """Return ``+0.012 (+0.004 to +0.020)``, with a real minus sign; nothing where there is no value.

    Where there is no interval, there were too few users to tell.
    """
    if pd.isna(value):
        return ""
    sure = TOO_FEW if pd.isna(low) or pd.isna(high) else f"{low:+.3f} to {high:+.3f}"
    return f"{value:+.3f} ({sure})".replace("-", "−")


def ratio(value: float) -> str:
    """Return 3.8 for 3.8123: how many times one number another is."""
    return NOTHING if pd.isna(value) else f"{value:.1f}" if value < 99.95 else count(value)


def number(value: float) -> str:
    """Return an attribute's value: whole above 100, else up to three significant digits."""
    if pd.isna(value):
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def plural(n: int, word: str) -> str:
    """Return ``1 user``, ``2 users``."""
    return f"{count(n)} {word}" if n == 1 else f"{count(n)} {word}s"


def group_label(group: int, name: str) -> str:
    """Return ``3: Tea towels``. Not escaped."""
    return f"{group}: {name}"
