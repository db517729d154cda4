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

_PICTURE = re.compile(r"https://[^\s\"'<>]+")
TILE = (
    "display:inline-flex;flex:none;width:64px;height:30px;border-radius:6px;overflow:hidden;align-items:center;"
    "justify-content:center;font-size:10px;line-height:1.1;text-align:center;font-weight:600;object-fit:cover;"
    "padding:2px;box-sizing:border-box"
)
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
        picture = self.pictures.get(item, "")
        if urlsplit(picture).netloc in image_hosts():
            source = escape(picture, quote=True)
            return (
                f'<img src="{source}" alt="{escape(label, quote=True)}" loading="lazy" '
                f'referrerpolicy="no-referrer" style="{TILE}">'
            )
        kind = self.kinds.get(item, "") or label[:1]
        if not any(letter.isalpha() for letter in kind):  # the first figure of a number says nothing, nor its colour
            return ""
        colour = self.colours.get(kind) or COLOURS[int(hashlib.sha256(kind.encode()).hexdigest()[:8], 16) % 8]
        return (
            f'<span title="{escape(label, quote=True)}" style="{TILE};background:{colour};color:{text_on(colour)}">'
            f"{escape(short(kind.capitalize(), 18))}</span>"
        )


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
    pictures = {} if picture is None else dict(zip(ids[known[picture].index], known[picture], strict=True))
    kinds = [str(kind) for kind in opened.kinds(run)]
    usual = [kind for kind, _times in Counter(filter(None, kinds)).most_common(8)]
    return Faces(pictures, dict(zip(ids, kinds, strict=True)), dict(zip(usual, COLOURS, strict=False)))


def _are_pictures(column: pd.Series) -> bool:
    return bool(column.str.fullmatch(_PICTURE).all()) and bool(
        column.str.contains(r"\.(?:jpe?g|png|webp|gif|avif)(?:$|\?)|image|img|photo", case=False).mean() > 0.5
    )
