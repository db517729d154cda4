"""A small finished run with planted numbers: what pages and reports say of it can be checked by hand.

Saved by the run itself, and so held to the schemas. One that was really trained is in small_run.py.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from grouprec.ranking.rules import ListRules
from grouprec.runs.config import RunConfig
from grouprec.runs.store import Run, RunStore, State
from tests.support.planted_evidence import (
    VERDICT,
    comparisons_table,
    evaluation_table,
    evidence_tables,
    group_evaluation_table,
)
from tests.support.planted_groups import add_portrait, add_what_if_tables
from tests.support.schemas import make_older

N_ITEMS = 240
N_TESTS = 36  # of attributes
# Labels from the data that must never act: markup, a formula, an emoji shortcode, LaTeX.
HOSTILE_LABELS = ('=HYPERLINK("http://x","y")', "<b>Bold bag</b>", "$5 and $10 :smile:", "*Star* [link](http://x)")


def build_run(
    store: RunStore,
    *,
    n_users: int = 90,
    n_groups: int = 3,
    title: str = "Planted shop",
    seed: int = 0,
    strategy: str = "",
) -> Run:
    """Return a finished run of ``n_groups`` groups; the first group's list shares 4 of its first 10 with the mean's.

    The last two users were placed after training (no map position). Evaluation numbers are those of ``NDCG``.

    Only a run of three groups has tables of their portraits and of other numbers of groups.

    Args:
        strategy: the aggregation strategy that the run was asked for, whose lists it then chooses.
    """
    rules = ListRules(strategy=strategy or "utility")
    choices = {"title": title, "dataset": "planted", "n_groups": n_groups, "seed": seed, "rules": rules}
    run = store.create(RunConfig(interactions=Path("planted.csv"), **choices))
    for name, content in _results(n_users, n_groups, seed, strategy).items():
        path = run.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    run.set_status(state=State.DONE, fraction=1.0, started=1_700_000_000.0, ended=1_700_000_060.0)
    run.write_manifest()
    return run


@functools.cache
def _results(n_users: int, n_groups: int, seed: int, strategy: str) -> dict[str, bytes]:
    """Return the files of a run by name; hundreds of tests want one, and it is made once."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        _save_results(run, n_users, n_groups, seed, strategy)
        files = [path for path in run.path.rglob("*") if path.is_file()]
        return {path.relative_to(run.path).as_posix(): path.read_bytes() for path in files}


def _save_results(run: Run, n_users: int, n_groups: int, seed: int, strategy: str) -> None:
    rng = np.random.default_rng(seed)
    items, users = _items(), _users(rng, n_users, n_groups)
    run.save_table("items", items)
    run.save_table("users", users)
    groups = _groups(users, n_groups)
    run.save_table("groups", groups)
    run.save_table("group_evaluation", group_evaluation_table(groups))
    run.save_table("group_items", _group_items(items, n_groups))
    run.save_table("group_attributes", _group_attributes(n_groups))
    run.save_table("group_lists", _group_lists(items, n_groups, strategy))
    run.save_table("user_lists", _user_lists(items, users))
    run.save_table("held_out", _held_out(items, users))
    run.save_table("live_moment", _live_moment(items))
    run.save_table("preparation", _preparation())
    evaluation = evaluation_table()
    run.save_table("evaluation", evaluation)
    run.save_table("comparisons", comparisons_table(evaluation))
    metrics = _metrics(n_users, n_groups, int(users["interactions"].sum()))
    if strategy:
        metrics["list_method"] = {"strict": strategy, "dedup": strategy}
    run.save_metrics(metrics)
    for name, table in evidence_tables(groups).items():
        run.save_table(name, table)
    if n_groups == 3:
        add_portrait(run)
        add_what_if_tables(run)
    run.add_event(event="progress", stage="encoder dnn", fraction=0.5, epoch=1, loss=2.5)
    run.add_event(event="progress", stage="encoder dnn", fraction=1.0, epoch=2, loss=2.1)
    run.add_event(event="stage_done", stage="prepare", seconds=1.5, reused=False)


def build_older_run(store: RunStore) -> Run:
    """Return a planted run as one of the first versions would have left it."""
    run = build_run(store)
    run.save_metrics({name: value for name, value in run.metrics().items() if name not in ("blend", "repeats")})
    return make_older(run)


def add_judgement(run: Run) -> Run:
    """Give a planted run the verdict on its generator; return it."""
    run.save_metrics(run.metrics() | {"verdict": VERDICT})
    run.write_manifest()
    return run


def _items() -> pd.DataFrame:
    labels = [*HOSTILE_LABELS, *(f"Item {n}" for n in range(len(HOSTILE_LABELS), N_ITEMS))]
    return pd.DataFrame(
        {
            "item": [f"{n:05d}" for n in range(N_ITEMS)],
            "label": labels,
            "users": np.arange(N_ITEMS, 0, -1),
            "price": np.linspace(1, 9, N_ITEMS),
        }
    )


def _users(rng: np.random.Generator, n_users: int, n_groups: int) -> pd.DataFrame:
    group = np.arange(n_users) % n_groups + 1
    angle = 2 * np.pi * group / n_groups
    radius = 2 + n_groups / 4
    users = pd.DataFrame(
        {
            "user": [f"{n:05d}" for n in range(n_users)],
            "group": group,
            "x": (radius * np.cos(angle) + rng.normal(0, 0.6, n_users)).astype(np.float32),
            "y": (radius * np.sin(angle) + rng.normal(0, 0.6, n_users)).astype(np.float32),
            "interactions": 1 + rng.poisson(20, n_users),
            "in_training": True,
            "Country": np.where(rng.random(n_users) < 0.7, "United Kingdom", "France"),
            "recency_days": rng.integers(0, 300, n_users).astype(float),
            "spend": rng.lognormal(5, 1, n_users).round(2),
        }
    )
    users.loc[users.index[-2:], ["x", "y"]] = np.nan
    users.loc[users.index[-2:], "in_training"] = False
    return users


def _groups(users: pd.DataFrame, n_groups: int) -> pd.DataFrame:
    sizes = users.groupby("group").size().to_numpy()
    names = ["Bags & *lunch*", "Lights, candles", "Tea towels", *(f"Taste {n}" for n in range(4, n_groups + 1))]
    return pd.DataFrame(
        {
            "group": np.arange(1, n_groups + 1),
            "name": names[:n_groups],
            "size": sizes,
            "share": sizes / sizes.sum(),
            "separation": np.linspace(0.42, -0.05, n_groups),
            "words": ["bag, lunch, jumbo", "light, candle, holder", "tea, towel, kitchen", *["gift, card"] * n_groups][
                :n_groups
            ],
        }
    )


def _group_items(items: pd.DataFrame, n_groups: int) -> pd.DataFrame:
    rank = np.tile(np.arange(1, 11), n_groups)
    group = np.repeat(np.arange(1, n_groups + 1), 10)
    rows = (group - 1) * 7 % 200 + rank - 1
    frame = items.iloc[rows][["item", "label"]].reset_index(drop=True)
    frame.insert(0, "group", group)
    frame.insert(1, "rank", rank)
    lift = (0.5 - rank * 0.02) / 0.1
    frame = frame.assign(share_in_group=0.5 - rank * 0.02, share_overall=0.1, lift=lift)
    return frame.assign(lift_low=lift * 0.8, lift_high=lift * 1.25)


def _group_attributes(n_groups: int) -> pd.DataFrame:
    """Every group is twice as French as all users; its region says nothing, its spend differs not beyond chance."""
    rows = []
    for group in range(1, n_groups + 1):
        rows.append((group, 1, "Country", "share", "France", 0.6, 0.3, 2.0, 9.0))
        rows.append((group, 2, "region", "share", "north", 0.51, 0.5, 1.02, 3.0))
        rows.append((group, 3, "spend", "median", "", 100.0 * group, 151.0, 100.0 * group / 151, 2.0))
    columns = ["group", "rank", "attribute", "kind", "value", "in_group", "overall", "lift", "z"]
    frame = pd.DataFrame(rows, columns=columns)
    sure = frame["attribute"] != "spend"
    frame = frame.assign(p=np.where(sure, 1e-5, 0.02), tests=N_TESTS, significant=sure)
    return frame.assign(p_adjusted=np.minimum(1, frame["p"] * N_TESTS))


def _group_lists(items: pd.DataFrame, n_groups: int, strategy: str) -> pd.DataFrame:
    starts = {"members_mean": 6, "generated": 0, "popularity": 100} | ({strategy: 3} if strategy else {})
    parts = []
    for group in range(1, n_groups + 1):
        for method, start in starts.items():
            for regime, depth in (("strict", 50), ("dedup", 200)):
                rows = (np.arange(depth) + start + 11 * (group - 1)) % len(items)
                part = items.iloc[rows][["item", "label"]].reset_index(drop=True)
                rank = np.arange(1, depth + 1)
                part = part.assign(
                    group=group, method=method, regime=regime, rank=rank, score=(1 / rank).astype(np.float32)
                )
                parts.append(part.assign(reach=0.8 / rank, owned=np.minimum(0.01 * rank, 1.0)))
    columns = ["group", "method", "regime", "rank", "item", "label", "score", "reach", "owned"]
    return pd.concat(parts, ignore_index=True)[columns]


def _user_lists(items: pd.DataFrame, users: pd.DataFrame, depth: int = 50) -> pd.DataFrame:
    rank = np.tile(np.arange(1, depth + 1), len(users))
    rows = (np.repeat(users["group"].to_numpy() * 11, depth) + rank) % len(items)
    frame = items.iloc[rows][["item", "label"]].reset_index(drop=True)
    frame.insert(0, "user", np.repeat(users["user"].to_numpy(), depth))
    frame.insert(1, "rank", rank)
    return frame.assign(score=(1 / rank).astype(np.float32))


def _live_moment(items: pd.DataFrame) -> pd.DataFrame:
    """Return a list of ten whose first three items have changed places, of the second group."""
    first = items[["item", "label"]].head(10)
    return first.assign(events=107, group=2, size=30, before=[2, 3, 1, *range(4, 11)], now=range(1, 11))


def _held_out(items: pd.DataFrame, users: pd.DataFrame) -> pd.DataFrame:
    """Ten users, the first first, each take the least popular item, a day apart."""
    last = items.iloc[[-1] * 10][["item", "label"]].reset_index(drop=True)
    last.insert(0, "user", users["user"].head(10))
    return last.assign(time=1_700_000_000.0 + 86_400 * last.index)


def _preparation() -> pd.DataFrame:
    rows = [("read", 1000, 1000, 0, ""), ("missing ids", 1000, 900, 100, "no user"), ("duplicates", 900, 850, 50, "")]
    return pd.DataFrame(rows, columns=["step", "rows_before", "rows_after", "dropped", "note"])


def _metrics(n_users: int, n_groups: int, n_interactions: int) -> dict:
    return {
        "n_users": n_users,
        "n_items": N_ITEMS,
        "n_interactions": n_interactions,
        "n_test_users": 45,
        "n_groups": n_groups,
        "encoder": "ease + dnn",
        "encoders": {"ease": 0.10, "dnn": 0.08},
        "blend": {
            "encoders": {"ease": 0.75, "dnn": 0.25},
            "half_life": 14.0,
            "trend": 1.0,
            "popularity": 0.2,
            "activity": 0.1,
            "repeats": None,
            "intercept": -5.0,
            "ndcg": {"ease": 0.10, "dnn": 0.08, "blend": 0.15},
        },
        "repeats": False,
        "regime": "strict",
        "preset": "quick",
        "device_title": "CPU, 2 cores",
        "refit": False,
        "dataset": "planted",
        "list_method": {"strict": "members_mean", "dedup": "generated"},
        "map_method": "umap",
        "clusters": {"silhouette": 0.21, "davies_bouldin": 1.4, "calinski_harabasz": 88.0},
        "headline": {"strict_share_of_gain": 0.464, "dedup_share_of_gain": 0.699},
        "profile": {"nll_vae": 6.0, "nll_popularity": 7.0},
        "generator": {
            "frechet_generated": 3.4,
            "frechet_gaussian": 32.0,
            "frechet_members": 1.1,
            "mode_coverage": 0.93,
        },
        "updater": {
            "n_events": 4100,
            "n_users": 45,
            "hit_rate@10": {"frozen": 0.038, "updated": 0.065},
            "ndcg@10": {"frozen": 0.019, "updated": 0.033},
        },
        "n_groups_reason": f"{n_groups} groups: more would add less than one interval's width.",
        "stage_seconds": {"prepare": 1.5, "encoder ease": 2.0, "map": 20.0},
        "seconds": 60.0,
        "split": {
            "kind": "time",
            "reason": "Split at two moments for everybody, as the settings say.",
            "choose_users": 52,
            "judge_users": 45,
            "train": 800,
            "validation": 100,
            "test": 100,
        },
    }
