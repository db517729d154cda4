"""Which differences between methods are more than chance, when there are many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from grouprec.core.types import SettingError
from grouprec.evaluate.protocol import HEADLINES, METRICS, Measured
from grouprec.ranking.statistics import ENOUGH, LEVEL, holm, paired_difference, sign_flip_p
from grouprec.runs import schemas


def compare_all(measured: Sequence[Measured], against: str, seed: int) -> pd.DataFrame:
    """Return every method's paired difference to a reference of the same regime, on the headline metrics.

    Args:
        measured: all judged on the same task.
        against: the reference. In a regime that it does not have, "individual" takes its place (personal lists are
            compared with the chosen encoder's where the reference is a group method); without either, the regime is
            left out.
        seed: of the signs.
    Returns:
        method, regime, metric, against, difference (mean over users), low, high (95 % interval), p (of that
        interval: :func:`paired_difference`), p_permutation (:func:`sign_flip_p`), p_adjusted (``p_permutation`` by
        :func:`holm` over all methods of the same regime and metric), significant (``p_adjusted`` < .05). Adjusted is
        the randomisation test, which assumes least. Of fewer than 30 users all but the difference is NaN, and nothing
        is significant: too few to tell.
    Raises:
        SettingError: there is no method of that name.
    """
    names = list(dict.fromkeys(one.method for one in measured))
    if against not in names:
        raise SettingError(f"There is no method called '{against}' to compare with; choose one of: {', '.join(names)}.")
    tables = [pd.DataFrame(columns=schemas.named("comparisons").names)]
    for regime in dict.fromkeys(one.regime for one in measured):
        same = {one.method: one for one in measured if one.regime == regime}
        reference = same.get(against) or same.get("individual")
        if reference is not None and len(same) > 1:
            tables.append(_compare(reference, [one for one in same.values() if one is not reference], seed))
    return pd.concat(tables[1:], ignore_index=True) if len(tables) > 1 else tables[0]


def _compare(reference: Measured, others: list[Measured], seed: int) -> pd.DataFrame:
    """Return the rows of one regime."""
    columns = [METRICS.index(metric) for metric in HEADLINES]
    theirs = np.concatenate([one.values[:, columns] for one in others], axis=1)
    ours = np.tile(reference.values[:, columns], len(others))
    difference, low, high, p = paired_difference(theirs, ours)
    table = pd.DataFrame(
        {
            "method": np.repeat([one.method for one in others], len(columns)),
            "regime": reference.regime,
            "metric": HEADLINES * len(others),
            "against": reference.method,
            "difference": difference,
            "low": low,
            "high": high,
            "p": p,
            "p_permutation": sign_flip_p(theirs - ours, seed) if len(ours) >= ENOUGH else np.nan,
        }
    )
    adjusted = table.groupby("metric")["p_permutation"].transform(lambda p: holm(p.to_numpy()))
    return table.assign(p_adjusted=adjusted, significant=adjusted < LEVEL)
