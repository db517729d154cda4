"""Steps on matrices whose type the libraries' stubs lose; one place says it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse


def presence(matrix: sparse.csr_array, dtype: npt.DTypeLike = np.float32) -> sparse.csr_array:
    """Return 1 where a sparse matrix holds something other than 0, of its shape."""
    return (matrix != 0).astype(dtype)  # pyright: ignore[reportAttributeAccessIssue]  # the stubs call != a bool


def entries_of(matrix: sparse.csr_array, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the entries of some rows, [n] each: the place of the row among those asked for, column, and value.

    Many times quicker than scipy's indexing where rows are few.
    """
    starts = matrix.indptr[rows]
    lengths = matrix.indptr[rows + 1] - starts
    place = np.repeat(np.arange(len(rows)), lengths)
    at = np.arange(len(place)) + (starts - (lengths.cumsum() - lengths))[place]
    return place, matrix.indices[at], matrix.data[at]


def empty_csr(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> sparse.csr_array:
    """Return CSR of that shape, [A, B], without an entry."""
    empty: Any = sparse.csr_array(shape, dtype=dtype)  # the stubs take a shape for the row of numbers it is, too
    return empty


def dense(matrix: np.ndarray | sparse.csr_array) -> np.ndarray:
    """Return a matrix as an array: itself where it is one."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
