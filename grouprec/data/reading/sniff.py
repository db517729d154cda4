"""What is this file? Told by its first megabyte (content first, suffix second), so that rubbish is refused at once."""

from __future__ import annotations

import codecs
import io
import json
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from grouprec.core.files import UNPACKING, told
from grouprec.core.types import DataError
from grouprec.data.limits import LONGEST_ROW, Unpacked, check_columns
from grouprec.data.reading.blocks import is_blocks
from grouprec.data.reading.encodings import (
    BOMS,
    KEEP_BYTES,
    MIXED,
    check_name,
    is_mixed,
    is_utf8,
    legacy_encoding,
    unmarked_utf,
)
from grouprec.data.reading.files_known import packed_files, refuse_binary, several_files
from grouprec.data.reading.find_layout import EXCEL_LINE, find_layout
from grouprec.data.reading.find_records import ASSIGNED, records_path
from grouprec.data.reading.layout import Layout
from grouprec.data.reading.log_lines import is_log

Format = Literal["csv", "jsonl", "json", "nested json", "blocks", "parquet", "excel", "markup"]

HEAD_BYTES = 1 << 20
HEAD_ROWS = 1000
MOST_FOREIGN = 0.05  # share of lines that may have another encoding than the rest
MOST_HEAD_BYTES = LONGEST_ROW  # where the first rows are longer than usual
_GZIP = b"\x1f\x8b"
ZIPPED = b"PK\x03\x04"
_TYPED_SUFFIXES = {".parquet": "a Parquet file", ".xlsx": "an Excel workbook", ".xlsm": "an Excel workbook"}
LEAST_HOLE = 16  # zeros one after the other that stand for what was never written
_HOLE = re.compile(rb"\x00{%d,}" % LEAST_HOLE)
# No list of JSON: the day of a line of a log or a chat, the name of a part of settings
_NO_LIST = re.compile(r"\[\d{1,4}[-./]\d{1,2}[-./]\d|\[\[[A-Za-z][\w. -]*\]\]\s")
_REMARKS = re.compile(r"(?:(?://|#)[^\n]*\n\s*)+(?=\{\s*\")")  # above lines of JSON
_MARKUP = re.compile(r"<t[rdh]\b|<worksheet\b", re.IGNORECASE)


# Statements, maybe below comments
_SCRIPT = re.compile(
    r"(?:\s|--[^\n]*\n|/\*(?:(?!\*/).)*\*/;?)*(?:(?:insert(?:\s+ignore)?\s+into|create\s+(?:table|database|schema)|drop\s+table|"
    r"lock\s+tables|begin\s+transaction|start\s+transaction|pragma\s+\w+|copy\s+\S+\s*\([^)]*\)\s*from\s+stdin)\b"
    r"|set\s+[@\w.]+\s*(?:=|to\b)|use\s+[`\w]+\s*;)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Sniffed:
    """What the head of a file told.

    Attributes:
        path: the file.
        format: how its content is laid out; "csv" stands for every delimited text.
        gzipped: whether it must be decompressed first.
        members: of a zip archive, the file in it, or those of the same columns that are read one after the other.
        encoding: of text formats, a Python codec name, or "mixed".
        other: of a mixed file, the codec of the lines that are not UTF-8.
        layout: of "csv".
        text: the decoded head of text formats, cut after its last full line where the file goes on.
        whole: whether ``text`` is the whole file.
        chosen: whether a person chose the encoding.
        notes: which of the files of an archive are read.
        packed: of an archive of several files, those with a table.
    """

    path: Path
    format: Format
    gzipped: bool = False
    members: tuple[str, ...] = ()
    encoding: str | None = None
    other: str | None = None
    layout: Layout | None = None
    text: str = ""
    whole: bool = True
    chosen: bool = False
    notes: tuple[str, ...] = ()
    packed: tuple[str, ...] = ()

    def open(self) -> BinaryIO:
        """Open the file for reading bytes, decompressed."""
        return open_bytes(self.path, self.gzipped, self.members)

    def estimate_rows(self, head_rows: int, row_size: float) -> tuple[int | None, bool]:
        """Return the rows of the file (None: unknown) and whether that is exact, from those of the head.

        ``row_size`` in characters stands for bytes.
        """
        if self.whole and head_rows < HEAD_ROWS:
            return head_rows, True
        return (
            (None, False)
            if self.gzipped or self.members
            else (int(self.path.stat().st_size / max(row_size, 1.0)), False)
        )

    def guess_rows(self) -> int:
        """Return about how many rows a text file has, from the length of the lines of its head."""
        lines = max(self.text.count("\n"), self.text.count("\r"), 1)
        return max(lines, int(self.path.stat().st_size / max(len(self.text) / lines, 1.0)))


def open_bytes(path: Path, gzipped: bool, members: Sequence[str] = ()) -> BinaryIO:
    """Open a file for reading bytes, decompressed where it is gzipped or members of a zip archive."""
    return io.BufferedReader(Unpacked(path, members), HEAD_BYTES) if gzipped or members else path.open("rb")


def sniff(path: Path, encoding: str = "", members: tuple[str, ...] = ()) -> Sniffed:
    """Return format, encoding and layout of a file, from its first megabyte.

    Args:
        encoding: of text formats; found where "".
        members: of an archive of several files, those to read.
    Raises:
        DataError: the file is not there, empty, damaged, or of no format that can be read.
        SettingError: there is no such encoding.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise DataError(f"The file '{told(path)}' was not found; check the name and the folder.") from None
    except OSError as error:
        raise DataError(f"'{told(path)}' cannot be read: {error.strerror or error}.") from error
    if stat.S_ISDIR(mode):
        raise DataError(f"'{told(path)}' is a folder; give the file inside it.")
    if not stat.S_ISREG(mode):  # whoever opens a pipe waits for its writer, and what was read of one is gone
        raise DataError(f"'{told(path)}' is a pipe or a device; write what it gives to a file, and give that one.")
    try:
        with path.open("rb") as file:
            start = file.read(8)
        gzipped = start.startswith(_GZIP)
        if start.startswith(b"PAR1"):
            return Sniffed(path, "parquet")
        if start.startswith(ZIPPED) and not members:
            members = packed_files(path)
            if not members:
                return Sniffed(path, "excel")
            if len(members) > 1:
                raise several_files(path, members)
        with open_bytes(path, gzipped, members) as file:
            head = file.read(HEAD_BYTES)
            text = not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
            while text and len(head) < MOST_HEAD_BYTES and max(head.count(b"\n"), head.count(b"\r")) < 10:
                more = file.read(len(head))  # the first rows are long
                head += more
                if not more:
                    break
            whole = not file.read(1)
            if text and not whole and max(head.count(b"\n"), head.count(b"\r")) < 2:
                raise DataError(
                    f"'{path.name}' has no row that ends within its first {len(head) >> 20} MB; give a file with a "
                    "line for every row."
                )
    except UNPACKING as error:
        raise damaged_gzip(path) from error
    except OSError as error:
        raise DataError(f"'{path.name}' cannot be read: {error.strerror or error}.") from error
    sniffed = _sniff_text(path, head, whole, check_name(encoding))
    return replace(sniffed, gzipped=gzipped, members=members)


def damaged_gzip(path: Path) -> DataError:
    """Return the error for a packed file that ends early or does not add up."""
    kind = "zip archive" if path.suffix.lower() == ".zip" else "gzip file"
    return DataError(f"'{path.name}' is a damaged or truncated {kind}; copy or download it again.")


def _sniff_text(path: Path, head: bytes, whole: bool, chosen: str) -> Sniffed:
    encoding = _encoding(path, head, chosen)
    other = None
    if encoding == MIXED:
        other = is_mixed(head) or "cp1252"
        if not chosen:
            refuse_mixed(path, head)
    text = _decode(head, encoding, other, whole).replace("\x00", "").removeprefix("\ufeff")
    said = EXCEL_LINE.match(text)
    if not text[said.end() if said else 0 :].strip():
        raise DataError(f"'{path.name}' is empty; give a file with a header line and rows.")
    kind = _TYPED_SUFFIXES.get(path.suffix.lower())
    if kind is not None and not text.lstrip().startswith("<") and not _several_columns(path, text):
        raise DataError(f"'{path.name}' is not {kind} although its name says so; give it its right name.")
    if _SCRIPT.match(text):
        raise DataError(
            f"'{path.name}' is a script of SQL, not a table; load it into a database and name that, or export the "
            "table as CSV."
        )
    text = text if whole else text[: max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1] or text
    if text.lstrip().startswith("<") and _MARKUP.search(text):
        return Sniffed(path, "markup", encoding=encoding, text=text, whole=whole, chosen=bool(chosen))
    format_ = _json_layout(path, text)
    layout = None if format_ else find_layout(path.name, text)
    if layout is not None:
        check_columns(path.name, layout.width)
    return Sniffed(path, format_ or "csv", False, (), encoding, other, layout, text, whole, bool(chosen))


def refuse_mixed(path: Path, content: bytes) -> None:
    """Refuse a text of which too many lines are not UTF-8 like the others: nobody knows then what they are.

    Raises:
        DataError: names the first such line.
    """
    lines = content.splitlines()
    foreign = [n for n, line in enumerate(lines, 1) if not is_utf8(line)]
    if len(foreign) > MOST_FOREIGN * len(lines):
        raise mixed_error(path, len(foreign), len(lines), foreign[0])


def mixed_error(path: Path, n_foreign: int, n_lines: int, first: int) -> DataError:
    """Return the error for a text in two encodings."""
    at = f", the first is line {first}" if first else ""
    return DataError(
        f"'{path.name}' mixes encodings: {n_foreign:,} of {n_lines:,} lines are not UTF-8 like the others{at}; "
        "save it in one encoding, or have every line read by itself with --encoding mixed."
    )


def _decode(head: bytes, encoding: str, other: str | None, whole: bool) -> str:
    if encoding != MIXED:
        return codecs.getincrementaldecoder(encoding)(errors=KEEP_BYTES).decode(head, final=whole)
    lines = head.splitlines(keepends=True)
    return "".join(line.decode("utf-8" if is_utf8(line) else other or "cp1252", "replace") for line in lines)


def _encoding(path: Path, head: bytes, chosen: str) -> str:
    """Return the codec of the text, refusing what is no text."""
    for mark, encoding in BOMS.items():
        if head.startswith(mark) and (not chosen or encoding.startswith(chosen)):
            return encoding
    if chosen:
        return chosen
    refuse_binary(path.name, head)
    utf = unmarked_utf(head)
    if utf is not None:
        return utf
    head = _HOLE.sub(b"", head)
    controls = len(head) - len(head.translate(None, bytes(set(range(32)) - set(b"\x01\t\n\x0b\r\f\x1b\x1f"))))
    if controls > 0.01 * len(head):
        raise DataError(f"'{path.name}' is a binary file, not text; give CSV, Parquet, JSON or Excel.")
    if is_utf8(head):
        return "utf-8"
    return MIXED if is_mixed(head) else legacy_encoding(head)


def _several_columns(path: Path, text: str) -> bool:
    """Return whether a text is a table by its delimiter, which its name does not say."""
    if len(text.split("\n", 2)) < 3:  # one line is no table yet
        return False
    try:
        return find_layout(path.name, text).delimiter in (",", ";", "\t", "|")
    except DataError:
        return False


def _json_layout(path: Path, text: str) -> Format | None:
    """Return which JSON it is, None where the text does not begin like JSON."""
    suffix = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    start = text.lstrip(" \t\r\n")
    start = start[said.end() :] if (said := ASSIGNED.match(start)) else start
    if start.startswith("<"):
        raise DataError(f"'{path.name}' is HTML or XML, not a table; give CSV, Parquet, JSON or Excel.")
    start = start[said.end() :] if (said := _REMARKS.match(start)) else start
    if re.match(r'\[\s*[\[{"\]\d-]', start) and not _NO_LIST.match(start):
        return "json"
    if is_log(start):
        return "jsonl"
    if is_blocks(start):
        return "blocks"
    if not re.match(r'\{\s*["}]', start):
        if suffix in ("json", "jsonl", "ndjson") and not _several_columns(path, text):
            raise DataError(f"'{path.name}' is not JSON: it begins with '{' '.join(start[:20].split())}'.")
        return None  # delimited text, whatever its name
    first, _, rest = start.partition("\n")
    try:
        record = json.loads(first)
        values = record.values()
    except (ValueError, RecursionError):  # the reader says what is wrong
        return "jsonl" if suffix in ("jsonl", "ndjson") else "nested json"
    nested = values and all(isinstance(value, (dict, list)) for value in values)
    # What services answer: the records below some name, beside words about the answer.
    nested = nested or records_path(start) is not None
    return "nested json" if nested and not rest.strip() else "jsonl"
