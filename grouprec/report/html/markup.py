"""HTML whose every text is escaped: an element escapes its children unless they are elements themselves."""

from __future__ import annotations

import html
import re
from collections.abc import Collection

import pandas as pd

from grouprec.core.language import _

_MARKS = re.compile(r"\\(?P<literal>.)|(?P<mark>\*\*|\*)")
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2060]")  # no HTML, or put there to stop shortcodes
_TAGS = {"**": "strong", "*": "em"}


class Html(str):
    """Text that is HTML already. Only this module and ``drawings`` make it."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return text such that a browser shows it letter by letter, in content and in attributes."""
    return value if isinstance(value, Html) else Html(html.escape(_INVISIBLE.sub("", str(value))))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """Return an element; children that are None are left out, as are attributes.

    Args:
        attributes: ``class_`` is class, and ``stroke_width`` is stroke-width.
    """
    said = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    inner = "".join(text(child) for child in children if child is not None)
    return Html(f"<{tag}{said}>{inner}</{tag}>")


def joined(*parts: Html | None) -> Html:
    """Return the parts one after another."""
    return Html("".join(part for part in parts if part is not None))


def sentence(markdown: str) -> Html:
    r"""Return a sentence of :mod:`grouprec.report.sentences` as HTML: ``**bold**``, ``*italic*``, ``\`` (as it is)."""
    parts, is_open, at = [], {"**": False, "*": False}, 0
    for match in _MARKS.finditer(markdown):
        parts.append(text(markdown[at : match.start()]))
        at = match.end()
        if mark := match["mark"]:
            is_open[mark] = not is_open[mark]
            parts.append(f"<{'' if is_open[mark] else '/'}{_TAGS[mark]}>")
        else:
            parts.append(text(match["literal"]))
    parts.append(text(markdown[at:]))
    return Html("".join(parts))


def paragraph(markdown: str, class_: str | None = None) -> Html | None:
    """Return a sentence as a paragraph, nothing where it is empty."""
    return element("p", sentence(markdown), class_=class_) if markdown else None


def figure(drawing: Html, caption: str) -> Html:
    """Return a drawing and what is said below it."""
    return element("figure", drawing, element("figcaption", sentence(caption)))


def table(frame: pd.DataFrame, right: Collection[str] = (), class_: str | None = None) -> Html:
    """Return a small table as it is to be read; the columns in ``right`` hold numbers."""
    classes = ["r" if name in right else None for name in frame.columns]
    head = [
        element("th", _(str(name)), scope="col", class_=side) for name, side in zip(frame.columns, classes, strict=True)
    ]
    rows = [
        element("tr", *(element("td", cell, class_=side) for cell, side in zip(row, classes, strict=True)))
        for row in frame.itertuples(index=False, name=None)
    ]
    parts = element("thead", element("tr", *head)), element("tbody", *rows)
    # Where it is wider than the window it scrolls, also for who has only a keyboard.
    return element("div", element("table", *parts, class_=class_), class_="wide", tabindex=0)
