"""JSON text in any layout: its members as far as it goes, and what is said where it is no table."""

import itertools
import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.core.types import DataError
from grouprec.data.reading.read import peek, read_table
from grouprec.data.reading.read_json import _members

KEYS = st.text(max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=4,
)
LAYOUTS = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}])


def write(tmp_path, content, name="a.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def pairs(outer):
    return list(outer.items()) if isinstance(outer, dict) else [(None, value) for value in outer]


@given(st.lists(VALUES, max_size=4) | st.dictionaries(KEYS, VALUES, max_size=4), LAYOUTS, st.sampled_from(["", " \n"]))
@settings(max_examples=100)
def test_members_are_those_of_the_json_module(outer, layout, space):
    text = space + json.dumps(outer, **layout) + space
    assert list(_members(text, whole=True)) == pairs(outer)


@given(st.lists(st.lists(st.text(max_size=2), max_size=2), min_size=1, max_size=4), LAYOUTS, st.data())
@settings(max_examples=100)
def test_of_a_beginning_the_members_that_are_whole_come(outer, layout, data):
    text = json.dumps(outer, **layout)
    cut = data.draw(st.integers(1, len(text) - 1))
    seen = []
    try:
        for member in _members(text[:cut], whole=False):
            seen.append(member)
    except json.JSONDecodeError:
        assert not seen, "only a beginning without a whole member is an error"
    else:
        assert seen
    assert seen == pairs(outer)[: len(seen)]
    with pytest.raises(json.JSONDecodeError):
        list(_members(text[:cut], whole=True))


@pytest.mark.parametrize("text", ["[1]x", "[,1]", "[1 2]", '{"a" 1}', '{"a":1,,}', "[]x", "[1]]"])
def test_text_that_is_not_json_is_an_error(text):
    with pytest.raises(json.JSONDecodeError):
        list(_members(text, whole=True))


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ('{"user": 1}\n{"user"', "a.jsonl", "line 2 is not valid JSON"),
        ('{"user"\n{"user": 1}', "a.jsonl", "line 1 is not valid JSON"),
        ('{"user": 1}\n\n[2]', "a.jsonl", "line 3 is not an object"),
        ('[{"user": 1},\n\n{"user"}]', "a.json", "line 3 is not valid JSON"),
        ('[{"user": 1}, 2]', "a.json", "record 2 is not an object"),
        ('{"u": {"bought": ["a"], "viewed": {}}}', "a.json", "holds no rows: the value of 'u' is"),
        ('{"u": {}, "v": {"bought": []}}', "a.json", "holds no users with items"),
        ("[]", "a.json", "holds no records"),
        ('{"user": 1}\n{"user": 2}x', "a.jsonl", "line 2 is not valid JSON: Extra data"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(tmp_path, content, name, words):
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path, content, name))
    assert words in str(caught.value) and name in str(caught.value)


def test_names_come_in_order_of_appearance_and_values_keep_their_type(tmp_path):
    records = [{"user": 7, "x": 1.5}, {}, {"item": True, "user": "a"}]
    expected = pd.DataFrame(
        {"user": ["7", None, "a"], "x": [1.5, None, None], "item": [None, None, True]}, dtype=object
    ).infer_objects()
    for content in ("\n\n".join(map(json.dumps, records)), records):
        path = write(tmp_path, content, "a.jsonl" if isinstance(content, str) else "a.json")
        pd.testing.assert_frame_equal(read_table(path), expected)
        assert (peek(path).n_rows, peek(path).exact) == (3, True)
        assert read_table(path, ["item", "user"]).columns.tolist() == ["item", "user"]


def test_rows_of_an_array_are_estimated_from_its_head(tmp_path):
    path = write(tmp_path, [{"user": "u", "item": "i" * 40}] * 2000)
    found = peek(path)
    assert (len(found.head), found.exact) == (1000, False)
    assert found.n_rows == 2000


@pytest.mark.parametrize(
    ("n", "size", "known"), [(999, 1, (999, True)), (1000, 1, (None, False)), (600, 2000, (None, False))]
)
def test_rows_of_nested_json_are_known_where_the_head_is_the_file(tmp_path, n, size, known):
    found = peek(write(tmp_path, {f"u{n}": {"bought": ["i" * size]} for n in range(n)}))
    assert (found.n_rows, found.exact) == known


def test_nested_json_gives_the_columns_asked_for(tmp_path):
    path = write(tmp_path, {"u": {"viewed": [1, "b"], "bought": []}})
    assert read_table(path, ["behaviour", "item"]).to_numpy().tolist() == [["viewed", "1"], ["viewed", "b"]]


def test_an_array_that_breaks_off_behind_the_head_is_refused(tmp_path):
    text = json.dumps([{"user": "u", "item": "i" * 40}] * 25_000)
    path = write(tmp_path, text[:-30])
    assert len(peek(path).head) == 1000
    with pytest.raises(DataError, match="it was cut off"):
        read_table(path)


def test_an_encoding_that_changes_behind_the_head_is_refused(tmp_path):
    line = '{"user": "some user", "item": "some item"}\n'
    path = write(tmp_path, line * 30_000, "a.jsonl")
    with path.open("ab") as file:
        file.write('{"user": "Zoë"}\n'.encode("cp1252"))
    with pytest.raises(DataError, match="mixes encodings"):
        read_table(path)


def test_records_without_values_have_no_rows(tmp_path):
    with pytest.raises(DataError, match="no records"):
        peek(write(tmp_path, [{}, {}]))


def test_the_head_of_lines_is_a_thousand_records(tmp_path):
    path = write(tmp_path, "".join(itertools.repeat('{"user": "u", "item": "i"}\n', 1500)), "a.jsonl")
    assert len(peek(path).head) == 1000 and peek(path).n_rows == pytest.approx(1500, abs=60)


def test_days_are_no_users(tmp_path):
    days = {f"2024-01-{day:02}": [{"user": f"u{day % 3}", "item": f"i{n}"} for n in range(2)] for day in range(1, 20)}
    found = read_table(write(tmp_path, days))
    assert list(found.columns) == ["date", "user", "item"] and found.iloc[0].tolist() == ["2024-01-01", "u1", "i0"]
    numbered = {str(20240100 + n): [{"item": f"i{n % 4}"}] for n in range(1, 20)}  # may be anybody
    assert list(read_table(write(tmp_path, numbered)).columns) == ["user", "item"]


def test_records_of_a_name_each_are_read_as_those_of_few_names(tmp_path):
    rows = [{"user": f"u{n % 3}", "item": f"i{n % 4}", f"k{n}": n} for n in range(60)]
    table = read_table(write(tmp_path, rows))
    assert list(table.columns) == ["user", "item", *(f"k{n}" for n in range(60))]
    assert table["item"].tolist() == [row["item"] for row in rows] and table["k2"].notna().sum() == 1
    assert str(table["k2"].dropna().iloc[0]) in ("2", "2.0")


def test_of_names_that_hardly_any_record_has_the_usual_ones_are_columns(tmp_path):
    rows = [{f"k{n}": n, "user": f"u{n % 3}", "item": f"i{n % 4}"} for n in range(400)]
    assert list(read_table(write(tmp_path, rows)).columns) == [
        *("k0", "user", "item"),
        *(f"k{n}" for n in range(1, 119)),
    ]


def test_records_that_have_none_of_the_names_of_the_first_ones_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("grouprec.data.reading.json_records._FREE_CELLS", 20_000)
    wide = {f"name {n}": n for n in range(400)}
    path = write(tmp_path, [wide] * 10 + [{"user": "u", "item": "i"}] * 5000)
    assert len(read_table(path, ["name 0"])) == 5010
    with pytest.raises(
        DataError, match=r"have \d+ names, and of the first [\d,]+ one has 2; give all records the same"
    ):
        read_table(path)
