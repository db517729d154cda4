"""The rivals of the benchmark, without their environment: EASE runs in ours, the rest is stood in for."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

import grouprec
from benchmarks import rivals, rivals_env
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.evaluate.protocol import measure
from grouprec.ranking.task import Task, validation_task


@pytest.fixture(scope="module")
def data() -> Dataset:
    return planted(n_users=60, n_items=40, n_groups=3, seed=0).data


@pytest.fixture
def folder(data: Dataset, tmp_path: Path) -> Path:
    """Return a folder with the split as the benchmark writes it."""
    sparse.save_npz(tmp_path / "train.npz", binary(data.histories))
    sparse.save_npz(tmp_path / "validation.npz", validation_task(data).relevant)
    sparse.save_npz(tmp_path / "known.npz", binary(data.known))
    np.save(tmp_path / "labels.npy", np.arange(data.n_users) % 3)
    return tmp_path


def binary(matrix: sparse.csr_array) -> sparse.csr_array:
    return (matrix != 0).astype(np.float32)


def fixed_scores(task: Task) -> tuple[np.ndarray, rivals_env.Score]:
    scores = np.random.default_rng(0).random(task.seen.shape, dtype=np.float32)
    return scores, lambda rows: scores[rows]


def test_trials_repeat_and_stay_inside_their_ranges() -> None:
    space = {"factors": (8, 64), "alpha": (0.1, 10.0)}
    tried = rivals_env.trials(space, 12)
    assert tried == rivals_env.trials(space, 12)
    assert len({tuple(settings.values()) for settings in tried}) == 12
    assert all(8 <= settings["factors"] <= 64 and 0.1 <= settings["alpha"] <= 10 for settings in tried)
    assert all(isinstance(settings["factors"], int) for settings in tried)


def test_narrowed_ranges_surround_the_best_and_keep_the_bounds() -> None:
    narrow = rivals_env.narrowed({"factors": (8, 512), "alpha": (0.1, 10.0)}, {"factors": 64, "alpha": 10.0})
    assert narrow["factors"] == (32, 128)
    assert narrow["alpha"] == pytest.approx((10 / 100 ** (1 / 6), 10.0))


def test_best_unseen_items_are_new_to_the_user_in_order_and_end_with_nothing(data: Dataset) -> None:
    task = validation_task(data)
    scores, score = fixed_scores(task)
    users = np.arange(data.n_users)
    items, values = rivals_env.best_unseen(score, task.seen, users, depth=200)
    n_unseen = data.n_items - np.diff(task.seen.indptr)
    assert (np.count_nonzero(items >= 0, axis=1) == n_unseen).all()
    for user in users:
        own = items[user, : n_unseen[user]]
        assert not task.seen[[user]].toarray()[0, own].any()
        np.testing.assert_array_equal(values[user, : len(own)], np.sort(scores[user, own])[::-1])
    assert (items[:, data.n_items :] == -1).all()


def test_validation_ndcg_agrees_with_our_protocol(data: Dataset) -> None:
    task = validation_task(data)
    _, score = fixed_scores(task)
    lists, _ = rivals_env.best_unseen(score, task.seen, task.users, depth=20)
    ours = measure("random", "individual", lists, task).of("ndcg@10").mean()
    assert rivals_env.ndcg(score, task.seen, task.relevant) == pytest.approx(ours)


def test_ease_is_tuned_in_a_process_of_its_own_and_refitted_on_all_that_is_known(data: Dataset, folder: Path) -> None:
    (result,) = rivals.run(folder, ["ease"])
    values = [trial["ndcg@10"] for trial in result.trials]
    assert len(values) == rivals_env.TRIALS
    assert result.settings == result.trials[int(np.argmax(values))]["settings"]
    assert max(values) > min(values)
    known = binary(data.known)
    score, _ = rivals_env.fit_ease(known, result.settings, None)
    items, scores = rivals_env.best_unseen(score, known, np.arange(data.n_users), rivals_env.DEPTH)
    assert (result.regime, result.lists.dtype, result.lists.shape) == ("individual", np.int32, (data.n_users, 200))
    np.testing.assert_array_equal(result.lists, items)
    written = sparse.load_npz(folder / "scores.npz").toarray()
    np.testing.assert_allclose(np.take_along_axis(written, items[:, :3], axis=1), scores[:, :3], rtol=1e-5)
    assert result.seconds > 0
    assert result.peak_mib > 1
    assert "numpy" in result.versions


def test_without_an_environment_only_ease_runs_and_one_sentence_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, "pip", stderr="Trying\nERROR: no network\n")

    monkeypatch.setattr(rivals, "CACHE", folder)
    monkeypatch.setattr(rivals.subprocess, "run", fail)
    results = rivals.run(folder, ["implicit_als", "ease", "grouprec_gfar"])
    assert [result.name for result in results] == ["ease"]
    (said,) = [line for line in capsys.readouterr().err.splitlines() if "cannot be made" in line]
    assert "ERROR: no network" in said


def test_the_environment_is_made_once_and_again_after_an_unfinished_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def record(command: list[str], **_: object) -> None:
        commands.append(command)
        Path(command[-1]).mkdir(parents=True, exist_ok=True) if "venv" in command else None
        if len(commands) == 2:
            raise OSError("disk full")

    monkeypatch.setattr(rivals, "CACHE", tmp_path)
    monkeypatch.setattr(rivals.subprocess, "run", record)
    with pytest.raises(rivals.RivalError, match="disk full"):
        rivals.environment()
    python = rivals.environment()
    assert python == rivals.environment()
    assert python.is_relative_to(tmp_path)
    assert len(commands) == 5
    assert commands[-1][-1] == rivals.RECBOLE


def test_a_rival_that_fails_is_left_out_with_its_last_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rivals.run(tmp_path, ["ease"]) == []
    said = capsys.readouterr().err
    assert said.startswith("ease is left out")
    assert "train.npz" in said


def test_a_rival_that_does_not_end_is_given_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rivals, "PATIENCE", 0)
    assert rivals.run(folder, ["ease"]) == []
    assert "did not finish" in capsys.readouterr().err


class MembersSum:
    """Stands for an aggregator of PyPI's grouprec: positions of the best columns, as theirs are."""

    def aggregate(self, scores: np.ndarray, k: int) -> np.ndarray:
        return np.argsort(-scores.sum(axis=0), kind="stable")[:k]


def test_shared_lists_hold_the_items_that_the_aggregator_chose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouprec, "aggregators", SimpleNamespace(get=lambda _: MembersSum()), raising=False)
    scores = np.zeros((5, 30), np.float32)
    scores[[0, 1, 1, 2], [7, 7, 29, 3]] = [1, 1, 3, 9]
    sparse.save_npz(tmp_path / "scores.npz", sparse.csr_array(scores))
    np.save(tmp_path / "labels.npy", np.array([0, 0, 1, 1, 2]))
    lists, report = rivals_env.aggregate("any", tmp_path)
    assert (lists.dtype, lists.shape, report["note"]) == (np.int32, (3, 10), "")
    assert lists[:, :3].tolist() == [[29, 7, -1], [3, -1, -1], [-1, -1, -1]]
    monkeypatch.setattr(rivals_env, "MAX_CELLS", 2)
    _, report = rivals_env.aggregate("any", tmp_path)
    assert "1 groups" in report["note"]
