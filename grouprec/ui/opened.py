"""What a run keeps for answers on the spot, opened once per server: its users' predictions, reasons, held-out part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from scipy import sparse

from grouprec.core.language import current
from grouprec.core.types import Regime
from grouprec.explore.kinds import kinds as found_kinds
from grouprec.explore.kinds import kinds_of_groups
from grouprec.explore.remake import ListMembers, Price, held_out_matrix, list_for_all
from grouprec.explore.tables import HELD_OUT_ROWS
from grouprec.ranking.takes import ExpectedTakes
from grouprec.report.who import who_of
from grouprec.runs import schemas
from grouprec.runs.places import SNAPSHOT
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run
from grouprec.ui import state

if TYPE_CHECKING:
    from grouprec.explore.reasons import Explainer, Model, Reasons

_Key = tuple[str, float]  # folder of a run, and when it was finished
BANDS = 4  # of a number among the attributes of items
MOST_VALUES = 60  # of an attribute that can be chosen from


def base(run: Run) -> FitSnapshot:
    """Return what a run knows of its users.

    Raises:
        StorageError: the file is damaged.
    """
    return _base(state.run_key(run))


def members(run: Run, users: pd.DataFrame, group: int) -> ListMembers:
    """Return the members of a group; ``users`` is the run's users table as :func:`state.table` gives it."""
    ids = users.loc[(users["group"] == group) & users["in_training"], "user"]
    return _members(state.run_key(run), rows_of(run, ids))


def some(run: Run, rows: np.ndarray) -> ListMembers:
    """Return the same for any users, rows of the base."""
    return _members(state.run_key(run), rows)


def price(run: Run, rows: np.ndarray, items: np.ndarray, regime: Regime, n: int) -> Price:
    """Return what the first ``n`` items of a list are worth to some users, rows of the base; counted once each."""
    return _price(state.run_key(run), rows, items, regime, n)


def rows_of(run: Run, ids: pd.Series) -> np.ndarray:
    """Return the rows of users in the base, int [n]; those that it does not know are left out."""
    rows = _user_index(state.run_key(run)).get_indexer(pd.Index(ids))
    return np.sort(rows[rows >= 0])


def item_rows(run: Run, ids: pd.Series) -> np.ndarray:
    """Return the rows of items in the base, int [n], -1 for one that it does not know."""
    return _item_index(state.run_key(run)).get_indexer(pd.Index(ids))


def places_for_all(run: Run) -> np.ndarray:
    """Return the place of every item on one list for everybody, int [I] from 1, 0 for none."""
    return _places(state.run_key(run))


def held_out(run: Run) -> sparse.csr_array | None:
    """Return what users took in the held-out part, CSR [U, I].

    None where the fit at hand has seen it, or the run kept it only in part.
    """
    return _held_out(state.run_key(run), bool(state.run_choices(run).get("refit")))


def attribute_rows(run: Run) -> dict[str, np.ndarray]:
    """Return what items can be left out by: ``category is bags``, ``price 1 to 5`` -> rows of the base."""
    return _attribute_rows(state.run_key(run))


def kinds(run: Run) -> np.ndarray:
    """Return what kind of thing every item of the items table is, object [I], "" where that is not known."""
    return _kinds(*state.run_key(run))


def who(run: Run) -> dict[int, str]:
    """Return who every group of the run is in one line, as its edits leave it: group -> markdown, "" for unknown."""
    return _who(*state.run_key(run), state.edits_version(run), current())


def kinds_of_base(run: Run) -> np.ndarray:
    """Return the same in the order of the base, object [I]."""
    items = pd.Series(kinds(run), index=state.table(run, "items")["item"])
    return items.reindex(base(run).item_ids).fillna("").to_numpy(object)


def why(run: Run, rows: np.ndarray, item: int) -> Reasons:
    """Return what speaks for an item in the eyes of some users, rows of the base.

    Raises:
        StorageError: the run is older than what reasons need, or a part of it is gone.
    """
    return _why(state.run_key(run), rows, item)


def explainer(run: Run, rows: np.ndarray) -> Explainer:
    """Return the reasons of some users for any item; errors as :func:`why`."""
    return _explainer(state.run_key(run), rows)


@st.cache_resource(max_entries=8, show_spinner=False)
def _base(key: _Key) -> FitSnapshot:
    return FitSnapshot.load(Run(Path(key[0])).file(SNAPSHOT))


@st.cache_resource(max_entries=8, show_spinner=False)
def _user_index(key: _Key) -> pd.Index:
    return pd.Index(_base(key).user_ids)


@st.cache_resource(max_entries=8, show_spinner=False)
def _item_index(key: _Key) -> pd.Index:
    return pd.Index(_base(key).item_ids)


@st.cache_resource(max_entries=64, show_spinner=False)
def _members(key: _Key, rows: np.ndarray) -> ListMembers:
    return ListMembers(_base(key), rows, ExpectedTakes.of(state.metrics(Run(Path(key[0]))).get("takes")))


@st.cache_resource(max_entries=1024, show_spinner=False)
def _price(key: _Key, rows: np.ndarray, items: np.ndarray, regime: Regime, n: int) -> Price:
    return _members(key, rows).price(items, regime, n)


@st.cache_resource(max_entries=8, show_spinner=False)
def _places(key: _Key) -> np.ndarray:
    return list_for_all(_base(key))


@st.cache_resource(max_entries=8, show_spinner=False)
def _held_out(key: _Key, refit: bool) -> sparse.csr_array | None:
    events = None if refit else state.table_or_none(Run(Path(key[0])), "held_out")
    return None if events is None or len(events) >= HELD_OUT_ROWS else held_out_matrix(_base(key), events)


@st.cache_resource(max_entries=8, show_spinner=False)
def _kinds(path: str, version: float) -> np.ndarray:
    run = Run(Path(path))
    items = state.table(run, "items")
    return found_kinds(items, schemas.named("items").more_names(items), state.metrics(run).get("kind_column"))


@st.cache_resource(max_entries=8, show_spinner=False)
def _who(path: str, version: float, edited: tuple[int, int] | None, language: str) -> dict[int, str]:
    run = Run(Path(path))
    known = state.table(run, "items")
    kind_of = kinds_of_groups(known, schemas.named("items").more_names(known), state.metrics(run).get("kind_column"))
    groups, activity = state.table(run, "groups"), state.table_or_none(run, "group_activity")
    items, attributes = state.table(run, "group_items"), state.table(run, "group_attributes")
    return {one: who_of(one, groups, items, kind_of, attributes, activity) for one in groups["group"].tolist()}


@st.cache_resource(max_entries=8, show_spinner=False)
def _attribute_rows(key: _Key) -> dict[str, np.ndarray]:
    items = state.table(Run(Path(key[0])), "items")
    rows = _item_index(key).get_indexer(pd.Index(items["item"]))
    found: dict[str, np.ndarray] = {}
    for name in schemas.named("items").more_names(items):
        column, title = items[name], str(name).replace("_", " ")
        if pd.api.types.is_numeric_dtype(column) and column.nunique() > BANDS:
            cut = pd.qcut(column, BANDS, duplicates="drop")
            bands = {band: f"{title} {band.left:g} to {band.right:g}" for band in cut.cat.categories}
            values = cut.cat.rename_categories(bands)
        else:
            frequent = column.value_counts().index[:MOST_VALUES]
            values = (f"{title} is " + column.astype(str)).where(column.isin(frequent))
        for value, places in values.groupby(values, observed=True).groups.items():
            chosen = rows[items.index.get_indexer(places)]
            found[str(value)] = chosen[chosen >= 0]
    return found


@st.cache_resource(max_entries=2, show_spinner=False)
def _model(key: _Key) -> Model:
    from grouprec.explore.reasons import Model  # knows the stages, and so torch: looking at lists does without

    run = Run(Path(key[0]))
    return Model.open(state.store(), run, _base(key))


@st.cache_resource(max_entries=16, show_spinner=False)
def _explainer(key: _Key, rows: np.ndarray) -> Explainer:
    model = _model(key)
    users = state.table(Run(Path(key[0])), "users")
    known = schemas.named("users").attributes(users)
    place = pd.Index(users["user"]).get_indexer(pd.Index(model.base.user_ids[rows]))
    return model.explainer(rows, known.iloc[place])


@st.cache_resource(max_entries=512, show_spinner=False)
def _why(key: _Key, rows: np.ndarray, item: int) -> Reasons:
    return _explainer(key, rows).why(item)
