"""``python -m benchmarks.tables``: writes docs/tables.md from the schemas of a run's tables."""

from __future__ import annotations

from benchmarks.stages import markdown_table
from grouprec.core.site import app_root
from grouprec.runs.schemas import TABLES, Table
from grouprec.runs.schemas.contents import ABOUT, GROUPS, LISTS
from grouprec.runs.schemas.evidence import EVIDENCE

TARGET = app_root() / "docs" / "tables.md"

HEAD = """# Tables of a run

Written by `make docs` from `grouprec/runs/schemas/`; a test compares. A finished run holds each as
`tables/<name>.parquet`; `Run.table(name)` reads it. Ids and labels are those of the user's file, groups and ranks count
from 1, intervals are 95 %, times are UTC. *Type* is the dtype as pandas reads it back (`str` is text, `Int64` may be
missing). *Older runs* were made before the table or column was.
"""
PARTS = {"What a run is about": ABOUT, "Groups": GROUPS, "Lists": LISTS, "What it is worth on the test part": EVIDENCE}


def document() -> str:
    """Return the whole page as Markdown."""
    menu = [(f"[`{name}`](#{name})", table.row, _where(table)) for name, table in TABLES.items()]
    parts = [HEAD, markdown_table(("name", "a row is", "which runs have it"), menu), ""]
    for title, tables in PARTS.items():
        parts += [f"## {title}\n", *(_section(table) for table in tables)]
    return "\n".join(parts)


def _where(table: Table) -> str:
    """Return which runs have a table."""
    missing = "older ones may lack it" if table.later else ""
    return "; ".join(part for part in (f"where {table.when}" if table.when else "all", missing) if part)


def _section(table: Table) -> str:
    """Return what a row of a table is, and its columns."""
    rows = [
        (f"`{column.name}`", column.dtype, column.meaning + ("; older runs may lack it" if column.later else ""))
        for column in table.columns
    ]
    if table.more is not None:
        rows.append((f"one for every {table.more.name}", table.more.dtype or "any", table.more.meaning))
    columns = markdown_table(("column", "type", "what it is"), rows)
    return "\n".join([f"### {table.name}\n", table.row + "\n", columns, ""])


def main() -> None:
    TARGET.write_text(document(), encoding="utf-8")
    print(f"Wrote {TARGET}.")


if __name__ == "__main__":
    main()
