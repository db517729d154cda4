"""Every table that a run holds, as data: training writes by it, pages, reports and exports read by it.

docs/tables.md is made from it. A table that is not here cannot be saved. Ids and labels are those of the user's file,
groups and ranks count from 1, intervals are 95 %, and times are UTC.
"""

from __future__ import annotations

from grouprec.runs.schemas.contents import ABOUT, GROUPS, LISTS
from grouprec.runs.schemas.evidence import EVIDENCE
from grouprec.runs.schemas.table import Column, SchemaError, Table

__all__ = ["TABLES", "Column", "SchemaError", "Table", "named"]

TABLES = {table.name: table for table in (*ABOUT, *GROUPS, *LISTS, *EVIDENCE)}


def named(name: str) -> Table:
    """Return a table's schema.

    Raises:
        SchemaError: there is none.
    """
    if name not in TABLES:
        raise SchemaError(f"No table '{name}' is declared in grouprec/runs/schemas.")
    return TABLES[name]
