"""The search of settings: within its ranges, never worse than the preset, and the same for the same seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grouprec.data.synthetic import planted
from grouprec.models.base import PRESETS, REGISTRIES
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask
from grouprec.runs.config import RunConfig, make_config
from grouprec.runs.progress import Progress
from grouprec.runs.store import RunStore
from grouprec.training.search import search

DATA = planted(n_users=80, n_items=60, events_per_user=20, ordered=False, noise=0.4).data.without_test()
HALF_A_SECOND = 0.5 / 60  # in minutes
ENCODERS = REGISTRIES["encoder"]
Ranges = dict[str, tuple[float, float]]


def declared(name: str) -> Ranges:
    extras = {field: info.json_schema_extra or {} for field, info in ENCODERS.get(name).Config.model_fields.items()}
    return {field: extra["search"] for field, extra in extras.items() if "search" in extra}


def config_for(*names: str, **more: Any) -> RunConfig:
    base = {"interactions": Path("file.csv"), "preset": "quick", "encoders": names, "search_minutes": HALF_A_SECOND}
    return make_config(**{**base, **more})


def searched(root: Path, config: RunConfig) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Return what was found, and the trials in the order in which they were made."""
    run = RunStore(root).create(config)
    found = search(config.encoders, DATA, config, "cpu", Progress(run, {}))
    return found, [event for event in run.events() if "trial" in event]


@pytest.fixture(scope="module")
def ease(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    return searched(tmp_path_factory.mktemp("search"), config_for("ease"))


def validation(name: str, **settings: Any) -> float:
    """What an encoder with these settings reaches on the search's own task."""
    encoder = ENCODERS.get(name)
    fitted = encoder(encoder.Config.for_preset("quick").model_copy(update=settings)).fit(DATA, RunOptions())
    task = NewItemTask.sample(DATA, RunOptions().rng("search"))
    vectors = fitted.embeddings(DATA)
    return task.ndcg(type(vectors)(vectors.users[task.user_rows], vectors.items))


def test_the_best_trial_is_found_and_is_no_worse_than_the_preset(ease: Any) -> None:
    found, trials = ease
    values = [trial["validation"] for trial in trials]
    assert set(found) == {"ease"} and set(found["ease"]) == set(declared("ease"))
    assert validation("ease", **found["ease"]) == pytest.approx(max(values))
    assert max(values) >= validation("ease", tune_l2=False) == pytest.approx(values[0])


def test_the_first_trial_is_the_preset_and_all_are_numbered(ease: Any) -> None:
    _, trials = ease
    assert trials[0]["l2"] == ENCODERS.get("ease").Config.for_preset("quick").l2
    assert [trial["trial"] for trial in trials] == list(range(1, len(trials) + 1)) and len(trials) > 2
    fractions = [trial["fraction"] for trial in trials]
    assert fractions == sorted(fractions) and fractions[-1] <= 1


def test_the_same_seed_tries_the_same_settings_in_the_same_order(ease: Any, tmp_path: Path) -> None:
    _, trials = ease
    _, again = searched(tmp_path / "again", config_for("ease"))
    _, other = searched(tmp_path / "other", config_for("ease", seed=1))
    n = min(len(trials), len(again), len(other))
    settings = [[trial["l2"] for trial in some[:n]] for some in (trials, again, other)]
    assert settings[0] == settings[1] != settings[2]
    assert [trial["validation"] for trial in trials[:n]] == [trial["validation"] for trial in again[:n]]


@pytest.mark.parametrize("name", ["ease", "item_knn", "als"])
def test_settings_out_of_their_range_are_never_tried(name: str, tmp_path: Path) -> None:
    found, trials = searched(tmp_path, config_for(name))
    assert trials
    for field, (low, high) in declared(name).items():
        tried = np.array([trial[field] for trial in trials])
        assert (low <= tried).all() and (tried <= high).all()
        assert low <= found[name][field] <= high
        if isinstance(low, int):
            assert isinstance(found[name][field], int) and (tried == tried.round()).all()


@pytest.mark.parametrize("name", list(ENCODERS))
def test_every_range_holds_the_presets_and_lies_within_the_bounds(name: str) -> None:
    config = ENCODERS.get(name).Config
    for field, ends in declared(name).items():
        for end in ends:
            config.model_validate({field: end})
        for preset in PRESETS:
            assert ends[0] <= getattr(config.for_preset(preset), field) <= ends[1], f"{name}.{field} in {preset}"
        assert type(ends[0]) is type(ends[1]) is config.model_fields[field].annotation


def test_every_encoder_gets_its_share_of_the_time(tmp_path: Path) -> None:
    config = config_for("ease", "item_knn", "transitions")
    found, _ = searched(tmp_path, config)
    assert set(found) == {"ease", "item_knn", "transitions"}


def test_nothing_is_searched_without_time_or_where_the_user_has_set_it(tmp_path: Path) -> None:
    assert searched(tmp_path, config_for("ease", search_minutes=0)) == ({}, [])
    assert searched(tmp_path, config_for("ease", settings={"ease": {"l2": 7.0}})) == ({}, [])


def test_settings_that_do_not_fit_the_data_do_not_end_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = ENCODERS.get("ease").fit

    def picky(self: Any, data: Any, run: Any) -> Any:
        if self.config.l2 != 300.0:
            raise FloatingPointError("Training diverged in epoch 1; lower the learning rate.")
        return fit(self, data, run)

    monkeypatch.setattr(ENCODERS.get("ease"), "fit", picky)
    found, trials = searched(tmp_path, config_for("ease"))
    assert found == {"ease": {"l2": 300.0}} and [trial["l2"] for trial in trials] == [300.0]
