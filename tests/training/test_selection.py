"""What validation and the size of the data decide: encoders, number of groups."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.synthetic import planted
from grouprec.evaluate import baselines
from grouprec.models.base import PRESETS, REGISTRIES
from grouprec.models.blend import Weights
from grouprec.models.fitting import RunOptions
from grouprec.runs.config import RunConfig, auto_encoders, make_config, menu
from grouprec.runs.progress import Progress
from grouprec.runs.store import RunStore
from grouprec.training.fit import Choices
from grouprec.training.groups_and_lists import GroupMaker
from grouprec.training.selection import choose_once_more, decide_n_groups, encoder_names, smallest_group
from grouprec.training.simple import Simple
from grouprec.training.stage_cache import StageCache

KNOWN = planted(n_users=120, n_items=100, n_groups=4, ordered=False)
DATA = KNOWN.data


def config_for(**more: object) -> RunConfig:
    return make_config(interactions=Path("file.csv"), **{"preset": "quick", **more})


def timeless(data: Dataset) -> Dataset:
    parts = {name: replace(getattr(data, name), times=None) for name in ("train", "validation", "test")}
    return replace(data, **parts)


def test_the_presets_take_encoders_in_their_turn() -> None:
    assert auto_encoders("quick") == ("ease", "als", "item_knn", "transitions")
    assert auto_encoders("standard") == ("ease", "als", "item_knn", "mf", "transitions", "transformer")
    thorough = "ease", "elsa", "als", "item_knn", "user_knn", "mf", "graph", "dnn", "lstm", "transitions", "transformer"
    assert auto_encoders("thorough") == thorough


@pytest.mark.parametrize("preset", PRESETS)
def test_auto_takes_what_the_preset_names_where_the_data_allow_all(preset: str) -> None:
    names = encoder_names(config_for(preset=preset), DATA)
    assert names == auto_encoders(preset) and len(set(names)) == len(names)


def test_a_slower_preset_tries_more_and_nothing_less() -> None:
    quick, standard, thorough = (set(encoder_names(config_for(preset=preset), DATA)) for preset in PRESETS)
    assert quick < standard < thorough <= {name for name, _ in menu()["encoder"]}


def test_named_encoders_are_taken_as_they_are() -> None:
    config = config_for(encoders=("lstm", "ease"))
    assert encoder_names(config, timeless(DATA)) == ("lstm", "ease")


@pytest.mark.parametrize("preset", PRESETS)
def test_encoders_of_sequences_need_times(preset: str) -> None:
    names = encoder_names(config_for(preset=preset), timeless(DATA))
    assert not set(names) & {"transitions", "transformer", "lstm"} and "ease" in names


@pytest.mark.parametrize("preset", PRESETS)
def test_a_catalogue_too_large_for_ease_gets_the_one_over_nearest_items(preset: str) -> None:
    config = config_for(preset=preset, settings={"ease": {"max_items": 99}})
    names = encoder_names(config, DATA)
    assert "ease" not in names and names.count("ease_nearest") == 1


def test_encoders_that_cost_too_much_for_the_data_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    users, transformer = map(REGISTRIES["encoder"].get, ("user_knn", "transformer"))
    monkeypatch.setattr(users, "auto", replace(users.auto, most_users=119))
    fewer = {"standard": len(DATA.train) - 1}
    monkeypatch.setattr(transformer, "auto", replace(transformer.auto, most_rows=fewer))
    assert "user_knn" not in encoder_names(config_for(preset="thorough"), DATA)
    assert "transformer" not in encoder_names(config_for(preset="standard"), DATA)
    assert "transformer" in encoder_names(config_for(preset="thorough"), DATA), "thorough may take its time"


def test_a_given_number_of_groups_needs_no_reason() -> None:
    assert decide_n_groups(config_for(n_groups=7), DATA, None, None) == (7, "", None)


def test_without_a_validation_part_a_middle_number_is_taken_and_said() -> None:
    n_groups, reason, tried = decide_n_groups(config_for(), DATA, None, None)
    assert 1 < n_groups <= 12 and str(n_groups) in reason and "no validation part" in reason and tried is None


@pytest.mark.parametrize("regime", ["strict", "dedup"])
def test_auto_takes_the_smallest_number_within_one_standard_error_of_the_best(regime: str) -> None:
    config = config_for(regime=regime, settings={"lists": {"n_starts": 5, "min_group_size": 5}})
    candidates = baselines.item_knn(DATA.histories, DATA.histories)
    maker = GroupMaker(DATA.without_test(), candidates, config, RunOptions())
    n_groups, reason, tried = decide_n_groups(config, DATA, candidates, maker)
    assert tried is not None and set(tried["regime"]) == {regime} and set(tried["method"]) == {"members_mean"}
    assert tried["n_groups"].max() * 2 * smallest_group(config) <= DATA.n_users, "groups stay large enough"
    curve = tried[tried["metric"] == "ndcg@10"].set_index("n_groups")
    best = curve.loc[curve["value"].idxmax()]
    within = curve["value"] >= best["value"] - (best["high"] - best["low"]) / 3.92
    assert n_groups == within[within].index.min()
    assert n_groups >= 3, "one list cannot serve four planted tastes"
    assert str(n_groups) in reason


def test_the_smallest_group_is_what_the_grouper_allows() -> None:
    assert smallest_group(config_for(settings={"lists": {"min_group_size": 9}})) == 9
    assert smallest_group(config_for(grouper="kmeans", settings={"kmeans": {"min_group_size": 3}})) == 3


def test_what_validation_decides_does_not_depend_on_the_test_part() -> None:
    config = config_for(settings={"lists": {"n_starts": 5}})
    candidates = baselines.item_knn(DATA.histories, DATA.histories)
    found = []
    for data in (DATA, DATA.without_test()):
        maker = GroupMaker(data, candidates, config, RunOptions())
        found.append(decide_n_groups(config, data, candidates, maker)[:2])
    assert found[0] == found[1] and np.isfinite(found[0][0])


def test_the_test_part_speaks_for_the_final_fit_and_only_for_it(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run = store.create(config_for())
    cache = StageCache(store, run, config_for(), Progress(run, {}), "cpu")
    before = Simple("ease", {"l2": 1.0, "fade": 0.0}, None, 0.0, n_users=60, n_folds=1)
    weights = Weights({"ease": 1.5, "als": 0.5}, None, 0.0, popularity=0.5)
    choices = Choices(
        ("ease", "als"), weights, None, 4, decided={"ease": {"l2": 1.0}, "als": {"alpha": 2.0}}, simple=before
    )
    known = DATA.before_test()
    last = replace(known, key="last", validation=DATA.test)
    found = choose_once_more(cache, choices, [], last)
    assert found.simple is not None and found.simple.n_folds == 1 and found.simple.n_users > 50
    assert found.decided["ease"]["l2"] == found.simple.settings["l2"] != 1.0
    assert found.decided["als"] == {"alpha": 2.0} and found.weights.encoders == weights.encoders
    assert found.weights.trend == pytest.approx(2.5 * found.simple.trend)
    other = replace(choices, simple=Simple("als", {}, None, 0.0, n_users=60, n_folds=1))
    found = choose_once_more(cache, other, [], last)
    assert found.simple is not None and found.simple.encoder == "als" and found.decided == choices.decided
    without = replace(choices, encoders=("als",), decided={"als": {"alpha": 2.0}})
    assert choose_once_more(cache, without, [], last).decided == without.decided, "nothing is said of what is not there"
    nothing = replace(last, validation=Interactions.empty(timed=True))
    assert choose_once_more(cache, choices, [], nothing) is choices
    unsaid = replace(choices, simple=replace(before, n_users=0))
    assert choose_once_more(cache, unsaid, [], last) is unsaid
