"""Records of JSON -> a table: objects inside are flattened, and names that hardly any record has are left out."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.types import DataError
from grouprec.data.reading.sniff import Sniffed
from grouprec.data.reading.spelling import Spelling

_DEEPEST = 6  # objects inside objects
_MOST_NAMES = 500  # columns: objects whose keys are ids would give one a user
_CELLS_A_VALUE = 40  # of a table: records of a name each would give the square of what the file holds
_FREE_CELLS = 5_000_000  # of a table in which any share may be empty
_WRAPPED = re.compile(r"\$(oid|date|numberLong|numberInt|numberDouble|numberDecimal|uuid|symbol)")


def records_frame(
    sniffed: Sniffed, values: Iterable[Any], spelling: Spelling, columns: list[str] | None
) -> pd.DataFrame:
    """Return the given columns of the records; of a beginning those of its usual names.

    Raises:
        DataError: one is no object, or nearly all have other names than the first ones.
    """
    records = (spelling.of(flat(_record(sniffed, value, number))) for number, value in enumerate(values, 1))
    if columns is not None:
        rows = list(_filled(sniffed, records, columns))
        return pd.DataFrame(rows, columns=columns, dtype=object).infer_objects()
    kept = list(records)
    names = _usual(kept)
    if 2 * sum(map(len, kept)) < len(names) * len(kept):
        return pd.DataFrame(_sparse_columns(kept, names), copy=False)
    rows = [[record.get(name) for name in names] for record in kept]
    return pd.DataFrame(rows, columns=names, dtype=object).infer_objects()


def _usual(records: list[dict[str, Any]]) -> list[str]:
    """Return the names of the columns, in the order in which they appear; of too many those that most records have."""
    counts = Counter(itertools.chain.from_iterable(records))
    most = min(_MOST_NAMES, _CELLS_A_VALUE * counts.total() // max(len(records), 1) + 1)
    usual = {name for name, _ in counts.most_common(most)}
    return [name for name in counts if name in usual]


def _filled(sniffed: Sniffed, records: Iterable[dict[str, Any]], columns: list[str]) -> Iterator[list[Any]]:
    """Yield the cells of every record.

    Raises:
        DataError: nearly all of very many are empty: the first records have other names than those that follow.
    """
    n_values = 0
    for number, record in enumerate(records, 1):
        n_values += len(record)
        if number * len(columns) > max(_FREE_CELLS, 2 * _CELLS_A_VALUE * n_values) and len(columns) > _CELLS_A_VALUE:
            raise DataError(
                f"'{sniffed.path.name}': its first records have {len(columns):,} names, and of the first {number:,} "
                f"one has {n_values // number:,}; give all records the same few names, or only those that are needed."
            )
        yield [record.get(column) for column in columns]


def _sparse_columns(records: list[dict[str, Any]], names: list[str]) -> dict[str, pd.Series]:
    """Return the columns of records that have few of the names each, None where there is no value.

    Asking every record for every name takes time and memory of both: an object of a name each, 10,000 of them.
    """
    there: dict[str, dict[int, Any]] = {name: {} for name in names}
    for row, record in enumerate(records):
        for name in record.keys() & there.keys():
            there[name][row] = record[name]
    columns = {}
    for name, values in there.items():
        cells = np.full(len(records), None, object)
        for row, value in values.items():
            cells[row] = value
        columns[name] = pd.Series(cells).infer_objects()
    return columns


def _record(sniffed: Sniffed, value: Any, number: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"'{sniffed.path.name}', record {number} is not an object with named values.")
    return value


def flat(record: dict[str, Any], before: str = "", depth: int = 0) -> dict[str, Any]:
    """Return a record whose inner objects became columns: ``{"a": {"b": 1}}`` -> ``{"a.b": 1}``."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            value = unwrap(value)
        elif isinstance(value, list) and value:
            value = by_key(value)
        if isinstance(value, dict) and depth < _DEEPEST:
            found.update(flat(value, f"{before}{name}.", depth + 1))
        else:
            found[f"{before}{name}"] = value
    return found


def by_key(values: list[Any]) -> Any:
    """Return a list of keys and values as the object it means: ``[{"key": "a", "value": {"string_value": "b"}}]``."""
    if not all(isinstance(one, dict) and one.keys() == {"key", "value"} for one in values):
        return values
    found = {}
    for one in values:
        value = one["value"]
        typed = isinstance(value, dict) and value and all(str(name).endswith("_value") for name in value)
        told = next((inner for inner in value.values() if inner is not None), None) if typed else value
        found[str(one["key"])] = told
    return found


def unwrap(value: dict[str, Any]) -> Any:
    """Return the value of an object by which databases give a type: ``{"$oid": "5f.."}``, ``{"S": "A1"}``."""
    if value.keys() == {"_seconds", "_nanoseconds"}:
        return value["_seconds"]
    if len(value) == 1 and next(iter(value)) in ("S", "N", "BOOL") and not isinstance(value[next(iter(value))], dict):
        return next(iter(value.values()))
    while isinstance(value, dict) and len(value) == 1 and _WRAPPED.fullmatch(next(iter(value))):
        value = next(iter(value.values()))
    return value
