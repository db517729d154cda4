"""What a Parquet file unpacks to, told by its pages before any of them is unpacked.

The footer may say what it likes: the reader believes every page about how much room to make for it, a dictionary of one
long text makes a column of millions of them, and several columns may be the same bytes. So the pages' own headers are
added up (Thrift's compact protocol, a few numbers each), and where texts may repeat beyond measure their bytes are
counted in small batches.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from grouprec.data.limits import FREE_BYTES, MOST_RATIO, too_large

_INDEX, _DICTIONARY = 1, 2  # kinds of pages that hold no rows
_BY_DICTIONARY, _BY_BEGINNINGS = (2, 8), 7  # encodings that repeat texts: of a dictionary, of the text before
_MOST_AT_ONCE, _AT_ONCE = 65_536, FREE_BYTES // 8  # rows; bytes of their texts
_WIDTH = 8  # bytes of a value that is no text
_CODECS = {"SNAPPY", "GZIP", "ZSTD", "BROTLI", "LZ4_RAW"}  # that need no more than how long the result is
_DEEPEST = 8  # structures in one another, in a header
_LENGTH = struct.Struct("<I").unpack_from
_DAMAGED = "a page is not what it says"


def check_pages(path: Path, file: pyarrow.parquet.ParquetFile, columns: Collection[str] | None = None) -> None:
    """Check that columns of a file unpack to something a table can be.

    Args:
        columns: names of the topmost level; all where None.
    Raises:
        DataError: they would fill the memory.
        ArrowInvalid: the file is damaged.
    """
    size = path.stat().st_size
    most = max(FREE_BYTES, MOST_RATIO * size)
    meta, schema = file.metadata, file.schema
    wanted = [
        at for at in range(meta.num_columns) if columns is None or schema.column(at).path.split(".")[0] in columns
    ]
    total, longest, texts = 0, 0, dict[str, int]()
    with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for at in wanted:
            column = schema.column(at)
            name = column.path.split(".")[0]
            for group in range(meta.num_row_groups):
                pages = _Pages(content, meta.row_group(group).column(at), column.length or 0, most)
                total, longest = total + pages.unpacked, max(longest, pages.longest)
                texts[name] = texts.get(name, 0) + pages.texts
                if total > most:
                    raise too_large(path, total)
    if total + sum(texts.values()) <= most:
        return
    n_rows, doubtful = max(1, _AT_ONCE // max(1, longest)), [name for name, n_bytes in texts.items() if n_bytes]
    for batch in file.iter_batches(batch_size=min(n_rows, _MOST_AT_ONCE), columns=doubtful, use_threads=False):
        total += batch.nbytes
        if total > most:
            raise too_large(path, total)


class _Pages:
    """What the pages of one column in one group of rows unpack to.

    Attributes:
        unpacked: bytes of the pages, and of values that are no texts.
        texts: bytes that texts may be at most which pages tell by others.
        longest: bytes of the longest such text, at most.
    """

    def __init__(self, content: mmap.mmap, chunk: Any, length: int, most: int) -> None:
        places = [chunk.data_page_offset, (chunk.has_dictionary_page and chunk.dictionary_page_offset) or 0]
        start = min((place for place in places if place > 0), default=0)  # 0 where there is no such page
        end = start + (chunk.total_compressed_size if start else 0)
        if not 0 <= start <= end <= len(content):
            raise pa.ArrowInvalid(_DAMAGED)
        is_text = chunk.physical_type == "BYTE_ARRAY"
        width = length if chunk.physical_type == "FIXED_LEN_BYTE_ARRAY" else _WIDTH
        self.unpacked = self.texts = self.longest = 0
        while start < end:
            header, start = _struct(content, start, end)
            kind, unpacked, packed = (header.get(field) for field in (1, 2, 3))
            if (
                not (isinstance(unpacked, int) and isinstance(packed, int) and 0 <= packed <= end - start)
                or unpacked < 0
            ):
                raise pa.ArrowInvalid(_DAMAGED)
            self.unpacked += unpacked
            if self.unpacked > most:
                return
            if kind == _DICTIONARY:
                if is_text:
                    self.longest = _longest(content[start : start + packed], unpacked, chunk.compression)
            elif kind != _INDEX:
                self._values(header, unpacked, 0 if is_text else width)
            start += packed

    def _values(self, header: dict[int, Any], unpacked: int, width: int) -> None:
        told = header.get(5) or header.get(8) or {}
        n_values, encoding = told.get(1, 0), told.get(2 if 5 in header else 4)
        if not isinstance(n_values, int) or n_values < 0:
            raise pa.ArrowInvalid(_DAMAGED)
        if width:
            self.unpacked += width * n_values
        elif encoding in _BY_DICTIONARY:
            self.texts += n_values * self.longest
        elif encoding == _BY_BEGINNINGS:
            self.texts += n_values * unpacked
            self.longest = max(self.longest, unpacked)


def _longest(packed: bytes, unpacked: int, codec: str) -> int:
    """Return the bytes of the longest text of a dictionary, or of all where they cannot be told apart."""
    if codec in _CODECS:
        packed = pa.Codec(codec.lower()).decompress(packed, unpacked, asbytes=True)
    elif codec != "UNCOMPRESSED":
        return unpacked
    at, longest, last = 0, 0, len(packed) - 4
    while at <= last:  # a third of the time of slices and max()
        (length,) = _LENGTH(packed, at)
        if length > longest:
            longest = length
        at += 4 + length
    return min(longest, unpacked)


def _struct(content: mmap.mmap, at: int, end: int, depth: int = 0) -> tuple[dict[int, Any], int]:
    """Return a structure of Thrift's as numbers by their fields, texts left out, and where it ends."""
    found: dict[int, Any] = {}
    field = 0
    while True:
        if at >= end or depth > _DEEPEST:
            raise pa.ArrowInvalid(_DAMAGED)
        head = content[at]
        at += 1
        if not head:
            return found, at
        if head >> 4:
            field += head >> 4
        else:
            field, at = _number(content, at, end)
        value, at = _value(content, at, end, head & 15, depth)
        found[field] = value


def _value(content: mmap.mmap, at: int, end: int, kind: int, depth: int, alone: bool = False) -> tuple[Any, int]:
    if kind in (1, 2):
        return kind == 1, at + alone  # in a list it takes a byte, else it is in the head
    if kind == 3:
        return None, at + 1
    if kind in (4, 5, 6):
        return _number(content, at, end)
    if kind == 7:
        return None, at + 8
    if kind == 8:
        length, at = _varint(content, at, end)
        return None, at + length
    if kind in (9, 10):
        if at >= end:
            raise pa.ArrowInvalid(_DAMAGED)
        n, inside, at = content[at] >> 4, content[at] & 15, at + 1
        if n == 15:
            n, at = _varint(content, at, end)
        for _ in range(min(n, end - at + 1)):
            _, at = _value(content, at, end, inside, depth + 1, alone=True)
        return None, at
    if kind == 12:
        return _struct(content, at, end, depth + 1)
    raise pa.ArrowInvalid(_DAMAGED)


def _number(content: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value, at = _varint(content, at, end)
    return (value >> 1) ^ -(value & 1), at


def _varint(content: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise pa.ArrowInvalid(_DAMAGED)
