"""Inputs by number: sound files spoiled in their cells, columns, names and bytes, and such as are made to hold up."""

from __future__ import annotations

import numpy as np

from benchmarks.fuzz.formats import FORMATS
from benchmarks.fuzz.given import Input
from benchmarks.fuzz.holding import held_up
from benchmarks.fuzz.tables import SPOILS, sound_table
from grouprec.data.roles.columns import ROLES

ENDINGS = (
    ".csv",
    ".tsv",
    ".txt",
    ".dat",
    ".json",
    ".jsonl",
    ".parquet",
    ".xlsx",
    ".csv.gz",
    ".zip",
    ".xls",
    "",
    ".CSV",
)
HELD_UP = 0.3  # share of the inputs that are made to hold up


def make(seed: int, share: float = HELD_UP, most_rows: int = 300) -> Input:
    """Return the input of that number, the same one every time; that share of them is made to hold up."""
    rng = np.random.default_rng(seed)
    if rng.random() < share:
        return held_up(rng)
    frame = sound_table(rng, most_rows)
    for spoil in rng.choice(np.array(SPOILS, object), rng.integers(0, 3)):
        frame = spoil(frame, rng)
    ending, content = FORMATS[rng.integers(len(FORMATS))](frame, rng)
    for spoil in rng.choice(np.array(_OF_BYTES, object), rng.integers(0, 3)):
        content = spoil(content, rng)
    if rng.random() < 0.1:
        ending = str(rng.choice(ENDINGS))
    roles = {}
    if rng.random() < 0.2:
        names = [*map(str, frame.columns), "", "no such column"]
        roles = {str(role): str(rng.choice(names)) for role in rng.choice(ROLES, rng.integers(1, 4), replace=False)}
    return Input(f"shop{ending}", content, roles)


def _flip(content: bytes, rng: np.random.Generator) -> bytes:
    spoiled = bytearray(content)
    for _ in range(rng.integers(1, 20) if spoiled else 0):
        spoiled[rng.integers(len(spoiled))] ^= 1 << rng.integers(8)
    return bytes(spoiled)


def _cut(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: rng.integers(0, len(content) + 1)]


def _insert(content: bytes, rng: np.random.Generator) -> bytes:
    at = rng.integers(0, len(content) + 1)
    more = [b"\x00" * 50, b"\xff\xfe", b'"', b"\r", b"\n\n\n", b",,,,", rng.bytes(40), b"[[[", b"\xef\xbb\xbf"]
    return content[:at] + more[rng.integers(len(more))] + content[at:]


def _repeat(content: bytes, rng: np.random.Generator) -> bytes:
    start, stop = sorted(rng.integers(0, len(content) + 1, 2).tolist())
    return content[:stop] + content[start:stop] * int(rng.integers(1, 4)) + content[stop:]


_OF_BYTES = [_flip, _cut, _insert, _repeat, _repeat, _insert]
