"""The check of a whole run against the schemas of its tables."""

from __future__ import annotations

from grouprec.runs.schemas import TABLES, named
from grouprec.runs.store import Run


def tables_of(run: Run) -> set[str]:
    """Return the names of the tables that a run has."""
    return {path.stem for path in (run.path / "tables").glob("*.parquet")}


def check_tables(run: Run) -> None:
    """Fail where a table of a run is not, to the letter, what its schema says."""
    for name in sorted(tables_of(run)):
        table, frame = named(name), run.table(name)
        assert table.checked(frame) is frame, f"{name} holds numbers of another width"
        found = {column: str(frame.dtypes[column]) for column in table.names}
        assert not len(frame) or found == {column.name: column.dtype for column in table.columns}, name


def missing_tables(run: Run) -> set[str]:
    """Return the names of the tables that every run has and this one lacks."""
    return {name for name, table in TABLES.items() if not table.when} - tables_of(run)
