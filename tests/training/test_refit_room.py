"""A refit on all rows knows items that the part it was chosen on did not have."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from grouprec.runs.config import parse_settings
from grouprec.runs.store import RunStore
from tests.support.small_run import TINY_SETTINGS, train


def test_items_that_came_late_do_not_end_a_refit_whose_encoder_was_at_its_limit(
    planted_csv: Path, tmp_path: Path
) -> None:
    rows = pd.read_csv(planted_csv)
    late = rows.sort_values("timestamp").drop_duplicates("user_id", keep="last").copy()
    late["item_id"] = [f"late{n % 6}" for n in range(len(late))]
    late["timestamp"] = rows["timestamp"].max()
    file = tmp_path / "late.csv"
    pd.concat([rows, late]).to_csv(file, index=False)
    n_known = rows["item_id"].nunique()
    settings = parse_settings(
        [*(one for one in TINY_SETTINGS if not one.startswith("dnn.")), f"ease.max_items={n_known}"]
    )
    run = train(RunStore(tmp_path / "runs"), file, encoders=("ease",), settings=settings, refit=True)
    assert len(run.table("items")) > n_known
    assert run.metrics()["refit"] is True
