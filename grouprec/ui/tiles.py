"""Faces of items: their picture where the items have a column of addresses, else a tile of their kind."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st

from grouprec.core.language import _, commas
from grouprec.core.site import IMAGES, image_hosts
from grouprec.report.palette import COLOURS, text_on
from grouprec.report.text import short
from grouprec.runs import schemas
from grouprec.runs.store import Run
from grouprec.ui import opened, state

_PICTURE = re.compile(r"https?://[^\s\"'<>]+")
MOSTLY = 0.9  # share of a column that must be addresses of pictures; the rest says that there is none
TILE = (
    "display:inline-flex;flex:none;width:64px;height:30px;border-radius:6px;overflow:hidden;align-items:center;"
    "justify-content:center;font-size:10px;line-height:1.1;text-align:center;font-weight:600;"
    "padding:2px;box-sizing:border-box;position:relative"
)
OVER = "position:absolute;inset:0;background:center/cover no-repeat url(&#39;{address}&#39;)"
LINE = "display:flex;gap:8px;align-items:center;margin-bottom:6px;font-size:13px;line-height:1.2"


@dataclass(frozen=True, eq=False)
class Faces:
    """What items look like: ``pictures`` and ``kinds`` by item id, either may be empty; ``colours`` of usual kinds."""

    pictures: dict[str, str]
    kinds: dict[str, str]
    colours: dict[str, str] = field(default_factory=dict)

    def lines(self, items: Iterable[str], labels: Iterable[str]) -> str:
        """Return some items below one another, each with its face before its label, as HTML; all text is escaped."""
        shown = [
            f'<div style="{LINE}">{self._face(str(item), str(label))}<span>{escape(short(label, 48))}</span></div>'
            for item, label in zip(items, labels, strict=True)
        ]
        return "".join(shown)

    def note(self) -> str:
        """Say what lets browsers show the items' pictures; nothing where they do, or there are none."""
        hosts = sorted({urlsplit(picture).netloc for picture in self.pictures.values()} - set(image_hosts()))
        if not hosts:
            return ""
        return _("Pictures of these items lie at {hosts}; the server's {images} can allow them.").format(
            hosts=short(commas(hosts), 60), images=IMAGES
        )

    def _face(self, item: str, label: str) -> str:
        """Return an item's tile, under its picture where there is one: it is seen where that cannot be loaded."""
        picture, kind = self._picture(item), self.kinds.get(item, "") or label[:1]
        known = any(letter.isalpha() for letter in kind)  # the first figure of a number says nothing, nor its colour
        if not (known or picture):
            return ""
        colour = self.colours.get(kind) or COLOURS[int(hashlib.sha256(kind.encode()).hexdigest()[:8], 16) % 8]
        painted = f";background:{colour};color:{text_on(colour)}" if known else ""
        said = escape(short(f"{kind[:1].upper()}{kind[1:]}", 18)) if known else ""
        return f'<span title="{escape(label, quote=True)}" style="{TILE}{painted}">{said}{picture}</span>'

    def _picture(self, item: str) -> str:
        """Return an item's picture as HTML, "" where there is none that browsers may load.

        It is a ground, as an ``<img>`` shows a torn leaf where it cannot be loaded; its label stands beside.
        """
        address = self.pictures.get(item, "")
        if urlsplit(address).netloc.lower() not in image_hosts():
            return ""
        within = escape(address.replace("\\", "%5C"), quote=True)  # a backslash would begin an escape of CSS
        return f'<span style="{OVER.format(address=within)}"></span>'


def faces(run: Run) -> Faces:
    """Return the faces of a run's items; made once per server."""
    return _faces(*state.run_key(run))


@st.cache_resource(max_entries=8, show_spinner=False)
def _faces(path: str, version: float) -> Faces:
    run = Run(Path(path))
    items = state.table(run, "items")
    ids = items["item"].astype(str)
    texts = [name for name in schemas.named("items").more_names(items) if pd.api.types.is_string_dtype(items[name])]
    known = {name: items[name].dropna().astype(str) for name in texts}
    picture = next((name for name, column in known.items() if len(column) and _are_pictures(column)), None)
    pictures = {} if picture is None else _addresses(ids, known[picture])
    kinds = [str(kind) for kind in opened.kinds(run)]
    usual = [kind for kind, _times in Counter(filter(None, kinds)).most_common(8)]
    return Faces(pictures, dict(zip(ids, kinds, strict=True)), dict(zip(usual, COLOURS, strict=False)))


def _are_pictures(column: pd.Series) -> bool:
    return bool(column.str.fullmatch(_PICTURE).mean() >= MOSTLY) and bool(
        column.str.contains(r"\.(?:jpe?g|png|webp|gif|avif)(?:$|\?)|image|img|photo", case=False).mean() > 0.5
    )


def _addresses(ids: pd.Series, column: pd.Series) -> dict[str, str]:
    """Return the addresses of pictures by item id, of a column that mostly holds them."""
    found = column[column.str.fullmatch(_PICTURE)]
    return dict(zip(ids[found.index], found, strict=True))
