"""All files with their versions; another one is opened by a click."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _, pgettext
from grouprec.data.library import KnownDataset, versions
from grouprec.ui import state
from grouprec.ui.data import sources

VERSION_HELP = N_("Another content under the same name is another version, the oldest is 1.")
ROWS_HELP = N_("Of text files about so many, until they are checked.")


def draw_versions(dataset: KnownDataset) -> None:
    """Draw all datasets with their versions; a selected one is opened."""
    entries = state.library().list()
    with st.expander(_("All files ({n_entries})").format(n_entries=len(entries)), key="all_files"):
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
                "name": st.column_config.TextColumn(_("File"), width="medium"),
                "version": st.column_config.NumberColumn(_("Version"), help=_(VERSION_HELP), width="small"),
                "rows": st.column_config.NumberColumn(_("Rows"), format="localized", help=_(ROWS_HELP)),
                "added": st.column_config.DatetimeColumn(
                    _("Added"), format=pgettext("pattern of a date in tables", "D MMM YYYY, HH:mm")
                ),
                "shown": st.column_config.TextColumn(_("Shown here"), width="small"),
                "key": st.column_config.TextColumn(
                    _("Fingerprint"), help=_("Of the content: equal content, equal fingerprint.")
                ),
            },
            alt=_("All files with their version, rows and the time when they were added"),
        )
        st.caption(_("Select a row to look at that file."))
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(entries) and entries[rows[0]].key != dataset.key:
        sources.choose(entries[rows[0]].key)
