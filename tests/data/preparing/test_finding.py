"""Which column is what, with people's choices over it; a file of rubbish is refused before it is read."""

from pathlib import Path

import pytest

from grouprec.core.types import DataError
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.finding import find_all, find_roles, reading_of
from grouprec.data.roles.columns import ChoiceError

ROWS = [(f"u{n % 7}", f"i{n % 5}", f"2024-01-{n % 28 + 1:02d}", str(n % 4 + 1)) for n in range(40)]


def write(folder: Path, *columns: str, **changed: list[str]) -> Path:
    """Write some columns of a shop's file, others than usual where they are given."""
    known = dict(zip(("user_id", "item_id", "time", "quantity"), map(list, zip(*ROWS, strict=True)), strict=True))
    chosen = {name: (known | changed)[name] for name in columns}
    lines = [",".join(chosen), *map(",".join, zip(*chosen.values(), strict=True))]
    file = folder / "shop.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_columns_are_found_and_choices_go_before_them(tmp_path: Path) -> None:
    file = write(tmp_path, "user_id", "item_id", "time", "quantity")
    roles, detected, doubts = find_all(file, {})
    assert (roles.user, roles.item, roles.time, roles.weight) == ("user_id", "item_id", "time", "quantity")
    assert detected.roles == roles and not doubts
    chosen = find_roles(file, {"weight": "", "time": "", "user": "item_id", "item": "user_id"})
    assert (chosen.user, chosen.item, chosen.time, chosen.weight) == ("item_id", "user_id", None, None)
    untimed = find_roles(write(tmp_path, "user_id", "item_id"), {})
    assert untimed.time is None and untimed.weight is None


def test_a_choice_that_does_not_fit_is_told_with_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "user_id", "item_id")
    with pytest.raises(DataError, match=r"^'shop\.csv': There is no column 'nope'"):
        find_roles(file, {"time": "nope"})
    with pytest.raises(ChoiceError) as asked:
        find_roles(file, {"user": ""})
    assert asked.value.role == "user" and "shop.csv" in str(asked.value)


def test_times_of_which_none_can_be_read_are_refused_and_no_times_at_all_are_not(tmp_path: Path) -> None:
    file = write(tmp_path, "user_id", "item_id", "time", time=["soon"] * 40)
    with pytest.raises(DataError, match=r"40 of 40 times in column 'time' cannot be read \(such as 'soon'\)"):
        find_roles(file, {"time": "time"})
    some = write(tmp_path, "user_id", "item_id", "time", time=["soon"] * 39 + ["2024-01-02"])
    assert find_roles(some, {"time": "time"}).time == "time", "what is mixed is for whoever cleans"
    none = write(tmp_path, "user_id", "item_id", "time", time=[""] * 40)
    assert find_roles(none, {"time": "time"}).time == "time"


@pytest.mark.parametrize("role", ["weight", "rating"])
def test_numbers_of_which_none_is_one_are_refused_with_what_stands_there(tmp_path: Path, role: str) -> None:
    file = write(tmp_path, "user_id", "item_id", "quantity", quantity=["", *(["many"] * 39)])
    with pytest.raises(DataError) as refused:
        find_roles(file, {role: "quantity"})
    said = str(refused.value)
    assert said.startswith("'shop.csv': column 'quantity' holds no numbers (such as 'many')")
    assert f"--map {role}=COLUMN" in said and said.endswith(f"--map {role}=.")
    one = write(tmp_path, "user_id", "item_id", "quantity", quantity=["3", *(["many"] * 39)])
    assert getattr(find_roles(one, {role: "quantity"}), role) == "quantity"
    none = write(tmp_path, "user_id", "item_id", "quantity", quantity=[""] * 40)
    assert getattr(find_roles(none, {role: "quantity"}), role) == "quantity"


def test_reading_is_as_the_settings_say() -> None:
    reading = reading_of(Preparation(encoding="cp1252", sheet="Two", most_rejected=0.25))
    assert (reading.encoding, reading.sheet, reading.most_rejected) == ("cp1252", "Two", 0.25)
