"""A run's choices are checked at the door, each mistake in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from grouprec.core.types import SettingError
from grouprec.data.preparing.clean import Preparation
from grouprec.models.base import PRESETS
from grouprec.ranking.rules import ListRules
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


@pytest.mark.parametrize("pair", ["dnn.epochs", "epochs=5", "=5", ".x=1", "dnn.=1"])
def test_settings_must_name_stage_and_field(pair: str) -> None:
    with pytest.raises(SettingError, match=r"stage\.field=value"):
        parse_settings([pair])


def test_the_menu_names_every_kind() -> None:
    assert set(menu()) == {"encoder", "grouper", "profile", "generator", "updater"}
    assert {"ease", "dnn"} <= {name for name, _ in menu()["encoder"]}


def test_stage_names_are_unique_over_all_kinds() -> None:
    names = [name for entries in menu().values() for name, _ in entries]
    assert len(names) == len(set(names)), "--set stage.field=value needs one stage per name"


def test_settings_of_one_stage_are_gathered_and_a_value_may_hold_anything() -> None:
    assert parse_settings([" dnn . epochs = 5 ", "dnn.layers=a=b.c", "als.l2=1"]) == {
        "dnn": {"epochs": "5", "layers": "a=b.c"},
        "als": {"l2": "1"},
    }
    assert parse_settings([]) == {}


def test_settings_change_a_preparation_that_is_given_and_leave_the_callers_alone() -> None:
    given = {"data": {"min_user_items": "4"}}
    config = make_config(**FILE, preparation=Preparation(min_item_users=7), settings=given)
    assert (config.preparation.min_item_users, config.preparation.min_user_items) == (7, 4)
    assert given == {"data": {"min_user_items": "4"}} and config.settings == {}
    kept = make_config(**FILE, preparation=Preparation(min_item_users=7), settings={"data": {}})
    assert kept.preparation.min_item_users == 7


def test_one_group_is_enough() -> None:
    assert make_config(**FILE, n_groups=1).n_groups == 1
    for odd in ("²", "x", "1.5", "nan", "9" * 5000, float("inf")):
        with pytest.raises(SettingError, match="is a whole number or auto, not ") as refused:
            make_config(**FILE, n_groups=odd)
        assert len(str(refused.value)) < 130


def test_with_repeats_groups_are_formed_for_one_list_for_all() -> None:
    assert make_config(**FILE, regime="dedup").grouping_regime == "dedup"
    assert make_config(**FILE, regime="dedup", repeats=True).grouping_regime == "strict"


def test_the_stages_of_a_run_stand_in_the_order_of_the_pipeline() -> None:
    assert make_config(**FILE, encoders=("dnn", "ease"), grouper="kmeans").chosen() == [
        ("encoder", "dnn"),
        ("encoder", "ease"),
        ("grouper", "kmeans"),
        ("profile", "vae"),
        ("generator", "gan"),
        ("updater", "gru"),
    ]


@pytest.mark.parametrize(
    "choices, names",
    [
        ({"settings": {"rules": {"colour": 1}}}, list(ListRules.model_fields)),
        ({"settings": {"data": {"colour": 1}}}, list(Preparation.model_fields)),
        ({"encoders": ("dnn",), "settings": {"dnn": {"colour": 1}}}, ["epochs"]),
        ({"colour": 1}, list(RunConfig.model_fields)),
    ],
)
def test_an_unknown_setting_is_told_those_beside_it(choices: dict, names: list[str]) -> None:
    with pytest.raises(SettingError) as error:
        make_config(**FILE, **choices)
    told = str(error.value).removesuffix(".").split("there are: ")[1].split(", ")
    assert set(names) <= set(told)
    assert ("preset" in told) == ("colour" in choices)


def test_a_mistake_deep_in_a_setting_is_told_by_the_setting() -> None:
    with pytest.raises(SettingError, match=r"^The setting 'data.behaviour_weights' cannot be 'many': "):
        make_config(**FILE, settings={"data": {"behaviour_weights": {"view": "many"}}})


def test_the_grouper_and_the_lists_have_rules_that_are_set_by_one_word() -> None:
    settings = parse_settings(["rules.owned_share=0.5", "rules.min_group_size=9"])
    config = make_config(interactions=Path("a.csv"), grouper="rules", settings=settings)
    assert config.rules.owned_share == 0.5 and config.stage_config("grouper", "rules").min_group_size == 9  # type: ignore[attr-defined]
    with pytest.raises(SettingError, match=r"no setting 'rules\.min_group_size'; there are: owned_share"):
        make_config(interactions=Path("a.csv"), settings=settings)
