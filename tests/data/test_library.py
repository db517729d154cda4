"""The library of datasets: uploads are copied under harmless names, found again by content, and remember choices."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from grouprec.core.types import DataError, StorageError
from grouprec.data.library import SAMPLE_KEY, Library, safe_name, versions

ROWS = b"user,item\nann,tea\nbob,milk\n"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "datasets")


def test_the_sample_is_always_there_and_exists(library: Library) -> None:
    (sample,) = library.list()
    assert sample.is_sample
    assert sample.interactions.stat().st_size > 1_000_000


def test_an_upload_is_kept_byte_for_byte_with_its_optional_files(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS), items=("goods.tsv", io.BytesIO(b"item\tprice\ntea\t2\n")))
    assert entry.interactions.read_bytes() == ROWS
    assert (entry.name, entry.items.name, entry.users) == ("shop.csv", "goods.tsv", None)
    assert [known.key for known in library.list()] == [SAMPLE_KEY, entry.key]


def test_the_same_files_give_the_same_entry_with_its_choices_kept(library: Library) -> None:
    first = library.add("shop.csv", io.BytesIO(ROWS))
    library.save(first.key, roles={"user": "item"}, preparation={"min_user": 2})
    again = library.add("other name.csv", io.BytesIO(ROWS))
    assert again.key == first.key
    assert (again.roles, again.preparation) == ({"user": "item"}, {"min_user": 2})


def test_another_content_part_or_format_is_another_dataset(library: Library) -> None:
    keys = {
        library.add("a.csv", io.BytesIO(ROWS)).key,
        library.add("a.csv", io.BytesIO(ROWS + b"eve,tea\n")).key,
        library.add("a.txt", io.BytesIO(ROWS)).key,
        library.add("a.csv", io.BytesIO(ROWS), users=("u.csv", io.BytesIO(ROWS))).key,
        library.add("a.csv", io.BytesIO(ROWS), items=("u.csv", io.BytesIO(ROWS))).key,
    }
    assert len(keys) == 5


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\data.csv", "data.csv"),
        ("/abs/olute.csv", "olute.csv"),
        ("..", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("nul\x00byte\n.csv", "nul_byte_.csv"),
        ("größe 日本.csv", "größe 日本.csv"),
        ("$(rm -rf)`x`;.csv", "_(rm -rf)_x__.csv"),
    ],
)
def test_file_names_are_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_hostile_file_name_stays_inside_the_library(library: Library) -> None:
    entry = library.add("../../../escape.csv", io.BytesIO(ROWS))
    assert entry.interactions.resolve().is_relative_to(library.root.resolve())


def test_a_very_long_name_keeps_its_suffix() -> None:
    assert safe_name("x" * 500 + ".csv.gz").endswith(".csv.gz")
    assert len(safe_name("x" * 500 + ".csv.gz")) == 100


def test_an_empty_upload_is_refused_and_leaves_nothing(library: Library) -> None:
    with pytest.raises(DataError, match=r"'none\.csv' is empty"):
        library.add("none.csv", io.BytesIO(b""))
    assert list(library.root.iterdir()) == []


def test_the_choices_for_the_sample_are_remembered_and_forgotten(library: Library) -> None:
    library.save(SAMPLE_KEY, roles={"label": ""}, preparation={"k_core": 3})
    assert library.sample().roles == {"label": ""}
    library.remove(SAMPLE_KEY)
    assert library.sample().roles == {}
    assert library.sample().interactions.exists()


def test_a_removed_dataset_is_gone(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    library.remove(entry.key)
    assert len(library.list()) == 1
    with pytest.raises(StorageError, match="no dataset"):
        library.get(entry.key)


@pytest.mark.parametrize("key", ["", "..", "../datasets", "nope", "0123456789abcdef"])
def test_an_unknown_or_hostile_key_is_refused(library: Library, key: str) -> None:
    with pytest.raises(StorageError, match="no dataset"):
        library.get(key)


def test_a_damaged_entry_is_left_out_and_can_be_uploaded_again(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    (library.root / entry.key / "dataset.json").write_text("{", encoding="utf-8")
    assert len(library.list()) == 1
    assert library.add("shop.csv", io.BytesIO(ROWS)).interactions.read_bytes() == ROWS


def test_an_unwritable_library_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder", encoding="utf-8")
    with pytest.raises(StorageError, match="Cannot write"):
        Library(tmp_path / "file" / "datasets").add("shop.csv", io.BytesIO(ROWS))


def test_other_content_under_a_known_name_is_the_next_version(library: Library) -> None:
    first = library.add("shop.csv", io.BytesIO(ROWS))
    other = library.add("other.csv", io.BytesIO(ROWS + b"x,y\n"))
    second = library.add("shop.csv", io.BytesIO(ROWS + b"eve,tea\n"))
    numbers = versions(library.list())
    assert (numbers[first.key], numbers[second.key], numbers[other.key]) == (1, 2, 1)
    assert (first.rows, second.rows) == (2, 3)
    assert first.added <= second.added


def test_what_a_check_found_is_kept_with_its_choices(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    size = {"n_users": 2, "n_items": 2, "n_rows": 2, "n_raw": 3}
    checked = library.save(entry.key, roles={}, preparation={}, size=size)
    assert (checked.size, checked.rows) == (size, 3)
    again = library.save(entry.key, roles={"user": "item"}, preparation={})
    assert (again.size, again.rows) == ({}, 3), "other choices, another size"
