"""A run's choices are checked at the door, each mistake in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from grouprec.core.types import SettingError
from grouprec.models.base import PRESETS
from grouprec.runs.config import RunConfig, auto_encoders, make_config, menu, parse_settings

FILE = {"interactions": Path("file.csv")}


def test_a_configuration_survives_json() -> None:
    settings = parse_settings(["dnn.epochs=5", "data.min_item_users=2", "rules.owned_share=0.5", "rules.items=a, b"])
    config = make_config(**FILE, n_groups=7, encoders=("ease", "dnn"), settings=settings)
    again = RunConfig.model_validate_json(config.model_dump_json())
    assert again == config
    assert again.stage_config("encoder", "dnn").model_dump()["epochs"] == 5
    assert again.preparation.min_item_users == 2
    assert again.rules.owned_share == 0.5 and again.rules.items == ("a", "b")


@pytest.mark.parametrize("preset, refit", [("quick", False), ("standard", True), ("thorough", True)])
def test_presets_decide_about_the_refit(preset: str, refit: bool) -> None:
    assert make_config(**FILE, preset=preset).refit is refit
    assert make_config(**FILE, preset=preset, refit=not refit).refit is not refit


def test_only_thorough_searches_unless_told_otherwise() -> None:
    assert [make_config(**FILE, preset=preset).search_minutes for preset in PRESETS] == [0, 0, 5]
    assert make_config(**FILE, preset="thorough", search_minutes=0).search_minutes == 0
    assert make_config(**FILE, preset="quick", search_minutes=2).search_minutes == 2


def test_the_exported_lists_are_the_members_mean_or_the_strategy_that_was_named() -> None:
    assert make_config(**FILE).list_method == {"strict": "members_mean", "dedup": "members_mean"}
    named = make_config(**FILE, settings=parse_settings(["rules.strategy=borda"]))
    assert named.list_method == {"strict": "borda", "dedup": "borda"}


@pytest.mark.parametrize("preset", PRESETS)
def test_auto_stands_for_encoders_of_the_menu(preset: str) -> None:
    config = make_config(**FILE, preset=preset)
    assert config.encoders == ("auto",) and config.grouper == "lists"
    assert [name for kind, name in config.chosen() if kind == "encoder"] == list(auto_encoders(preset))
    assert set(auto_encoders(preset)) <= {name for name, _ in menu()["encoder"]}


@pytest.mark.parametrize(
    "choices, words",
    [
        ({"encoders": ("nope",)}, "no encoder called 'nope'; choose one of: "),
        ({"grouper": "nope"}, "no grouper called 'nope'"),
        ({"preset": "fast"}, "'preset' cannot be 'fast'"),
        ({"n_groups": 0}, "must be 1 or more, not 0"),
        ({"n_groups": "many"}, "n_groups"),
        ({"seed": -1}, "'seed' cannot be -1"),
        ({"encoders": ("dnn",), "settings": {"dnn": {"epochs": 0}}}, "'dnn.epochs' cannot be 0"),
        ({"encoders": ("dnn",), "settings": {"dnn": {"speed": 1}}}, "no setting 'dnn.speed'; there are: "),
        ({"settings": {"dnn": {"epochs": 1}}}, "No stage called 'dnn' is part of this run; it has: data, rules, als"),
        ({"encoders": ()}, "'encoders' cannot be ()"),
        ({"search_minutes": -1}, "'search_minutes' cannot be -1"),
        ({"settings": {"rules": {"strategy": "nope"}}}, "strategy"),
        ({"settings": {"rules": {"owned_share": 2}}}, "'rules.owned_share' cannot be 2"),
        ({"settings": {"rules": {"colour": "red"}}}, "no setting 'rules.colour'; there are: "),
        ({"settings": {"nope": {"x": 1}}}, "No stage called 'nope'"),
        ({"settings": {"data": {"nope": 1}}}, "no setting 'data.nope'"),
        ({"colour": "red"}, "no setting 'colour'"),
    ],
)
def test_wrong_choices_are_one_sentence(choices: dict, words: str) -> None:
    with pytest.raises(SettingError) as error:
        make_config(**FILE, **choices)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("pair", ["dnn.epochs", "epochs=5", "=5", ".x=1"])
def test_settings_must_name_stage_and_field(pair: str) -> None:
    with pytest.raises(SettingError, match=r"stage\.field=value"):
        parse_settings([pair])


def test_the_menu_names_every_kind() -> None:
    assert set(menu()) == {"encoder", "grouper", "profile", "generator", "updater"}
    assert {"ease", "dnn"} <= {name for name, _ in menu()["encoder"]}


def test_stage_names_are_unique_over_all_kinds() -> None:
    names = [name for entries in menu().values() for name, _ in entries]
    assert len(names) == len(set(names)), "--set stage.field=value needs one stage per name"
