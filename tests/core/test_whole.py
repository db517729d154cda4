"""Numbers that somebody typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouprec.core.environment import number_from_0, place_among, started_together, whole_number
from grouprec.core.errors import SettingError
from grouprec.core.whole import MOST_DIGITS, whole


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), ("9" * MOST_DIGITS, 999_999_999)])
def test_a_whole_number_is_read(text: str, number: int) -> None:
    assert whole(text) == number


ENDLESS = ["9" * 5000, "1" + "0" * MOST_DIGITS]


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1.0", "1e3", "²", "٣", "1_0", *ENDLESS])
def test_what_is_none_or_endless_is_no_number(text: str) -> None:
    assert whole(text) is None


@given(st.text())
def test_nothing_that_is_typed_breaks_it(text: str) -> None:
    found = whole(text)
    assert found is None or 0 <= found < 10**MOST_DIGITS


@pytest.mark.parametrize("told", ["0", "-1", "x", "1.5", "9" * 5000, "²"])
def test_a_setting_that_is_no_whole_number_is_one_sentence(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_JOBS", told)
    with pytest.raises(SettingError, match="GROUPREC_JOBS must be a whole number from 1, not ") as refused:
        whole_number("GROUPREC_JOBS", 1)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize("told", ["-0.1", "x", "nan", "inf", "1e999", "-inf"])
def test_a_setting_that_is_no_finite_number_is_one_sentence(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_CACHE_GB", told)
    with pytest.raises(SettingError, match=f"GROUPREC_CACHE_GB must be a number from 0, not '{told}'"):
        number_from_0("GROUPREC_CACHE_GB", 4.0)


def test_a_setting_that_is_not_said_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_CACHE_GB", " ")
    assert number_from_0("GROUPREC_CACHE_GB", 4.0) == 4.0
    monkeypatch.setenv("GROUPREC_CACHE_GB", "0")
    assert number_from_0("GROUPREC_CACHE_GB", 4.0) == 0


@pytest.mark.parametrize("told", ["x", "-3", "1.5", "9" * 5000])
def test_how_many_processes_learn_together_is_a_number_or_one_sentence(
    told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", told)
    monkeypatch.setenv("RANK", told)
    with pytest.raises(SettingError, match="WORLD_SIZE must be a whole number from 1"):
        started_together()
    with pytest.raises(SettingError, match=r"RANK must be a whole number from 0, .*; start them with torchrun"):
        place_among("RANK")
    for number, together in (("", False), ("1", False), ("2", True)):
        monkeypatch.setenv("WORLD_SIZE", number)
        monkeypatch.setenv("RANK", number)
        assert started_together() == together and place_among("RANK") == int(number or 0)
