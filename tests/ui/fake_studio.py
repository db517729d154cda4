"""A studio and the judged tables for the fake run: planted tastes, planted numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.explore.virtual_groups import VirtualGroups
from grouprec.runs.store import Run
from tests.support.virtual_groups import planted_virtual_groups

VERDICT = {
    "strict_ratio": 0.98,
    "dedup_ratio": 0.97,
    "turns_ratio": 0.98,
    "turns_diversity_change": 12.4,
    "turns_coverage_change": -3.0,
}
BANDS = (("all", 0.97), ("1 to 10", 1.04), ("11 to 25", 0.95))


def use_virtual_groups(run: Run, monkeypatch: pytest.MonkeyPatch) -> VirtualGroups:
    """Make the app open a studio over the fake run's items and users in training; return it."""
    items, users = run.table("items"), run.table("users").query("in_training")
    virtual_groups = planted_virtual_groups(
        block=len(items) // 3,
        spread=1.5,
        labels=(users["group"].to_numpy() - 1).astype(np.int32),
        item_ids=items["item"].to_numpy(object),
        item_labels=items["label"].to_numpy(object),
    )
    monkeypatch.setattr(VirtualGroups, "open", lambda *_: virtual_groups)
    return virtual_groups


def add_judgement(run: Run) -> Run:
    """Give a fake run what a real one says of its generator: a verdict, the frontier, small groups."""
    run.save_metrics(run.metrics() | {"verdict": VERDICT})
    run.save_table("frontier", frontier_table())
    run.save_table("small_groups", small_groups_table())
    run.write_manifest()
    return run


def frontier_table() -> pd.DataFrame:
    """Towards surprising, the generated lists lose 10 % of their value and gain 20 % variety, others lose more."""
    rows = [("members_mean", 0.0, 1.0, 1.0)]
    rows += [("generated", dial, 1 - 0.1 * dial, 1 + 0.2 * dial) for dial in (0.0, 0.5, 1.0)]
    rows += [("gaussian", dial, 0.95 - 0.1 * dial, 1 + 0.2 * dial) for dial in (0.0, 0.5, 1.0)]
    rows += [("mmr", dial, 0.99 - 0.1 * dial, 1 + 0.1 * dial) for dial in (0.3, 0.8)]
    frame = pd.DataFrame(rows, columns=["method", "dial", "ndcg@10_ratio", "intra_list_diversity_ratio"])
    frame = frame.assign(novelty_ratio=1.01, coverage_ratio=1.0, regime="strict")
    return frame.assign(**{"ndcg@10_low": frame["ndcg@10_ratio"] - 0.02, "ndcg@10_high": frame["ndcg@10_ratio"] + 0.02})


def small_groups_table() -> pd.DataFrame:
    rows = [(band, regime, ratio) for band, ratio in BANDS for regime in ("strict", "dedup")]
    frame = pd.DataFrame(rows, columns=["band", "regime", "ratio"])
    counts = {"n_groups": 3, "n_users": 40, "generated": 0.05, "members_mean": 0.051}
    return frame.assign(low=frame["ratio"] - 0.02, high=frame["ratio"] + 0.02, **counts)
