"""Positions of users on a map (UMAP), computed in a process of its own.

UMAP compiles for 20 s the first time on a machine; numba keeps what it compiled, and a later process loads it within
a second. :class:`LayoutProcess` starts that at once, beside the training, and hands the vectors over when they are
there. McInnes, Healy, Melville 2018, "UMAP" (arXiv 1802.03426).
Cost on one core (a fixed seed allows no more): 2 s to import, 4 s for 3,400 users x 64. Of more than 20,000 users so
many are placed by UMAP, the landmarks; every other one lies between the landmarks that are nearest to them, so a
million users take little longer.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import tempfile
import threading
import warnings
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal, Self

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from grouprec.core.files import storage
from grouprec.core.libraries import uncollected

Method = Literal["umap", "pca"]

_CHILD = f"from grouprec.core.libraries import load; load({__name__!r}); from {__name__} import serve; serve()"

FEWEST_FOR_UMAP = 10  # below that a neighbourhood graph says nothing
N_NEIGHBORS = 15
LANDMARKS = 20_000  # users that UMAP places; all others lie between the landmarks nearest to them
NEAREST_LANDMARKS = 5
SPACE_FILE, POSITIONS_FILE = "layout_space.npy", "layout_positions.npy"
NICENESS = 5
log = logging.getLogger(__name__)


def positions(space: np.ndarray, seed: int) -> np.ndarray:
    """Return UMAP positions of users, float32 [U, 2], finite, mean 0, standard deviation 1 over both axes.

    Fewer than 10 different users are placed by PCA; where all are equal, on a circle. Beyond 20,000 users, so many
    drawn ones are placed by UMAP, and the others at the mean of their five nearest, the nearer the heavier.

    Args:
        space: float32 [U, S], users in the preference space.
        seed: the same seed gives the same positions.
    """
    if not fits_umap(space):
        return linear_positions(space)
    if len(space) <= LANDMARKS:
        return standardise(_umap_positions(space, seed))
    drawn = np.sort(np.random.default_rng(seed).choice(len(space), LANDMARKS, replace=False))
    if not fits_umap(space[drawn]):
        return linear_positions(space)
    return standardise(_between(space, drawn, _umap_positions(space[drawn], seed)))


def _umap_positions(space: np.ndarray, seed: int) -> np.ndarray:
    """Return UMAP positions as they come, float32 [U, 2]."""
    umap = _compiled_umap()
    n_neighbors = min(N_NEIGHBORS, len(space) - 1)
    distances, rows = NearestNeighbors(n_neighbors=n_neighbors).fit(space).kneighbors(space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what UMAP says about the seed and given neighbours is intended
        found = umap.UMAP(
            n_neighbors=n_neighbors,
            random_state=seed,
            n_jobs=1,
            precomputed_knn=(rows, distances.astype(np.float32)),  # exact, and spares compiling UMAP's own search
            force_approximation_algorithm=True,  # UMAP ignores given neighbours of small data otherwise
        ).fit_transform(space)
    return np.asarray(found)


def _compiled_umap() -> Any:
    """Return the package umap, whose compiled functions numba keeps on disk, so that a later process only loads them.

    Its own functions ask for no such cache; those of the packages it needs do, so it needs no right that they do not.
    """
    import numba

    plain = numba.njit
    numba.njit = partial(plain, cache=True)
    try:
        import umap  # compiles: only where it is needed
    finally:
        numba.njit = plain
    return umap


def _between(space: np.ndarray, drawn: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return positions of all users, float32 [U, 2]: landmarks where they are, others between those nearest to them.

    Args:
        drawn: int [L], rows of the landmarks.
        places: float32 [L, 2], their positions.
    """
    nearest = NearestNeighbors(n_neighbors=NEAREST_LANDMARKS, algorithm="brute").fit(space[drawn])
    distances, rows = nearest.kneighbors(space)
    weights = 1 / np.maximum(distances, 1e-6 * distances.mean() + 1e-12)
    out = (places[rows] * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    out[drawn] = places
    return out.astype(np.float32)


def fits_umap(space: np.ndarray) -> bool:
    """Return whether there are enough different users for a neighbourhood graph."""
    return len(np.unique(space, axis=0)) >= FEWEST_FOR_UMAP


def linear_positions(space: np.ndarray) -> np.ndarray:
    """Return positions by PCA, scaled as by :func:`positions`; a circle where all users are equal."""
    n_users = len(space)
    if n_users < 2 or not np.ptp(space, axis=0).any():
        angles = 2 * np.pi * np.arange(n_users) / max(n_users, 1)
        return standardise(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    found = PCA(min(2, *space.shape), svd_solver="full").fit_transform(space)
    return standardise(np.pad(found, ((0, 0), (0, 2 - found.shape[1]))))


def standardise(found: np.ndarray) -> np.ndarray:
    """Return the positions with mean 0 and standard deviation 1, one scale for both axes, float32 [U, 2].

    Raises:
        FloatingPointError: a position is not finite.
    """
    if not np.isfinite(found).all():
        raise FloatingPointError("The map has positions that are not finite.")
    centred = found - found.mean(axis=0) if len(found) else found
    scale = centred.std() if len(found) else 0.0
    return (centred / (scale if scale > 0 else 1.0)).astype(np.float32)


class LayoutProcess:
    """UMAP in a child process that compiles while the parent is busy with something else.

    One process makes one map: :meth:`start`, :meth:`submit`, :meth:`result`. The child stays in the parent's process
    group and ends when the parent does, because its standard input closes.
    """

    def __init__(self, child: subprocess.Popen[str], errors: IO[str]) -> None:
        self._child = child
        self._errors = errors
        self._space: np.ndarray | None = None
        self._folder: Path | None = None

    @classmethod
    def start(cls) -> Self:
        """Start the child, which begins to compile at once."""
        errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed by stop)
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            text=True,
            env=os.environ | one_thread,
        )
        return cls(child, errors)

    def submit(self, space: np.ndarray, seed: int, folder: Path) -> None:
        """Hand over the vectors, float32 [U, S]; the exchange goes through files in ``folder``, removed afterwards.

        Raises:
            StorageError: the disk does not take them.
        """
        self._space, self._folder = space, folder.absolute()
        with storage(self._folder / SPACE_FILE):
            np.save(self._folder / SPACE_FILE, space, allow_pickle=False)
        with contextlib.suppress(OSError, ValueError):  # the child is gone: result() says why
            print(json.dumps({"folder": str(self._folder), "seed": seed}), file=self._child.stdin, flush=True)

    def result(self, timeout: float) -> tuple[np.ndarray, Method]:
        """Wait for the positions and end the child.

        Args:
            timeout: seconds.
        Returns:
            float32 [U, 2] as from :func:`positions`, and the method; "pca" where UMAP failed or took too long.
        Raises:
            RuntimeError: nothing was submitted.
        """
        if self._space is None or self._folder is None:
            raise RuntimeError("submit() comes before result().")
        out = self._folder / POSITIONS_FILE
        try:
            status = self._child.wait(timeout)
            if status == 0:
                return np.load(out, allow_pickle=False), "umap" if fits_umap(self._space) else "pca"
            reason = self._last_words() or f"exit status {status}"
        except subprocess.TimeoutExpired:
            reason = f"no result within {timeout:g} seconds"
        finally:
            self.stop()
            out.unlink(missing_ok=True)
            (self._folder / SPACE_FILE).unlink(missing_ok=True)
        log.warning("UMAP gave no map (%s); PCA made it instead.", reason)
        return linear_positions(self._space), "pca"

    def _last_words(self) -> str:
        """Return the last line that the child wrote about its end."""
        if self._errors.closed:
            return "it was stopped"
        self._errors.seek(0)
        return "".join(self._errors.read().strip().splitlines()[-1:])

    def stop(self) -> None:
        """End the child, whatever it is doing. May be called twice."""
        self._child.kill()
        self._child.wait()
        if self._child.stdin is not None:
            with contextlib.suppress(OSError):
                self._child.stdin.close()
        self._errors.close()


def serve() -> None:
    """Compile, wait for one task on standard input, do it. The child's main function."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    tasks: queue.Queue[dict[str, Any]] = queue.Queue()

    def listen() -> None:
        for line in sys.stdin:
            tasks.put(json.loads(line))
        os._exit(1)  # the parent is gone, or does not want the map any more

    threading.Thread(target=listen, daemon=True).start()
    warm_up = np.random.default_rng(0).normal(size=(4 * N_NEIGHBORS, 8)).astype(np.float32)
    with uncollected():
        positions(warm_up, seed=0)
    task = tasks.get()
    folder = Path(task["folder"])
    found = positions(np.load(folder / SPACE_FILE, allow_pickle=False), task["seed"])
    np.save(folder / POSITIONS_FILE, found, allow_pickle=False)
    os._exit(0)  # an orderly end would wait for the thread that listens


if __name__ == "__main__":
    serve()
