"""What a dataset of the library is, and its files: taken in, named and measured."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO

from grouprec.core.types import DataError, StorageError

SAMPLE_KEY = "sample"
PARTS = ("interactions", "users", "items", "also", "edges")
_CHUNK = 1 << 20  # bytes read at a time: an upload of a gigabyte never stands in memory twice


@dataclass(frozen=True)
class Received:
    """A file that lies on disk already, beside the library (grouprec/ui/server/uploads.py), and the SHA-256 of its
    content."""

    path: Path
    digest: str


Upload = tuple[str, BinaryIO | Received]


@dataclass(frozen=True)
class KnownDataset:
    """One dataset of the library.

    Attributes:
        key: ``sample``, or 16 hex digits of the files' SHA-256.
        name: what people call it.
        interactions, users, items, also, edges: the files; all but the first are optional.
        roles: column roles that differ from the detected ones.
        preparation: preparation settings that differ from the defaults.
        added: seconds since 1970.
        rows: of the interactions file; None where only reading it all would tell.
        size: what the last check with these choices found, as :class:`grouprec.training.size.Size` takes it.
        trouble: why name and choices are not those that were kept, "" where they are.
    """

    key: str
    name: str
    interactions: Path
    users: Path | None = None
    items: Path | None = None
    also: Path | None = None
    edges: Path | None = None
    roles: dict[str, str] = field(default_factory=dict)
    preparation: dict[str, Any] = field(default_factory=dict)
    added: float = 0.0
    rows: int | None = None
    size: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""

    @property
    def is_sample(self) -> bool:
        return self.key == SAMPLE_KEY

    def require_sound(self) -> None:
        """Check that its choices are those that were kept.

        Raises:
            StorageError: they are not, and nobody has begun anew.
        """
        if self.trouble:
            raise StorageError(self.trouble)

    @property
    def beside(self) -> dict[str, Any]:
        """Return the optional files by name, as :func:`~grouprec.data.preparing.prepare.prepare` takes them."""
        return {part: getattr(self, part) for part in PARTS[1:]}

    @property
    def given(self) -> tuple[str, ...]:
        """Return which of the files there are that encoders may need (:attr:`grouprec.runs.config.RunConfig.given`)."""
        return tuple(part for part in ("also", "edges") if getattr(self, part) is not None)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; what disappears meanwhile counts nothing."""
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total


def safe_name(name: str) -> str:
    """Return a file name without folders, control characters or anything a shell or a path could read.

    It keeps its end, by which its kind is known, and fits where a name may have 255 bytes and others grow from it.
    """
    last = PureWindowsPath(PurePosixPath(name).name).name
    plain = re.sub(r"[^\w.\- ()]", "_", last).strip(" .")[-100:]
    return plain.encode(errors="ignore")[-160:].decode(errors="ignore").strip(" .") or "file"


def take(upload: Upload, folder: Path) -> str:
    """Move or copy a file into a folder and return the SHA-256 of its content."""
    name, content = upload
    folder.mkdir(parents=True)
    path = folder / safe_name(name)
    if isinstance(content, Received):
        content.path.replace(path)
        digest = content.digest
    else:
        digest = _copy(content, path)
    if not path.stat().st_size:
        raise DataError(f"The file '{path.name}' is empty; choose one with a header and rows.")
    return digest


def _copy(stream: BinaryIO, path: Path) -> str:
    """Copy a stream to disk in chunks while hashing it."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()
