"""Fitted stages are read back from any run that has them, whole, and with the settings of their fit."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from grouprec.core.files import write_json
from grouprec.core.forms import DamagedError
from grouprec.core.types import StorageError
from grouprec.data.synthetic import planted
from grouprec.models.blend import ItemFacts
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.runs.config import make_config
from grouprec.runs.stages import load_encoders, load_facts, load_stage, save_facts
from grouprec.runs.store import Run, RunStore

KEY = "k" * 20


@cache
def ease() -> EaseEncoder:
    return EaseEncoder(EaseEncoder.Config(l2=7.0)).fit(planted(n_users=20, n_items=12).data, RunOptions())


def new(store: RunStore, **fits: dict) -> Run:
    run = store.create(make_config(interactions=Path("file.csv")))
    if fits:
        write_json(run.fitted, fits)
    return run


def save(run: Run, key: str = KEY, **settings: object) -> Path:
    """Save the encoder as a stage of the run and return the file of its arrays."""
    settings = settings or ease().config.model_dump(mode="json")
    run.save_stage(key, "encoder", "ease", settings, ease().arrays(), {})
    return run.path / "stages" / f"encoder.ease.{key[:12]}.safetensors"


def test_a_stage_comes_back_with_its_settings_by_its_kind_and_its_fit(store: RunStore) -> None:
    run = new(store, judged={"encoder": ["ease", KEY]}, final={"encoders": {"ease": KEY}})
    save(run)
    for read in (load_stage(store, run, "encoder", "judged"), load_encoders(store, run)["ease"]):
        assert read.config == ease().config
        assert {name: part.tolist() for name, part in read.arrays().items()} == {
            name: part.tolist() for name, part in ease().arrays().items()
        }
    with pytest.raises(StorageError, match="no readable encoder"):
        load_stage(store, run, "encoder")


def test_a_run_older_than_its_list_of_stages_has_none(store: RunStore) -> None:
    run = new(store)
    assert load_encoders(store, run) == {}
    with pytest.raises(StorageError, match="no readable grouper to continue from"):
        load_stage(store, run, "grouper")


def test_nothing_is_read_where_no_key_is_named(store: RunStore) -> None:
    run = new(store, final={"encoder": ["ease", ""]})
    save(run, key="")
    with pytest.raises(StorageError, match="no readable encoder"):
        load_stage(store, run, "encoder")


@pytest.mark.parametrize("damage", ["missing", "another key", "arrays", "settings"])
def test_what_one_run_has_not_whole_another_one_may_have(store: RunStore, damage: str) -> None:
    run, other = new(store, final={"encoder": ["ease", KEY]}), new(store)
    if damage == "another key":
        save(run, key="k" * 15)  # the same beginning, and so the same file
    elif damage == "arrays":
        save(run).write_bytes(b"cut short")
    elif damage == "settings":
        save(run, colour="red")
    with pytest.raises(StorageError, match=f"The run {run.run_id} has no readable encoder"):
        load_stage(store, run, "encoder")
    save(other)
    assert load_stage(store, run, "encoder").config.l2 == 7


def test_a_damaged_stage_that_nobody_else_has_is_named(store: RunStore) -> None:
    run = new(store, final={"encoder": ["ease", KEY]})
    arrays = save(run)
    run.write_manifest()
    arrays.write_bytes(b"cut short")
    with pytest.raises(DamagedError, match=f"The run {run.run_id} is damaged: stages/{arrays.name}"):
        load_stage(store, run, "encoder")


def test_facts_of_items_are_read_back(tmp_path: Path) -> None:
    trends = {7.5: np.ones(3, np.float32), 30.0: np.zeros(3, np.float32)}
    seasons = {30.5: np.array([0, 1, 2], np.float32)}
    facts = ItemFacts(np.arange(3, dtype=np.float32), np.full(3, 2, np.float32), trends, log_seasons=seasons)
    save_facts(facts, tmp_path / "facts.safetensors")
    read = load_facts(tmp_path / "facts.safetensors")
    assert read.log_users.tolist() == [0, 1, 2] and read.log_popularity.tolist() == [2, 2, 2]
    assert {half_life: values.tolist() for half_life, values in read.log_trends.items()} == {
        7.5: [1, 1, 1],
        30.0: [0, 0, 0],
    }
    assert read.season(30.5).tolist() == [0, 1, 2] and not read.season(7.0).any()
    with pytest.raises(StorageError, match="Cannot read"):
        load_facts(tmp_path / "none")
