"""Runs with files beside the interactions: what they are worth is chosen, measured, said and kept."""

import numpy as np
import pytest

from benchmarks.beside import plant
from grouprec.core.types import SettingError
from grouprec.evaluate.beside import share_of, weights_without
from grouprec.explore.reasons import Model
from grouprec.models.blend import Weights
from grouprec.report.findings import beside_answer
from grouprec.runs.config import auto_encoders, make_config, parse_settings
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import RunStore
from grouprec.training.jobs import train_here
from tests.support.small_run import TINY_SETTINGS

SETTINGS = parse_settings(one for one in TINY_SETTINGS if not one.startswith("dnn"))
ENCODERS = ("ease", "elsewhere", "social")


@pytest.fixture(scope="module", params=[True, False], ids=["told", "random"])
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    files = plant(folder, told=request.param, n_users=400, n_items=150, n_groups=10)
    store = RunStore(folder / "runs")
    choices = {"preset": "quick", "n_groups": 3, "layout": "pca", "encoders": ENCODERS, "settings": SETTINGS}
    run = store.create(make_config(**files, **choices))
    train_here(store, run)
    return request.param, store, run


def test_held_out_users_give_a_weight_to_what_tells_tastes_and_none_to_noise(trained):
    told, _, run = trained
    table = run.table("beside").set_index("kind")
    assert table.index.tolist() == ["also", "edges"] and table["users"].gt(350).all()
    if told:
        best = table.loc[table["added"].idxmax()]
        assert best["share"] > 0.1 and best["low"] > 0
    else:
        assert (table["share"] == 0).all() and (table["added"] == 0).all()


def test_it_is_said_with_its_numbers(trained):
    told, _, run = trained
    said = beside_answer(run.table("beside"))
    if told:
        row = run.table("beside").query("share > 0").iloc[0]
        assert f"reach nDCG@10 {row['value']:.3f} with it and {row['without']:.3f} without" in said
    else:
        assert said.count("found no use for it") == 2
    assert said.split(". ")[0] in (run.path / "log.txt").read_text() or said.split(". ")[0] in str(list(run.events()))


def test_items_elsewhere_are_on_no_list_and_in_no_table(trained):
    _, _, run = trained
    for name in ("items", "group_lists", "user_lists"):
        assert run.table(name)["item"].str.startswith("i").all()  # those elsewhere are plain numbers
    assert not any("\0" in str(column) for column in run.table("users").columns)


def test_reasons_name_what_is_known_beside_own_items(trained):
    told, store, run = trained
    base = FitSnapshot.load(run.snapshot("final"))
    assert set(base.beside) == {"elsewhere", "friends"}
    explainer = Model.open(store, run, base).explainer(np.arange(40))
    found = explainer.why(int(base.candidates.items[0, 0]))
    assert (found.beside != 0) == told


def test_auto_trains_what_there_is_a_file_for():
    assert not {"elsewhere", "social"} & set(auto_encoders("quick"))
    assert set(auto_encoders("quick", ["edges"])) - set(auto_encoders("quick")) == {"social"}
    with pytest.raises(SettingError, match="needs a file that this run does not have: --also FILE"):
        make_config(interactions="rows.csv", encoders=("ease", "elsewhere"))


def test_a_blend_without_an_encoder_keeps_its_size_and_the_proportions_of_the_others():
    weights = Weights({"ease": 0.4, "als": 0.1, "social": 0.5}, trend=0.7)
    without = weights_without(weights, "social", "ease")
    assert without.encoders == pytest.approx({"ease": 0.8, "als": 0.2, "social": 0}) and without.trend == 0.7
    assert share_of(weights, "social") == 0.5
    assert weights_without(Weights({"social": 1.0}), "social", "ease").encoders == {"social": 0, "ease": 1.0}
