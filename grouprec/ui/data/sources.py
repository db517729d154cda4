"""Where data comes from: the sample, and files dropped on the page, checked before they are chosen.

Any file may be dropped: what it is, its content decides (``u.data`` is a table, a renamed picture is none).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from grouprec.core import rights
from grouprec.core.language import N_, Glossary, _, commas, decimal, minute
from grouprec.core.rights import Deed, Role
from grouprec.core.types import GrouprecError
from grouprec.data.library import SAMPLE_KEY, KnownDataset
from grouprec.data.reading.rejects import Rejects, TooManyRejectedError
from grouprec.runs.same_data import same_files
from grouprec.ui import state
from grouprec.ui.cards import plain
from grouprec.ui.data import checking, reading, remote, uploading
from grouprec.ui.place_words import on_page
from grouprec.ui.server import uploads

SMALL_MB = 200  # Streamlit keeps such files in memory
MAIN = N_("Drop your file here: who did what, one row each time")
MAIN_HELP = N_(
    "Of orders, clicks, plays or ratings: CSV, TSV, Parquet, JSON, JSON lines or Excel. It is checked at once."
)
OPTIONAL = Glossary({"items": "Items (optional)", "users": "Users (optional)"})
OPTIONAL_HELP = Glossary(
    {
        "items": "One row an item, with the same ids: names, categories, prices.",
        "users": "One row a user, with the same ids: country, age, kind of customer.",
    }
)
BESIDE = Glossary({"also": "What they do elsewhere (optional)", "edges": "Who knows whom (optional)"})
BESIDE_HELP = Glossary(
    {
        "also": "A second file of who did what, with the same ids of users: another shop, site or year. It only helps "
        "to foretell; its items are never listed, and held-out users decide how much it counts.",
        "edges": "Two columns with the same ids of users, one row a pair. What friends have helps to foretell as far "
        "as held-out users show it.",
    }
)
REFUSED = "refused_file"  # the session's key of what was not taken


@dataclass(frozen=True)
class Refused:
    """A file that was not taken: its name, why, the dataset to open where that can be mended here, and its bad rows."""

    name: str
    why: str
    key: str = ""
    rejects: Rejects | None = None


def draw_actions(dataset: KnownDataset) -> None:
    """Offer the sample, and the removal of the current upload."""
    if not dataset.is_sample and st.button(_("Use the sample"), icon=":material/shopping_basket:", key="use_sample"):
        choose(SAMPLE_KEY)
    if rights.may(Deed.ADD):
        remote.draw_remote(add)
    if not dataset.is_sample:
        with st.popover(_("Remove this file"), icon=":material/delete:"):
            st.markdown(
                _("Remove **{name}** from this list? Runs trained on it keep their results.").format(
                    name=plain(dataset.name)
                )
            )
            if st.button(_("Remove"), type="primary", key="remove_dataset"):
                remove(dataset)


def choose(key: str) -> None:
    """Open a dataset; what was refused before is no longer of interest."""
    st.session_state.pop(REFUSED, None)
    state.choose_dataset(key)
    st.rerun()


# -- files


def draw_drop(dataset: KnownDataset) -> None:
    """Draw where files are dropped; what arrives is checked, and chosen if it can be used."""
    if not rights.may(Deed.ADD):
        return
    turn = st.session_state.setdefault("upload_turn", 0)  # another key empties what was taken
    left, *others = st.columns([2, 1, 1], gap="small")
    with left:
        main = st.file_uploader(_(MAIN), key=f"upload.{turn}", help=_(MAIN_HELP), max_upload_size=SMALL_MB)
    given: dict[str, Any] = {}
    for place, (part, label) in zip(others, OPTIONAL.items(), strict=True):
        with place:
            given[part] = st.file_uploader(
                label, key=f"upload_{part}.{turn}", help=OPTIONAL_HELP[part], max_upload_size=SMALL_MB
            )
    with left, st.container(horizontal=True):
        large = draw_large(turn)
        with st.popover(_("More about the users"), type="tertiary", key=f"beside.{turn}"):
            for part, label in BESIDE.items():
                given[part] = st.file_uploader(
                    label, key=f"upload_{part}.{turn}", help=BESIDE_HELP[part], max_upload_size=SMALL_MB
                )
    files = {part: None if file is None else (file.name, file) for part, file in given.items()}
    if main is not None:
        add(main.name, main, files)
    elif large is not None:
        add(large.name, large.received, files)
    elif any(files.values()):
        if dataset.is_sample:
            st.caption(_(":material/hourglass_empty: Kept until the file of who did what is there, too."))
        else:
            extend(dataset, files)


def draw_large(turn: int) -> uploads.Upload | None:
    """Draw the way for large files; return the one that has arrived."""
    with st.popover(_("Larger than {small_mb} MB").format(small_mb=SMALL_MB), type="tertiary", key=f"large.{turn}"):
        st.caption(
            _("Goes straight to the disk of the server, up to {most_bytes} GB.").format(
                most_bytes=decimal(uploads.MOST_BYTES / 1000000000.0)
            )
        )
        arrived = uploading.stream_file(f"stream.{turn}")
    if arrived:
        st.session_state["upload_id"] = arrived
    return uploads.claim(st.session_state.get("upload_id", ""), uploading.session_key())


def add(name: str, content: Any, optional: dict[str, Any]) -> None:
    """Put files into the library, look at them and choose them; say where they were there already."""
    put(name, lambda: state.library().add(name, content, **optional))


def extend(dataset: KnownDataset, files: dict[str, Any]) -> None:
    """Put files of items or users beside the dataset, which takes them where their ids are its own."""
    name = commas(file[0] for file in files.values() if file is not None)
    put(name, lambda: state.library().extend(dataset.key, **files), dataset)


def put(name: str, store: Callable[[], KnownDataset], before: KnownDataset | None = None) -> None:
    """Keep files, look at them, and choose them where they can be used; else keep what was chosen and say why.

    Args:
        name: of what was dropped, for the sentence.
        before: the dataset that the files extend, which gives way.
    """
    known = {entry.key for entry in state.library().list()}
    st.session_state["upload_turn"] = st.session_state.get("upload_turn", 0) + 1
    forget_refused()
    try:
        entry = store()
        with st.spinner(_("Reading and checking {name} ...").format(name=plain(name)), show_time=True):
            error = checking.trouble(entry)
        if error is not None:
            refuse(name, entry, error, entry.key not in known, mendable=before is None)
        elif entry.key in known and before is None:
            when = minute(state.when(entry.added))
            st.toast(
                _("The same content is here since {when}, as “{name}”; its choices are kept.").format(
                    when=when, name=plain(entry.name)
                )
            )
        if error is None:
            state.choose_dataset(entry.key)
            give_way(before, entry)
    except GrouprecError as error:
        st.session_state[REFUSED] = Refused(name, on_page(str(error)))
    uploads.forget(st.session_state.pop("upload_id", ""))
    st.rerun()


def refuse(name: str, entry: KnownDataset, error: GrouprecError, new: bool, mendable: bool) -> None:
    """Remember what is wrong with a file; it stays in the library only where a choice on this page may mend it."""
    why, rejects = on_page(str(error)), getattr(error, "rejects", None)
    stays = mendable and (isinstance(error, TooManyRejectedError) or why != str(error))
    if new and not stays:
        state.library().remove(entry.key)
    st.session_state[REFUSED] = Refused(name, why, entry.key if stays else "", rejects)


def forget_refused() -> None:
    """Say no more of the file that was not taken, and keep it no longer."""
    found: Refused | None = st.session_state.pop(REFUSED, None)
    if found is not None and state.find_dataset(found.key) is not None:
        state.library().remove(found.key)


def give_way(before: KnownDataset | None, entry: KnownDataset) -> None:
    """Remove what was extended, where nobody can miss it: no run was trained on it, and nobody else may see it."""
    if before is None or before.key == entry.key or rights.person().role is not Role.LOCAL:
        return
    if not any(same_files(run, before) for run in state.store().runs()):
        state.library().remove(before.key)


def draw_refused() -> None:
    """Say what is wrong with the file that was not taken; what was chosen before is still chosen."""
    found: Refused | None = st.session_state.get(REFUSED)
    if found is None:
        return
    st.error(
        _("**{name} was not taken.** {why}").format(name=plain(found.name), why=plain(found.why)),
        icon=":material/error:",
    )
    with st.container(horizontal=True):
        if found.key and st.button(_("Change how it is read"), icon=":material/tune:", key="open_refused"):
            choose(found.key)
        if st.button(_("Close"), type="tertiary", key="close_refused"):
            forget_refused()
            st.rerun()
    if found.rejects is not None:
        reading.draw_rejects(found.name, found.rejects)


def remove(dataset: KnownDataset) -> None:
    try:
        state.library().remove(dataset.key)
    except GrouprecError as error:
        st.error(plain(str(error)))
        return
    choose(SAMPLE_KEY)
