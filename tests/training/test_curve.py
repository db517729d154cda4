"""The curve of a trained run: its own lists at every number, and the parts of their gain."""

from __future__ import annotations

import numpy as np
import pytest

from grouprec.core.types import Regime
from grouprec.runs.store import Run
from grouprec.training.curve import exported_of
from grouprec.training.fit import Choices
from grouprec.training.list_choice import ListChoice, own_lists
from tests.training.test_groups_and_lists import GROUPS, make_maker

BOTH: tuple[Regime, Regime] = ("strict", "dedup")


@pytest.mark.parametrize("which", ["small_run", "unlike_run"])
def test_the_parts_of_the_gain_are_those_of_the_evaluation(which: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(which)
    gain, rows = run.table("gain"), run.table("evaluation").set_index(["method", "regime", "metric"])
    own = run.metrics()["list_method"]
    for (regime, metric), parts in gain.groupby(["regime", "metric"]):
        values, method = parts.set_index("part")["value"], own[regime]
        assert values["popularity"] == pytest.approx(rows.loc[("popularity", regime, metric), "value"])
        row = rows.loc[(method, regime, metric)]
        assert values[["popularity", "single_list"]].sum() == pytest.approx(row["floor"])
        assert values[["popularity", "single_list", "groups"]].sum() == pytest.approx(row["value"])
        assert values.sum() == pytest.approx(row["individual"])


def test_at_the_runs_own_number_the_curve_says_what_the_evaluation_says(small_run: Run) -> None:
    gain, metrics = small_run.table("gain"), small_run.metrics()
    curve = small_run.table("gain_of_groups")
    own = curve[(curve["n_groups"] == metrics["n_groups_asked"]) & (curve["part"] != "more")]
    keys = ["regime", "method", "metric", "part"]
    for regime in ("strict",):  # groups for the other use are formed anew
        one, other = (frame[frame["regime"] == regime].set_index(keys)["value"] for frame in (own, gain))
        assert one.sort_index().to_numpy() == pytest.approx(other.sort_index().to_numpy())


@pytest.mark.parametrize("kind", ["one_list", "members_mean", "borda"])
def test_every_number_of_groups_gets_the_lists_that_a_run_would_export(kind: str) -> None:
    maker = make_maker(strategy=kind if kind == "borda" else "utility")
    lists = ListChoice(exported=dict.fromkeys(BOTH, kind if kind == "one_list" else "members_mean"))
    groups, made = own_lists(maker, lists, kind, 3, "strict")
    assert groups is maker.run_groups(3, "strict")
    if kind == "one_list":
        assert (made.strict == made.strict[0]).all()
    elif kind == "borda":
        assert np.array_equal(made.ranking, maker.by_strategy(groups, "borda").ranking)
    else:
        assert np.array_equal(made.strict, maker.run_method(3, "strict")[1].strict)


def test_what_is_exported_has_each_use_by_its_own_kind() -> None:
    maker = make_maker()
    lists = ListChoice(exported={"strict": "one_list", "dedup": "members_mean"})
    choices = Choices((), None, None, lists=lists, n_groups=3)  # pyright: ignore[reportArgumentType]
    groups, made = exported_of(3, maker, choices)
    assert groups.n_groups == GROUPS.n_groups and (made.strict == made.strict[0]).all()
    assert np.array_equal(made.ranking, maker.run_method(3, "strict")[1].ranking)
