"""Who was removed is kept in numbers and said in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from grouprec.core.forms import DamagedError
from grouprec.runs.forgotten import Forgotten, read, write


def test_numbers_come_back_and_nobody_is_the_beginning(tmp_path: Path) -> None:
    file = tmp_path / "forgotten.json"
    assert read(file) == Forgotten()
    found = Forgotten().one_more(learned=True).one_more(learned=True).one_more(learned=False)
    write(file, found)
    assert read(file) == found and (found.learned, found.others) == (2, 1) and found.last > 0


def test_those_whom_models_learned_from_and_others_are_said_apart() -> None:
    assert Forgotten().sentence() == ""
    assert Forgotten(learned=1).sentence().startswith("1 person was removed after training; the models learned")
    assert Forgotten(others=1).sentence() == "1 person was removed who took no part in training."
    both = Forgotten(2, 3).sentence()
    assert both.startswith("2 people were removed after") and both.endswith(
        " 3 people were removed who took no part in training."
    )


def test_what_is_no_number_is_damage(tmp_path: Path) -> None:
    file = tmp_path / "forgotten.json"
    file.write_text('{"format": 1, "learned": "two", "others": 0}')
    with pytest.raises(DamagedError, match="holds no numbers"):
        read(file)
