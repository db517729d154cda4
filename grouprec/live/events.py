"""Events as they arrive - a file, JSON, a form - checked, told apart and put in the order in which they happened."""

from __future__ import annotations

import hashlib
import json
import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.types import DataError
from grouprec.data.limits import LONGEST_ID
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.pseudonyms import pseudonyms_of
from grouprec.data.reading.read import NoRowsError, peek, read_table
from grouprec.data.roles.columns import apply_map
from grouprec.data.roles.detect import detect_roles
from grouprec.data.roles.header_words import simple_name
from grouprec.data.roles.outcomes import came_to_nothing
from grouprec.data.values.common import shown
from grouprec.data.values.ids import encode_ids
from grouprec.data.values.numerals import to_numbers
from grouprec.data.values.times import read_times

# Columns of a table of events; every other column says something about the user or the item.
COLUMNS = ("user", "item", "time", "weight", "rating", "behaviour", "label", "group", "event_id", "method", "regime")
# Feedback on a recommended item: what the prediction is multiplied by.
FACTORS = {"like": 1.5, "dislike": 0.5, "hide": 0.0, "unhide": 1.0}
MOST_NAMES = 500  # different columns of events that come as objects
MOST_NAMED = 10  # problems of one kind that are told one by one
_EXTRA = {"event_id": ("eventid",), "group": ("group",), "behaviour": ("verdict",), "method": ("method",)}
_EXTRA |= {"regime": ("regime",)}


def read_events(
    path: Path, mapping: Mapping[str, str], usual: Mapping[str, str] | None = None, order: str = ""
) -> pd.DataFrame:
    """Return the events of a file as a table whose columns are named as in :data:`COLUMNS`.

    Roles are found as for training files. Beside them, columns called event_id, group, verdict, method and regime
    are known by their names (so an exported feedback.csv can be read).

    Args:
        path: a file of any format that training reads; no rows below the header are no events.
        mapping: role -> column, put over the detected roles.
        usual: the mapping of the training, which holds for columns that are there and have no other role.
        order: of day, month and year in the training's dates (:func:`check_events`).
    Raises:
        DataError: the file cannot be read as a table, or no column is found for the user or the item.
        SettingError: the mapping does not fit together.
    """
    path = Path(path)
    try:
        head = peek(path)
    except NoRowsError:
        return pd.DataFrame(columns=list(COLUMNS))
    taken = set(mapping.values())
    kept = {
        role: column
        for role, column in (usual or {}).items()
        if role not in mapping and (not column or (column in head.columns and column not in taken))
    }
    detected = detect_roles(head.head)
    try:
        roles = apply_map(detected, {**kept, **mapping}, head.columns).as_dict()
    except DataError as error:
        raise DataError(f"'{path.name}': {error}") from error
    for role, names in _EXTRA.items():
        free = [column for column in head.columns if column not in roles.values() and simple_name(column) in names]
        if role not in roles and free:
            roles[role] = free[0]
    names = {column: role for role, column in roles.items() if role in COLUMNS}
    table = _what_happened(read_table(path), roles, order).rename(columns=names)
    # A column of the file that bears one of our names without having that role would be taken for it.
    return table[[column for column in table.columns if column in names.values() or column not in COLUMNS]]


def _what_happened(table: pd.DataFrame, roles: Mapping[str, str], order: str) -> pd.DataFrame:
    """Return the rows that came to something, their time of day joined to the day."""
    if roles.get("clock") and roles.get("time"):
        table[roles["time"]] = read_times(table[roles["time"]], table[roles["clock"]], order).seconds
    return table[~came_to_nothing(table[roles["outcome"]])[0]] if roles.get("outcome") else table


@dataclass(frozen=True, eq=False)
class Checked:
    """Events that can be applied, and what is wrong with the others.

    Attributes:
        table: one row per valid event, in the order in which they happened; those of equal time, and all of them
            where there are no times, in the order of their keys, which is none: the order of rows in a file may leak
            what belongs together. Columns: row (in what was given, from 1), key, user, item, label, behaviour,
            method, regime (str, "" where missing), group (int, from 1, 0 where missing), time (seconds, NaN where
            missing), weight, verdict (bool).
        more: the further columns as given, the same rows.
        n_events: how many were given.
        malformed: how many were refused.
        problems: the first refused ones, each with its row and the rule.
    """

    table: pd.DataFrame
    more: pd.DataFrame
    n_events: int
    malformed: int
    problems: list[str]


def check_events(
    events: pd.DataFrame | Iterable[Mapping[str, Any]],
    settings: Preparation,
    n_groups: int,
    order: str = "",
    latest: float = math.inf,
) -> Checked:
    """Return the events that can be applied; nothing that a row holds raises.

    An event needs a user and an item; feedback (:data:`FACTORS`) on a group needs no user but a group. Either every
    event has a time or none has. Weights are positive; an empty one is 1, and a rating stands in where there is no
    weight, as in training. Two events are the same if they have one event_id or, without ids, agree in user, group,
    item, time, weight and behaviour. Without times such twins are counted through within ``events``, so they are
    events of their own, but the same ones when the same events are given again.

    Args:
        events: a table with columns of :data:`COLUMNS`, or mappings with such keys.
        settings: of the run's preparation: weights of behaviours, how ratings are taken.
        n_groups: groups are numbered 1..n_groups.
        order: of day, month and year in the training's dates (:attr:`~grouprec.data.values.times.Times.order`); ""
            where the events themselves decide.
        latest: seconds since 1970; what lies later has not happened yet.
    Raises:
        SettingError: users are known by pseudonyms, and there is no key to make them with.
    """
    given, odd, many = _table(events)
    table = pd.DataFrame(index=given.index)
    for name in ("user", "item", "behaviour", "label", "method", "regime", "event_id"):
        table[name] = _texts(given, name)
    if settings.pseudonyms:
        table["user"] = pseudonyms_of(table["user"])
    verdicts = _simple(table["behaviour"])
    table["verdict"] = verdicts.isin(list(FACTORS)).to_numpy(bool)
    table["behaviour"] = verdicts.where(table["verdict"], table["behaviour"]).to_numpy(object)
    groups = to_numbers(_column(given, "group"))
    inside = (groups >= 1) & (groups <= n_groups) & (groups % 1 == 0)
    table["group"] = np.where(inside & table["verdict"], np.nan_to_num(groups), 0).astype(np.int64)
    table["time"], bad_time = _times(given, order, latest)
    table["weight"], bad_weight = _weights(given, table, settings)
    rules = [(odd, "a value is a list, an object, an endless number or damaged text", None), *_too_long(given)]
    rules.append((many, f"these events have more than {MOST_NAMES} different names", None))
    rules += [*_rules(given, table, inside), *bad_time, *bad_weight]
    refused, problems = _refuse(rules, given)
    table.insert(0, "row", np.arange(1, len(table) + 1))
    table = table[~refused]
    table.insert(1, "key", _keys(table))
    table = table.iloc[np.lexsort((table["key"].to_numpy("S32"), table["time"].to_numpy()))]
    more = given.drop(columns=list(COLUMNS), errors="ignore").loc[table.index].reset_index(drop=True)
    return Checked(table.reset_index(drop=True), more, len(given), int(refused.sum()), problems)


Rule = tuple[np.ndarray, str, pd.Series | None]  # rows that break it, what they break, the column that shows it


def _rules(given: pd.DataFrame, table: pd.DataFrame, inside: np.ndarray) -> list[Rule]:
    """The rules about who, what and which group."""
    nobody = (table["user"] == "").to_numpy(bool)
    named = (_texts(given, "group") != "") & table["verdict"].to_numpy(bool)
    return [
        ((table["item"] == "").to_numpy(bool), "it has no item", None),
        (nobody & ~named, "it has no user", None),
        (named & ~inside, "there is no group '{}'", _column(given, "group")),
    ]


def _too_long(given: pd.DataFrame) -> list[Rule]:
    """The rule about texts that nobody types: an id of a megabyte would be kept, sent and drawn for good."""
    rules: list[Rule] = []
    for name in given.columns:
        if pd.api.types.is_numeric_dtype(given[name]) or pd.api.types.is_datetime64_any_dtype(given[name]):
            continue
        there = given[name].notna().to_numpy(bool)  # hardly anywhere in the columns of objects that have a name each
        texts = given[name][there]
        long = np.zeros(len(given), bool)
        long[there] = [isinstance(value, str | bytes) and len(value) > LONGEST_ID for value in texts]
        if long.any():
            rules.append((long, f"its '{shown(name)}' is longer than {LONGEST_ID:,} characters", None))
    return rules


def _times(given: pd.DataFrame, order: str, latest: float) -> tuple[np.ndarray, list[Rule]]:
    column = _column(given, "time")
    present = _texts(given, "time") != ""
    times = read_times(column, order=order).seconds
    unreadable = present & np.isnan(times)
    missing = ~present & present.any()
    learned = f"; dates of this run are {order}" if order else ""
    return times, [
        (unreadable, f"its time '{{}}' cannot be read{learned}", column),
        (times > latest, "its time '{}' has not come yet", column),
        (missing, "it has no time, and others have one", None),
    ]


def _weights(given: pd.DataFrame, table: pd.DataFrame, settings: Preparation) -> tuple[np.ndarray, list[Rule]]:
    """The weights, 1 where nothing is given, and the rules about them."""
    weight, rating = _column(given, "weight"), _column(given, "rating")
    weights, ratings = to_numbers(weight), to_numbers(rating)
    has_weight, has_rating = (_texts(given, name) != "" for name in ("weight", "rating"))
    factors = {simple_name(name): factor for name, factor in settings.behaviour_weights.items()}
    nothing = (_simple(table["behaviour"]).map(factors) == 0).to_numpy(bool)
    rules: list[Rule] = [
        (has_weight & ~(np.isfinite(weights) & (weights > 0)), "its weight '{}' is not a number above 0", weight),
        (has_rating & ~np.isfinite(ratings), "its rating '{}' is not a number", rating),
        (
            nothing & ~table["verdict"].to_numpy(bool),
            "the run gives the behaviour '{}' the weight 0",
            table["behaviour"],
        ),
    ]
    if settings.rating == "threshold":
        low = has_rating & (ratings < settings.rating_threshold)
        rules.append((low, f"its rating '{{}}' is below {settings.rating_threshold:g}", rating))
    else:
        rules.append((has_rating & ~has_weight & (ratings <= 0), "its rating '{}' is not above 0", rating))
        weights = np.where(has_weight, weights, np.where(has_rating, ratings, 1.0))
    return np.where(np.isnan(weights), 1.0, weights), rules


def _refuse(rules: Sequence[Rule], given: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return which rows break a rule, bool [n], and a sentence for the first ones, by row."""
    broken = np.stack([rows for rows, _, _ in rules])
    refused = np.asarray(broken.any(axis=0))
    problems = []
    for row in np.flatnonzero(refused)[:MOST_NAMED]:
        _, sentence, column = rules[int(broken[:, row].argmax())]
        value = "" if column is None else shown(column.iloc[row])
        problems.append(f"row {row + 1}: {sentence.format(value)}")
    return refused, problems


def _keys(table: pd.DataFrame) -> list[str]:
    """Return what tells every event from all others: a hash of its id, else of its content (:func:`check_events`)."""
    names = ["user", "group", "item", "time", "weight", "behaviour"]
    content = pd.Series(
        [json.dumps(values) for values in zip(*(table[name].tolist() for name in names), strict=True)], dtype=object
    )
    twin = content.groupby(content).cumcount().where(table["time"].isna().to_numpy(), 0)
    parts = zip(table["event_id"], content, twin, strict=True)
    texts = [json.dumps([given]) if given else f"{text} {number}" for given, text, number in parts]
    return [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]


def _table(events: pd.DataFrame | Iterable[Mapping[str, Any]]) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the events as a table, and which rows hold what no cell can hold, and which too many names, bool [n]."""
    if isinstance(events, pd.DataFrame):
        twice = events.columns.astype(str).duplicated()
        none = np.zeros(len(events), bool)
        return events.loc[:, ~twice].reset_index(drop=True), none, none
    rows = [event if isinstance(event, Mapping) else {"user": [event]} for event in events]
    kept = [{str(name): value for name, value in row.items()} for row in rows]
    clean = [{name: value for name, value in row.items() if _is_plain(name) and _is_plain(value)} for row in kept]
    odd = np.array([len(row) < len(whole) for row, whole in zip(clean, kept, strict=True)], bool)
    # Events with a name each would fill a square of their number.
    names = dict.fromkeys(name for row in clean for name in row)
    beyond = set(list(names)[MOST_NAMES:]) - set(COLUMNS)
    many = np.array([not beyond.isdisjoint(row) for row in clean], bool)
    columns = {name: np.full(len(clean), np.nan, object) for name in names if name not in beyond}
    for number, row in enumerate(clean):
        for name in row.keys() & columns.keys():
            columns[name][number] = row[name]
    return pd.DataFrame(columns, index=range(len(clean)), dtype=object, copy=False), odd, many


def _is_plain(value: Any) -> bool:
    """Return whether a value can stand in a table: nothing, text that is text, a finite number, a date."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:  # half a character, which JSON can hold
            return False
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, numbers.Real | np.generic | date)


def _simple(names: pd.Series) -> pd.Series:
    """Return names of behaviours as they are compared."""
    return names.map({name: simple_name(name) for name in names.unique()})


def _column(given: pd.DataFrame, name: str) -> pd.Series:
    return given[name] if name in given.columns else pd.Series(np.nan, index=given.index, name=name)


def _texts(given: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as ids are read in training, object [n] of str, "" where missing."""
    codes, names = encode_ids(_column(given, name))
    return np.append(names, "").astype(object)[codes]
