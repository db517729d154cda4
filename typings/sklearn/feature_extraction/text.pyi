# What grouprec uses of a package without types; pyright looks here first. Signatures as in scikit-learn 1.9.
from collections.abc import Iterable, Mapping

import numpy as np
from scipy import sparse

class CountVectorizer:
    def __init__(
        self,
        *,
        stop_words: str | list[str] | None = None,
        token_pattern: str = ...,
        ngram_range: tuple[int, int] = (1, 1),
        max_features: int | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
        binary: bool = False,
    ) -> None: ...
    def fit_transform(self, raw_documents: Iterable[str], y: None = None) -> sparse.csr_matrix: ...
    def transform(self, raw_documents: Iterable[str]) -> sparse.csr_matrix: ...
    def get_feature_names_out(self) -> np.ndarray: ...

class TfidfVectorizer(CountVectorizer):
    idf_: np.ndarray  # float64 [n_terms]
    def __init__(
        self,
        *,
        stop_words: str | list[str] | None = None,
        token_pattern: str = ...,
        ngram_range: tuple[int, int] = (1, 1),
        max_features: int | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
        binary: bool = False,
        sublinear_tf: bool = False,
    ) -> None: ...
