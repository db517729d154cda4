"""The evidence of a tiny planted run: every table with its columns, and numbers that agree with one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Groups
from grouprec.data.synthetic import planted
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.ranking.strategies import STRATEGIES
from grouprec.runs.config import make_config, parse_settings
from grouprec.runs.store import Run, RunStore
from grouprec.training import evidence
from grouprec.training.jobs import train_here
from tests.support.small_run import TINY_ENCODERS, TINY_SETTINGS, write_csv

HEADLINES = {"precision@10", "ndcg@10", "hit_rate@10"}
REGIMES = {"strict", "dedup"}
COLUMNS = {
    "comparisons": "method regime metric against difference low high p p_permutation p_adjusted significant",
    "value_of_groups": "n_groups method regime metric value low high floor individual oracle share_of_gain "
    "smallest largest silhouette stability",
    "ablation": "step what regime metric value added low high p",
    "strategies": "strategy title regime metric value low high",
    "left_behind": "group size n_judged zero_hit_share zero_hit_low zero_hit_high ndcg@10 worst_decile best_decile "
    "share_lost smaller_part predicted_worth predicted_ndcg@10 predicted_precision@10 predicted_hits "
    "measured_ndcg@10 measured_precision@10 regime method",
    "fairness": "attribute value n_users metric mean low high difference difference_low difference_high p p_adjusted "
    "regime method",
    "exposure": "measure attribute value in_lists in_histories lift regime",
    "repeats": "task method metric value low high n_users",
    "cold_users": "n_known method metric value low high n_users",
    "cold_items": "n_cold among method metric value low high n_users encoder",
}
WITHOUT_PRECISION = ("fairness", "cold_users", "cold_items")
N_GROUPS = 7  # not on the usual grid


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Planted users with attributes in the file, split along each user's own time."""
    return trained(tmp_path_factory.mktemp("evidence"), TINY_ENCODERS, TINY_SETTINGS)


def trained(folder: Path, encoders: tuple[str, ...], settings: Sequence[str]) -> Run:
    data = planted(n_users=120, n_items=80, events_per_user=30).data
    config = make_config(
        interactions=write_csv(data, folder / "planted.csv"),
        preset="quick",
        encoders=encoders,
        n_groups=N_GROUPS,
        device="cpu",
        layout="pca",
        settings=parse_settings([*settings, "data.split=user_time"]),
    )
    run = RunStore(folder / "runs").create(config)
    train_here(RunStore(folder / "runs"), run)
    return run


def ndcg(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["metric"] == "ndcg@10"]


@pytest.mark.parametrize("name", COLUMNS)
def test_every_table_has_its_columns_and_rows(run: Run, name: str) -> None:
    table = run.table(name)
    assert set(COLUMNS[name].split()) <= set(table.columns)
    assert len(table)
    if "metric" in table:
        assert set(table["metric"]) == HEADLINES - ({"precision@10"} if name in WITHOUT_PRECISION else set())
    if "regime" in table:
        assert set(table["regime"]) >= REGIMES
    middle = {"ablation": "added", "fairness": "mean", "comparisons": "difference"}.get(name, "value")
    if "low" in table:
        known = table.dropna(subset=["low", "high"])
        assert (known["low"] <= known[middle] + 1e-6).all() and (known[middle] <= known["high"] + 1e-6).all()


def test_the_value_of_groups_covers_the_runs_own_number_for_every_method(run: Run) -> None:
    table = run.table("value_of_groups")
    assert {1, N_GROUPS} <= set(table["n_groups"])
    usual = {"kmeans_popularity", "kmeans_recent", "kmeans_mean_ease", "kmeans_mean_simple"}
    assert set(table["method"]) == {"members_mean", *usual}
    assert not table.duplicated(["n_groups", "method", "regime", "metric"]).any()
    tried = table.groupby(["method", "regime"])["n_groups"].agg(set)
    ours, rest = tried.pop(("members_mean", "strict")), tried.iloc[0]
    assert N_GROUPS in rest and rest < ours, "our groups for the run's own use are tried at more numbers"
    assert (tried == rest).all() and len(table) == (len(ours) + len(tried) * len(rest)) * 3
    assert table["silhouette"].between(-1, 1).sum() > 0
    stable = table.dropna(subset="stability")
    assert set(stable["n_groups"]) == {N_GROUPS}, "preset quick tells it of the run's own number"
    assert stable["stability"].between(-1, 1).all()


def test_where_items_are_too_many_for_ease_nothing_is_called_ease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = EaseEncoder.Config(max_items=50)
    monkeypatch.setattr(EaseEncoder.Config, "for_preset", lambda preset: small)
    run = trained(tmp_path, ("dnn",), TINY_SETTINGS)
    for name in ("value_of_groups", "evaluation"):
        methods = set(run.table(name)["method"])
        assert "kmeans_mean_own" in methods and not methods & {"ease", "kmeans_mean_ease"}
    assert "encoder" not in set(run.table("ablation")["step"])


def test_the_value_at_the_runs_own_number_is_that_of_its_own_groups(run: Run) -> None:
    value, rows = ndcg(run.table("value_of_groups")), run.table("evaluation").set_index(["method", "regime", "metric"])
    own = value[(value["n_groups"] == N_GROUPS) & (value["method"] == "members_mean") & (value["regime"] == "strict")]
    assert own["value"].item() == pytest.approx(rows.loc[("members_mean", "strict", "ndcg@10"), "value"])
    assert own["oracle"].item() == pytest.approx(rows.loc[("members_mean", "strict", "ndcg@10"), "oracle"])


def test_every_number_that_was_judged_can_be_looked_at(run: Run) -> None:
    labels, groups, lists = (run.table(f"what_if_{name}") for name in ("labels", "groups", "lists"))
    value = run.table("value_of_groups")
    assert set(labels.columns.astype(int)) == set(value.loc[value["method"] == "members_mean", "n_groups"])
    users = run.table("users")
    assert np.array_equal(labels[str(N_GROUPS)], users.loc[users["in_training"], "group"])
    assert (labels.dtypes == np.int16).all()
    own = groups[groups["n_groups"] == N_GROUPS].reset_index(drop=True)
    assert own[["group", "name", "size"]].equals(run.table("groups")[["group", "name", "size"]])
    exported = run.table("group_lists").query("method == 'members_mean' and rank <= 10")
    columns = ["regime", "group", "rank", "item", "label"]
    shown = lists[lists["n_groups"] == N_GROUPS][columns].sort_values(columns, ignore_index=True)
    assert shown.equals(exported[columns].sort_values(columns, ignore_index=True))


def test_floor_and_ceiling_of_the_value_are_those_of_the_evaluation(run: Run) -> None:
    value, rows = ndcg(run.table("value_of_groups")), run.table("evaluation").set_index(["method", "regime", "metric"])
    for regime in REGIMES:
        curve = value[value["regime"] == regime]
        floor = curve["floor_method"].iloc[0]
        assert curve["floor"].to_numpy() == pytest.approx(rows.loc[(floor, regime, "ndcg@10"), "value"])
    assert value["individual"].to_numpy() == pytest.approx(rows.loc[("individual", "individual", "ndcg@10"), "value"])


def test_more_lists_serve_planted_tastes_better_than_one(run: Run) -> None:
    value = ndcg(run.table("value_of_groups"))
    ours = value[value["method"] == "members_mean"].set_index(["regime", "n_groups"])["value"]
    for regime in REGIMES:
        assert ours[regime, N_GROUPS] > 1.2 * ours[regime, 1]


def test_the_ablation_has_every_step_in_both_regimes_and_adds_up(run: Run) -> None:
    table = run.table("ablation")
    steps = ["popularity", "encoder", "blend", "grouping", "profile", "generator"]
    for _, rows in table.groupby(["regime", "metric"]):
        assert rows["step"].tolist() == steps
        assert np.isnan(rows["added"].iloc[0])
        assert rows["value"].diff().iloc[1:].to_numpy() == pytest.approx(rows["added"].iloc[1:].to_numpy(), abs=1e-6)
    rows = run.table("evaluation").set_index(["method", "regime", "metric"])["value"]
    found = table.set_index(["step", "regime", "metric"])["value"]
    for regime in REGIMES:
        assert found["grouping", regime, "ndcg@10"] == pytest.approx(rows["members_mean", regime, "ndcg@10"])
        assert found["generator", regime, "ndcg@10"] == pytest.approx(rows["generated", regime, "ndcg@10"])
        assert found["popularity", regime, "ndcg@10"] == pytest.approx(rows["kmeans_popularity", regime, "ndcg@10"])


def test_every_strategy_is_judged_on_the_same_groups(run: Run) -> None:
    table = run.table("strategies")
    assert set(table["strategy"]) == set(STRATEGIES)
    assert (table.groupby("strategy").size() == len(REGIMES) * len(HEADLINES)).all()
    rows = run.table("evaluation").set_index(["method", "regime", "metric"])["value"]
    utility = ndcg(table[(table["strategy"] == "utility") & (table["regime"] == "strict")])["value"].item()
    assert utility == pytest.approx(rows["members_mean", "strict", "ndcg@10"], abs=0.02), "the same rule, ties apart"


def test_every_method_is_compared_with_the_exported_lists(run: Run) -> None:
    table = run.table("comparisons")
    shared = table[table["regime"] != "individual"]
    assert (shared["against"] == "members_mean").all()
    kmeans = {"kmeans_popularity", "kmeans_recent", "kmeans_mean_ease", "kmeans_mean_simple"}
    single = {"popularity", "recent_popularity", "one_group"}
    assert {"generated", "group_popularity", "lists_simple", *kmeans, *single} == set(shared["method"])
    alone = table[table["regime"] == "individual"]
    assert (alone["against"] == "individual").all() and {"ease", "item_knn"} <= set(alone["method"])
    rows = run.table("evaluation").set_index(["method", "regime", "metric"])["value"]
    for row in table.to_dict("records"):
        expected = (
            rows[row["method"], row["regime"], row["metric"]] - rows[row["against"], row["regime"], row["metric"]]
        )
        assert row["difference"] == pytest.approx(expected, abs=1e-6)
        assert row["p_adjusted"] >= row["p_permutation"] and row["significant"] == (row["p_adjusted"] < 0.05)


def test_left_behind_speaks_of_the_judged_groups_and_exported_lists(run: Run) -> None:
    table, evaluated = run.table("left_behind"), run.table("group_evaluation")
    assert (table["method"] == "members_mean").all() and table["group"].min() == 1
    both = table.merge(evaluated, on=["group", "regime"], suffixes=("", "_evaluated"))
    assert len(both) == len(table) == 2 * table["group"].nunique()
    for name in ("ndcg@10", "zero_hit_share", "size"):
        assert both[name].to_numpy() == pytest.approx(both[f"{name}_evaluated"].to_numpy(), nan_ok=True)


def test_fairness_and_exposure_speak_of_the_attributes_in_the_file(run: Run) -> None:
    fairness = run.table("fairness")
    assert "region" in set(fairness["attribute"])
    assert set(run.table("exposure")["regime"]) == {"individual", *REGIMES}


def test_the_task_of_the_run_is_judged(run: Run) -> None:
    table = ndcg(run.table("repeats")).set_index(["task", "method"])
    assert set(table.index) == {("new items", "individual"), ("new items", "popularity")}, "quick asks of no other"
    rows = run.table("evaluation").set_index(["method", "regime", "metric"])["value"]
    assert table.loc[("new items", "individual"), "value"] == pytest.approx(rows["individual", "individual", "ndcg@10"])


def test_cold_users_and_items_are_judged_against_popularity(run: Run) -> None:
    users, items = run.table("cold_users"), run.table("cold_items")
    assert set(users["n_known"]) == {0, 1, 2, 5}
    assert set(users["method"]) == {"individual", "group_popularity", "popularity"}
    known = users[(users["method"] == "individual") & (users["metric"] == "ndcg@10")].set_index("n_known")["value"]
    assert known[5] > known[0], "a few known items help"
    assert set(items["among"]) == {"cold items", "catalogue"}
    assert set(items["method"]) == {"attributes", "category_popularity", "random"}
    assert set(items["encoder"]) in ({"ease"}, {"dnn"})


def test_the_run_says_how_it_was_split(run: Run) -> None:
    split = run.metrics()["split"]
    assert split["kind"] == "user_time"
    assert split["train"] > 6 * split["test"] > 0 and split["validation"] > 0


def test_no_table_holds_infinite_numbers(run: Run) -> None:
    for path in sorted((Path(run.path) / "tables").glob("*.parquet")):
        numbers = run.table(path.stem).select_dtypes("number").to_numpy(float)
        assert not np.isinf(numbers).any(), path.stem


def test_of_a_large_group_some_members_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "DECODED", 3)
    labels = np.array([0] * 50 + [1] * 2)
    latents, decoded = np.where(labels, 2.0, np.arange(52))[:, None].astype(np.float32), []

    def predict(rows: np.ndarray, _mixture: np.ndarray) -> np.ndarray:
        decoded.append(rows.ravel().tolist())
        return rows

    profile = SimpleNamespace(latents=lambda: SimpleNamespace(users=latents), predict=predict)
    rates = evidence._decoded(SimpleNamespace(profile=profile, groups=Groups(labels, 2)), seed=0)
    some, all_of_two = decoded
    assert len(set(some)) == 3 and set(some) <= set(range(50))
    assert all_of_two == [2.0, 2.0]
    assert rates.tolist() == [[np.float32(np.mean(some))], [2.0]]
