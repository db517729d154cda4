"""Broken files of every kind, and what becomes of them: read, or refused in a sentence, in time and within memory.

``python -m benchmarks.fuzz`` makes 5,000 inputs: sound files of every format that is read, then spoiled one to four
times in their bytes, cells, columns and names; some with column roles that do not fit. Each goes through all that an
upload goes through - the look at its head, the preparation, the same file as events - in a process of its own.

An input passes where the answer is data or one sentence, within 10 seconds of processor time, and with no more memory
than three times the file (as it is without compression) and 200 MB.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import multiprocessing
import re
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from grouprec.core.types import GrouprecError
from grouprec.data.clean import Preparation
from grouprec.data.columns import ROLES
from grouprec.data.library_files import safe_name
from grouprec.data.prepare import prepare
from grouprec.data.read import peek
from grouprec.live.events import check_events, read_events

MOST_SECONDS, MOST_MEMORY = 10.0, 200e6
PATIENCE = 6  # times as long an input may take by the clock: other work may have the processors
NASTY: list[Any] = [
    *("", " ", "NaN", "null", "None", "inf", "-inf", "1e999", "-0", "0x1F", "1_000", "١٢٣", "½", "∞", "true", "=1+1"),
    *("[1, 2]", '{"a": 1}', "[", "{", '"', '""', "'", "\\", "\\N", "a\x00b", "\r", "\n", "\t", ";", ",", "|", "\ufeff"),
    *("2024-02-30", "0000-00-00", "99999999999999", "31/31/31", "12/2024", "25:61", "1970-01-01", "9999-12-31"),
    *("\u202eabc", "e\u0301", "\U0001f600", "\ud7ff", "a" * 5_000, "<script>", "row", "key", "../../etc/passwd"),
]
NUMBERS: list[Any] = [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e308, 5e-324, 2**63 - 1, -(2**63), 1e18, 0.1]
NAMES = [
    "",
    " ",
    "row",
    "key",
    "index",
    "level_0",
    "user",
    "user",
    "item",
    "time",
    "a" * 3_000,
    "=1+1",
    "\x00",
    "1",
    "nan",
]
ENDINGS = [
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
]


@dataclass(frozen=True)
class Input:
    """A file to read, and the roles that somebody named for its columns."""

    name: str
    content: bytes
    roles: Mapping[str, str] = field(default_factory=dict)


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
    Input("empty.xlsx", b"PK\x05\x06" + bytes(18)),
]


def make(seed: int) -> Input:
    """Return the input of that number; the same one every time."""
    rng = np.random.default_rng(seed)
    frame = _table(rng)
    for spoil in rng.choice(np.array([_cells, _columns, _types, _nothing], object), rng.integers(0, 3)):
        frame = spoil(frame, rng)
    ending, content = _FORMATS[rng.integers(len(_FORMATS))](frame, rng)
    for spoil in rng.choice(np.array(_OF_BYTES, object), rng.integers(0, 3)):
        content = spoil(content, rng)
    if rng.random() < 0.1:
        ending = str(rng.choice(ENDINGS))
    roles = {}
    if rng.random() < 0.2:
        names = [*map(str, frame.columns), "", "no such column"]
        roles = {str(role): str(rng.choice(names)) for role in rng.choice(ROLES, rng.integers(1, 4), replace=False)}
    return Input(f"shop{ending}", content, roles)


def _table(rng: np.random.Generator) -> pd.DataFrame:
    n = int(rng.choice([0, 1, 30, 100, 300, 300]))
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s")
    columns = {
        "user": [f"u{k}" for k in rng.integers(0, 12, n)],
        "item": [f"i{k}" for k in rng.integers(0, 9, n)],
        "time": days.strftime(str(rng.choice(["%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%m/%d/%y %I:%M %p", "%d.%m.%Y"]))),
        "quantity": rng.integers(1, 9, n),
        "price": rng.uniform(0, 99, n).round(2),
        "behaviour": rng.choice(["view", "buy"], n),
        "status": rng.choice(["paid", "cancelled"], n),
        "title": rng.choice(["Blue mug, large", 'a "quoted" lamp', "Öl für Ä", "緑茶"], n),
    }
    kept = ["user", "item", *(name for name in list(columns)[2:] if rng.random() < 0.6)]
    return pd.DataFrame({name: columns[name] for name in kept})


# ---- what is done to a table


def _cells(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    frame = frame.astype(object)
    for _ in range(rng.integers(1, 40)):
        if frame.size:
            row, column = int(rng.integers(frame.shape[0])), int(rng.integers(frame.shape[1]))
            frame.iloc[row, column] = (NASTY + NUMBERS)[rng.integers(len(NASTY) + len(NUMBERS))]
    return frame


def _columns(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if frame.shape[1]:
        names = [str(name) for name in frame.columns]
        names[rng.integers(len(names))] = str(rng.choice(NAMES))
        frame = frame.set_axis(names, axis=1)
    return frame.iloc[:, rng.permutation(frame.shape[1])[: rng.integers(0, frame.shape[1] + 1) or 2]]


def _types(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Put lists, objects, bytes or truth values into a column."""
    if not frame.shape[1]:
        return frame
    value = [[1, "a"], {"a": 1}, b"\xff", True, None, [0.1, 0.2]][rng.integers(6)]
    column = pd.Series([value] * len(frame), dtype=object, index=frame.index)
    frame = frame.astype(object)
    frame.isetitem(int(rng.integers(frame.shape[1])), column.array)
    return frame


def _nothing(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame


# ---- how it is written


def _csv(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    part = str(rng.choice([",", ";", "\t", "|"]))
    encoding = str(rng.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252", "gb18030"]))
    text = frame.to_csv(index=bool(rng.random() < 0.1), sep=part, header=bool(rng.random() < 0.9))
    return str(rng.choice([".csv", ".tsv", ".txt"])), text.encode(encoding, errors="replace")


def _zipped(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    ending, content = _csv(frame, rng)
    return f"{ending}.gz", gzip.compress(content)


def _lines(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    frame = frame.loc[:, ~frame.columns.duplicated()]
    rows = [json.dumps(row, default=str) for row in frame.to_dict("records")]
    if rng.random() < 0.5:
        return ".json", f"[{','.join(rows)}]".encode(errors="surrogatepass")
    return ".jsonl", "\n".join(rows).encode(errors="surrogatepass")


def _parquet(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    frame = frame.loc[:, ~frame.columns.duplicated()]
    content = io.BytesIO()
    try:
        frame.to_parquet(content)
    except Exception:  # a column of mixed types, which no Parquet file holds
        content = io.BytesIO()
        frame.map(lambda cell: str(cell).encode(errors="replace").decode()).to_parquet(content)
    return ".parquet", content.getvalue()


def _excel(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    content, clean = io.BytesIO(), frame.map(lambda cell: _UNWRITABLE.sub("", str(cell)[:30_000]))
    clean.columns = [_UNWRITABLE.sub("", str(name)) for name in clean.columns]
    clean.to_excel(content, index=False)
    return ".xlsx", content.getvalue()


def _archive(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in range(int(rng.choice([1, 1, 1, 2]))):
            ending, content = _csv(frame, rng)
            archive.writestr(f"part {part}{ending}", content)
    return ".zip", file.getvalue()


def _markup(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    """Write HTML, the XML of 2003 or OpenDocument, as shops and offices save tables."""
    rows = [list(map(str, frame.columns)), *frame.map(str).to_numpy().tolist()]
    rows = [[escape(_UNWRITABLE.sub("", cell)) for cell in row] for row in rows]
    kind = rng.integers(3)
    if kind == 0:
        body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
        return ".xls", f"<html><table>{body}</table></html>".encode(errors="replace")
    if kind == 1:
        cells = (f"<Cell><Data ss:Type='String'>{cell}</Data></Cell>" for row in rows for cell in row)
        body = "".join(f"<Row>{''.join(next(cells) for _ in row)}</Row>" for row in rows)
        name = "urn:schemas-microsoft-com:office:spreadsheet"
        text = f"<Workbook xmlns='{name}' xmlns:ss='{name}'><Worksheet ss:Name='a'>{body}</Worksheet></Workbook>"
        return ".xls", text.encode(errors="replace")
    cells = [[f"<t:table-cell><p>{cell}</p></t:table-cell>" for cell in row] for row in rows]
    body = "".join(f"<t:table-row>{''.join(row)}</t:table-row>" for row in cells)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", f"<d xmlns:t='t'><t:table t:name='a'>{body}</t:table></d>")
    return ".ods", file.getvalue()


def _fixed(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    return ".txt", frame.map(str).to_string(index=bool(rng.random() < 0.3)).encode(errors="replace")


def _answer(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[str, bytes]:
    """Write records inside other objects, one after the other, or lists of rows."""
    frame = frame.loc[:, ~frame.columns.duplicated()]
    rows = [json.loads(json.dumps(row, default=str)) for row in frame.to_dict("records")]
    ways = [
        {"meta": {"page": 1}, "data": rows},
        {"response": {"result": {"orders": {f"o{n}": row for n, row in enumerate(rows)}}}},
        {"took": 3, "links": [{"next": None}], "hits": {"hits": [{"_source": row} for row in rows]}},
    ]
    kind = int(rng.integers(len(ways) + 2))
    if kind == len(ways):
        text = "\n".join(json.dumps(list(row.values())) for row in rows)
    else:
        text = json.dumps(ways[kind]) if kind < len(ways) else "".join(json.dumps(row, indent=1) for row in rows)
    return ".json", text.encode(errors="surrogatepass")


_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")  # what no workbook holds
_FORMATS: list[Callable[[pd.DataFrame, np.random.Generator], tuple[str, bytes]]] = [
    *(_csv, _csv, _csv, _lines, _lines, _parquet, _zipped, _excel),
    *(_archive, _markup, _markup, _fixed, _answer),
]


# ---- what is done to bytes


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


# ---- what becomes of it


def attempt(given: Input, folder: Path) -> str:
    """Read an input as an upload and as events; return "read" or the beginning of the sentence that refuses it.

    Raises:
        Exception: anything but a sentence is a fault of ours.
    """
    path = folder / safe_name(given.name)
    path.write_bytes(given.content)
    said = []
    for look in (peek, lambda file: _prepare(file, given.roles), _events):
        try:
            look(path)
            said.append("read")
        except GrouprecError as error:
            sentence = str(error)
            if not sentence.strip() or str(folder) in sentence or "\n" in sentence.strip():
                raise AssertionError(f"this is no sentence for people: {sentence[:500]!r}") from error
            said.append(sentence[:60])
    return said[1]


def _prepare(path: Path, roles: Mapping[str, str]) -> None:
    prepare(path, roles=roles, settings=Preparation(min_item_users=1))


def _events(path: Path) -> None:
    check_events(read_events(path, {}), Preparation(), 3)


@dataclass(frozen=True)
class Outcome:
    """What an input led to: the answer or the traceback, processor seconds, and bytes of memory beyond the start."""

    said: str
    fault: str
    seconds: float
    memory: float


def watched(given: Input) -> Outcome:
    """Run :func:`attempt` in a child of this process, which may hang, die or take all memory."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(given, theirs))
    begun = time.perf_counter()
    child.start()
    theirs.close()
    try:
        if not ours.poll(MOST_SECONDS * PATIENCE):
            return Outcome("", "it hangs", time.perf_counter() - begun, 0.0)
        return Outcome(*ours.recv())
    except EOFError:
        return Outcome("", "the process died", time.perf_counter() - begun, 0.0)
    finally:
        child.kill()
        child.join()
        ours.close()


def _child(given: Input, answer: Any) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before, begun = _memory("VmRSS"), time.process_time()
    warnings.simplefilter("error", RuntimeWarning)  # of numbers that overflow: what comes of them is no number
    unheard: list[str] = []
    sys.unraisablehook = lambda told: unheard.append(f"nobody heard {told.exc_value!r} in {told.object!r}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            said, fault = attempt(given, Path(folder)), ""
        except BaseException:
            said, fault = "", traceback.format_exc()
    answer.send((said, fault or "".join(unheard), time.process_time() - begun, _memory("VmHWM") - before))


def _memory(name: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return float(line.split()[1]) * 1024


def _size(content: bytes) -> int:
    """Return the bytes of a file without its compression, as far as it goes."""
    try:
        return len(gzip.decompress(content)) if content[:2] == b"\x1f\x8b" else len(content)
    except (OSError, EOFError, zlib.error):
        return len(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--n", type=int, default=5_000, help="inputs")
    parser.add_argument("--minutes", type=float, default=600.0, help="after which no further input is begun")
    parser.add_argument("--seed", type=int, default=0, help="number of the first one")
    parser.add_argument("--show", type=int, default=5, help="faults that are shown in full")
    asked = parser.parse_args()
    attempt(Input("warm.csv", b"user,item\na,b\nb,c\n"), Path(tempfile.mkdtemp()))  # libraries load before the children
    inputs = [*((f"corpus {n}", given) for n, given in enumerate(CORPUS))]
    counts, slowest, largest, shown = Counter(), 0.0, 0.0, 0
    numbered = ((str(seed), make(seed)) for seed in range(asked.seed, asked.seed + asked.n))
    begun = time.monotonic()
    for name, given in (pair for part in (inputs, numbered) for pair in part):
        if time.monotonic() - begun > 60 * asked.minutes:
            break
        counts["inputs"] += 1
        outcome = watched(given)
        slowest, largest = max(slowest, outcome.seconds), max(largest, outcome.memory)
        kinds = {"fault": bool(outcome.fault), "over 10 s": outcome.seconds > MOST_SECONDS}
        kinds["over memory"] = outcome.memory > 3 * _size(given.content) + MOST_MEMORY
        counts["read" if outcome.said == "read" else "refused"] += not outcome.fault
        counts.update({kind: int(found) for kind, found in kinds.items()})
        if any(kinds.values()) and shown < asked.show:
            shown += 1
            told = [kind for kind, found in kinds.items() if found]
            print(f"--- input {name} ({given.name}): {told}, {outcome.seconds:.1f} s, {outcome.memory / 1e6:.0f} MB")
            print(outcome.fault[-1500:])
    print(
        f"{counts.pop('inputs'):,} inputs: {dict(counts)}; slowest {slowest:.1f} s, most memory {largest / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    main()
