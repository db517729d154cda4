"""Sizes of groups that are told with noise: once per run, for nobody exactly, and with nothing beside them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.files import write_json
from grouprec.core.types import SettingError, StorageError
from grouprec.report import noise, small_groups
from grouprec.report.html import write
from grouprec.runs.store import Run, RunStore
from tests.support.planted_run import build_run

SIZES = pd.Series([30, 31, 29])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return build_run(RunStore(tmp_path / "runs"))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Ask for epsilon 1, with noise that can be told from the sizes; return the epsilons of all draws."""
    draws: list[float] = []

    def noisy(sizes: list[int], epsilon: float) -> list[int]:
        draws.append(epsilon)
        return [size + 100 * len(draws) - 40 * (size == 29) for size in sizes]

    monkeypatch.setattr(noise, "_noisy", noisy)
    monkeypatch.setenv(noise.SETTING, "1")
    return draws


def test_sizes_are_drawn_once_per_run_and_anew_only_where_they_are_other_sizes(run: Run, drawn: list[float]) -> None:
    for _ in range(3):
        assert noise.noisy_sizes(Run(run.path), SIZES, 1.0).tolist() == [130, 131, 89]
    assert drawn == [1.0] and noise.spent(run) == 1.0
    assert noise.noisy_sizes(run, pd.Series([30, 60]), 1.0).tolist() == [230, 260]
    assert noise.noisy_sizes(run, SIZES, 0.5).tolist() == [330, 331, 289]
    assert noise.noisy_sizes(run, SIZES, 1.0).tolist() == [130, 131, 89], "what was told before is told again"
    assert noise.spent(run) == 2.5
    assert run.damaged() == [] and run.usable, "it is none of the run's results"


def test_what_cannot_be_kept_is_not_told(run: Run, drawn: list[float]) -> None:
    write_json(run.path / noise.PUBLISHED, {"format": 1, "releases": 7})
    with pytest.raises(StorageError, match="damaged"):
        noise.noisy_sizes(run, SIZES, 1.0)
    assert drawn == []


@pytest.mark.parametrize("told", ["0", "-1", "11", "nan", "inf", "many"])
def test_epsilon_is_a_number_that_protects(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(noise.SETTING, told)
    with pytest.raises(SettingError, match=r"GROUPREC_EPSILON must be a number from 0\.01 to 10"):
        noise.epsilon()
    monkeypatch.delenv(noise.SETTING)
    assert noise.epsilon() is None


def test_a_report_tells_noisy_sizes_and_no_other_number_of_a_group(
    run: Run, drawn: list[float], tmp_path: Path
) -> None:
    write(run, tmp_path / "story.html")
    story = (tmp_path / "story.html").read_text()
    assert drawn == [1.0] and "epsilon 1" in story and "Epsilon told of this run so far: 1." in story
    assert ">130 users" in story and ">30 users" not in story
    assert "The map" not in story and "Who is left behind" not in story and "fall into 3 groups" not in story
    assert "of members" not in story.partition('class="cards"')[2].partition("</section>")[0]
    write(run, tmp_path / "again.html")
    assert drawn == [1.0] and (tmp_path / "again.html").read_text() == story


def test_downloads_tell_nothing_of_groups_then(drawn: list[float]) -> None:
    lists = pd.DataFrame({"group": [1, 2], "item": ["a", "b"], "owned": [0.5, 0.2]})
    groups = pd.DataFrame({"group": [1, 2], "size": [50, 60]})
    safe = small_groups.of_groups(lists, groups, ["owned"])
    assert safe["owned"].isna().all() and safe["item"].tolist() == ["a", "b"]
    value = pd.DataFrame({"n_groups": [3], "smallest": [20], "largest": [40]})
    assert small_groups.of_sizes(value)[["smallest", "largest"]].isna().all(axis=None)
    assert small_groups.untold(pd.Series([50, 60])).all() and "with noise" in small_groups.note()


def test_without_the_library_it_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydp", None)
    monkeypatch.setitem(__import__("sys").modules, "pydp.algorithms.numerical_mechanisms", None)
    with pytest.raises(SettingError, match=r"grouprec-studio\[privacy\]"):
        noise.noisy_sizes(run, SIZES, 1.0)


def test_the_noise_is_that_of_epsilon_and_its_sum_is_none() -> None:
    pytest.importorskip("pydp")
    for epsilon in (0.5, 2.0):
        off = np.array(noise._noisy([1000] * 4000, epsilon)) - 1000
        assert np.mean(off == 0) == pytest.approx(1 - np.exp(-epsilon / 2), abs=0.04)  # of Laplace noise, rounded
        assert np.mean(off == 2) / np.mean(off == 1) == pytest.approx(np.exp(-epsilon), rel=0.3)
        assert abs(off.mean()) < 6 * off.std() / np.sqrt(4000)
