"""Archives of many, nested or nameless members."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

import numpy as np

from benchmarks.fuzz.repeats import many


def packed(rng: np.random.Generator) -> tuple[str, bytes]:
    """Archives of many, nested or nameless members."""
    sound = b"user,item\n" + b"a,b\nb,c\n" * 30
    n = many(rng, 3_000)
    ways: list[Callable[[], tuple[str, bytes]]] = [
        lambda: (".csv.gz", gzip.compress(sound) * n),
        lambda: (".csv.gz", gzip.compress(sound) + b"\x00" * 100_000),
        lambda: (".zip", zipped({f"{k}.csv": "user,item\n" for k in range(n)})),
        lambda: (".zip", zipped({"a" * 60_000 + ".csv": "user,item\na,b\nb,c\n"})),
        lambda: (".zip", zipped({"../" * 5_000 + "a.csv": "user,item\na,b\nb,c\n"})),
        lambda: (".zip", _nested(sound, min(n, 40))),
        lambda: (".csv.gz", _regzipped(sound, min(n, 40))),
    ]
    return ways[rng.integers(len(ways))]()


def _nested(content: bytes, levels: int) -> bytes:
    for level in range(levels):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv" if level == 0 else "a.zip", content)
        content = file.getvalue()
    return content


def _regzipped(content: bytes, levels: int) -> bytes:
    for _ in range(levels):
        content = gzip.compress(content)
    return content


def zipped(members: dict[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return file.getvalue()
