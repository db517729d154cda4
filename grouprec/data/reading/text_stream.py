"""The bytes of a text file in any encoding -> UTF-8 bytes below the header, for the parsers."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator

from grouprec.data.limits import check_rows
from grouprec.data.reading.encodings import KEEP_BYTES, MIXED, is_utf8, kept_bytes
from grouprec.data.reading.layout import SEPARATOR, Layout
from grouprec.data.reading.sniff import Sniffed

_CHUNK = 1 << 22
_END = re.compile(rb"\r\n|\n|\r")


class Utf8Stream(io.RawIOBase):
    """A text file from its first row on, as UTF-8 without zeros; counts its lines.

    Attributes:
        n_lines: ends of lines that were read.
        quoted: whether there are quotation marks.
        n_foreign: lines of a mixed file that were not UTF-8.
        n_unknown: bytes that the encoding does not have.
        n_zeros: zeros that were left out.
    """

    def __init__(self, sniffed: Sniffed, layout: Layout, separate: bool = True) -> None:
        """Open the file; with ``separate`` a delimiter of several characters becomes a single one."""
        self._file, self._name = sniffed.open(), sniffed.path.name
        encoding = sniffed.encoding or "utf-8"
        self._mixed = (sniffed.other or "cp1252") if encoding == MIXED else None
        self._plain = encoding in ("utf-8", "utf-8-sig") and not sniffed.chosen
        codec = "utf-8" if self._mixed or self._plain else encoding
        self._decoder = codecs.getincrementaldecoder(codec)(errors=KEEP_BYTES)
        long = separate and len(layout.delimiter.encode()) > 1
        self._delimiter = layout.delimiter.encode() if long else b""
        self._buffer, self._rest, self._last, self._done = b"", b"", b"", False
        self.n_lines = self.n_foreign = self.n_unknown = self.n_zeros = 0
        self._quote, self.quoted = layout.quote.encode(), False
        self._skip(layout.above)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, target) -> int:  # any writable buffer
        found = self.read(len(target))
        target[: len(found)] = found
        return len(found)

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, fewer only at the end: the quick parser takes a short read for the end of a block."""
        while not self._done and (size < 0 or len(self._buffer) < size):
            self._fill(max(size - len(self._buffer), 1 << 16) if size > 0 else _CHUNK)
        if size < 0 or size >= len(self._buffer):
            found, self._buffer = self._buffer, b""
        else:
            found, self._buffer = self._buffer[:size], self._buffer[size:]
        self._count(found)
        return found

    @property
    def n_rows(self) -> int:
        """Lines below the header, a last one without an end among them; once all is read."""
        return self.n_lines + (self._last not in (b"", b"\n", b"\r"))

    def _count(self, found: bytes) -> None:
        if not found:
            return
        self.n_lines += found.count(b"\n")
        if b"\r" in found or self._last == b"\r":
            self.n_lines += found.count(b"\r") - found.count(b"\r\n")
            self.n_lines -= self._last == b"\r" and found[:1] == b"\n"
        check_rows(self._name, self.n_lines)
        self._last = found[-1:]
        self.quoted = self.quoted or (bool(self._quote) and self._quote in found)

    def _fill(self, size: int) -> None:
        raw = self._file.read(size)
        self._done = not raw
        if self._plain and not self._delimiter:
            self._buffer += self._without_zeros(raw)
            return
        raw = self._in_lines(raw) if self._mixed or self._plain else self._decoded(raw)
        if self._delimiter:
            raw = self._separated(raw)
        self._buffer += self._without_zeros(raw)

    def _without_zeros(self, raw: bytes) -> bytes:
        zeros = raw.count(0)
        self.n_zeros += zeros
        return raw.translate(None, b"\x00") if zeros else raw

    def _decoded(self, raw: bytes) -> bytes:
        before = kept_bytes()
        text = self._decoder.decode(raw, final=not raw)
        self.n_unknown += kept_bytes() - before
        return text.encode("utf-8", "replace")

    def _in_lines(self, raw: bytes) -> bytes:
        """Return whole lines, those that are not UTF-8 decoded by the other encoding."""
        whole = self._whole(raw)
        if not self._mixed or is_utf8(whole):
            return whole
        found = []
        for line in re.split(rb"(?<=\n)|(?<=\r)(?!\n)", whole):
            if not is_utf8(line) or _cut_off(line):
                self.n_foreign += 1
                line = line.decode(self._mixed, KEEP_BYTES).encode()
            found.append(line)
        return b"".join(found)

    def _whole(self, raw: bytes) -> bytes:
        """Return what is read up to its last end of a line; the rest comes next time."""
        joined = self._rest + raw
        cut = len(joined) if not raw else max(joined.rfind(b"\n"), joined.rfind(b"\r", 0, -1)) + 1
        self._rest = joined[cut:]
        return joined[:cut]

    def _separated(self, raw: bytes) -> bytes:
        if not (self._mixed or self._plain):
            raw = self._whole(raw) if raw or not self._done else self._whole(b"")
        return raw.replace(self._delimiter, SEPARATOR.encode())

    def _skip(self, lines: int) -> None:
        """Drop the mark of the encoding and the lines above the first row."""
        while not self._done and (not self._buffer or self._lines_in_buffer() <= lines):
            self._fill(1 << 16)
        self._buffer = self._buffer.removeprefix(codecs.BOM_UTF8)
        at = 0
        for _ in range(lines):
            end = _END.search(self._buffer, at)
            at = end.end() if end else len(self._buffer)
        self._buffer = self._buffer[at:]

    def _lines_in_buffer(self) -> int:
        return sum(1 for _ in _END.finditer(self._buffer))


def _cut_off(line: bytes) -> bool:
    """Return whether a line ends within a character: :func:`is_utf8` lets that pass."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def text_lines(sniffed: Sniffed, layout: Layout) -> tuple[Utf8Stream, Iterator[str]]:
    """Return the stream and its lines with their ends; close the stream when done."""
    stream = Utf8Stream(sniffed, layout, separate=False)
    return stream, io.TextIOWrapper(io.BufferedReader(stream, _CHUNK), encoding="utf-8", errors="replace", newline="")
