"""Where a stream of events starts: what a fit knows of its users, in one file that is mapped, not read."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from safetensors.numpy import save_file
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.core.files import replacing, storage, told
from grouprec.core.types import Candidates, StorageError

LEFT_OUT_DEPTH = 50  # candidates kept of a user whom most runs never hear of again
COUNT = "count "  # of all users, begins its name in the file
_DTYPES = {"BOOL": np.bool_, "U8": np.uint8, "I32": np.int32, "I64": np.int64, "F32": np.float32, "F64": np.float64}


@dataclass(frozen=True, eq=False)
class LeftOutUsers:
    """What a fit says of the users who took no part in it: they stand aside until something happens to them.

    Attributes:
        user_ids: object array of str [V].
        histories: float32 CSR [V, I], what they have.
        candidates: their own predictions, [V, N']; N' up to :data:`LEFT_OUT_DEPTH`.
        labels: int32 [V], the groups where the grouper's rule puts them.
        states: float32 [V, H], the updater's vectors after all that they did.
        last_times: float64 [V], as in :class:`FitSnapshot`.
    """

    user_ids: np.ndarray
    histories: sparse.csr_array
    candidates: Candidates
    labels: np.ndarray
    states: np.ndarray
    last_times: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all of it as arrays by name."""
        return {
            **pack_text("left_out", self.user_ids),
            **_csr_arrays("left_out_history", self.histories),
            "left_out_items": self.candidates.items[:, :LEFT_OUT_DEPTH],
            "left_out_scores": self.candidates.scores[:, :LEFT_OUT_DEPTH],
            "left_out_labels": self.labels,
            "left_out_states": self.states,
            "left_out_last_times": self.last_times,
        }

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray], n_items: int) -> Self | None:
        """Return what :meth:`arrays` made; None where there is nothing of it, as in runs of 0.1.0."""
        if "left_out_ends" not in arrays:
            return None
        user_ids = unpack_text("left_out", arrays)
        values, items, ends = (arrays[f"left_out_history_{name}"] for name in ("values", "items", "ends"))
        histories = csr_around(values, items, ends, (len(user_ids), n_items))
        candidates = Candidates(arrays["left_out_items"], arrays["left_out_scores"], n_items)
        labels, states, times = (arrays[f"left_out_{name}"] for name in ("labels", "states", "last_times"))
        return cls(user_ids, histories, candidates, labels, states, times)


@dataclass(frozen=True, eq=False)
class FitSnapshot:
    """What a fit knows of its users. Never changed: a stream keeps beside it only what events changed.

    Attributes:
        user_ids: object array of str [U].
        item_ids: object array of str [I].
        item_labels: object array of str [I].
        histories: float32 CSR [U, I].
        candidates: the fit's predictions, [U, N]; the scores are chances in (0, 1).
        labels: int32 [U], the users' groups.
        n_groups: G.
        states: float32 [U, H], the updater's vectors after all that is known (``Updater.start``).
        last_times: float64 [U], seconds since 1970 of a user's latest known event, -inf where there is none.
        components: float32 [I, S], those of the fit's :class:`~grouprec.core.types.Preference`.
        weight: how far the updater's change of opinion counts; 0 for not at all.
        repeats: items that a user has may be listed.
        seed: draws the order of ties in lists, as it did in the fit.
        excluded: bool [G, I], what rules keep from the lists of a group; None where they keep nothing. An item that is
            kept from all groups is nobody's candidate.
        held_out: CSR [U, I], non-zero where a user took an item in the part that this fit never learned from: theirs
            by the file, so on no list of their own; None where the fit knows all rows, or repeats are allowed.
        recent: int32 [U, L], the users' latest items, oldest first, -1 before the first; None where no encoder of the
            fit asks for their order, and in runs of 0.1.0.
        left_out: users of the file who took no part in the fit; None where there are none.
        beside: what encoders of the fit know of users beside their items (:mod:`grouprec.data.beside`), by column CSR
            [U, ...]; nothing where none reads any of it.
    """

    user_ids: np.ndarray
    item_ids: np.ndarray
    item_labels: np.ndarray
    histories: sparse.csr_array
    candidates: Candidates
    labels: np.ndarray
    n_groups: int
    states: np.ndarray
    last_times: np.ndarray
    components: np.ndarray
    weight: float
    repeats: bool
    seed: int = 0
    excluded: np.ndarray | None = None
    held_out: sparse.csr_array | None = None
    recent: np.ndarray | None = None
    left_out: LeftOutUsers | None = None
    beside: dict[str, sparse.csr_array] = field(default_factory=dict)

    @cached_property
    def counts(self) -> dict[str, np.ndarray]:
        """Return what was counted over all users when this was written, by name; what is made of it has none."""
        return {}

    def save(self, path: Path, counts: Mapping[str, np.ndarray] | None = None) -> None:
        """Write everything to one safetensors file; a reader sees the old file or the new one, never half.

        Args:
            counts: over all users, by name, which readers would count for seconds where users are many.
        Raises:
            StorageError: the file cannot be written.
        """
        texts = {"user_ids": self.user_ids, "item_ids": self.item_ids, "item_labels": self.item_labels}
        arrays = {
            **_csr_arrays("history", self.histories),
            "candidate_items": self.candidates.items,
            "candidate_scores": self.candidates.scores,
            "labels": self.labels,
            "states": self.states,
            "last_times": self.last_times,
            "components": self.components,
        }
        for name, text in texts.items():
            arrays |= pack_text(name, text)
        arrays |= {f"{COUNT}{name}": counted for name, counted in (counts or {}).items()}
        if self.excluded is not None:
            arrays["barred"] = self.excluded  # the name in files since 0.1.0
        if self.held_out is not None:
            arrays["held_out_items"] = self.held_out.indices.astype(np.int32, copy=False)
            arrays["held_out_ends"] = self.held_out.indptr.astype(np.int64, copy=False)
        if self.recent is not None:
            arrays["recent"] = self.recent
        if self.left_out is not None:
            arrays |= self.left_out.arrays()
        for name, matrix in self.beside.items():
            arrays |= _csr_arrays(f"beside {name}", matrix)
        numbers = {"weight": self.weight, "repeats": self.repeats, "n_groups": self.n_groups, "seed": self.seed}
        meta = {name: json.dumps(value) for name, value in numbers.items()}
        with storage(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            save_file({name: np.ascontiguousarray(part) for name, part in arrays.items()}, temporary, metadata=meta)
            _sort_metadata(temporary)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return what :meth:`save` wrote. Arrays are mapped from the file, read-only; only ids are read at once.

        Raises:
            StorageError: the file is missing or damaged.
        """
        try:
            arrays, meta = _map_file(path)
            texts = {name: unpack_text(name, arrays) for name in ("user_ids", "item_ids", "item_labels")}
            shape = len(texts["user_ids"]), len(texts["item_ids"])
            values, items, ends = (arrays[f"history_{name}"] for name in ("values", "items", "ends"))
            numbers = {name: json.loads(meta[name]) for name in ("weight", "repeats", "n_groups", "seed")}
            whole = ("labels", "states", "last_times", "components")
            found = cls(
                **texts,
                histories=csr_around(values, items, ends, shape),
                candidates=Candidates(arrays["candidate_items"], arrays["candidate_scores"], shape[1]),
                **{name: arrays[name] for name in whole},
                **numbers,
                excluded=arrays.get("barred"),
                held_out=_held_out(arrays, shape),
                recent=arrays.get("recent"),
                left_out=LeftOutUsers.of(arrays, shape[1]),
                beside=_beside(arrays, shape[0]),
            )
            found.counts.update({name.removeprefix(COUNT): arrays[name] for name in arrays if name.startswith(COUNT)})
            return found
        except (OSError, ValueError, KeyError) as error:
            if isinstance(error, OSError) and path.exists():
                raise StorageError(f"The file {told(path)} cannot be read: {error.strerror or error}.") from error
            raise StorageError(
                f"The file {told(path)}, from which live updates start, is missing or damaged; train the run again."
            ) from error


def _csr_arrays(name: str, matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    """Return a matrix as ``<name>_values`` float32, ``<name>_items`` int32 and ``<name>_ends`` int64."""
    return {
        f"{name}_values": matrix.data.astype(np.float32, copy=False),
        f"{name}_items": matrix.indices.astype(np.int32, copy=False),
        f"{name}_ends": matrix.indptr.astype(np.int64, copy=False),
    }


def _held_out(arrays: dict[str, np.ndarray], shape: tuple[int, int]) -> sparse.csr_array | None:
    """Return what was held out of the fit; None where nothing was, also in files older than that."""
    items = arrays.get("held_out_items")
    if items is None:
        return None
    return csr_around(np.ones(len(items), np.float32), items, arrays["held_out_ends"], shape)


def _beside(arrays: dict[str, np.ndarray], n_users: int) -> dict[str, sparse.csr_array]:
    """Return what was known of users beside their items."""
    found = {}
    for name in (name[7:-7] for name in arrays if name.startswith("beside ") and name.endswith("_values")):
        values, columns, ends = (arrays[f"beside {name}_{part}"] for part in ("values", "items", "ends"))
        width = int(columns.max(initial=-1)) + 1
        found[name] = csr_around(values, columns, ends, (n_users, width))
    return found


def pack_text(name: str, texts: np.ndarray | list[str]) -> dict[str, np.ndarray]:
    """Return strings as two arrays: ``<name>_text``, their UTF-8 bytes, and ``<name>_ends``, int64 [n]."""
    encoded = [str(text).encode() for text in texts]
    ends = np.fromiter((len(text) for text in encoded), np.int64, len(encoded)).cumsum()
    return {f"{name}_text": np.frombuffer(b"".join(encoded), np.uint8), f"{name}_ends": ends}


def unpack_text(name: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """Return the strings that :func:`pack_text` packed, object array of str [n]."""
    ends = np.concatenate([[0], arrays[f"{name}_ends"]]).astype(np.int64)
    whole = pa.py_buffer(np.ascontiguousarray(arrays[f"{name}_text"]))
    texts = pa.LargeStringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), whole)
    texts.validate(full=True)
    return texts.to_numpy(zero_copy_only=False)


def _sort_metadata(path: Path) -> None:
    """Order the metadata of a safetensors file by name: the library's own order differs from process to process."""
    with path.open("rb+") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        file.seek(8)
        file.write(json.dumps(header, separators=(",", ":")).encode().ljust(size))


def _map_file(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays of a safetensors file as views of one read-only mapping, and its metadata.

    The library's own reader copies; the format is a length (uint64), that many bytes of JSON, and the arrays.
    """
    content = np.asarray(np.memmap(path, np.uint8, mode="r"))
    first = 8 + int.from_bytes(content[:8].tobytes(), "little")
    header = json.loads(content[8:first].tobytes())
    meta = header.pop("__metadata__")
    arrays = {}
    for name, part in header.items():
        start, stop = part["data_offsets"]
        arrays[name] = content[first + start : first + stop].view(_DTYPES[part["dtype"]]).reshape(part["shape"])
    return arrays, meta


@lru_cache(maxsize=8)
def _empty_matrix(shape: tuple[int, int]) -> sparse.csr_array:
    """Return CSR of that shape to copy: scipy takes longer to make one than an event has."""
    return empty_csr(shape)


def csr_around(values: np.ndarray, columns: np.ndarray, ends: np.ndarray, shape: tuple[int, int]) -> sparse.csr_array:
    """Return float32 CSR around arrays as they are; scipy's own constructor looks at all of them first.

    Args:
        values: float32 [n].
        columns: int32 [n].
        ends: int [rows + 1], from 0; both kinds of index get one type, as scipy wants it.
    Raises:
        ValueError: the arrays do not fit together.
    """
    if len(ends) != shape[0] + 1 or not ends[-1] == len(values) == len(columns):
        raise ValueError(f"{len(values)} values in {len(ends) - 1} rows are no matrix of {shape[0]} rows.")
    index = np.int32 if len(values) < 2**31 else np.int64
    matrix = copy.copy(_empty_matrix(shape))
    matrix.data = values
    matrix.indices = columns.astype(index, copy=False)  # pyright: ignore[reportAttributeAccessIssue]  # stubs: read-only
    matrix.indptr = ends.astype(index, copy=False)  # pyright: ignore[reportAttributeAccessIssue]  # stubs: read-only
    return matrix
