"""Inputs made to hold up whoever reads them: long repeats, deep nesting, very many separators, names and keys."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.fuzz.archives import packed
from benchmarks.fuzz.formats import FORMATS
from benchmarks.fuzz.given import Input
from benchmarks.fuzz.holding_json import deep, keys, values
from benchmarks.fuzz.holding_workbooks import markup, open_document, workbook
from benchmarks.fuzz.repeats import long, many

Make = Callable[[np.random.Generator], tuple[str, bytes]]


def held_up(rng: np.random.Generator) -> Input:
    """Return an input of one of the ways."""
    ending, content = _WAYS[rng.integers(len(_WAYS))](rng)
    roles, mapping = {}, ""
    if rng.random() < 0.1:
        mapping = f"user={long(rng, 20_000)},item=item,time={long(rng, 20_000)}"
    return Input(f"held{ending}", content, roles, mapping)


def _table(rng: np.random.Generator) -> tuple[str, bytes]:
    """A table of any format, some of whose cells or names are long."""
    n = int(rng.choice([3, 30, 200]))
    columns = {"user": rng.integers(0, 9, n), "item": rng.integers(0, 9, n), "time": ["2024-01-05"] * n}
    columns |= {"quantity": [1] * n, "status": ["paid"] * n, "title": ["Blue mug"] * n, "price": ["1.50"] * n}
    frame = pd.DataFrame(columns).astype(str).astype(object)
    for _ in range(int(rng.integers(1, 4))):
        at, rows = int(rng.integers(frame.shape[1])), int(rng.choice([1, n]))
        same = long(rng, 300_000 if rows == 1 else 600_000 // n)
        frame.iloc[:rows, at] = [same if rng.random() < 0.7 else f"{k}{same}" for k in range(rows)]
    if rng.random() < 0.3:
        names = list(frame.columns)
        names[int(rng.integers(len(names)))] = long(rng, 100_000)
        frame.columns = names
    return FORMATS[rng.integers(len(FORMATS))](frame, rng)


def _header(rng: np.random.Generator) -> tuple[str, bytes]:
    """Very many names, or long ones, or both."""
    n = many(rng, 6_000)
    names = (
        [f"{k}{long(rng, 400)}".replace("\n", " ") for k in range(n)]
        if rng.random() < 0.5
        else [f"c{k}" for k in range(n)]
    )
    row = ",".join(str(k % 7) for k in range(n))
    lines = [",".join(["user", "item", *names]), *[f"u{k % 5},i{k % 4},{row}" for k in range(max(1, 60_000 // n))]]
    return ".csv", "\n".join(lines[:40]).encode(errors="replace")


def _lines(rng: np.random.Generator) -> tuple[str, bytes]:
    """Lines of separators, of nothing, of one repeat each, above and between sound ones."""
    odd = [long(rng, 5_000).replace("\n", "") for _ in range(int(rng.integers(1, 30)))]
    more = [
        str(rng.choice((",", ";", "\t", "|", " ", "", '"', "#", "-", "=", "::"))) * many(rng, 50_000) for _ in range(3)
    ]
    sound = ["user,item,time", *(f"u{k % 7},i{k % 5},2024-01-{k % 28 + 1:02}" for k in range(60))]
    parts = [odd, more, sound, [""] * many(rng, 100_000)]
    kept = [parts[at] for at in rng.permutation(4)[: rng.integers(1, 5)]]
    end = str(rng.choice(("\n", "\r\n", "\r")))
    return str(rng.choice((".csv", ".tsv", ".txt", ".json", ".xls", ""))), end.join(map(end.join, kept)).encode()


def _alone(rng: np.random.Generator) -> tuple[str, bytes]:
    """One repeat and nothing else."""
    endings = (".csv", ".json", ".jsonl", ".txt", ".xls", ".xlsx", ".parquet", ".sql", ".html", "")
    return str(rng.choice(endings)), long(rng, 1_000_000).encode()


def _bytes(rng: np.random.Generator) -> tuple[str, bytes]:
    """Bytes that begin letters of several bytes, over and over, in a sound file."""
    odd = bytes(rng.integers(128, 256, int(rng.integers(1, 4))).tolist()) * many(rng, 300_000)
    return ".csv", b"user,item\n" + b"a,b\nb,c\n" * 20 + b"c," + odd + b"\n" + b"a,c\n" * 9


_WAYS: tuple[Make, ...] = (
    *(_table, _table, _table, _header, _lines, _lines, _alone, _bytes, deep, keys, keys, values),
    *(markup, workbook, open_document, packed),
)
