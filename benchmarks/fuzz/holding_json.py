"""JSON made to hold up: deep, of very many keys, of very many values."""

from __future__ import annotations

import json

import numpy as np

from benchmarks.fuzz.repeats import many


def deep(rng: np.random.Generator) -> tuple[str, bytes]:
    """JSON of many levels, closed or not, around a table or nothing."""
    n = many(rng, 100_000)
    opened, closed = (("[", "]"), ('{"a":', "}"), ('[{"data":', "}]"), ('{"a":[', "]}"))[rng.integers(4)]
    inside = json.dumps([{"user": f"u{k % 5}", "item": f"i{k % 4}"} for k in range(30)])
    text = opened * n + str(rng.choice((inside, "1", "", '""'))) + closed * int(rng.choice([n, 0, n // 2]))
    if rng.random() < 0.5:
        text = "\n".join(f'{{"user": "u{k % 5}", "item": "i{k % 4}", "more": {text[:40_000]}}}' for k in range(20))
    return str(rng.choice((".json", ".jsonl"))), text.encode()


def keys(rng: np.random.Generator) -> tuple[str, bytes]:
    """Objects of very many keys: one, records of others each, users with few or many values, numbers of many digits."""
    n = many(rng, 100_000)
    ways: list[object] = [
        {f"k{k}": k for k in range(n)},
        [{f"k{k}": 1, "user": f"u{k % 5}", "item": "a"} for k in range(min(n, 20_000))],
        {f"u{k}": {f"i{k % 9}": 1} for k in range(min(n, 30_000))},
        {f"u{k}": {"bought": [f"i{k % 9}"], f"b{k}": []} for k in range(min(n, 20_000))},
        [[f"u{k % 9}", f"i{k % 7}"] for k in range(min(n, 30_000))],
        {"columns": [f"c{k}" for k in range(min(n, 6_000))], "data": [[1] * min(n, 6_000)] * 3},
        [{"user": "a", "item": ["b"] * n}] * 3,
        [{"user": "a", "item": {f"i{k}": {"n": k} for k in range(min(n, 20_000))}}] * 2,
    ]
    text = json.dumps(ways[rng.integers(len(ways))])
    if rng.random() < 0.2:
        text = text.replace("1", "1" * 5_000, 1).replace(", ", "," + " " * int(rng.integers(1, 5)))
    return ".json", text.encode()


def values(rng: np.random.Generator) -> tuple[str, bytes]:
    """Very many small values one after the other, with much or nothing between them."""
    one = str(
        rng.choice(
            (
                "{}",
                "[]",
                "[1]",
                '{"a":1}',
                "1 ",
                '"a"',
                "null ",
                "[[",
                '{"a":',
                "[{}",
                "true,",
                '{"user":"a","item":"b"}',
            )
        )
    )
    return str(rng.choice((".json", ".jsonl"))), (one * many(rng, 100_000)).encode()
