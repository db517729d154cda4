"""Steps on matrices whose type the libraries' stubs lose; one place says it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

_CACHED = 1 << 18  # entries of a matrix that the processor's own cache holds
_FEWEST_COLUMNS = 64
_WORTH = 4  # entries of sparse rows for every row of the matrix, from which on parts of it are copied


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


def largest_entries(matrix: sparse.csr_array, n: int) -> sparse.csr_array:
    """Return the ``n`` largest entries of every row, CSR of the same shape; of equal ones the first."""
    kept = np.ones(matrix.nnz, bool)
    starts = matrix.indptr
    for row in np.flatnonzero(np.diff(starts) > n):
        values = matrix.data[starts[row] : starts[row + 1]]
        least = np.partition(values, len(values) - n)[len(values) - n]
        above = values > least
        above[np.flatnonzero(values == least)[: n - np.count_nonzero(above)]] = True
        kept[starts[row] : starts[row + 1]] = above
    before = np.append(0, kept.cumsum())
    parts = matrix.data[kept], matrix.indices[kept], before[starts]
    return sparse.csr_array(parts, shape=matrix.shape)


def largest_first(values: np.ndarray) -> np.ndarray:
    """Return the order of numbers, int64: largest first, equal ones as they stand; row by row where there are rows."""
    return np.argsort(-values, axis=-1, kind="stable")


def stable_order(keys: np.ndarray) -> np.ndarray:
    """Return the order of small integers >= 0, int64 [n], equal ones as they stand; by counting, so linear in ``n``."""
    n = len(keys)
    if not n:
        return np.empty(0, np.int64)
    places = np.arange(n)
    return sparse.coo_array((places, (keys, places)), shape=(int(keys.max()) + 1, n)).tocsr().data


def empty_csr(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> sparse.csr_array:
    """Return CSR of that shape, [A, B], without an entry."""
    empty: Any = sparse.csr_array(shape, dtype=dtype)  # the stubs take a shape for the row of numbers it is, too
    return empty


def product(rows: sparse.csr_array, columns: np.ndarray) -> np.ndarray:
    """Return the product of sparse rows [B, D] and a matrix [D, I], of the type of both, [B, I].

    As ``rows @ columns`` to the last bit, a few columns at a time: what the processor's cache holds takes half as long.
    """
    n_rows, depth = rows.shape
    n_columns = columns.shape[1]
    width = max(_FEWEST_COLUMNS, _CACHED // max(depth, 1))
    if rows.nnz < _WORTH * depth or width >= n_columns:  # a copy of the columns would cost more
        return rows @ columns
    out = np.empty((n_rows, n_columns), np.result_type(rows.dtype, columns.dtype))
    for start in range(0, n_columns, width):
        out[:, start : start + width] = rows @ np.ascontiguousarray(columns[:, start : start + width])
    return out


def dense(matrix: np.ndarray | sparse.csr_array) -> np.ndarray:
    """Return a matrix as an array: itself where it is one."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
