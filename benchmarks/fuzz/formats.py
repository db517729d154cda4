"""A table in every format that is read."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd


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
FORMATS: list[Callable[[pd.DataFrame, np.random.Generator], tuple[str, bytes]]] = [
    *(_csv, _csv, _csv, _lines, _lines, _parquet, _zipped, _excel),
    *(_archive, _markup, _markup, _fixed, _answer),
]
