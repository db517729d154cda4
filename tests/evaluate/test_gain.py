"""The parts of what personal lists reach: they add up, paired over users."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.evaluate.gain import METRICS, PARTS, difference, split, split_evaluation
from grouprec.evaluate.protocol import METRICS as MEASURES
from grouprec.evaluate.protocol import Measured
from grouprec.ranking.statistics import mean_interval, paired_difference


def measured(hits: np.ndarray, method: str = "", regime: str = "strict") -> Measured:
    """Return a method with a hit for some users, whose nDCG is half of that."""
    values = np.zeros((len(hits), len(MEASURES)))
    values[:, MEASURES.index("hit_rate@10")] = hits
    values[:, MEASURES.index("ndcg@10")] = hits / 2
    return Measured(method, regime, values, {})


def first(n: int, of: int = 100) -> np.ndarray:
    return (np.arange(of) < n).astype(float)


def test_the_parts_add_up_to_what_personal_lists_reach_and_are_paired() -> None:
    four = [measured(first(n)) for n in (10, 30, 45, 50)]
    rows = pd.DataFrame(split(*four)).set_index(["part", "metric"])
    assert set(rows.index) == {(part, metric) for part in PARTS for metric in METRICS}
    assert (rows["n_users"] == 100).all()
    hits = rows.xs("hit_rate@10", level="metric").loc[list(PARTS)]
    assert hits["value"].tolist() == pytest.approx([0.10, 0.20, 0.15, 0.05])
    assert rows.xs("ndcg@10", level="metric").loc[list(PARTS), "value"].tolist() == pytest.approx(
        [0.05, 0.10, 0.075, 0.025]
    )
    assert hits.loc["popularity", ["low", "high"]].tolist() == pytest.approx(
        [float(end) for end in mean_interval(first(10))[1:]]
    )
    _, low, high, _ = paired_difference(first(45), first(30))
    assert hits.loc["groups", ["low", "high"]].tolist() == pytest.approx([float(low), float(high)])


def test_of_few_users_no_interval_is_claimed() -> None:
    rows = pd.DataFrame(split(*(measured(first(n, of=29)) for n in (3, 5, 9, 10)))).set_index(["part", "metric"])
    assert rows.loc[("groups", "hit_rate@10"), ["low", "high"]].isna().all()
    assert rows.loc[("popularity", "hit_rate@10"), ["low", "high"]].notna().all()


def test_without_users_nothing_is_known() -> None:
    rows = pd.DataFrame(split(*(measured(first(0, of=0)) for _ in range(4))))
    assert rows["value"].isna().all() and (rows["n_users"] == 0).all()


def test_a_loss_is_negative() -> None:
    (_, hits) = difference("more", measured(first(10)), measured(first(30)))
    assert hits["part"] == "more" and hits["value"] == pytest.approx(-0.2) and hits["high"] < 0


def test_every_use_is_split_by_its_own_lists_and_its_own_floor() -> None:
    n_hits = {
        ("popularity", "strict"): 10,
        ("popularity", "dedup"): 12,
        ("recent_popularity", "strict"): 20,
        ("one_group", "dedup"): 25,
        ("members_mean", "strict"): 30,
        ("one_list", "dedup"): 25,
        ("individual", "individual"): 50,
    }
    found = {key: measured(first(n), *key) for key, n in n_hits.items()}
    own = {"strict": "members_mean", "dedup": "one_list"}
    rows = pd.DataFrame(split_evaluation(found, own, {"strict": "recent_popularity", "dedup": "one_group"}))
    hits = rows[rows["metric"] == "hit_rate@10"].set_index(["regime", "part"])["value"]
    assert hits["strict"][list(PARTS)].tolist() == pytest.approx([0.10, 0.10, 0.10, 0.20])
    assert hits["dedup"][list(PARTS)].tolist() == pytest.approx([0.12, 0.13, 0.0, 0.25])
    assert rows.groupby("regime")["method"].first().to_dict() == own
