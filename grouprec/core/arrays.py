"""Steps on matrices whose type the libraries' stubs lose; one place says it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse


def presence(matrix: sparse.csr_array, dtype: npt.DTypeLike = np.float32) -> sparse.csr_array:
    """Return 1 where a sparse matrix holds something other than 0, of its shape."""
    return (matrix != 0).astype(dtype)  # pyright: ignore[reportAttributeAccessIssue]  # the stubs call != a bool


def empty_csr(shape: tuple[int, ...], dtype: npt.DTypeLike = np.float32) -> sparse.csr_array:
    """Return CSR of that shape, [A, B], without an entry."""
    empty: Any = sparse.csr_array(shape, dtype=dtype)  # the stubs take a shape for the row of numbers it is, too
    return empty


def dense(matrix: np.ndarray | sparse.csr_array) -> np.ndarray:
    """Return a matrix as an array: itself where it is one."""
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()
