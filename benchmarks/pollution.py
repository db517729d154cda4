"""Sound CSV files, spoiled in the ways in which exports are spoiled, and how much of them is read.

``python -m benchmarks.pollution`` writes the table of docs/data.md: twelve sound files, 2,000 spoiled ones. Each has
one fault, after the kinds that Vitagliano et al. found in public files (Pollock, VLDB 2023): delimiters, quotes, ragged
rows, headers, encodings, ends of lines. A row counts as read only if every one of its values is right. A loss is
silent where more rows are wrong or missing than the reader says were rejected or mended.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from grouprec.core.types import GrouprecError
from grouprec.data.reading.read import read

ROWS = 120
WORDS = [
    "Blue",
    "Red",
    "Oak",
    "Tin",
    "Old",
    "New",
    "Big",
    "Soft",
    "Lamp",
    "Mug",
    "Clock",
    "Chair",
    "Rug",
    "Vase",
    "Bowl",
]


@dataclass(frozen=True)
class Text:
    """A file to be: its lines of fields, how they are written, and what stands around them."""

    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    quote: str = '"'
    escaped: bool = False
    quote_all: bool = False
    end: str = "\n"
    encoding: str = "utf-8"
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    headers: int = 1
    spoiled: dict[int, str] = field(default_factory=dict)  # row -> the line that stands there
    last_end: bool = True
    lines: Callable[[list[str]], list[str]] = list

    def line(self, fields: list[str]) -> str:
        return self.delimiter.join(map(self._field, fields))

    def _field(self, value: str) -> str:
        needs = self.quote_all or any(sign in value for sign in (self.delimiter, self.quote, "\n", "\r"))
        if not needs:
            return value
        inner = value.replace("\\", "\\\\") if self.escaped else value
        inner = inner.replace(self.quote, ("\\" if self.escaped else self.quote) + self.quote)
        return f"{self.quote}{inner}{self.quote}"

    def content(self) -> bytes:
        body = [self.spoiled.get(n, self.line(row)) for n, row in enumerate(self.rows)]
        head = [self.line(self.header)] if self.headers else []
        head += [self.line([f"({name[:3]}{n})" for name in self.header]) for n in range(1, self.headers)]
        lines = self.lines([*self.above, *head, *body, *self.below])
        text = self.end.join(lines) + (self.end if self.last_end else "")
        return text.encode(self.encoding)


# ---- sound files


def _title(rng: np.random.Generator) -> str:
    return " ".join(rng.choice(WORDS, 2))


def sources(seed: int = 0) -> dict[str, Text]:
    """Return the twelve sound files by name."""
    rng = np.random.default_rng(seed)
    people = [f"K{10000 + n}" for n in rng.integers(0, 60, ROWS)]
    things = [f"A{100 + n}" for n in rng.integers(0, 30, ROWS)]
    days = [f"2024-{1 + n // 28 % 12:02d}-{1 + n % 28:02d} 1{n % 10}:2{n % 6}:00" for n in range(ROWS)]
    prices = [f"{price:.2f}" for price in rng.uniform(1, 300, ROWS)]
    counts = [str(n) for n in rng.integers(1, 9, ROWS)]
    titles = [_title(rng) for _ in range(ROWS)]
    stars = [str(n) for n in rng.integers(1, 6, ROWS)]
    long = ["\n".join(_title(rng) + ", good" for _ in range(1 + n % 3)) for n in range(ROWS)]
    gaps = [value if n % 4 else "" for n, value in enumerate(prices)]

    def table(header: str, *columns: list[str], **how: str) -> Text:
        return Text(header.split(), [list(row) for row in zip(*columns, strict=True)], **how)  # type: ignore[arg-type]

    return {
        "orders": table("customer product quantity date", people, things, counts, days),
        "titles with commas": table("user item title time", people, things, [f"{t}, large" for t in titles], days),
        "reviews over lines": table("user_id item_id review stars date", people, things, long, stars, days),
        "ratings": table(
            "userId movieId rating timestamp",
            [p[1:] for p in people],
            [t[1:] for t in things],
            stars,
            [str(1_700_000_000 + 977 * n) for n in range(ROWS)],
        ),
        "e-mails": table("email sku ordered_at", [f"{p.lower()}@example.org" for p in people], things, days),
        "decimal comma": table(
            "Kunde Artikel Betrag Datum", people, things, [p.replace(".", ",") for p in prices], days, delimiter=";"
        ),
        "plays": table("user track artist plays", people, things, titles, counts, delimiter="\t"),
        "pipes": table("member article price when", people, things, prices, days, delimiter="|"),
        "marks in titles": table("user item title price", people, things, [f'{t} 5" "new"' for t in titles], prices),
        "accents": table("client produit titre date", people, things, [f"{t} Théière été" for t in titles], days),
        "gaps at the end": table("user item price coupon note", people, things, prices, gaps, [""] * ROWS),
        "two columns": table("user item", people, things),
    }


# ---- faults


def _whole_file() -> dict[str, Callable[[Text], Text]]:
    """Return the faults that change a whole file."""
    ends = {"\\r\\n": "\r\n", "\\r": "\r"}
    found: dict[str, Callable[[Text], Text]] = {
        **{f"delimiter {d!r}": _with(delimiter=d) for d in (",", ";", "\t", "|", "::", "^", "~")},
        **{f"ends {name}": _with(end=end) for name, end in ends.items()},
        **{f"encoding {e}": _with(encoding=e) for e in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252")},
        "all values quoted": _with(quote_all=True),
        "single quotes": _with(quote="'", quote_all=True),
        "marks escaped": _with(escaped=True, quote_all=True),
        "no end of the last line": _with(last_end=False),
        "no header": _with(headers=0),
        "header of two lines": _with(headers=2),
        "title above": _with(above=("Sales report", "Generated 2024-02-05", "")),
        "comments above": _with(above=("# exported by shop, version 2", "# all rows")),
        "header of three lines": _with(headers=3),
        "a name less": lambda t: replace(t, header=t.header[:-1]),
        "a name more": lambda t: replace(t, header=[*t.header, "extra"]),
        "one row only": lambda t: replace(t, rows=t.rows[:1]),
        "a second table, narrower": lambda t: replace(t, below=_second_table(t, len(t.header) - 1)),
        "a second table, wider": lambda t: replace(t, below=_second_table(t, len(t.header) + 1)),
        "footer": _with(below=("", "Rows: 120")),
        "blank lines": _with(lines=lambda lines: [one for line in lines for one in (line, "")]),
        "blank lines at the end": _with(below=("", "", "")),
        "delimiter after every row": lambda t: replace(t, lines=lambda lines: [line + t.delimiter for line in lines]),
        "whole rows quoted": lambda t: replace(
            t, lines=lambda lines: ['"' + one.replace('"', '""') + '"' for one in lines]
        ),
        "spaces after delimiters": lambda t: replace(
            t, rows=t.rows, lines=lambda lines: [_spaced(one, t) for one in lines]
        ),
        "line for Excel": lambda t: replace(t, above=(f"sep={t.delimiter}",)),
    }
    return found


def _second_table(text: Text, width: int) -> tuple[str, ...]:
    """Return the lines of a table of totals with so many columns, set apart by a blank line."""
    header = [f"total {n}" for n in range(1, width + 1)]
    return ("", text.line(header), *(text.line([str(7 * n + row) for n in range(width)]) for row in range(3)))


def _with(**changes: object) -> Callable[[Text], Text]:
    return lambda text: replace(text, **changes)  # type: ignore[arg-type]


def _spaced(line: str, text: Text) -> str:
    return re.sub(rf'{re.escape(text.delimiter)}(?=(?:[^"]*"[^"]*")*[^"]*$)', text.delimiter + " ", line)


def _one_row() -> dict[str, Callable[[Text, int, np.random.Generator], str]]:
    """Return the faults of a single line."""
    return {
        "a delimiter more": lambda t, n, rng: _insert(t.line(t.rows[n]), t.delimiter, rng),
        "a delimiter less": lambda t, n, rng: _without(t.line(t.rows[n]), t.delimiter, rng),
        "a mark more": lambda t, n, rng: _insert(t.line(t.rows[n]), '"', rng),
        "a mark first": lambda t, n, rng: t.delimiter.join(
            ['"' + t._field(v) if i == 1 else t._field(v) for i, v in enumerate(t.rows[n])]
        ),
        "another delimiter": lambda t, n, rng: replace(t, delimiter=";" if t.delimiter != ";" else ",").line(t.rows[n]),
        "cut off": lambda t, n, rng: _cut(t.line(t.rows[n]), t.delimiter, rng),
        "a zero": lambda t, n, rng: _insert(t.line(t.rows[n]), "\0", rng),
        "value without quotes": lambda t, n, rng: t.delimiter.join(t.rows[n]).replace("\n", " "),
        "delimiters after it": lambda t, n, rng: t.line(t.rows[n]) + 2 * t.delimiter,
        "header again": lambda t, n, rng: t.line(t.header),
        "not UTF-8": lambda t, n, rng: t.line(t.rows[n]),
    }


def _outside(line: str, places: Sequence[int]) -> list[int]:
    """Return the places that do not lie within quotation marks: there nobody could tell that anything is wrong."""
    return [at for at in places if line.count('"', 0, at) % 2 == 0] or [0]


def _insert(line: str, sign: str, rng: np.random.Generator) -> str:
    at = int(rng.choice(_outside(line, range(len(line) + 1))))
    return line[:at] + sign + line[at:]


def _without(line: str, sign: str, rng: np.random.Generator) -> str:
    at = int(rng.choice(_outside(line, [match.start() for match in re.finditer(re.escape(sign), line)])))
    return line[:at] + line[at + len(sign) :]


def _cut(line: str, sign: str, rng: np.random.Generator) -> str:
    """Return a line that ends before its last value, which may otherwise have been meant to be short."""
    return line[: int(rng.integers(1, max(line.rfind(sign), 2)))]


@dataclass(frozen=True)
class Spoiled:
    """A spoiled file, and the rows that a person would read in it."""

    source: str
    fault: str
    content: bytes
    rows: list[tuple[str, ...]]


def spoiled_files(n: int, seed: int = 0) -> Iterator[Spoiled]:
    """Yield ``n`` spoiled files: every source with every fault of a whole file, then with faults of single lines."""
    rng = np.random.default_rng(seed)
    sound = sources(seed)
    made = 0
    whole = [(name, fault) for name in sound for fault in _whole_file()]
    order = rng.permutation(len(whole)) if n < 2 * len(whole) else np.arange(len(whole))
    for at in order[: n // 2 if n < 2 * len(whole) else None]:
        name, fault = whole[at]
        text = _whole_file()[fault](sound[name])
        if _sensible(text, fault):
            made += 1
            yield Spoiled(name, fault, text.content(), [tuple(row) for row in text.rows])
    faults = _one_row()
    while made < n:
        name, fault = str(rng.choice(list(sound))), str(rng.choice(list(faults)))
        text, at = sound[name], int(rng.integers(0, ROWS))
        line = faults[fault](text, at, rng)
        content = replace(text, spoiled={at: line}).content()
        rows = [tuple(row) for row in text.rows]
        if fault == "not UTF-8":
            content = replace(text, spoiled={at: line.replace(text.rows[at][0], text.rows[at][0] + "é")}).content()
            content = content.replace((text.rows[at][0] + "é").encode(), (text.rows[at][0] + "é").encode("cp1252"))
            rows[at] = (text.rows[at][0] + "é", *rows[at][1:])
        if fault == "header again":
            del rows[at]
        made += 1
        yield Spoiled(name, fault, content, rows)


def _sensible(text: Text, fault: str) -> bool:
    """Return False for files that nobody can read: what a fault would make of a source is another table."""
    joined = [value for row in text.rows for value in row]
    if fault in ("whole rows quoted", "blank lines", "delimiter after every row", "spaces after delimiters"):
        return not any("\n" in value for value in joined)
    if fault in ("a name less", "a second table, narrower"):
        return len(text.rows[0]) > 2 and any(row[-1] for row in text.rows)
    if fault == "single quotes":
        return not any("'" in value or '"' in value for value in joined)
    return True


# ---- how much is read


@dataclass
class Score:
    """How the files of one kind were read."""

    files: int = 0
    loaded: int = 0
    silent: int = 0
    right: int = 0
    read: int = 0
    true: int = 0
    failed: list[str] = field(default_factory=list)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(self.read + self.true, 1)


def judge(file: Spoiled, path: Path, scores: Sequence[Score]) -> None:
    """Read a file and add what came of it to every score."""
    path.write_bytes(file.content)
    for score in scores:
        score.files += 1
    try:
        found = read(path)
    except GrouprecError as error:
        for score in scores:
            score.failed.append(f"{file.source}, {file.fault}: refused: {error}")
        return
    bare = file.fault in ("a mark more", "a mark first")  # within a value it may well belong to it
    table = [tuple("" if value != value else str(value) for value in row) for row in found.frame.to_numpy()]
    if bare:
        table, file = _without_marks(table), replace(file, rows=_without_marks(file.rows))
    right = sum((Counter(table) & Counter(file.rows)).values())
    wrong = max(len(table), len(file.rows)) - right
    said = len(found.rejects) + sum(
        int(n.replace(",", "")) for note in found.notes for n in re.findall(r"\(([\d,]+) rows?\)", note)
    )
    said += sum("line" in note and "UTF-8" in note for note in found.notes)
    shown = list((Counter(table) - Counter(file.rows)).keys())[:2]
    shown = shown or list((Counter(file.rows) - Counter(table)).keys())[:2]
    for score in scores:
        score.loaded += 1
        score.silent += wrong > said
        score.right += right
        score.read += len(table)
        score.true += len(file.rows)
        if wrong > said:
            told = f"{wrong} rows wrong, {said} said, such as {shown}; {found.notes}"
            score.failed.append(f"{file.source}, {file.fault}: {told}")


def _without_marks(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [tuple(value.replace('"', "") for value in row) for row in rows]


def measure(n: int, seed: int = 0) -> tuple[Score, dict[str, Score]]:
    """Return how ``n`` spoiled files are read, together and by fault."""
    together, by_fault = Score(), defaultdict(Score)
    with tempfile.TemporaryDirectory() as folder:
        for file in spoiled_files(n, seed):
            judge(file, Path(folder) / "spoiled.csv", (together, by_fault[file.fault]))
    return together, dict(by_fault)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--failed", action="store_true", help="List what was refused or lost")
    args = parser.parse_args()
    together, by_fault = measure(args.files, args.seed)
    print("| fault | files | loaded | record F1 | silent losses |\n|---|---:|---:|---:|---:|")
    for fault, score in [*sorted(by_fault.items()), ("**all**", together)]:
        name = fault.replace("|", "\\|")
        print(f"| {name} | {score.files:,} | {score.loaded / score.files:.1%} | {score.f1:.3f} | {score.silent} |")
    if args.failed:
        print("\n".join(together.failed))


if __name__ == "__main__":
    main()
