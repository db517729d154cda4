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


def make_older(run: Run, *names: str) -> Run:
    """Take from a run what older ones may lack, by its schemas: tables and columns; return it.

    Args:
        names: the tables that are taken away; all of them, and columns of others, where no name is given.
    """
    for name in tables_of(run):
        path, table = run.path / "tables" / f"{name}.parquet", TABLES[name]
        if table.later and (not names or name in names):
            path.unlink()
        elif not names:
            late = [column.name for column in table.columns if column.later]
            run.table(name).drop(columns=late).to_parquet(path, index=False)
    run.write_manifest()
    return run
