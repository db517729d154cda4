"""Where records lie in JSON."""

import json

import pytest

from grouprec.data.reading.find_records import is_sequence, locate, records_path, sequence

ROWS = [{"user": f"u{n}", "item": "a"} for n in range(12)]


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"orders": ROWS}, ("orders",)),
        ({"page": 1, "links": [{"next": None}], "data": ROWS}, ("data",)),
        ({"meta": {"n": 2}, "a": {"b": {"rows": ROWS}}}, ("a", "b", "rows")),
        ({"orders": {f"o{n}": row for n, row in enumerate(ROWS)}}, ("orders",)),
        ({"customers": [{"id": 1}], "orders": ROWS}, ("orders",)),
        ({"u1": ROWS[:2], "u2": ROWS[:2]}, None),
        ({f"u{n}": [{f"x{n}": 1}] for n in range(7)}, None),
        ({"u1": {"bought": ["a"]}, "u2": {"bought": ["b"]}}, None),
        ({"u1": {"bought": ["a"]}}, None),
        ({f"o{n}": row for n, row in enumerate(ROWS)}, None),
        ({"user": ["u1"], "item": ["a"]}, None),
        ({"a": 1, "b": 2}, None),
        (ROWS, None),
    ],
)
def test_records_are_found_by_what_lies_around_them(value, path):
    text = json.dumps(value, indent=1)
    assert records_path(text) == path
    if path is not None:
        inside = value
        for name in path:
            inside = inside[name]
        assert json.JSONDecoder().raw_decode(text, locate(text, path))[0] == inside


def test_a_text_that_is_cut_off_is_about_what_it_ends_in():
    text = json.dumps({"links": [{"next": None}] * 9, "data": {"orders": ROWS}})
    assert records_path(text[:-40]) == ("data", "orders")
    assert records_path('{"a": ') is None and records_path("{nothing") is None


def test_what_is_not_there_any_more_is_an_error():
    with pytest.raises(json.JSONDecodeError, match="'data' is not there"):
        locate('{"a": 1}', ("data",))


def test_values_one_after_the_other():
    text = '{"a": 1}\n{"a": 2}{"a": 3}'
    assert is_sequence(text) and not is_sequence(text[:8]) and not is_sequence("[1, 2")
    assert list(sequence(text, whole=True)) == [{"a": "1"}, {"a": "2"}, {"a": "3"}]
    assert len(list(sequence(text[:-2], whole=False))) == 2
    with pytest.raises(json.JSONDecodeError):
        list(sequence(text[:-2], whole=True))
