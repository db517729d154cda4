"""What a run's files must hold: every reader of one asks here first, so that damage is told, not shown as results.

``manifest.json`` names the files of a finished run and the SHA-256 of each. A file's hash is computed when it is first
read and again whenever its size, times or place on the disk have changed, so looking twice costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from grouprec.core.files import replacing, storage, to_disk
from grouprec.core.forms import DamagedError, Form, read_form, write_form

if TYPE_CHECKING:
    import numpy as np

MANIFEST = "manifest.json"
MANIFEST_VERSION = 2  # 1, of 0.1.0, had no seal and did not name config.json and events.jsonl
STAGE_VERSION = 2  # 1 had no seal and no hash of the arrays
# Change after training, or are no results: notes and edits have seals of their own, the log is text for people.
PUBLISHED = "published.json"  # which sizes of groups were told, with noise
CHANGING = frozenset(
    {"status.json", "notes.json", "curation.json", "approvals.json", "links.json", PUBLISHED, "log.txt", MANIFEST}
)
_LIVE = ("final.safetensors", "judged.safetensors", "final.items.safetensors")  # the others there change with events
_MOST, _SETTLED = 8192, 100_000_000  # files remembered; nanoseconds after which a write of the same moment is no matter


class _Memory:
    """What was found out about files, as long as they stay as they are. Threads may share it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[tuple[int, ...], Any]] = {}
        self._lock = threading.Lock()

    def of(self, path: Path, what: str, find: Callable[[Path], Any]) -> Any:
        """Return what ``find`` says of a file; asked again when the file has changed. Errors are not remembered."""
        place, mark = (what, str(path.absolute())), _mark(path)
        with self._lock:
            known = self._known.get(place)
        if known is not None and mark is not None and known[0] == mark:
            return known[1]
        found = find(path)
        # A second write within the clock's step would leave the same times.
        if mark is not None and mark == _mark(path) and abs(time.time_ns() - mark[1]) > _SETTLED:
            with self._lock:
                if len(self._known) >= _MOST:
                    self._known.pop(next(iter(self._known)))
                self._known[place] = mark, found
        return found


_MEMORY = _Memory()


def remembered(path: Path, what: str, find: Callable[[Path], Any]) -> Any:
    """Return what ``find`` says of a file, remembered while the file stays as it is; not to be changed."""
    return _MEMORY.of(path, what, find)


def _mark(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, "" where it cannot be read."""
    try:
        return remembered(path, "digest", _digest)
    except OSError:  # not remembered: it may be the system that has no room for another open file just now
        return ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def json_of(path: Path) -> Any:
    """Return a JSON file's content, remembered while it stays as it is; None where it is missing, damaged or unread."""
    try:
        return remembered(path, "json", _json)
    except OSError:
        return None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (ValueError, RecursionError):
        return None


# -- the manifest


def require_here(folder: Path) -> None:
    """Check that the folder of a run is no link: what lies elsewhere may be of others, and change without our locks.

    Raises:
        DamagedError: it is one.
    """
    if folder.is_symlink():
        raise DamagedError("its folder is a link to another place", "move or copy the folder itself here")


def read_manifest(folder: Path) -> dict[str, str] | None:
    """Return name -> SHA-256 of the files of a finished run, None where it is not finished.

    Raises:
        DamagedError: there is a manifest, but it is empty, damaged, or of nothing; or the folder is a link.
    """
    require_here(folder)
    return remembered(folder / MANIFEST, "manifest", _parse_manifest)


def _parse_manifest(path: Path) -> dict[str, str] | None:
    form = read_form(path, MANIFEST_VERSION, {1: _manifest_of_1})
    if form is None:
        return None
    files = form.get("files")
    if not isinstance(files, dict) or not all(isinstance(value, str) for value in files.values()):
        raise DamagedError(f"{MANIFEST} is damaged: it lists no files")
    return files


def _manifest_of_1(form: Form) -> Form:
    """Return a manifest of 0.1.0 as of today: a finished run always had files, so one without is damaged."""
    if not form.get("files"):
        raise DamagedError(f"{MANIFEST} is damaged: it lists no files")
    return form


def write_manifest(folder: Path) -> None:
    """Write names and SHA-256 of all files that no longer change, all of them on disk: now the run is finished.

    Raises:
        StorageError: a file cannot be read, or the manifest not be written.
    """
    with storage(folder):
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and _kept(path.relative_to(folder))]
        for path in paths:
            to_disk(path)
        for parent in {path.parent for path in paths}:
            to_disk(parent)
        digests = {path.relative_to(folder).as_posix(): digest(path) for path in paths}
    write_form(folder / MANIFEST, {"format": MANIFEST_VERSION, "files": digests}, promise=True)


def _kept(name: Path) -> bool:
    """Return whether a file of a run is one of its results."""
    if any(part.startswith(".") for part in name.parts) or name.as_posix() in CHANGING:
        return False
    if name.parts[0] == "links":
        return False
    if name.parts[0] == "live":
        return len(name.parts) == 2 and name.name in _LIVE
    return True


def manifest_after(folder: Path, new: Mapping[Path, Path], removed: Iterable[Path]) -> Form | None:
    """Return the manifest of a finished run as it is to be when files have changed; None of one that is not finished.

    Args:
        new: path of a file in the run -> where its new content is.
        removed: files or folders that will be gone.
    Raises:
        DamagedError: the manifest is damaged.
    """
    files = read_manifest(folder)
    if files is None:
        return None
    gone = list(removed)
    files = {
        name: known for name, known in files.items() if not any((folder / name).is_relative_to(one) for one in gone)
    }
    for path, content in new.items():
        name = path.relative_to(folder)
        if _kept(name):
            files[name.as_posix()] = digest(content)
    return {"format": MANIFEST_VERSION, "files": files}


def add_to_manifest(folder: Path, names: Iterable[str]) -> None:
    """Add files that have come to a finished run later; nothing happens to one that is not finished.

    Raises:
        DamagedError: the manifest is damaged.
    """
    known = read_manifest(folder)
    if known is not None:
        files = known | {name: digest(folder / name) for name in names}
        write_form(folder / MANIFEST, {"format": MANIFEST_VERSION, "files": files}, promise=True)


# -- the files


def trouble(folder: Path, name: str, files: dict[str, str]) -> str:
    """Return what is wrong with a file of a finished run, "" where it is what was written or never was one."""
    path = folder / name
    if name not in files:
        return f"{name} is not one of its files" if path.exists() else ""
    if not path.is_file():
        return f"{name} is missing" if not path.exists() else f"{name} is not a file"
    found = digest(path)
    if found == files[name]:
        return ""
    if not found:
        return f"{name} cannot be read"
    return f"{name} is empty" if not path.stat().st_size else f"{name} is damaged: its content is not what was written"


# -- arrays


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Replace a safetensors file.

    Raises:
        StorageError: it cannot be written.
    """
    import numpy as np
    from safetensors.numpy import save_file

    with replacing(path) as temporary:
        save_file({name: np.ascontiguousarray(values) for name, values in arrays.items()}, temporary)


def save_sealed_arrays(path: Path, arrays: dict[str, np.ndarray], promise: bool = False) -> None:
    """Replace a safetensors file that carries a seal over its arrays; errors as :func:`save_arrays`."""
    import numpy as np
    from safetensors.numpy import save_file

    arrays = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    seal = {_SEAL: np.frombuffer(_seal_of(arrays), np.uint8)}
    with replacing(path, promise) as temporary:
        save_file(arrays | seal, temporary)


def load_sealed_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """Return what :func:`save_sealed_arrays` wrote, None where there is no such file or it is damaged."""
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (OSError, SafetensorError, ValueError):
        return None
    seal = arrays.pop(_SEAL, None)
    return arrays if seal is not None and seal.tobytes() == _seal_of(arrays) else None


_SEAL = "file.seal"


def _seal_of(arrays: dict[str, np.ndarray]) -> bytes:
    content = hashlib.sha256()
    for name in sorted(arrays):
        values = arrays[name]
        content.update(f"{name} {values.dtype.str} {values.shape} ".encode())
        content.update(values.tobytes())
    return content.digest()


# -- stages


def save_stage(record_path: Path, record: Form, arrays: dict[str, np.ndarray]) -> None:
    """Write what a stage learned; its record, written last, names the hash of the arrays and makes them valid.

    Raises:
        StorageError: it cannot be written; no valid stage is left then.
    """
    path = record_path.with_suffix(".safetensors")
    with storage(path):
        path.parent.mkdir(exist_ok=True)
        record_path.unlink(missing_ok=True)
    save_arrays(path, arrays)
    write_form(record_path, {**record, "format": STAGE_VERSION, "arrays": digest(path)})


def read_stage(folder: Path, record_path: Path) -> tuple[Form, dict[str, np.ndarray]] | None:
    """Return the record of a stage and its arrays, None where any of it is not as it was written.

    Args:
        folder: of the run.
    """
    from safetensors.numpy import load_file

    path = record_path.with_suffix(".safetensors")
    try:
        record = read_form(record_path, STAGE_VERSION, {1: _stage_of_1})
        if record is None or not (_whole_of_1(folder, record_path, path) if not record["arrays"] else True):
            return None
        if record["arrays"] and digest(path) != record["arrays"]:
            return None
        return record, load_file(path)
    except (OSError, SafetensorError, DamagedError, KeyError, ValueError):
        return None


def _stage_of_1(form: Form) -> Form:
    """Return a record of 0.1.0 as of today: it does not say what the arrays must be."""
    return {**form, "arrays": ""}


def _whole_of_1(folder: Path, *paths: Path) -> bool:
    """Return whether a stage of 0.1.0 is what the manifest of its run says; true where that does not name it."""
    files = read_manifest(folder) or {}
    names = [path.relative_to(folder).as_posix() for path in paths]
    return all(name not in files or files[name] == digest(folder / name) for name in names)
