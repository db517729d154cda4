# What grouprec uses of a package without types; pyright looks here first. Signatures as in scikit-learn 1.9.
from typing import Literal, overload

import numpy as np
from scipy import sparse

_Norm = Literal["l1", "l2", "max"]

@overload
def normalize(X: np.ndarray, norm: _Norm = "l2", *, axis: Literal[0, 1] = 1, copy: bool = True) -> np.ndarray: ...
@overload
def normalize(
    X: sparse.csr_array, norm: _Norm = "l2", *, axis: Literal[1] = 1, copy: bool = True
) -> sparse.csr_array: ...
@overload
def normalize(X: sparse.csr_array, norm: _Norm = "l2", *, axis: Literal[0], copy: bool = True) -> sparse.csc_array: ...
