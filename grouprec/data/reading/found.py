"""What the readers of all formats tell beside the rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from grouprec.data.reading.rejects import Rejects


@dataclass
class Found:
    """What came with the rows.

    Attributes:
        sheet: of a workbook: the one asked for ("" for any), then the one that was read.
        sheets: of a workbook, all that hold something.
        encoding: where it turned out to be another than the head's.
        rejects: rows that could not be read.
        notes: what people should know about how the file was read.
        coded: columns that may come as categories, which are quick to tell apart; asked for before reading.
    """

    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    encoding: str | None = None
    rejects: Rejects = field(default_factory=Rejects)
    notes: list[str] = field(default_factory=list)
    coded: tuple[str, ...] = ()
