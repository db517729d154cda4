"""What is this file? Told by its first megabyte (content first, suffix second), so that rubbish is refused at once."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from charset_normalizer import from_bytes

from grouprec.core.types import DataError

Format = Literal["csv", "jsonl", "json", "nested json", "parquet", "excel"]

HEAD_BYTES = 1 << 20
HEAD_ROWS = 1000
DELIMITERS = (",", ";", "\t", "|")
_EXCEL_LINE = re.compile(r"\"?sep=([^\r\n])\"?\r?\n", re.IGNORECASE)  # Excel writes and reads it above the header
_GZIP = b"\x1f\x8b"
_TYPED_SUFFIXES = {".parquet": "a Parquet file", ".xlsx": "an Excel workbook", ".xlsm": "an Excel workbook"}
_BINARY = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save it as .xlsx first",
    b"SQLite format 3": "an SQLite database; export the table as CSV first",
    b"BZh": "a bzip2 archive; unpack it or use gzip",
    b"\xfd7zXZ": "an xz archive; unpack it or use gzip",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it or use gzip",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    _GZIP: "a gzip file inside a gzip file; unpack it once first",
}
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is its beginning
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_FOREIGN_ENCODINGS = ["gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "cp1253"]


@dataclass(frozen=True)
class Sniffed:
    """What the head of a file told.

    Attributes:
        path: the file.
        format: how its content is laid out; "csv" stands for every delimited text.
        gzipped: whether it must be decompressed first.
        encoding: of text formats, a Python codec name.
        delimiter: of "csv".
        text: the decoded head of text formats, cut after its last full line where the file goes on.
        whole: whether ``text`` is the whole file.
    """

    path: Path
    format: Format
    gzipped: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    text: str = ""
    whole: bool = True

    def open(self) -> BinaryIO:
        """Open the file for reading bytes, decompressed."""
        return open_bytes(self.path, self.gzipped)

    def estimate_rows(self, head_rows: int, row_size: float) -> tuple[int | None, bool]:
        """Return the rows of the file (None: unknown) and whether that is exact, from those of the head.

        ``row_size`` in characters stands for bytes.
        """
        if self.whole and head_rows < HEAD_ROWS:
            return head_rows, True
        return (None, False) if self.gzipped else (int(self.path.stat().st_size / row_size), False)


def open_bytes(path: Path, gzipped: bool) -> BinaryIO:
    """Open a file for reading bytes, decompressed where it is gzipped."""
    return gzip.open(path, "rb") if gzipped else path.open("rb")  # type: ignore[return-value]


def sniff(path: Path) -> Sniffed:
    """Return format, encoding and delimiter of a file, from its first megabyte.

    Raises:
        DataError: the file is not there, empty, damaged, or of no format that can be read.
    """
    if not path.exists():
        raise DataError(f"The file '{path}' was not found; check the name and the folder.")
    if path.is_dir():
        raise DataError(f"'{path}' is a folder; give the file inside it.")
    try:
        with path.open("rb") as file:
            start = file.read(8)
        gzipped = start.startswith(_GZIP)
        if start.startswith(b"PAR1"):
            return Sniffed(path, "parquet")
        if start.startswith(b"PK\x03\x04"):
            return _sniff_zip(path)
        with open_bytes(path, gzipped) as file:
            head = file.read(HEAD_BYTES)
            whole = not file.read(1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged_gzip(path) from error
    except OSError as error:
        raise DataError(f"'{path.name}' cannot be read: {error.strerror or error}.") from error
    return _sniff_text(path, gzipped, head, whole)


def damaged_gzip(path: Path) -> DataError:
    """Return the error for a gzip file that ends early or does not add up."""
    return DataError(f"'{path.name}' is a damaged or truncated gzip file; copy or download it again.")


def _sniff_zip(path: Path) -> Sniffed:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise DataError(f"'{path.name}' is a damaged Excel workbook or zip archive; save it again.") from error
    if any(name.startswith("xl/") for name in names):
        return Sniffed(path, "excel")
    raise DataError(f"'{path.name}' is a zip archive; unpack it and give the file inside.")


def _sniff_text(path: Path, gzipped: bool, head: bytes, whole: bool) -> Sniffed:
    encoding = _encoding(path, head)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head, final=whole)
    said = _EXCEL_LINE.match(text)
    if not text[said.end() if said else 0 :].strip():
        raise DataError(f"'{path.name}' is empty; give a file with a header line and rows.")
    kind = _TYPED_SUFFIXES.get(path.suffix.lower())
    if kind is not None:
        raise DataError(f"'{path.name}' is not {kind} although its name says so; give it its right name.")
    text = text if whole else text[: text.rfind("\n") + 1] or text
    layout = _json_layout(path, text)
    delimiter = None if layout else _delimiter(path, text)
    return Sniffed(path, layout or "csv", gzipped, encoding, delimiter, text, whole)


def _encoding(path: Path, head: bytes) -> str:
    """Return the codec of the text, refusing what is no text."""
    for mark, encoding in _BOMS.items():
        if head.startswith(mark):
            return encoding
    for magic, kind in _BINARY.items():
        if head.startswith(magic):
            raise DataError(f"'{path.name}' is not a table but {kind}.")
    zeros = [head[offset::2].count(0) / max(len(head) // 2, 1) for offset in (0, 1)]
    if max(zeros) > 0.3 and min(zeros) < 0.1 * max(zeros):
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    controls = len(head) - len(head.translate(None, bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))))
    if head.count(0) or controls > 0.01 * len(head):
        raise DataError(f"'{path.name}' is a binary file, not text; give CSV, Parquet, JSON or Excel.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return legacy_encoding(head)
    return "utf-8"


def legacy_encoding(content: bytes) -> str:
    """Return the likely codec of text that is not UTF-8.

    Accents of western languages stand alone among ASCII letters, where statistics over a few bytes mislead:
    those are read as cp1252. Other scripts come in runs, and charset-normalizer tells them apart.
    """
    runs = re.findall(rb"[\x80-\xff]+", content)
    alone = sum(len(run) == 1 for run in runs)
    if alone * 2 < len(runs):
        lines = b"\n".join(line for line in content.splitlines() if not line.isascii())
        best = from_bytes(lines[: 1 << 16], cp_isolation=_FOREIGN_ENCODINGS).best()
        if best is not None:
            return best.encoding
    # cp1252 leaves five bytes undefined; latin-1 takes every byte.
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", content) else "cp1252"


def _json_layout(path: Path, text: str) -> Format | None:
    """Return which JSON it is, None where the text does not begin like JSON."""
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    start = text.lstrip()
    if start.startswith("<"):
        raise DataError(f"'{path.name}' is HTML or XML, not a table; give CSV, Parquet, JSON or Excel.")
    if re.match(r'\[\s*[\[{"\]\d-]', start):
        return "json"
    if not re.match(r'\{\s*["}]', start):
        if suffix in ("json", "jsonl", "ndjson"):
            raise DataError(f"'{path.name}' is not JSON: it begins with '{start[:20].strip()}'.")
        return None
    first, _, rest = start.partition("\n")
    try:
        values = json.loads(first).values()
    except (ValueError, RecursionError):  # the reader says what is wrong
        return "jsonl" if suffix in ("jsonl", "ndjson") else "nested json"
    nested = values and all(isinstance(value, (dict, list)) for value in values)
    return "nested json" if nested and not rest.strip() else "jsonl"


def _delimiter(path: Path, text: str) -> str:
    """Return the delimiter that splits the header and on which most rows agree."""
    scores = {}
    said = _EXCEL_LINE.match(text)
    for delimiter in said.groups() if said else DELIMITERS:
        rows = list(itertools.islice(csv_rows(path, text, delimiter), 200))
        width = len(rows[0][1])
        if width > 1:
            scores[delimiter] = sum(len(row) == width for _, row in rows) / len(rows), width
    if not scores:
        shown = text.strip().splitlines()[0][:60]
        raise DataError(
            f"'{path.name}' has a single column, '{shown}': this looks like a wrong delimiter; "
            "separate the columns by comma, semicolon, tab or |."
        )
    return max(scores, key=scores.__getitem__)


def lines_above(text: str) -> int:
    """Return how many lines stand above the header: 1 where Excel's ``sep=;`` names the delimiter, else 0."""
    return int(_EXCEL_LINE.match(text) is not None)


def csv_rows(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield line number (from 1) and fields of the rows that are not blank, the header first."""
    above = lines_above(text)
    lines = itertools.islice(io.StringIO(text, newline=""), above, None)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for row in reader:
            if row:
                yield above + reader.line_num, row
    except csv.Error as error:
        raise DataError(f"'{path.name}', line {above + reader.line_num} is not a row of a table: {error}.") from error
