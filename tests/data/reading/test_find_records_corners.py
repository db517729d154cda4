"""Where records lie in JSON, at the bounds: as few as may be, as mixed as may be, cut off inside a value."""

import json

import pytest

from grouprec.data.reading.find_records import _begun, _members, records_path

ROWS = [{"user": f"u{n}", "item": "a"} for n in range(12)]


@pytest.mark.parametrize(("n", "path"), [(9, None), (10, ("orders",))])
def test_ten_objects_under_names_of_their_own_are_records(n: int, path: tuple[str, ...] | None) -> None:
    assert records_path(json.dumps({"orders": {f"o{at}": row for at, row in enumerate(ROWS[:n])}})) == path


@pytest.mark.parametrize(("others", "path"), [(1, ("orders",)), (2, None)])
def test_nine_of_ten_of_them_have_to_be_objects(others: int, path: tuple[str, ...] | None) -> None:
    rows = {f"o{at}": row for at, row in enumerate(ROWS)} | {f"n{at}": at for at in range(others)}
    assert records_path(json.dumps({"orders": rows})) == path


def test_a_value_that_is_cut_off_inside_a_text_ends_its_object() -> None:
    assert [member.name for member in _members('{"user": "u1", "item": "b', 0)] == ["user"]


def test_a_list_that_is_cut_off_holds_what_was_whole() -> None:
    assert _begun('[{"user": "u1"}, {"us', 0) == [{"user": "u1"}]
