"""Files -> a dataset and the report of how it came about."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from grouprec.core.types import DataError, SettingError
from grouprec.data.attributes import (
    activity,
    attribute_table,
    constant_columns,
    item_labels,
    median_price,
)
from grouprec.data.clean import Cleaned, Preparation, Report, Rows, check_times, clean_rows
from grouprec.data.columns import AttributeRoles, Roles, apply_map, detect_attribute_roles, detect_roles
from grouprec.data.core_users import Core, fit_core
from grouprec.data.dataset import Dataset, Interactions, LeftOut
from grouprec.data.read import peek, read_table
from grouprec.data.split import TEST, TRAIN, VALIDATION, split_by_time, split_by_user
from grouprec.data.values import shown, sorted_unique, to_numbers, to_seconds

_FORMAT = 1  # part of the key: raise it when the preparation gives other data for the same settings


@dataclass(frozen=True, eq=False)
class Prepared:
    """Everything the preparation made and found.

    Attributes:
        dataset: what the stages read.
        report: rows before and after every step.
        roles: the columns used.
        n_rows, n_users, n_items: of the file, valid rows only.
        new_users_validation, new_users_test: users of those parts whom training has never seen (not in the dataset).
        first_time, last_time: seconds since 1970 UTC over all valid rows, None where there are no times.
        split: "time", "user", or "none" where all rows train.
        user_roles, item_roles: the columns of the attribute files, None where there is no such file.
    """

    dataset: Dataset
    report: Report
    roles: Roles
    n_rows: int
    n_users: int
    n_items: int
    new_users_validation: int
    new_users_test: int
    first_time: float | None
    last_time: float | None
    split: str
    user_roles: AttributeRoles | None = None
    item_roles: AttributeRoles | None = None


def _ignore(fraction: float) -> None:
    """Progress that nobody watches."""


def prepare(
    interactions: Path,
    *,
    users: Path | None = None,
    items: Path | None = None,
    roles: Mapping[str, str] | None = None,
    settings: Preparation | None = None,
    seed: int = 0,
    hold_out: bool = True,
    on_progress: Callable[[float], None] | None = None,
) -> Prepared:
    """Read, clean, split and code the files.

    Args:
        interactions: who did what with which item.
        users, items: attributes, one row each; optional.
        roles: role -> column, put over the detected roles ("" switches one off).
        settings: of the preparation; the defaults where None.
        seed: of the split by user.
        hold_out: False puts all rows in the training part (final fit after the evaluation).
        on_progress: called with the finished fraction, 0..1.
    Raises:
        DataError: a file cannot be used, or no rows are left (says at which step).
        SettingError: the roles do not fit together, or a split by time of a file without times.
    """
    settings = settings or Preparation()
    progress = on_progress or _ignore
    interactions = Path(interactions)
    found = find_roles(interactions, roles or {})
    table = read_table(interactions, found.columns())
    progress(0.4)
    report = Report()
    report.add("read", len(table), len(table), f"'{interactions.name}'", "")
    cleaned = clean_rows(table, found, settings, report)
    _check_two(cleaned, found)
    progress(0.7)
    parts, split = _split(cleaned.rows, settings, seed, hold_out)
    report.add("split", len(parts), len(parts), _split_note(parts, split), "")
    core = fit_core(cleaned.rows, parts, settings, found.weight is not None, report)
    progress(0.8)
    user_file = _attribute_file(users, cleaned.user_ids, "user")
    item_file = _attribute_file(items, cleaned.item_ids, "item")
    key = _key([interactions, users, items], settings, found, seed, hold_out)
    dataset = _dataset(interactions.stem, key, table, found, cleaned, core, user_file, item_file)
    progress(1.0)
    times = cleaned.rows.times
    return Prepared(
        dataset=dataset,
        report=report,
        roles=found,
        n_rows=len(cleaned.rows),
        n_users=len(sorted_unique(cleaned.rows.users)),
        n_items=len(sorted_unique(cleaned.rows.items)),
        new_users_validation=core.new_users[0],
        new_users_test=core.new_users[1],
        first_time=None if times is None else float(times.min()),
        last_time=None if times is None else float(times.max()),
        split=split,
        user_roles=None if user_file is None else user_file[1],
        item_roles=None if item_file is None else item_file[1],
    )


def find_roles(interactions: Path, mapping: Mapping[str, str]) -> Roles:
    """Return the roles of a file's columns, looking at its head only; refuses a file of rubbish before it is read.

    Raises:
        DataError: no column for user or item, or none of the first times or weights can be read.
        SettingError: the mapping does not fit together.
    """
    head = peek(interactions)
    try:
        found = apply_map(detect_roles(head.head), mapping, head.columns)
    except DataError as error:
        raise DataError(f"'{interactions.name}': {error}") from error
    if found.time is not None:
        column = head.head[found.time]
        bad = np.isnan(to_seconds(column))
        if bad.all() and column.notna().any():
            check_times(column, bad, len(bad))
    for role in ("weight", "rating"):
        name = getattr(found, role)
        values = head.head.iloc[:0, 0] if name is None else head.head[name].dropna()
        if len(values) and np.isnan(to_numbers(values)).all():
            raise DataError(
                f"'{interactions.name}': column '{name}' holds no numbers (such as '{shown(values.iloc[0])}'); "
                f"choose another with --map {role}=COLUMN or do without with --map {role}=."
            )
    return found


def _check_two(cleaned: Cleaned, roles: Roles) -> None:
    for kind, codes, ids in (
        ("user", cleaned.rows.users, cleaned.user_ids),
        ("item", cleaned.rows.items, cleaned.item_ids),
    ):
        if len(codes) and (codes == codes[0]).all():
            raise DataError(
                f"There is only one {kind}, '{shown(ids[codes[0]])}', in column '{getattr(roles, kind)}': "
                f"groups need two or more; is --map {kind}=COLUMN right?"
            )


def _split(rows: Rows, settings: Preparation, seed: int, hold_out: bool) -> tuple[np.ndarray, str]:
    """Return the part of every row and how it was found."""
    shares = settings.validation_share, settings.test_share
    if not hold_out or sum(shares) == 0:
        return np.full(len(rows), TRAIN, np.int8), "none"
    if settings.split in ("time", "user_time") and rows.times is None:
        raise SettingError("A split by time needs a time column; name it with --map time=COLUMN or set split to user.")
    if settings.split in ("auto", "time") and rows.times is not None:
        parts = split_by_time(rows.times, *shares)
        # One moment for all rows cannot be cut; auto then falls back to users.
        if settings.split == "time" or (parts != TRAIN).any():
            return parts, "time"
    rng = np.random.default_rng([seed, zlib.crc32(b"split")])
    if settings.split == "user_time":
        return split_by_user(rows.users, *shares, rng, rows.times), "user_time"
    return split_by_user(rows.users, *shares, rng), "user"


SPLITS = {
    "time": "by time",
    "user": "per user at random",
    "user_time": "per user by time",
    "none": "all rows train",
}


def _split_note(parts: np.ndarray, split: str) -> str:
    counts = np.bincount(parts, minlength=3)
    how = SPLITS[split]
    return f"{how}: training {counts[0]:,}, validation {counts[1]:,}, test {counts[2]:,}"


def _attribute_file(path: Path | None, ids: np.ndarray, kind: str) -> tuple[pd.DataFrame, AttributeRoles] | None:
    if path is None:
        return None
    table = read_table(Path(path))
    return table, detect_attribute_roles(table, ids, kind, Path(path).name)


def _dataset(
    name: str,
    key: str,
    table: pd.DataFrame,
    roles: Roles,
    cleaned: Cleaned,
    core: Core,
    user_file: tuple[pd.DataFrame, AttributeRoles] | None,
    item_file: tuple[pd.DataFrame, AttributeRoles] | None,
) -> Dataset:
    """Turn codes of the file into rows of the dataset."""
    user_ids, item_ids = cleaned.user_ids[core.users], cleaned.item_ids[core.items]
    inside = _recode(core.rows, core.users, core.items)
    train = inside.take(core.parts == TRAIN)
    left = _interactions(_recode(core.left_rows, core.left_users, core.items))
    user_tables = [
        constant_columns(table, roles.user_attributes, train, len(user_ids)),
        attribute_table(user_file, user_ids),
        activity(train, len(user_ids)),
    ]
    item_tables = [attribute_table(item_file, item_ids), median_price(table, roles.price, train, len(item_ids))]
    return Dataset(
        name=name,
        key=key,
        user_ids=user_ids,
        item_ids=item_ids,
        train=_interactions(train),
        validation=_interactions(inside.take(core.parts == VALIDATION)),
        test=_interactions(inside.take(core.parts == TEST)),
        item_labels=item_labels(table, roles.label, train, item_file, item_ids),
        user_attributes=_side_by_side(user_tables, len(user_ids)),
        item_attributes=_side_by_side(item_tables, len(item_ids)),
        merge=cleaned.merge,
        left_out=LeftOut(
            cleaned.user_ids[core.left_users],
            left.matrix((len(core.left_users), len(item_ids)), cleaned.merge),
            _side_by_side([attribute_table(user_file, cleaned.user_ids[core.left_users])], len(core.left_users)),
        ),
    )


def _recode(rows: Rows, users: np.ndarray, items: np.ndarray) -> Rows:
    """Return the rows with codes counted within ``users`` and ``items`` (ascending, holding every code)."""
    return replace(rows, users=_positions(users)[rows.users], items=_positions(items)[rows.items])


def _positions(codes: np.ndarray) -> np.ndarray:
    """Return a table from code to its place in ``codes``."""
    table = np.full(codes.max(initial=-1) + 1, -1, np.int32)
    table[codes] = np.arange(len(codes))
    return table


def _interactions(rows: Rows) -> Interactions:
    return Interactions(rows.users, rows.items, rows.weights.astype(np.float32), rows.times)


def _side_by_side(tables: list[pd.DataFrame], n: int) -> pd.DataFrame:
    """Return the columns of all tables; of two with one name the first stays."""
    joined = pd.concat([pd.DataFrame(index=pd.RangeIndex(n)), *tables], axis=1)
    return joined.loc[:, ~joined.columns.duplicated()]


def _key(files: list[Path | None], settings: Preparation, roles: Roles, seed: int, hold_out: bool) -> str:
    """Return a digest of all that decides the dataset."""
    digests = []
    for path in files:
        if path is None:
            digests.append("")
            continue
        with Path(path).open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    chosen = [_FORMAT, digests, settings.model_dump(), roles.as_dict(), roles.user_attributes, seed, hold_out]
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()
