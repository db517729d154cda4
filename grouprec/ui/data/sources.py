"""Where data comes from: the sample, small and large uploads, and all files with their versions."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core import rights
from grouprec.core.rights import Deed
from grouprec.core.types import GrouprecError
from grouprec.data.library import SAMPLE_KEY, KnownDataset, versions
from grouprec.ui import state
from grouprec.ui.cards import plain
from grouprec.ui.data import remote, uploading
from grouprec.ui.server import uploads

FILE_TYPES = ["csv", "tsv", "txt", "gz", "parquet", "json", "jsonl", "ndjson", "xlsx"]
SMALL_MB = 200  # Streamlit keeps such files in memory
UPLOADS = {"small": f"Up to {SMALL_MB} MB", "large": "Larger"}
VERSION_HELP = "Another content under the same name is another version, the oldest is 1."
OPTIONAL = {"items": "Items (optional): names, categories, prices", "users": "Users (optional): country, age, ..."}
ROWS_HELP = "Of text files about so many, until they are checked."


def draw_source(dataset: KnownDataset) -> None:
    """Offer the sample, an upload, and the removal of the current upload."""
    if not dataset.is_sample and st.button("Use the sample", icon=":material/shopping_basket:", key="use_sample"):
        state.choose_dataset(SAMPLE_KEY)
        st.rerun()
    if rights.may(Deed.ADD):
        with st.popover("Use your own file", icon=":material/upload:"):
            draw_upload()
        remote.draw_remote(add)
    if not dataset.is_sample:
        with st.popover("Remove this file", icon=":material/delete:"):
            st.markdown(f"Remove **{plain(dataset.name)}** from this list? Runs trained on it keep their results.")
            if st.button("Remove", type="primary", key="remove_dataset"):
                remove(dataset)


def draw_upload() -> None:
    """Draw the upload form; a new key empties it once its files are in the library."""
    turn = st.session_state.setdefault("upload_turn", 0)
    kind = st.segmented_control(
        "Size of the interactions file",
        UPLOADS,
        default="small",
        required=True,
        format_func=UPLOADS.__getitem__,
        key="upload_kind",
        help=f"Larger files go straight to the disk of the server, up to {uploads.MOST_BYTES / 1e9:.0f} GB.",
    )
    large = draw_large(turn) if kind == "large" else None
    with st.form(f"upload_form.{turn}", border=False):
        about = "CSV, TSV, Parquet, JSON, JSON lines or Excel; one row for every time somebody did something."
        main = None
        if kind == "small":
            main = st.file_uploader(
                "Interactions: who did what", FILE_TYPES, key=f"upload.{turn}", help=about, max_upload_size=SMALL_MB
            )
        optional = {
            part: st.file_uploader(label, FILE_TYPES, key=f"upload_{part}.{turn}", max_upload_size=SMALL_MB)
            for part, label in OPTIONAL.items()
        }
        sent = st.form_submit_button("Add", type="primary")
    if not sent:
        return
    if main is None and large is None:
        st.error("Choose an interactions file first.")
        return
    files = {part: None if file is None else (file.name, file) for part, file in optional.items()}
    if large is not None:
        add(large.name, large.received, files)
    elif main is not None:
        add(main.name, main, files)


def draw_large(turn: int) -> uploads.Upload | None:
    """Draw the way for large files; return the one that has arrived and waits to be added."""
    arrived = uploading.stream_file(f"stream.{turn}", FILE_TYPES)
    if arrived:
        st.session_state["upload_id"] = arrived
    upload = uploads.claim(st.session_state.get("upload_id", ""), uploading.session_key())
    ready = f":material/check: {plain(upload.name)} is on the server; press Add." if upload is not None else ""
    st.caption(ready or "Choose the interactions file: it is sent at once; then press Add.")
    return upload


def add(name: str, content: Any, optional: dict[str, Any]) -> None:
    """Put files into the library and look at them; say where they were there already."""
    before = {entry.key for entry in state.library().list()}
    try:
        entry = state.library().add(name, content, **optional)
    except GrouprecError as error:
        st.error(plain(str(error)))
        return
    if entry.key in before:
        when = f"{state.when(entry.added):%d %b %Y, %H:%M}"
        st.toast(f"The same content is here since {when}, as “{plain(entry.name)}”; its choices are kept.")
    uploads.forget(st.session_state.pop("upload_id", ""))
    st.session_state["upload_turn"] += 1
    state.choose_dataset(entry.key)
    st.rerun()


def draw_versions(dataset: KnownDataset) -> None:
    """Draw all datasets with their versions; a selected one is opened."""
    entries = state.library().list()
    with st.expander(f"All files ({len(entries)})", key="all_files"):
        numbers = versions(entries)
        frame = pd.DataFrame(
            [
                {
                    "name": entry.name,
                    "version": numbers[entry.key],
                    "rows": entry.rows,
                    "added": None if entry.is_sample else state.when(entry.added),
                    "shown": "✓" if entry.key == dataset.key else "",
                    "key": "" if entry.is_sample else entry.key[:8],
                }
                for entry in entries
            ]
        )
        event = st.dataframe(
            frame,
            key=f"versions.{dataset.key}",
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            placeholder="",
            column_config={
                "name": st.column_config.TextColumn("File", width="medium"),
                "version": st.column_config.NumberColumn("Version", help=VERSION_HELP, width="small"),
                "rows": st.column_config.NumberColumn("Rows", format="localized", help=ROWS_HELP),
                "added": st.column_config.DatetimeColumn("Added", format="D MMM YYYY, HH:mm"),
                "shown": st.column_config.TextColumn("Shown here", width="small"),
                "key": st.column_config.TextColumn(
                    "Fingerprint", help="Of the content: equal content, equal fingerprint."
                ),
            },
            alt="All files with their version, rows and the time when they were added",
        )
        st.caption("Select a row to look at that file.")
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(entries) and entries[rows[0]].key != dataset.key:
        state.choose_dataset(entries[rows[0]].key)
        st.rerun()


def remove(dataset: KnownDataset) -> None:
    try:
        state.library().remove(dataset.key)
    except GrouprecError as error:
        st.error(plain(str(error)))
        return
    state.choose_dataset(SAMPLE_KEY)
    st.rerun()
