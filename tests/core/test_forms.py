"""Forms that change: sealed, with a version, and tolerant of what a newer version adds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grouprec.core.forms import (
    MOST_BYTES,
    DamagedError,
    Form,
    mark_of,
    read_form,
    read_kept_form,
    sealed,
    write_form,
    write_kept_form,
)


def two(form: Form) -> Form:
    return {**form, "since": 2}


def three(form: Form) -> Form:
    return {**form, "since": form["since"] + 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "form.json"


def test_a_form_comes_back_without_its_seal(path: Path) -> None:
    write_form(path, {"format": 3, "path": Path("x"), "number": 1.5, "list": (1, 2)})
    assert read_form(path, 3, {}) == {"format": 3, "path": "x", "number": 1.5, "list": [1, 2]}
    assert read_form(path.with_name("none.json"), 3, {}) is None


def test_older_forms_are_upgraded_one_version_after_the_other(path: Path) -> None:
    path.write_text('{"a": 1}')
    assert read_form(path, 3, {1: two, 2: three}) == {"a": 1, "since": 3, "format": 3}
    path.write_text(json.dumps(sealed({"format": 2, "since": 8})))
    assert read_form(path, 3, {1: two, 2: three}) == {"since": 9, "format": 3}


def test_a_newer_form_comes_as_it_is(path: Path) -> None:
    write_form(path, {"format": 9, "new": [1]})
    assert read_form(path, 2, {}) == {"format": 9, "new": [1]}


def test_half_a_letter_is_damage_and_a_whole_one_is_none(path: Path) -> None:
    write_form(path, {"format": 2, "text": "\U0001f600"})
    assert "\\ud83d" in path.read_text() and read_form(path, 2, {}) == {"format": 2, "text": "\U0001f600"}
    path.write_text(json.dumps(sealed({"format": 2, "text": "\ud83d"})))
    with pytest.raises(DamagedError):  # pages could not show it
        read_form(path, 2, {})


def test_no_bit_can_be_turned_unnoticed(path: Path) -> None:
    write_form(path, {"format": 2, "state": "done", "fraction": 0.25, "text": "é"})
    content = path.read_bytes()
    unnoticed = []
    for place in range(len(content) * 8):
        turned = bytearray(content)
        turned[place // 8] ^= 1 << place % 8
        path.write_bytes(turned)
        try:
            found = read_form(path, 2, {1: two})
        except DamagedError:
            continue
        unnoticed += [place] if found != {"format": 2, "state": "done", "fraction": 0.25, "text": "é"} else []
    assert not unnoticed


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"a": ', "no JSON object"),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe", "no JSON object"),
        (b"[" * 100_000, "no JSON object"),
        (b'{"format": "2"}', "its version is '2'"),
        (b'{"format": true}', "its version is 'True'"),
        (b'{"format": 0}', "its version is '0'"),
        (b'{"format": 2}', "not what was written"),
        (b'{"seal": "x"}', "not what was written"),
    ],
    ids=range(11),
)
def test_what_is_no_form_says_why(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=reason) as found:
        read_form(path, 2, {1: two})
    assert found.value.reason.startswith("form.json ")


def test_a_form_that_would_fill_the_memory_is_not_read(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # a hole
    with pytest.raises(DamagedError, match="is larger than any that is written"):
        read_form(path, 2, {})


def test_a_folder_in_the_place_of_a_form_says_so(path: Path) -> None:
    path.mkdir()
    with pytest.raises(DamagedError, match="cannot be read"):
        read_form(path, 2, {})


def test_what_people_made_is_missed_when_it_is_gone(path: Path) -> None:
    assert read_kept_form(path, 2, {}, "without it") == {}
    write_kept_form(path, {"format": 2, "note": "a"})
    path.unlink()
    with pytest.raises(DamagedError, match=r"form\.json is missing; restore .* or remove .*\.form\.kept .* without it"):
        read_kept_form(path, 2, {}, "without it")
    mark_of(path).unlink()
    assert read_kept_form(path, 2, {}, "without it") == {}
