"""Texts of one or two signs or pieces over and over."""

from __future__ import annotations

import numpy as np

_SIGNS = (
    *("a", "Z", "é", "語", "1", "9", "0", " ", "\t", "\u00a0", "_", "-", ".", ",", ";", ":", "|", "/", "\\", "'", '"'),
    *("(", "[", "{", "<", "&", "=", "+", "#", "*", "%", "€", "★", "@", "\u0301", "\u200b", "\ufeff"),
)
_PIECES = (  # what patterns of the readers look for, over and over
    *(
        "1,",
        "1.",
        "1 ",
        "1'",
        "-1",
        "1e",
        "1:",
        "9/",
        "12:30 ",
        "2024-",
        "01.02.",
        "2024-01-01 ",
        "Jan ",
        "5 kg ",
        "€ ",
    ),
    *(
        "a@",
        "a.",
        "a@b.",
        "http://",
        "SKU: ",
        ", Qty: 2",
        "2 x ",
        "x 2 ",
        "a: b, ",
        "[1, ",
        "{1,",
        '{"a":',
        "['a', ",
        "a|",
    ),
    *(
        "<td>",
        "&amp;",
        "&lt",
        "/*a*/ ",
        "-- a\n",
        "--",
        "= ",
        "u1 ",
        "1:1 ",
        "(1)",
        "$1",
        '""',
        '\\"',
        '","',
        "\r",
        "\n\n",
    ),
    *(
        "AM ",
        "+01:00",
        "GMT+",
        "Z",
        "令和",
        "年",
        "Q1 ",
        "KW 5/",
        "insert into ",
        "from ",
        "token=",
        "\\u0000",
        "\\x00",
    ),
)
_ENDS = ("", "!", "\x00", "\n!", '"', "]", "}", "a", "1")


def many(rng: np.random.Generator, most: int) -> int:
    return int(10 ** rng.uniform(2, np.log10(most)))


def long(rng: np.random.Generator, most: int) -> str:
    """Return a text of one or two signs or pieces over and over, with a beginning and an end of others."""
    n, pool = many(rng, most), _SIGNS if rng.random() < 0.5 else _PIECES
    parts = [str(rng.choice(pool)) for _ in range(int(rng.integers(1, 3)))]
    body = "".join(parts) if rng.random() < 0.7 else "".join(part * 50 for part in parts)
    begin = str(rng.choice(("", "", "[", "{", "(", '"', "a", "1", "=", "2 x "))) if rng.random() < 0.5 else ""
    return begin + body * (n // len(body)) + str(rng.choice(_ENDS))
