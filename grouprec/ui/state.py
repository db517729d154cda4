"""What every page asks first: which run, which dataset, which table. The only reader of the URL and of run tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from grouprec.core import rights
from grouprec.core.forms import mark_of
from grouprec.core.language import Glossary, _, decimal, keeping
from grouprec.core.rights import Deed
from grouprec.core.site import app_root
from grouprec.core.types import StorageError
from grouprec.data.library import KnownDataset, Library
from grouprec.explore.edited_tables import TABLES, EditedRun
from grouprec.explore.edits import FILE, EditHistory
from grouprec.explore.users import RunUsers
from grouprec.report.text import short
from grouprec.runs.same_data import same_files, same_rows
from grouprec.runs.store import FINISHED, Run, RunStore, State, Status
from grouprec.training import jobs
from grouprec.ui import languages

T = TypeVar("T")


def store() -> RunStore:
    """Return the runs of this server."""
    return RunStore()


def library() -> Library:
    """Return the datasets of this server; they lie beside the runs."""
    return Library(store().root / "datasets")


def page_path(name: str) -> str:
    """Return the path of a page's script, as ``st.switch_page`` and ``st.page_link`` want it."""
    return str(app_root() / "pages" / f"{name}.py")


# -- which run, which dataset


def current_run() -> Run | None:
    """Return the run of ``?run=``, else the one opened last in this session, else the newest finished one.

    Where ``?run=`` asks for a run that is not there it is None, never another one (:func:`missing_run`).
    """
    asked = st.query_params.get("run")
    found = find_run(asked or st.session_state.get("run"))
    if found is not None or asked:
        return found
    return next((run for run in store().runs() if run.usable), None)


def missing_run() -> str | None:
    """Return the id that ``?run=`` asks for where there is no such run, else None."""
    asked = st.query_params.get("run")
    return asked if asked and find_run(asked) is None else None


def no_such_run(run_id: str) -> str:
    """Say, for a page, that there is no such run and what to do."""
    return _(
        "There is no run called {run_id} here. It may have been deleted, or the link may be of "
        "another server or runs folder. Choose a run in the sidebar, or train one."
    ).format(run_id=short(run_id, 40))


def current_dataset() -> KnownDataset:
    """Return the dataset of ``?dataset=``, else the one opened last, else the current run's, else the sample."""
    for key in (st.query_params.get("dataset"), st.session_state.get("dataset")):
        entry = find_dataset(key)
        if entry is not None:
            return entry
    run = current_run()
    entries = library().list()
    same = [entry for entry in entries if run is not None and same_rows(run, entry)]
    whole = [entry for entry in same if run is not None and same_files(run, entry)]
    return [*whole, *same, *entries][0]


def find_run(run_id: str | None) -> Run | None:
    """Return a run by its id, None where there is none."""
    return next((run for run in store().runs() if run.run_id == run_id), None) if run_id else None


def find_dataset(key: str | None) -> KnownDataset | None:
    """Return a dataset by its key, None where there is none."""
    try:
        return library().get(key) if key else None
    except StorageError:
        return None


def choose_run(run_id: str) -> None:
    """Make a run the current one, in the URL and for the rest of the session."""
    _choose("run", run_id)


def choose_dataset(key: str) -> None:
    """Make a dataset the current one, in the URL and for the rest of the session."""
    _choose("dataset", key)


def forget_run(run_id: str) -> None:
    """Take a run that is no longer there out of the URL and the session."""
    if st.query_params.get("run") == run_id:
        del st.query_params["run"]
    if st.session_state.get("run") == run_id:
        del st.session_state["run"]


def _choose(name: str, value: str) -> None:
    st.session_state[name] = value
    if st.query_params.get(name) != value:
        st.query_params[name] = value


def open_page(name: str, **more: str | list[str]) -> NoReturn:
    """Go to another page and take the chosen run and dataset along; ``more`` goes into the URL too."""
    st.switch_page(page_path(name), query_params=kept_query() | more)


def kept_query() -> dict[str, str]:
    """Return what every link inside the app takes along: the chosen run and dataset, and the language."""
    chosen = {key: st.query_params[key] for key in ("run", "dataset") if key in st.query_params}
    return chosen | languages.in_url()


def when(seconds: float) -> datetime:
    """Return a moment in the time zone of the reader's browser."""
    zone = st.context.timezone
    return datetime.fromtimestamp(seconds, ZoneInfo(zone) if zone else UTC)


# -- what a run holds


def run_choices(run: Run) -> dict[str, Any]:
    """Return a run's config.json as it stands, {} where it is unreadable."""
    try:
        return run.choices()
    except StorageError:
        return {}


def table(run: Run, name: str) -> pd.DataFrame:
    """Return a table of a finished run as the edits of its groups leave it; made once per server, yours to change.

    Raises:
        StorageError: the run has no such table.
    """
    edited = edits_version(run)
    if edited is None or name not in TABLES:
        return trained_table(run, name)
    return _edited_table(str(run.path), _version(run), edited, name).copy(deep=False)


def trained_table(run: Run, name: str) -> pd.DataFrame:
    """Return a table of a finished run as it was trained: live updates and virtual members know no edits.

    Raises:
        StorageError: the run has no such table.
    """
    return _read_table(str(run.path), _version(run), name).copy(deep=False)  # copy on write: the cached one stays


def edited(run: Run) -> EditedRun:
    """Return the groups of a finished run as their edits leave them. Shared by all sessions.

    Raises:
        StorageError: the file of the edits is damaged.
    """
    return _edited_run(str(run.path), _version(run), edits_version(run))


def run_users(run: Run) -> RunUsers:
    """Return the users of a finished run among one another. Shared by all sessions.

    Raises:
        StorageError: the run is older than what this needs.
    """
    return _run_users(str(run.path), _version(run))


def table_or_none(run: Run, name: str) -> pd.DataFrame | None:
    """Return a table of a finished run; None where the run has none, or none with rows: older runs have fewer."""
    if not run.has_table(name):
        return None
    found = table(run, name)
    return found if len(found) else None


def gain_tables(run: Run) -> tuple[pd.DataFrame | None, pd.DataFrame | None]:
    """Return the tables ``gain`` and ``value_of_groups``, as :func:`grouprec.report.gain.split_of` takes them."""
    return table_or_none(run, "gain"), table_or_none(run, "value_of_groups")


def metrics(run: Run) -> dict[str, Any]:
    """Return the metrics of a finished run; read from disk once per server. Never change it."""
    return _read_metrics(str(run.path), _version(run))


def run_key(run: Run) -> tuple[str, float]:
    """Return what results that are made once per server are kept under: a run's folder, and when it was finished."""
    return str(run.path), _version(run)


def later(make: Callable[[], T], run: Run | None = None) -> Callable[[], T]:
    """Return what makes a download when its button is pressed: in another thread, which knows no session.

    It is made for whoever saw the button, in their language, and only while they may see the run that it is of.
    """
    who = rights.person()

    def made() -> T:
        with rights.acting(who):
            if run is not None:
                run_key(run)
            return make()

    return keeping(made)


def _version(run: Run) -> float:
    """Return a number that changes when the run's results do.

    Every reader asks for it, so here is asked, too, whether whoever looks still may: a page may stand open for long.

    Raises:
        StorageError: they may not, any more.
    """
    if not rights.may(Deed.SEE, run.path):
        raise StorageError(no_such_run(run.run_id))
    manifest = run.path / "manifest.json"
    return manifest.stat().st_mtime if manifest.exists() else 0.0


@st.cache_resource(max_entries=64, show_spinner=False)
def _read_table(path: str, version: float, name: str) -> pd.DataFrame:
    return Run(Path(path)).table(name)


def edits_version(run: Run) -> tuple[int, int] | None:
    """Return what changes whenever the edits of a run's groups do; None where nobody has made any.

    Edits that were made and are gone are not none: whoever reads them says so.
    """
    try:
        found = (run.path / FILE).stat()
    except OSError:
        return (0, 0) if mark_of(run.path / FILE).exists() else None
    return found.st_mtime_ns, found.st_ino


@st.cache_resource(max_entries=32, show_spinner="Describing the edited groups …")
def _edited_table(path: str, version: float, edited: tuple[int, int], name: str) -> pd.DataFrame:
    return _edited_run(path, version, edited).table(name)


@st.cache_resource(max_entries=4, show_spinner=False)
def _edited_run(path: str, version: float, edited: tuple[int, int] | None) -> EditedRun:
    run = Run(Path(path))
    who = _run_users(path, version) if run.has_snapshot else None
    return EditedRun(run, EditHistory.load(run.path), who)


@st.cache_resource(max_entries=2, show_spinner=False)
def _run_users(path: str, version: float) -> RunUsers:
    return RunUsers.open(Run(Path(path)))


@st.cache_resource(max_entries=64, show_spinner=False)
def _read_metrics(path: str, version: float) -> dict[str, Any]:
    return Run(Path(path)).metrics()


# -- pages that need a finished run


def require_run() -> Run:
    """Return the current run where it is finished; else draw why not and one next step, and stop the page."""
    run = current_run()
    if run is not None and run.usable:
        return run
    if (missing := missing_run()) is not None:
        _empty(_("This run is not here"), no_such_run(missing))
    if run is None:
        run = jobs.active(store())
    if run is None:
        _empty(
            _("Nothing is trained yet"),
            _("Train on the sample or on your own file; a quick run takes a minute or two."),
        )
    status = jobs.refresh(run)
    if status.waiting:
        _empty(_("This run waits for its turn"), _("It starts by itself when the runs before it have ended."))
    if status.state not in FINISHED:
        done = _("{fraction} % of the training is done").format(fraction=decimal(status.fraction * 100))
        _empty(
            _("This run is still being trained"),
            _("{done}. Its results appear here when it is finished.").format(done=done),
        )
    if status.state is State.DAMAGED:
        _empty(_("This run is damaged"), status.message)
    _empty(_("This run {ended}").format(ended=_ENDED.get(status.state, "has no results")), _reason(status))


_ENDED = Glossary({State.FAILED: "failed", State.CANCELLED: "was cancelled", State.LOST: "was interrupted"})


def _reason(status: Status) -> str:
    message = status.message if status.state is not State.CANCELLED else ""
    return message or _("It has no results; continue it on the Train page, or choose another run in the sidebar.")


def _empty(title: str, text: str) -> NoReturn:
    """Draw an empty state with the way to the Train page, and stop."""
    with st.container(border=True, horizontal_alignment="center"):
        st.space("small")
        st.subheader(title, text_alignment="center", anchor=False)
        st.text(text, text_alignment="center")
        if st.button(_("Open Train"), type="primary", icon=":material/play_arrow:", key="empty_open_train"):
            open_page("train")
        st.space("small")
    st.stop()
