"""What pages share in how they say things: escaped text, numbers for people, group marks, cards, downloads."""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd
import streamlit as st

from grouprec.ui import state
from grouprec.ui.palette import group_colour, text_on

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SHORTCODE = re.compile(r":(?=[\w+\-/]+:)")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NOTHING = "–"


# -- text


def plain(text: object) -> str:
    """Return text from the data such that Streamlit's markdown shows it letter by letter.

    Every punctuation mark is escaped (markdown, LaTeX, colour directives, links); emoji and icon shortcodes, which
    are looked for after that, get a word joiner (U+2060, invisible) behind their first colon.
    """
    one_line = " ".join(str(text).split())
    return _PUNCTUATION.sub(r"\\\1", _SHORTCODE.sub(":\u2060", one_line))


def short(text: object, length: int = 40) -> str:
    """Return text cut to a length at its end, with an ellipsis where something is cut. Not escaped."""
    whole = " ".join(str(text).split())
    return whole if len(whole) <= length else whole[: length - 1].rstrip() + "…"


# -- numbers


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
    """Return ``+0.012 (+0.004 to +0.020)``, with a real minus sign; nothing where there is no value."""
    if pd.isna(value):
        return ""
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})".replace("-", "−")


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


# -- groups


def group_label(group: int, name: str) -> str:
    """Return ``3: Tea towels``. Not escaped."""
    return f"{group}: {name}"


def group_mark(group: int) -> str:
    """Return the group's number in its colour, as markdown."""
    colour = group_colour(group)
    return f':color[\u2002{group}\u2002]{{foreground="{text_on(colour)}" background="{colour}"}}'


def colour_groups(frame: pd.DataFrame, column: str = "group") -> pd.io.formats.style.Styler:
    """Return the frame with the cells of the group column in the groups' colours."""

    def style(group: int) -> str:
        colour = group_colour(int(group))
        return f"background-color: {colour}; color: {text_on(colour)}; font-weight: 600"

    return frame.style.format(precision=2).map(style, subset=[column])


# -- page parts


def answer(sentence: str, explanation: str | None = None) -> None:
    """Draw the page's first line: the sentence (markdown, already escaped) that answers its question."""
    st.markdown(f"## {sentence}", help=explanation, anchors=False)


def section(title: str, explanation: str | None = None) -> None:
    """Draw the heading of a part of a page."""
    st.subheader(title, anchor=False, help=explanation)


def from_url(name: str, key: str, options: list, default: object) -> Callable[[], None]:
    """Give the widget ``key`` the option that ``?name=`` asks for, else the default; call it before the widget.

    The URL decides, so a link, a reload and the browser's back button all show what they say. Returns the
    ``on_change`` callback that writes the widget's value back to the URL. Options are compared as text.
    """
    asked = st.query_params.get(name)
    st.session_state[key] = next((option for option in options if str(option) == asked), default)

    def write() -> None:
        st.query_params[name] = str(st.session_state[key])

    return write


def link(page: str, label: str, **parameters: object) -> None:
    """Draw a link to a page that keeps the chosen run and dataset and adds parameters."""
    kept = {name: st.query_params[name] for name in ("run", "dataset") if name in st.query_params}
    query = kept | {name: str(value) for name, value in parameters.items()}
    st.page_link(state.page_path(page), label=label, query_params=query, icon=":material/arrow_forward:")


def download(label: str, frame: Callable[[], pd.DataFrame], file_name: str, key: str) -> None:
    """Draw a button that makes the CSV only when it is pressed, and does not rerun the page."""
    st.download_button(
        label,
        data=lambda: to_csv(frame()),
        file_name=file_name,
        mime="text/csv",
        key=key,
        on_click="ignore",
        icon=":material/download:",
    )


def to_csv(frame: pd.DataFrame) -> bytes:
    """Return CSV in UTF-8 with a byte-order mark (Excel needs it), safe to open in a spreadsheet.

    Text cells that a spreadsheet would run as a formula (they begin with = + - @, tab or carriage return) get a
    leading apostrophe (OWASP, "CSV injection"); number columns are left alone.
    """
    safe = frame.copy()
    for at, dtype in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_datetime64_any_dtype(dtype):
            safe.isetitem(at, _without_formulas(frame.iloc[:, at]))
    safe.columns = _without_formulas(pd.Series(frame.columns.astype(str)))
    return safe.to_csv(index=False).encode("utf-8-sig")


def _without_formulas(column: pd.Series) -> pd.Series:
    """Put an apostrophe before the texts that begin like a formula; missing values stay missing."""
    text = column.astype("str")
    return text.mask(text.str.startswith(_FORMULA_STARTS).fillna(False).astype(bool), "'" + text)
