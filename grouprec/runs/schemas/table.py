"""What a table of a run is: its columns by name, dtype and meaning, and the check of a frame against them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from numpy import dtype as NumpyDtype
from pandas.api import types as dtypes
from pandas.api.extensions import ExtensionDtype

MARK = "_"  # at the end of an attribute's name that is like one of ours


class SchemaError(ValueError):
    """A table is not what its schema says: a mistake in the program, not in what the user gave."""


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        dtype: as pandas reads it back: "str", "bool", "int64", "Int64" (may be missing), "float32", "float64" (NaN
            where the meaning says so), "datetime64[us]".
        meaning: a phrase with unit and range.
        later: whether readers do without it, as some runs are older than the column.
    """

    name: str
    dtype: str
    meaning: str
    later: bool = False


@dataclass(frozen=True)
class Table:
    """One table, ``tables/<name>.parquet`` of a run.

    Attributes:
        row: what one row is.
        columns: its own, in order.
        more: what further columns are, None where there are none: ``name`` says how they are called, ``dtype`` is ""
            where they may be of any kind.
        when: where only some runs have the table, which; "" where every run that is trained today has it.
        later: whether readers do without it, as some runs are older than the table.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    more: Column | None = None
    when: str = ""
    later: bool = True

    @property
    def names(self) -> list[str]:
        """Return the names of the table's own columns, in order."""
        return [column.name for column in self.columns]

    def checked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with numbers as wide as the schema says; the same frame where they are already.

        Looks at names and dtypes only. Of a frame without rows only the names count: it has no dtypes to speak of.

        Raises:
            SchemaError: a column is missing, unknown, twice there or of another kind.
        """
        self._check_names(frame)
        if not len(frame):
            return frame
        narrow = {}
        for column in self._declared(frame):
            found = frame.dtypes[column.name]
            if kind_of(found) not in _ACCEPTED[kind_of(dtypes.pandas_dtype(column.dtype))]:
                what = f"Column '{column.name}' of table '{self.name}' is {found}"
                raise SchemaError(f"{what}; grouprec/runs/schemas says {column.dtype}.")
            if str(found) != column.dtype and kind_of(found) in _NUMBERS:
                narrow[column.name] = column.dtype
        return frame.astype(narrow) if narrow else frame

    def _check_names(self, frame: pd.DataFrame) -> None:
        missing = [name for name in self.names if name not in frame.columns]
        if missing:
            raise SchemaError(f"Table '{self.name}' lacks {_list(missing)}, which grouprec/runs/schemas promises.")
        if not frame.columns.is_unique:
            raise SchemaError(f"Table '{self.name}' has {_list(frame.columns[frame.columns.duplicated()])} twice.")
        if unknown := [] if self.more else self.more_names(frame):
            raise SchemaError(f"Table '{self.name}' has {_list(unknown)}, which grouprec/runs/schemas does not know.")

    def _declared(self, frame: pd.DataFrame) -> list[Column]:
        """Return what is said of the frame's columns, the further ones among them."""
        more, own = self.more, list(self.columns)
        if more is None or not more.dtype:
            return own
        return [*own, *(Column(name, more.dtype, more.meaning) for name in self.more_names(frame))]

    # -- columns beside the table's own: attributes of the user's file

    def more_names(self, frame: pd.DataFrame) -> list[str]:
        """Return the names of the frame's columns that are not the table's own, in order."""
        return [name for name in frame.columns if name not in self.names]

    def marked(self, attributes: pd.DataFrame) -> pd.DataFrame:
        """Return attributes under names that can stand beside the table's own: one like ours gets ``_`` at its end."""
        return attributes.rename(
            columns={name: f"{name}{MARK}" for name in attributes.columns if self._like_ours(name)}
        )

    def attributes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the further columns of a frame under their names in the file: :meth:`marked` undone."""
        found = frame.drop(columns=self.names)
        marked = [name for name in found.columns if self._like_ours(name)]
        return found.rename(columns={name: name.removesuffix(MARK) for name in marked})

    def _like_ours(self, name: object) -> bool:
        """Return whether a name is one of ours, bar marks at its end: so marked names stay apart, too."""
        return isinstance(name, str) and any(
            name.startswith(own) and set(name[len(own) :]) <= {MARK} for own in self.names
        )


def kind_of(dtype: NumpyDtype | ExtensionDtype) -> str:
    """Return what a column of the dtype holds, in a word; the dtype's own name for what no table holds."""
    if dtypes.is_bool_dtype(dtype):
        return "yes or no"
    if dtypes.is_integer_dtype(dtype):
        return "number or missing" if isinstance(dtype, ExtensionDtype) else "number"
    if dtypes.is_float_dtype(dtype):
        return "fraction"
    if dtypes.is_datetime64_any_dtype(dtype):
        return "moment"
    return "text" if dtypes.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype) else str(dtype)


_NUMBERS = frozenset({"number", "number or missing", "fraction"})
_ACCEPTED = {
    **{kind: {kind} for kind in ("yes or no", "number", "fraction", "moment", "text")},
    "number or missing": {"number", "number or missing"},
}


def _list(names: Iterable[object]) -> str:
    return ", ".join(f"'{name}'" for name in names)
