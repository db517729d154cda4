"""Files -> a dataset and the report of how it came about."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.language import N_, _, current, decimal, ngettext
from grouprec.core.types import DataError
from grouprec.data.beside import Beside
from grouprec.data.dataset import Dataset, LeftOut
from grouprec.data.interactions import Interactions
from grouprec.data.limits import LONGEST_ID
from grouprec.data.preparing.attribute_file import AttributeFile
from grouprec.data.preparing.attributes import (
    Described,
    activity,
    attribute_table,
    described,
    item_columns,
    item_labels,
    user_columns,
)
from grouprec.data.preparing.beside_files import BesideFiles, Shared
from grouprec.data.preparing.clean import Cleaned, Preparation, Report, Rows, check_two, clean_rows
from grouprec.data.preparing.core_users import Core
from grouprec.data.preparing.finding import find_all, reading_of
from grouprec.data.preparing.hold_out import hold_out_rows
from grouprec.data.preparing.personal import names_people, told
from grouprec.data.preparing.pseudonyms import fingerprint
from grouprec.data.preparing.rhythm import usual_times
from grouprec.data.preparing.said import settled, texts_said
from grouprec.data.preparing.split import TEST, TRAIN, VALIDATION
from grouprec.data.reading.read import Table, read
from grouprec.data.reading.rejects import Rejects, TooManyRejectedError
from grouprec.data.roles.columns import AttributeRoles, Roles
from grouprec.data.roles.detect import Detected
from grouprec.data.roles.doubts import Doubt
from grouprec.data.values.common import shown, sorted_unique

UNREADABLE = N_("rows that cannot be read")  # a step of the report
_FORMAT = 16  # part of the key: raise it when the preparation gives other data for the same settings


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
        shared: what the files beside the interactions tell of the users of the dataset.
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
    shared: tuple[Shared, ...] = ()

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


def _ignore(fraction: float) -> None:
    """Progress that nobody watches."""


def prepare(
    interactions: Path,
    *,
    users: Path | None = None,
    items: Path | None = None,
    also: Path | None = None,
    edges: Path | None = None,
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
        also: what the same crowd did elsewhere; optional.
        edges: who knows whom, two columns of users; optional.
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
    source, found, report = _read(interactions, roles or {}, settings)
    progress(0.4)
    cleaned = clean_rows(source.frame, found, settings, report)
    check_two(cleaned, found)
    progress(0.7)
    held_out = hold_out_rows(cleaned.rows, settings, found.weight is not None, report, seed, hold_out)
    of_file = _of_file(cleaned.rows)
    refused = np.delete(cleaned.item_ids, sorted_unique(cleaned.rows.items))
    parts = _in_parts(held_out.core)
    no_rows = cleaned.rows.take(np.arange(0))  # all of them are large, and no longer needed
    cleaned, core = replace(cleaned, rows=no_rows), replace(held_out.core, rows=no_rows)
    held_out = replace(held_out, core=core)
    progress(0.8)
    user_file = AttributeFile.read(users, cleaned.user_ids, "user", settings.pseudonyms)
    item_file = AttributeFile.read(items, cleaned.item_ids, "item")
    found, user_file = _impersonal(source.frame, found, user_file, report)
    beside = BesideFiles.read(also, edges, cleaned.user_ids, roles or {}, settings)
    key = _key([interactions, users, items, also, edges], settings, found, seed, hold_out)
    dataset = _dataset(interactions.stem, key, source.frame, found, cleaned, core, parts, user_file, item_file)
    dataset = _with_beside(dataset, beside, user_file, settings.min_item_users, held_out.split)
    if item_file is not None:
        dataset = _with_items(dataset, item_file, refused)
        report.doubts += _described(item_file, found.label)
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
        user_roles=None if user_file is None else user_file.roles,
        item_roles=None if item_file is None else item_file.roles,
        users_described=described(None if user_file is None else user_file.parts, dataset.user_ids),
        items_described=described(None if item_file is None else item_file.parts, dataset.item_ids),
        rejects=source.rejects,
        encoding=source.encoding,
        notes=source.notes,
        shared=beside.shared(also, edges, dataset.beside, dataset.n_users),
    )


def _read(file: Path, roles: Mapping[str, str], settings: Preparation) -> tuple[Table, Roles, Report]:
    """Return what the file holds, the columns to use, and a report that begins with the reading."""
    with _quoting(not settings.pseudonyms):
        found, detected, doubts = find_all(file, roles, reading_of(settings))
        found = replace(found, text=None) if settings.pseudonyms else found  # people sign what they write
        source = read(file, found.columns(), reading_of(settings), found.coded())
    found, of_texts = settled(source.frame, found, "text" in roles)
    return source, found, _report_reading(file.name, source, detected, [*doubts, *of_texts], not settings.pseudonyms)


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


def _with_items(data: Dataset, item_file: AttributeFile, refused: np.ndarray) -> Dataset:
    """Return the dataset with the items' vectors, and with the items that the file describes and nobody has."""
    new_items = item_file.new_items(data.item_ids, refused)
    return replace(data, item_vectors=item_file.vectors_of(data.item_ids), new_items=new_items)


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


def _described(item_file: AttributeFile, label: str | None) -> list[Doubt]:
    """Say by what items are called where nothing names them."""
    column = item_file.roles.described_by
    if column is None or label is not None:
        return []
    return [Doubt(_("No column names the items, so they are called by '{column}'").format(column=shown(column)))]


def _impersonal(
    table: pd.DataFrame, roles: Roles, file: AttributeFile | None, report: Report
) -> tuple[Roles, AttributeFile | None]:
    """Leave out attributes that name people (:mod:`grouprec.data.preparing.personal`), of both files, and say so."""
    left_out = [name for name in roles.user_attributes if names_people(table[name])]
    roles = replace(roles, user_attributes=tuple(name for name in roles.user_attributes if name not in left_out))
    if file is not None:
        of_file = [name for name in file.roles.attributes if names_people(file.table[name])]
        file = file.without(of_file)
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
    user_file: AttributeFile | None,
    item_file: AttributeFile | None,
) -> Dataset:
    """Give the rows of the parts their names: ids, labels and attributes."""
    user_ids, item_ids = cleaned.user_ids[core.users], cleaned.item_ids[core.items]
    train, of_items = parts[TRAIN], _of_items(parts, len(item_ids))
    left = _interactions(_recode(core.left_rows, core.left_users, core.items))
    of_users = None if user_file is None else user_file.parts
    users_say, said_of = texts_said(table, roles.text, train, len(user_ids), len(item_ids))
    user_tables = [
        user_columns(table, roles.user_attributes, train, len(user_ids)),
        attribute_table(of_users, user_ids),
        activity(train, len(user_ids)),
        usual_times(train.users, train.times, len(user_ids)),
        users_say,
    ]
    filed = None if item_file is None else item_file.parts
    item_tables = [attribute_table(filed, item_ids), item_columns(table, roles, of_items, len(item_ids)), said_of]
    return Dataset(
        name=name,
        key=key,
        user_ids=user_ids,
        item_ids=item_ids,
        train=_interactions(train),
        validation=_interactions(parts[VALIDATION]),
        test=_interactions(parts[TEST]),
        item_labels=item_labels(table, roles.label, of_items, filed, item_ids),
        user_attributes=_side_by_side(user_tables, len(user_ids)),
        item_attributes=_side_by_side(item_tables, len(item_ids)),
        merge=cleaned.merge,
        left_out=LeftOut(
            cleaned.user_ids[core.left_users],
            left,
            left.matrix((len(core.left_users), len(item_ids)), cleaned.merge),
            _side_by_side([attribute_table(of_users, cleaned.user_ids[core.left_users])], len(core.left_users)),
        ),
    )


def _with_beside(data: Dataset, files: BesideFiles, user_file: AttributeFile | None, least: int, split: str) -> Dataset:
    """Return the dataset with what else is known of its users, and of those left out of training."""

    def of(ids: np.ndarray) -> Beside:
        vectors = None if user_file is None else user_file.vectors_of(ids)
        return files.of(ids, data.user_ids, least, vectors, split)

    left = data.left_out
    left = left and replace(left, beside=of(left.user_ids))
    return replace(data, beside=of(data.user_ids), left_out=left)


def _in_parts(core: Core) -> tuple[Rows, Rows, Rows]:
    """Return the rows of training, validation and test; codes are rows of the dataset."""
    train, validation, test = (
        _recode(core.rows.take(core.parts == part), core.users, core.items) for part in (TRAIN, VALIDATION, TEST)
    )
    return train, validation, test


def _of_items(parts: tuple[Rows, Rows, Rows], n_items: int) -> Rows:
    """Return items and source, and nothing else, of the rows that tell of items: those of the training part, and the
    validation's of what it does not know."""
    train, later = parts[TRAIN], parts[VALIDATION]
    new = np.bincount(train.items, minlength=n_items)[later.items] == 0
    items, source = (
        np.concatenate([one, more[new]]) if new.any() else one
        for one, more in ((train.items, later.items), (train.source, later.source))
    )
    nothing = train.take(np.arange(0))
    return replace(nothing, items=items, source=source)


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
    chosen = [_FORMAT, digests, settings.model_dump(), asdict(roles), seed, hold_out]
    chosen += [fingerprint()] if settings.pseudonyms else []
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()
