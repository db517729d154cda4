"""Rows of a file that could not be read: kept with their line and the reason, and the point where they are too many."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from grouprec.core.files import replacing
from grouprec.core.types import DataError

MOST_REJECTED = 0.05  # share of the rows that may be unreadable, unless a person allows more
HEADER_AGAIN = "the header again"
MOST_KEPT = 1_000_000  # rejected rows that are kept; the others are counted
_NEAR = 4  # lines around a header that comes again, in which the title and the number of a page stand
_DRAWN = re.compile(r"\x1a?|(?=(?s:.)*?[-=]{3})[\s|+:=-]+|\(?\d+ rows?(?: affected| in set.*| selected.*)?\)?\.?")


@dataclass(frozen=True)
class Reject:
    """A row that could not be read: its line in the file (from 1), its text and the reason."""

    line: int
    text: str
    rule: str


@dataclass
class Rejects:
    """The rows that could not be read, in the order of the file."""

    rows: list[Reject] = field(default_factory=list)
    n: int = 0

    def __len__(self) -> int:
        return self.n

    def add(self, line: int, text: str, rule: str) -> None:
        """Keep a row that cannot be read; lines that databases draw or count around rows are none."""
        if _DRAWN.fullmatch(text):
            return
        self.n += 1
        if len(self.rows) < MOST_KEPT:
            self.rows.append(Reject(line, text, rule))

    def of_pages(self) -> int:
        """Return how many are no damage but what a printed page begins and ends with: the header, and lines near it.

        Such a line comes again, but for its numbers, and no delimiter parts it.
        """
        again = [row.line for row in self.rows if row.rule == HEADER_AGAIN]
        near = {line + step for line in again for step in range(-_NEAR, _NEAR + 1)} if len(again) > 1 else set()
        lines = [row for row in self.rows if row.line in near and row.rule.startswith("1 value ")]
        forms = Counter(re.sub(r"\d+", "0", row.text) for row in lines)
        return len(again) + sum(n for form, n in forms.items() if n > 1 and not re.search(r"[,;|\t]", form))

    def reason(self, quote: bool = True) -> str:
        """Return the commonest reason with its first line; what stands there only where it may be quoted."""
        rule, _ = Counter(_kind(row.rule) for row in self.rows).most_common(1)[0]
        first = next(row for row in self.rows if _kind(row.rule) == rule)
        shown = " ".join(first.text.split())
        shown = shown if len(shown) <= 80 else shown[:79] + "…"
        verb = "is" if first.rule.startswith(("no ", "not ", "a comment", "the header")) else "has"
        return f"line {first.line} {verb} {first.rule}" + f" ('{shown}')" * quote

    def save(self, path: Path) -> None:
        """Write them as CSV: line, rule, text."""
        with replacing(path) as temporary:
            self.table().to_csv(temporary, index=False, quoting=csv.QUOTE_NONNUMERIC)

    def table(self) -> pd.DataFrame:
        """Return one row each: line, rule, text."""
        rows = [(row.line, row.rule, row.text) for row in self.rows]
        return pd.DataFrame(rows, columns=["line", "rule", "text"])


class TooManyRejectedError(DataError):
    """More rows than allowed cannot be read; has them as ``rejects``, and what to say without quoting one."""

    def __init__(self, message: str, rejects: Rejects) -> None:
        super().__init__(message)
        self.rejects = rejects
        self.without_example = message.replace(rejects.reason(), rejects.reason(quote=False))


def check_share(name: str, rejects: Rejects, n_read: int, most: float) -> None:
    """Refuse a file of which more than a share cannot be read.

    Args:
        name: of the file.
        n_read: rows that could be read.
        most: the largest share of all rows, 0..1.
    Raises:
        TooManyRejectedError: says how many, and the commonest reason with an example.
    """
    total = n_read + len(rejects)
    if not len(rejects) or (n_read and len(rejects) - rejects.of_pages() <= most * total):
        return
    raise TooManyRejectedError(
        f"{len(rejects):,} of {total:,} rows of '{name}' cannot be read (at most {most:.0%} may be left out); "
        f"the commonest reason: {rejects.reason()}. Mend such lines (is a value with the delimiter in it without "
        "quotes?), or allow more with --set data.most_rejected=0.2.",
        rejects,
    )


def _kind(rule: str) -> str:
    """Return a reason without its numbers, so that alike ones are counted together."""
    return "values" if " value" in rule else rule.partition(":")[0]
