"""Windows of time on which a run chooses: folds of all that came before the test part, each as long as that part."""

from __future__ import annotations

from dataclasses import replace

from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.folds import length_of, make_folds
from grouprec.data.preparing.prepare import Prepared
from grouprec.runs.config import RunConfig

N_FOLDS = {"quick": 2, "standard": 4, "thorough": 4}
FEW_ROWS = 50_000  # of so few, all folds are taken in every preset: they cost little, and evidence is short
LONG_ROWS = 3_000_000  # beyond so many, one fold has users enough, and a deep stage takes minutes


def folds(prepared: Prepared, parts: Dataset, config: RunConfig) -> list[Dataset]:
    """Return the folds that choices are made on: each as long as the part that judges.

    Of very many rows the only fold is the validation part, for which encoders are fitted anyway (decision 0104).

    Args:
        parts: the training and validation part.
    """
    data = prepared.dataset
    n_rows = len(data.train) + len(data.validation) + len(data.test)
    length = length_of(_judging(data), prepared.split, n_rows)
    known = data.before_test()
    n_folds = N_FOLDS[config.preset]
    if len(known.train) > LONG_ROWS and len(data.validation):
        return [parts]
    if len(known.train) <= FEW_ROWS:
        n_folds = max(N_FOLDS.values())
    return make_folds(known, prepared.split, length, n_folds, config.seed, config.preparation.min_item_users)


def last_fold(data: Dataset) -> Dataset:
    """Return everything known before the test part, and that as what came next."""
    before = data.before_test()
    return replace(before, key=f"{before.key} and test", validation=data.test)


def seconds(data: Dataset) -> float:
    """Return the length of the part that judges, in seconds: 0 without times."""
    return length_of(_judging(data), "time", 0) if data.timed else 0.0


def _judging(data: Dataset) -> Interactions:
    return data.test if len(data.test) else data.validation
