"""What files beside the interactions add to personal lists: the blend with and without the encoder that reads one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from grouprec.core.language import _, decimal, full_stop, pgettext
from grouprec.core.types import Candidates
from grouprec.ranking.metrics import hit_matrix, ndcg
from grouprec.ranking.statistics import paired_difference
from grouprec.ranking.task import Task, individual_lists

if TYPE_CHECKING:  # reports say the sentences, and know no torch
    from grouprec.models.blend import Weights

LENGTH = 10


def share_of(weights: Weights, name: str) -> float:
    """Return how much of a blend is an encoder's, 0..1."""
    whole = sum(weights.encoders.values()) + weights.popularity
    return weights.encoders.get(name, 0.0) / whole if whole else 0.0


def weights_without(weights: Weights, name: str, instead: str) -> Weights:
    """Return a blend without an encoder, whose share goes to the others, or where there is none to one named."""
    own, others = weights.encoders.get(name, 0.0), {**weights.encoders, name: 0.0}
    rest = sum(others.values()) + weights.popularity
    if rest:
        scale = (rest + own) / rest
        others = {other: scale * weight for other, weight in others.items()}
        return replace(weights, encoders=others, popularity=scale * weights.popularity)
    return replace(weights, encoders={**others, instead: own})


def added(with_it: Candidates, without: Candidates, task: Task) -> dict[str, float]:
    """Return the nDCG@10 of personal lists with and without something, and the difference paired over users.

    Args:
        with_it, without: of the judged users.
    Returns:
        value, without, added, low, high (95 %; NaN of too few users) and n_users.
    """
    relevant = task.relevant[task.users]
    found = [
        ndcg(hit_matrix(individual_lists(one, task, LENGTH), relevant), np.diff(relevant.indptr), LENGTH)
        for one in (with_it, without)
    ]
    if not len(task.users):
        found = [np.full(1, np.nan)] * 2
    gain, low, high, _p = (float(one) for one in paired_difference(found[0], found[1]))
    means = {"value": float(found[0].mean()), "without": float(found[1].mean())}
    return {**means, "added": gain, "low": low, "high": high, "n_users": len(task.users)}


def sentence(row: Any) -> str:
    """Say what a file beside the interactions adds.

    Args:
        row: of the table "beside".
    """
    known = _("{file} tells of {users} of {of} users").format(
        file=row.file, users=decimal(int(row.users)), of=decimal(int(row.of))
    )
    if not row.share:
        return _("{known}; held-out users found no use for it, so it has no weight in the blend.").format(known=known)
    share = pgettext("a percentage", "{number} %").format(number=decimal(100 * row.share))
    said = _("{known} and has {share} of the blend").format(known=known, share=share)
    if row.n_users == 0:
        return full_stop(said)
    change = decimal(row.added, 3, sign=True)
    if row.low == row.low:  # of enough users
        change = _("{change}, 95 % {low} to {high}").format(
            change=change, low=decimal(row.low, 3, sign=True), high=decimal(row.high, 3, sign=True)
        )
    return _("{said}: personal lists reach nDCG@10 {value} with it and {without} without ({change}).").format(
        said=said, value=decimal(row.value, 3), without=decimal(row.without, 3), change=change
    )
