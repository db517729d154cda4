"""How the file is read: its encoding, its sheet, and the rows that could not be read."""

from __future__ import annotations

import streamlit as st

from grouprec.core.language import N_, _, full_stop
from grouprec.data.library_files import KnownDataset
from grouprec.data.read import Peek, Reading
from grouprec.data.rejects import Rejects
from grouprec.report import spreadsheet
from grouprec.ui import state
from grouprec.ui.cards import count, plain, plural

ENCODINGS = ["", "utf-8", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"]
ENCODINGS += ["cp932", "cp949", "gb18030", "big5", "koi8-r", "cp866", "cp850", "mac-roman", "utf-16", "mixed"]
ENCODING_HELP = N_(
    "How the letters of a text file are written. Choose another where labels look wrong; mixed: line by line."
)
SHOWN_REJECTS = 200


def chosen(dataset: KnownDataset) -> dict[str, str]:
    """Return the choices that differ from what is found, as settings of the preparation."""
    values = {
        name: st.session_state.get(f"{name}.{dataset.key}", dataset.preparation.get(name, ""))
        for name in ("encoding", "sheet")
    }
    return {name: value for name, value in values.items() if value}


def reading(dataset: KnownDataset) -> Reading:
    """Return how the head of the file is read."""
    found, most = chosen(dataset), dataset.preparation.get("most_rejected", Reading.most_rejected)
    return Reading(found.get("encoding", ""), found.get("sheet", ""), most)


def draw_choices(dataset: KnownDataset, found: Peek | None) -> None:
    """Draw the choice of the encoding for text, of the sheet for workbooks; what was found is said."""
    text = found is None or found.encoding is not None
    now = chosen(dataset)
    if text:
        guessed = (
            _("found: {encoding}").format(encoding=found.encoding)
            if found is not None and not now.get("encoding")
            else _("find it")
        )
        options = list(dict.fromkeys([*ENCODINGS, now.get("encoding", "")]))
        st.selectbox(
            _("Encoding"),
            options,
            options.index(now.get("encoding", "")),
            format_func=lambda name: name or guessed,
            key=f"encoding.{dataset.key}",
            help=_(ENCODING_HELP),
            persist_state="session",
            width=280,
        )
    sheets = found.sheets if found is not None else ()
    if len(sheets) > 1:
        options = ["", *sheets]
        st.selectbox(
            _("Sheet"),
            options,
            options.index(now.get("sheet", "")) if now.get("sheet", "") in options else 0,
            format_func=lambda name: name or _("found: {sheet}").format(sheet=found.sheet if found is not None else ""),
            key=f"sheet.{dataset.key}",
            persist_state="session",
            width=280,
        )


def draw_notes(notes: tuple[str, ...]) -> None:
    """Say what people should know about how the file was read."""
    for note in notes:
        st.caption(f":material/info: {full_stop(plain(f'{note[0].upper()}{note[1:]}'))}")


def draw_rejects(name: str, rejects: Rejects) -> None:
    """Draw the rows that could not be read, and the button that saves them."""
    if not len(rejects):
        return
    with st.expander(_("{rows} could not be read").format(rows=plural(len(rejects), "row")), key="rejects"):
        every = rejects.table()
        rows = every.head(SHOWN_REJECTS).rename(columns={"rule": "why"})
        st.dataframe(rows, hide_index=True, height=220, alt=_("Rows that could not be read, with their lines and why"))
        if len(rejects) > len(rows):
            st.caption(_("The first {n_rows}; the file has all.").format(n_rows=count(len(rows))))
        st.download_button(
            _("Save these rows"),
            state.later(lambda: spreadsheet.download(every)),
            f"{name.rpartition('.')[0] or name} - rejected rows.csv",
            "text/csv",
            icon=":material/download:",
            key="save_rejects",
            on_click="ignore",
        )
