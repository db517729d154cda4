"""Files -> a dataset and the report of how it came about."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.language import N_, current, decimal, ngettext
from grouprec.core.types import DataError
from grouprec.data.attributes import (
    Described,
    activity,
    attribute_table,
    described,
    item_labels,
    median_price,
    user_columns,
)
from grouprec.data.clean import Cleaned, Preparation, Report, Rows, check_times, clean_rows
from grouprec.data.columns import AttributeRoles, ChoiceError, Roles, apply_map, detect_attribute_roles
from grouprec.data.core_users import Core
from grouprec.data.dataset import Dataset, Interactions, LeftOut
from grouprec.data.detect import Detected, detect
from grouprec.data.doubts import Doubt, column_doubts
from grouprec.data.hold_out import hold_out_rows
from grouprec.data.item_file import ItemFile
from grouprec.data.limits import LONGEST_ID
from grouprec.data.numerals import to_numbers
from grouprec.data.personal import names_people, told
from grouprec.data.pseudonyms import fingerprint, pseudonymised_file
from grouprec.data.read import Reading, Table, peek, read, read_table
from grouprec.data.rejects import Rejects, TooManyRejectedError
from grouprec.data.rhythm import usual_times
from grouprec.data.split import TEST, TRAIN, VALIDATION
from grouprec.data.times import to_seconds
from grouprec.data.values import shown, sorted_unique

UNREADABLE = N_("rows that cannot be read")  # a step of the report
_FORMAT = 5  # part of the key: raise it when the preparation gives other data for the same settings


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
        split: "time", "user_time", "user", or "none" where all rows train.
        split_reason: why it is that one, a plain sentence.
        choose_users, judge_users: users of the dataset with a target in the validation part, by which settings are
            chosen, and in the test part: an item that they did not have before it.
        user_roles, item_roles: the columns of the attribute files, None where there is no such file.
        users_described, items_described: how many users and items of the dataset these files know.
        rejects: rows of the interactions file that could not be read.
        encoding: of the interactions file, where it is text.
        notes: what people should know about how it was read.
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
    split_reason: str
    choose_users: int
    judge_users: int
    user_roles: AttributeRoles | None = None
    item_roles: AttributeRoles | None = None
    users_described: Described | None = None
    items_described: Described | None = None
    rejects: Rejects = field(default_factory=Rejects)
    encoding: str | None = None
    notes: tuple[str, ...] = ()

    def split_facts(self) -> dict[str, Any]:
        """Return how the rows are parted: kind, reason, its language, choose_users, judge_users, rows of every part."""
        data = self.dataset
        return {
            "kind": self.split,
            "reason": self.split_reason,
            "language": current(),
            "choose_users": self.choose_users,
            "judge_users": self.judge_users,
            "train": len(data.train),
            "validation": len(data.validation),
            "test": len(data.test),
        }

    @property
    def doubts(self) -> list[str]:
        """What was not understood of the file, or only guessed: sentences, as the command line says them."""
        return [doubt.on_command_line() for doubt in self.report.doubts]


def reading_of(settings: Preparation) -> Reading:
    """Return what the settings say about reading the interactions file."""
    return Reading(settings.encoding, settings.sheet, settings.most_rejected)


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
    with _quoting(not settings.pseudonyms):
        found, detected, doubts = _find(interactions, roles or {}, reading_of(settings))
        source = read(interactions, found.columns(), reading_of(settings), found.coded())
    progress(0.4)
    report = _report_reading(interactions.name, source, detected, doubts, quote=not settings.pseudonyms)
    cleaned = clean_rows(source.frame, found, settings, report)
    _check_two(cleaned, found)
    progress(0.7)
    held_out = hold_out_rows(cleaned.rows, settings, found.weight is not None, report, seed, hold_out)
    of_file = _of_file(cleaned.rows)
    refused = np.delete(cleaned.item_ids, sorted_unique(cleaned.rows.items))
    cleaned = replace(cleaned, rows=cleaned.rows.take(np.arange(0)))  # large, and no longer needed
    parts = _in_parts(held_out.core)
    core = replace(held_out.core, rows=cleaned.rows)
    held_out = replace(held_out, core=core)
    progress(0.8)
    user_file = _user_file(users, cleaned.user_ids, settings.pseudonyms)
    item_file = ItemFile.read(items, cleaned.item_ids)
    found, user_file = _impersonal(source.frame, found, user_file, report)
    key = _key([interactions, users, items], settings, found, seed, hold_out)
    dataset = _dataset(interactions.stem, key, source.frame, found, cleaned, core, parts, user_file, item_file)
    if item_file is not None:
        new_items = item_file.new_items(dataset.item_ids, refused)
        dataset = replace(dataset, item_vectors=item_file.vectors_of(dataset.item_ids), new_items=new_items)
    report.doubts += _cut_labels(dataset.item_labels)
    progress(1.0)
    return Prepared(
        dataset=dataset,
        report=report,
        roles=found,
        **of_file,
        new_users_validation=core.new_users[0],
        new_users_test=core.new_users[1],
        split=held_out.split,
        split_reason=held_out.reason,
        choose_users=held_out.users.choose,
        judge_users=held_out.users.judge,
        user_roles=None if user_file is None else user_file[1],
        item_roles=None if item_file is None else item_file.roles,
        users_described=described(user_file, dataset.user_ids),
        items_described=described(None if item_file is None else item_file.parts, dataset.item_ids),
        rejects=source.rejects,
        encoding=source.encoding,
        notes=source.notes,
    )


@contextlib.contextmanager
def _quoting(allowed: bool) -> Iterator[None]:
    """Let an error about rows quote one of them, or not: it may hold an id that is to be a pseudonym."""
    try:
        yield
    except TooManyRejectedError as error:
        raise error if allowed else DataError(error.without_example) from None


def _of_file(rows: Rows) -> dict[str, Any]:
    """Return what :class:`Prepared` says of all valid rows."""
    times = rows.times
    return {
        "n_rows": len(rows),
        "n_users": len(sorted_unique(rows.users)),
        "n_items": len(sorted_unique(rows.items)),
        "first_time": None if times is None else float(times.min()),
        "last_time": None if times is None else float(times.max()),
    }


def _report_reading(name: str, source: Table, detected: Detected, doubts: list[Doubt], quote: bool) -> Report:
    """Return a report that begins with what was read and what could not be, with an example of that or without."""
    report, n_rows = Report(doubts=doubts), len(source.frame) + len(source.rejects)
    known_as = f", {detected.known_as}" if detected.known_as else ""
    report.add(N_("read"), n_rows, n_rows, f"'{name}'{known_as}", "")
    if len(source.rejects):
        report.add(UNREADABLE, n_rows, len(source.frame), source.rejects.reason(quote), "")
    return report


def find_roles(interactions: Path, mapping: Mapping[str, str], reading: Reading | None = None) -> Roles:
    """Return the roles of a file's columns, looking at its head only; refuses a file of rubbish before it is read.

    Raises:
        ChoiceError: no column for user or item.
        DataError: none of the first times or weights can be read.
        SettingError: the mapping does not fit together.
    """
    return _find(interactions, mapping, reading)[0]


def _find(
    interactions: Path, mapping: Mapping[str, str], reading: Reading | None = None
) -> tuple[Roles, Detected, list[Doubt]]:
    """Return the roles, what they were found by, and what that leaves open."""
    head = peek(interactions, reading)
    detected = detect(head.head)
    try:
        found = apply_map(detected.roles, mapping, head.columns, detected.refused)
    except ChoiceError as error:
        raise ChoiceError(error.role, error.columns, error.reasons, interactions.name) from error
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
    return found, detected, column_doubts(head.head, detected, found, mapping)


def _cut_labels(labels: np.ndarray) -> list[Doubt]:
    """Cut labels, in place, that no page can show; return what to say."""
    long = [at for at, label in enumerate(labels) if len(label) > LONGEST_ID]
    for at in long:
        labels[at] = labels[at][: LONGEST_ID - 1] + "…"
    if not long:
        return []
    said = ngettext(
        "{n} label is longer than {longest} characters and was cut",
        "{n} labels are longer than {longest} characters and were cut",
        len(long),
    )
    return [Doubt(said.format(n=decimal(len(long)), longest=decimal(LONGEST_ID)))]


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


def _user_file(path: Path | None, ids: np.ndarray, pseudonyms: bool) -> tuple[pd.DataFrame, AttributeRoles] | None:
    if path is None:
        return None
    table = read_table(Path(path))
    if pseudonyms:
        table = pseudonymised_file(table, ids)
    return table, detect_attribute_roles(table, ids, "user", Path(path).name)


def _impersonal(
    table: pd.DataFrame, roles: Roles, file: tuple[pd.DataFrame, AttributeRoles] | None, report: Report
) -> tuple[Roles, tuple[pd.DataFrame, AttributeRoles] | None]:
    """Leave out attributes that name people (:mod:`grouprec.data.personal`), of both files, and say so."""
    left_out = [name for name in roles.user_attributes if names_people(table[name])]
    roles = replace(roles, user_attributes=tuple(name for name in roles.user_attributes if name not in left_out))
    if file is not None:
        about, kinds = file
        of_file = [name for name in kinds.attributes if names_people(about[name])]
        file = about, replace(kinds, attributes=tuple(name for name in kinds.attributes if name not in of_file))
        left_out += of_file
    if left_out:
        report.doubts.append(Doubt(told(left_out)))
    return roles, file


def _dataset(
    name: str,
    key: str,
    table: pd.DataFrame,
    roles: Roles,
    cleaned: Cleaned,
    core: Core,
    parts: tuple[Rows, Rows, Rows],
    user_file: tuple[pd.DataFrame, AttributeRoles] | None,
    item_file: ItemFile | None,
) -> Dataset:
    """Give the rows of the parts their names: ids, labels and attributes."""
    user_ids, item_ids = cleaned.user_ids[core.users], cleaned.item_ids[core.items]
    train = parts[TRAIN]
    left = _interactions(_recode(core.left_rows, core.left_users, core.items))
    user_tables = [
        user_columns(table, roles.user_attributes, train, len(user_ids)),
        attribute_table(user_file, user_ids),
        activity(train, len(user_ids)),
        usual_times(train.users, train.times, len(user_ids)),
    ]
    of_items = None if item_file is None else item_file.parts
    item_tables = [attribute_table(of_items, item_ids), median_price(table, roles.price, train, len(item_ids))]
    return Dataset(
        name=name,
        key=key,
        user_ids=user_ids,
        item_ids=item_ids,
        train=_interactions(train),
        validation=_interactions(parts[VALIDATION]),
        test=_interactions(parts[TEST]),
        item_labels=item_labels(table, roles.label, train, of_items, item_ids),
        user_attributes=_side_by_side(user_tables, len(user_ids)),
        item_attributes=_side_by_side(item_tables, len(item_ids)),
        merge=cleaned.merge,
        left_out=LeftOut(
            cleaned.user_ids[core.left_users],
            left,
            left.matrix((len(core.left_users), len(item_ids)), cleaned.merge),
            _side_by_side([attribute_table(user_file, cleaned.user_ids[core.left_users])], len(core.left_users)),
        ),
    )


def _in_parts(core: Core) -> tuple[Rows, Rows, Rows]:
    """Return the rows of training, validation and test; codes are rows of the dataset."""
    train, validation, test = (
        _recode(core.rows.take(core.parts == part), core.users, core.items) for part in (TRAIN, VALIDATION, TEST)
    )
    return train, validation, test


def _recode(rows: Rows, users: np.ndarray, items: np.ndarray) -> Rows:
    """Return the rows with codes counted within ``users`` and ``items`` (ascending, holding every code)."""
    return replace(rows, users=_positions(users)[rows.users], items=_positions(items)[rows.items])


def _positions(codes: np.ndarray) -> np.ndarray:
    """Return a table from code to its place in ``codes``."""
    table = np.full(codes.max(initial=-1) + 1, -1, np.int32)
    table[codes] = np.arange(len(codes))
    return table


def _interactions(rows: Rows) -> Interactions:
    return Interactions(rows.users, rows.items, rows.weights.astype(np.float32, copy=False), rows.times)


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
    chosen += [fingerprint()] if settings.pseudonyms else []
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()
