"""A group on one page of paper: who it is, what to show it and why, what that is worth. One HTML file, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from grouprec.core.language import _, current, decimal, pgettext
from grouprec.explore.remake import ListMembers
from grouprec.report.html.markup import sentence
from grouprec.report.text import NOTHING, percent

LENGTH = 10

STYLE = """
@page { size: A4; margin: 11mm 14mm }
.sheet { color: #1d2330; background: #fff; font: 9.5pt/1.3 system-ui, "Segoe UI", "Noto Sans", sans-serif;
  max-width: 182mm; margin: 0 auto; font-variant-numeric: tabular-nums }
.sheet h1 { font-size: 19pt; line-height: 1.2; margin: 0 0 1mm; overflow-wrap: anywhere }
.sheet p { margin: 0 0 3mm }
.sheet .about { color: #596074 }
.sheet table { width: 100%; table-layout: fixed; border-collapse: collapse; margin: 2mm 0 4mm }
.sheet th { text-align: left; font-weight: 600; border-bottom: 1.5px solid #1d2330; padding: 1mm 2mm 1mm 0 }
.sheet td { vertical-align: top; border-bottom: 1px solid #dfe2ea; padding: 1.1mm 2mm 1.1mm 0; overflow-wrap: anywhere }
.sheet tr { break-inside: avoid }
.sheet + .sheet { break-before: page }
.sheet .n { text-align: right; width: 17mm }
.sheet .n:first-child { width: 7mm }
.sheet .why { color: #4a5166; font-size: 8.5pt }
"""


@dataclass(frozen=True)
class Listed:
    """An item of a group's list.

    Attributes:
        label, item: what it is called, and its id.
        why: the reasons in words, markdown; empty where there are none.
        takers: members who should take it within the run's horizon; None where the run does not tell.
        owned: share of members who have it already, in 0..1; None where that is not told.
        place: on one list for everybody, from 1; 0 for not on it.
    """

    label: str
    item: str
    why: str
    takers: float | None
    owned: float | None
    place: int


def listed(
    members: ListMembers, items: np.ndarray, places: np.ndarray, why: Callable[[int], str] | None
) -> list[Listed]:
    """Return what a sheet says of the items of a list.

    Args:
        items: int [K], best first.
        places: int [I], of :func:`~grouprec.explore.remake.list_for_all`.
        why: row of an item -> the reasons in words, markdown; None where the run kept none.
    """
    labels, ids, takers = members.base.item_labels, members.base.item_ids, members.takers(items)
    return [
        Listed(
            str(labels[item]),
            str(ids[item]),
            "" if why is None else why(item),
            None if takers is None else float(takers[at]),
            float(members.owned[item]),
            int(places[item]),
        )
        for at, item in enumerate(items.tolist())
    ]


def document(title: str, pages: Sequence[str]) -> str:
    """Return pages (:func:`sheet_body`) as a whole HTML document, each on paper of its own."""
    return (
        f'<!doctype html><html lang="{current()}"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>body {{ margin: 8mm; background: #fff }} @media print {{ body {{ margin: 0 }} }}{STYLE}</style></head>"
        f"<body>{''.join(pages)}</body></html>"
    )


def sheet_body(
    name: str, about: str, portrait: str, items: Sequence[Listed], worth: Sequence[str], source: str, until: str = ""
) -> str:
    """Return the page of a group, for a document that has STYLE; all text is escaped.

    Args:
        name: of the group.
        about: its size and what the list is for, in one line.
        portrait: the group in one sentence.
        items: the list, best first.
        worth: sentences on what such a list is worth.
        source: the run that it comes from.
        until: within what items should be taken, in words after "in"; without it nothing is said of takers.
    """
    rows = "".join(_row(rank, item, bool(until)) for rank, item in enumerate(items, start=1))
    takers = _head(_("Should take")) if until else ""
    table = (
        f"<table><thead><tr>{_head('')}<th>{escape(pgettext('a column of items', 'Show'))}</th>{takers}"
        f"{_head(_('Have it'))}{_head(_('Place for all'))}</tr></thead><tbody>{rows}</tbody></table>"
    )
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in worth if sentence)
    told = _("Should take: members who should take the item in {until}. ").format(until=until) if until else ""
    notes = told + _(
        "Have it: share of members who have it already. Place for all: on one list for "
        "everybody. Shares after the reasons are parts of all that speaks for an item."
    )
    return (
        f'<article class="sheet"><h1>{escape(name)}</h1><p class="about">{escape(about)}</p>'
        f"<p>{escape(portrait)}</p>{table}{said}"
        f'<p class="about why">{escape(notes)}</p><p class="about why">{escape(source)}</p></article>'
    )


def _head(title: str) -> str:
    return f'<th class="n">{escape(title)}</th>'


def _row(rank: int, item: Listed, with_takers: bool) -> str:
    why = f'<div class="why">{sentence(item.why)}</div>' if item.why else ""
    takers = ""
    if with_takers:
        takers = f'<td class="n">{NOTHING if item.takers is None else decimal(item.takers, 1)}</td>'
    return (
        f'<tr><td class="n">{rank}</td><td><strong>{escape(item.label)}</strong>{why}</td>'
        f'{takers}<td class="n">{NOTHING if item.owned is None else percent(item.owned)}</td>'
        f'<td class="n">{item.place or "–"}</td></tr>'
    )
