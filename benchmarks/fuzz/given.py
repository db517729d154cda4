"""An input, and those that broke something once."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Input:
    """A file to read, the roles that somebody named for its columns, and what they wrote behind ``--map``."""

    name: str
    content: bytes
    roles: Mapping[str, str] = field(default_factory=dict)
    mapping: str = ""


def _zipped(name: str, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return a zip archive of a table, in which the last ``before`` is ``after``."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "user,item\na,b\nb,c\n" * 9)
        if not before:
            archive.writestr(zipfile.ZipInfo("second\nline.csv"), "")
    head, _, rest = content.getvalue().rpartition(before) if before else (content.getvalue(), b"", b"")
    return head + after + rest


# Each of these broke something once.
CORPUS = [
    Input("bom.csv", b"\xef\xbb\xbf\xffuser,item\na,b\n"),
    Input("behaviour.jsonl", b'{"user": "a", "item": "b", "behaviour": ["x"]}\n' * 3),
    Input("語" * 100 + ".csv", b"user,item\na,b\nb,c\n"),
    Input("row.csv", b"user,item,row,key,time\na,b,1,2,2024-01-01\nb,c,1,2,2024-01-02\n"),
    Input("wide.csv", (",".join(f"c{n}" for n in range(20_000)) + "\n").encode() * 2),
    Input("bomb.csv.gz", gzip.compress(b"user,item\n" + b"a" * 50_000_000)),
    Input("cut.csv", b"user,item\n" + b"a,b\nb,c\n" * 20 + b"c,d,\xe2\x82"),
    Input("huge.csv", b"user,item,weight,price,behaviour\na,b,1e308,1e308,view\nb,c,2,3,buy\n" * 3),
    Input("weights.csv", b"user,item,weight\na,b,1e999\nb,c,NaN\na,c,inf\nb,b,2\n"),
    Input("half.parquet", b"PAR1\x15\x04\x15PAR1"),
    Input("deep.json", b"[" * 100_000),
    Input("surrogate.jsonl", b'{"user": "\\ud800", "item": "b"}\n' * 3),
    Input("blank.tsv", b"\r" * 999),
    Input("names.json", b'[{"user": "a", "item": "b"}]', mapping=f"user={'@1' * 9_000},item=item"),
    Input("deep.jsonl", b'{"a":' * 9_000 + b"1" + b"}" * 9_000),
    Input("long name.tsv", b"user\titem\t" + b"a" * 60_000 + b"\tb" * 4_000 + b"\n" + b"1\t2" + b"\t3" * 4_001 + b"\n"),
    Input("names.jsonl", b"".join(b'{"k%d": 1, "user": "u%d", "item": "a"}\n' % (n, n % 7) for n in range(2_000))),
    Input(
        "split.json", json.dumps({"columns": ["user", "item", *map(str, range(6_000))], "data": [[1] * 6_002]}).encode()
    ),
    Input("long time.csv", b"user,item," + b"t" * 4_000 + b"\na,b,x\n" * 3, roles={"time": "t" * 4_000}),
    Input("nothing known.csv", b"item,name,value\n" + b"a,b,\nb,c,\n" * 9),
    Input("two.zip", _zipped("first.csv")),
    Input("nameless.zip", _zipped("")),
    Input("method.zip", _zipped("first.csv", b"\x14\x03\x14\x00\x00\x00\x00\x00", b"\x14\x03\x14\x00\x00\x00\x63\x00")),
    Input("no text.zip", _zipped("é.csv", "é.csv".encode(), b"\xff\xfe.csv")),
    Input("empty.xlsx", b"PK\x05\x06" + bytes(18)),
    Input("no end.jsonl", b'{"user": "a", "item": "b", "year": 1e999, "month": 1, "day": 2}\n' * 3),
]
