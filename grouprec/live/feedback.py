"""What people said about recommended items: how often they agreed, and what the next training makes of it."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.live.beginning import PLACER
from grouprec.live.events import FACTORS
from grouprec.live.ledger import begun, check, damaged, promised, reader, sentences
from grouprec.live.stream import SNAPSHOT, Stream
from grouprec.ranking.statistics import wilson
from grouprec.runs.content import remembered
from grouprec.runs.places import LEDGER
from grouprec.runs.store import Run, RunStore

COLUMNS = ["time", "user", "group", "item", "verdict", "method", "regime"]
_QUERY = (
    """SELECT time, user, "group", item, behaviour, method, regime FROM events WHERE verdict = 1 ORDER BY sequence"""
)


def verdicts(run: Run) -> pd.DataFrame:
    """Return all feedback on a run in the order in which it came; none where there is none. Others may be writing.

    Returns:
        time (seconds since 1970, NaN), user (None where a group spoke), group (from 1, NaN where nobody said), item,
        verdict (of :data:`~grouprec.live.events.FACTORS`), method and regime of the list ("" where nobody said).
    Raises:
        StorageError: the ledger cannot be read.
    """
    path = run.ledger
    rows: list[tuple] = []
    if not path.exists() and (begun(path) or run.live_state.exists()):
        raise damaged(path, "its events are gone")
    if path.exists():
        with sentences(path):
            remembered(path, "ledger", _check)
            with contextlib.closing(reader(path)) as file:
                rows = file.execute(_QUERY).fetchall()
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"time": np.float64, "group": np.float64, "user": object, "item": object})


def _check(path: Path) -> None:
    least = promised(path)  # before it is opened: others may be writing
    with contextlib.closing(reader(path)) as file:
        check(file, least)


def standing(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the verdicts that hold: the last one of a user, or else a group, on an item, unless it takes back."""
    speaker = rows["user"].isna()
    who = rows["group"].where(speaker)
    last = rows.assign(who=who).drop_duplicates(["user", "who", "item"], keep="last").drop(columns="who")
    return last[last["verdict"] != "unhide"].reset_index(drop=True)


def acceptance(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how often people liked what they were shown, per group and method.

    The last verdict of a user, or of a group, on an item counts; one that was taken back does not.

    Args:
        rows: as :func:`verdicts` returns them; those without a group are left out.
    Returns:
        group, method, likes, dislikes, hides, verdicts, rate (likes / verdicts), low, high (Wilson's 95 % interval of
        the rate); by group and method.
    """
    told = standing(rows).dropna(subset="group").astype({"group": np.int64})
    counts = pd.crosstab([told["group"], told["method"]], told["verdict"])
    counts = counts.reindex(columns=["like", "dislike", "hide"], fill_value=0)
    frame = counts.rename(columns={"like": "likes", "dislike": "dislikes", "hide": "hides"}).rename_axis(columns=None)
    total = frame.sum(axis=1)
    rate = frame["likes"] / total
    low, high = wilson(rate.to_numpy(np.float64), total.to_numpy(np.float64))
    return frame.assign(verdicts=total, rate=rate, low=low, high=high).reset_index()


def factors(store: RunStore, run: Run, user_ids: np.ndarray, item_ids: np.ndarray) -> sparse.csr_array:
    """Return by what the next training multiplies its predictions, because people judged this run's.

    What a group said holds for those who are its members after all events so far; with what a user said of the same
    item it multiplies.

    Args:
        store: where the run is.
        user_ids: str [U], of the next training.
        item_ids: str [I].
    Returns:
        float32 CSR [U, I]: entries only where the factor is not 1; hidden items are explicit zeros.
    Raises:
        StorageError: the run's stream cannot be read.
    """
    shape = len(user_ids), len(item_ids)
    told = standing(verdicts(run))
    told["factor"] = told["verdict"].map(FACTORS).astype(np.float32)
    told["column"] = pd.Index(item_ids).get_indexer(pd.Index(told["item"]))
    told = told[told["column"] >= 0]
    if told.empty:
        return empty_csr(shape)
    by_user = told[told["user"].notna()]
    own = pd.DataFrame(
        {"row": pd.Index(user_ids).get_indexer(pd.Index(by_user["user"])), **by_user[["column", "factor"]]}
    )
    by_group = told.loc[told["user"].isna(), ["group", "column", "factor"]]
    shared = _members(store, run, user_ids).merge(by_group, on="group") if len(by_group) else own.iloc[:0]
    cells = pd.concat([own[own["row"] >= 0], shared[["row", "column", "factor"]]])
    cells = cells.groupby(["row", "column"], as_index=False)["factor"].prod()
    where = cells["row"].to_numpy(np.int64), cells["column"].to_numpy(np.int64)
    return sparse.csr_array((cells["factor"].to_numpy(np.float32), where), shape=shape)


def _members(store: RunStore, run: Run, user_ids: np.ndarray) -> pd.DataFrame:
    """Return the groups that users are in after all events: row (in ``user_ids``), group (from 1).

    From a copy of the stream, since another process may be writing to it.
    """
    live = run.live
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in (SNAPSHOT, PLACER):
            if (live / name).exists():
                shutil.copy(live / name, copy / name)
        with (
            contextlib.closing(reader(live / LEDGER)) as here,
            contextlib.closing(sqlite3.connect(copy / LEDGER)) as there,
        ):
            here.backup(there)
        with Stream.open(store, run, copy) as stream:
            rows = pd.Index(user_ids).get_indexer(pd.Index(stream.state.user_ids))
            members = pd.DataFrame({"row": rows, "group": np.array(stream.state.labels) + 1.0})
    return members[members["row"] >= 0]
