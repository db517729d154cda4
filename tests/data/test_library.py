"""The library of datasets: uploads are copied under harmless names, found again by content, and remember choices."""

from __future__ import annotations

import hashlib
import io
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from grouprec.core import rights
from grouprec.core.files import read_json, write_json
from grouprec.core.forms import write_form
from grouprec.core.rights import Person, Role
from grouprec.core.types import DataError, SettingError, StorageError
from grouprec.data.library import KEEP_LOCK, SAMPLE_KEY, KnownDataset, Library, Received, safe_name, versions
from tests.support.locked import lock_up

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


def test_files_of_items_and_users_join_an_upload_with_its_choices(library: Library) -> None:
    first = library.add("shop.csv", io.BytesIO(ROWS), users=("people.csv", io.BytesIO(b"user,age\na,3\n")))
    library.save(first.key, roles={"user": "item"}, preparation={"min_user": 2})
    found = library.extend(first.key, items=("goods.csv", io.BytesIO(b"item,price\ntea,2\n")))
    assert found.key != first.key and found.interactions.read_bytes() == ROWS
    assert (found.users.name, found.items.name) == ("people.csv", "goods.csv")
    assert (found.roles, found.preparation) == ({"user": "item"}, {"min_user": 2})
    with pytest.raises(DataError, match="sample"):
        library.extend(SAMPLE_KEY, items=("goods.csv", io.BytesIO(b"item\ntea\n")))


def test_files_of_elsewhere_and_of_friends_join_an_upload_too(library: Library) -> None:
    first = library.add("shop.csv", io.BytesIO(ROWS), edges=("friends.csv", io.BytesIO(b"user,friend\na,b\n")))
    found = library.extend(first.key, also=("site.csv", io.BytesIO(b"user,item\na,cup\n")))
    assert (found.also.name, found.edges.name, found.items) == ("site.csv", "friends.csv", None)
    assert found.given == ("also", "edges") and first.given == ("edges",)
    assert library.get(found.key).beside == {"users": None, "items": None, "also": found.also, "edges": found.edges}


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


def test_a_damaged_record_is_said_and_goes_by_uploading_again(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    (library.root / entry.key / "dataset.json").write_text("{", encoding="utf-8")
    (_, found) = library.list()
    assert found.key == entry.key and "dataset.json is damaged" in found.trouble
    again = library.add("my shop.csv", io.BytesIO(ROWS))
    assert (again.name, again.trouble) == ("my shop.csv", "") and again.interactions.read_bytes() == ROWS


@pytest.mark.parametrize("which", ["upload", "sample"])
def test_choices_of_which_a_bit_has_turned_are_never_taken_for_others(library: Library, which: str) -> None:
    key = SAMPLE_KEY if which == "sample" else library.add("shop.csv", io.BytesIO(ROWS)).key
    chosen = library.save(key, roles={"user": "item", "item": "user"}, preparation={"min_user": 2}, size={"n_raw": 7})
    path, rng = library.root / key / "dataset.json", np.random.default_rng(0)
    content = path.read_bytes()
    for place in rng.choice(len(content), 80, replace=False).tolist():
        turned = bytearray(content)
        turned[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(turned)
        found = library.get(key)
        assert found == chosen or (found.trouble and not found.roles), turned
        if found.trouble:
            with pytest.raises(StorageError, match=f"The dataset {key}: dataset.json .*begin anew"):
                library.save(key, roles={}, preparation={})
    path.write_bytes(b"{}}")
    anew = library.begin_anew(key)
    assert (anew.roles, anew.preparation, anew.trouble) == ({}, {}, "")
    assert library.save(key, roles={"user": "item"}, preparation={}).roles == {"user": "item"}


def test_what_a_newer_version_wrote_beside_is_kept(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    path = library.root / entry.key / "dataset.json"
    write_form(path, {**read_json(path), "format": 3, "colour": "red"})
    library.save(entry.key, roles={"user": "item"}, preparation={})
    found = read_json(path)
    assert (found["colour"], found["format"], found["roles"]) == ("red", 3, {"user": "item"})


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


def test_the_sample_comes_with_what_a_check_of_it_finds(library: Library) -> None:
    sample = library.sample()
    assert sample.size == {"n_users": 3976, "n_items": 3249, "n_rows": 253_203, "n_raw": 541_909}
    assert (sample.rows, sample.roles, sample.preparation, sample.added) == (541_909, {}, {}, 0.0)
    library.save(SAMPLE_KEY, roles={}, preparation={"k_core": 3})
    assert library.sample().size == {} and library.get(SAMPLE_KEY).preparation == {"k_core": 3}
    library.save(SAMPLE_KEY, roles={"a": "b"}, preparation={})
    assert library.get(SAMPLE_KEY).roles == {"a": "b"}, "choices may be saved again"


def test_only_the_sample_is_the_sample(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    assert not entry.is_sample and library.get(SAMPLE_KEY).is_sample
    assert len(entry.key) == 16 and library.get(entry.key) == entry


def test_the_newest_upload_comes_first_after_the_sample(library: Library) -> None:
    keys = []
    for n in range(3):
        keys.append(library.add(f"{n}.csv", io.BytesIO(ROWS + b"x,%d\n" % n)).key)
        record = library.root / keys[-1] / "dataset.json"
        write_form(record, read_json(record) | {"added": float(n)})
    (library.root / "notes").mkdir()
    (library.root / "0123456789abcdef").mkdir()
    assert [entry.key for entry in library.list()] == [SAMPLE_KEY, *reversed(keys)]
    assert list(versions(library.list()).values()) == [1, 1, 1, 1]


def test_an_entry_without_its_file_is_none(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    shutil.rmtree(library.root / entry.key / "interactions")
    assert len(library.list()) == 1
    with pytest.raises(StorageError):
        library.save(entry.key, roles={}, preparation={})
    assert library.add("again.csv", io.BytesIO(ROWS)).name == "again.csv"


def test_a_record_that_is_gone_is_missed(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    (library.root / entry.key / "dataset.json").unlink()
    assert "dataset.json is missing" in library.get(entry.key).trouble


def test_a_record_of_an_older_app_is_filled_up(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    write_json(library.root / entry.key / "dataset.json", {})
    known = library.get(entry.key)
    assert (known.name, known.added, known.rows, known.size) == ("shop.csv", 0.0, None, {})
    assert (known.roles, known.preparation) == ({}, {})


def test_removing_what_is_not_there_is_an_error_and_the_sample_may_be_removed_any_time(library: Library) -> None:
    library.remove(SAMPLE_KEY)
    with pytest.raises(StorageError, match="no dataset"):
        library.remove("0123456789abcdef")
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    library.remove(entry.key)
    assert [path.name for path in library.root.iterdir()] == [KEEP_LOCK]


def test_a_received_file_is_moved_and_known_by_its_digest(library: Library, tmp_path: Path) -> None:
    received = tmp_path / "received"
    received.write_bytes(ROWS)
    entry = library.add("shop.csv", Received(received, hashlib.sha256(ROWS).hexdigest()))
    assert not received.exists() and entry.interactions.read_bytes() == ROWS
    assert library.add("shop.csv", io.BytesIO(ROWS)).key == entry.key, "however it came"
    assert sorted(path.name for path in library.root.iterdir()) == [KEEP_LOCK, entry.key], "nothing is left behind"


def test_choices_are_saved_with_the_name_and_the_time_of_the_upload(library: Library) -> None:
    entry = library.add("shop.csv", io.BytesIO(ROWS))
    saved = library.save(entry.key, roles={"user": "item"}, preparation={})
    assert (saved.name, saved.added, saved.rows) == (entry.name, entry.added, entry.rows)


def test_rows_of_a_file_that_is_no_table_are_unknown(library: Library) -> None:
    assert library.add("a.csv", io.BytesIO(b"no table")).rows is None


def test_a_name_keeps_its_last_hundred_characters() -> None:
    assert safe_name("a" + "b" * 100) == "b" * 100
    assert safe_name("folder/x . ") == "x"


def test_the_fourth_upload_of_a_name_is_version_four() -> None:
    entries = [KnownDataset(str(n), "shop", Path(), added=float(-n)) for n in range(4)]
    assert versions(entries) == {"3": 1, "2": 2, "1": 3, "0": 4}


def test_uploads_beyond_the_quota_are_refused_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(tmp_path)
    monkeypatch.setenv("GROUPREC_UPLOAD_GB", "0.0000005")  # 500 bytes
    first = library.add("a.csv", io.BytesIO(b"user,item\n" + b"u1,i1\n" * 20))
    with pytest.raises(StorageError, match="remove one on the Data page"):
        library.add("b.csv", io.BytesIO(b"user,item\n" + b"u1,i2\n" * 60))
    assert [entry.key for entry in library.list()] == ["sample", first.key]
    assert not list(tmp_path.glob(".incoming-*"))
    for told in ("many", "nan"):  # by the latter everything would fit
        monkeypatch.setenv("GROUPREC_UPLOAD_GB", told)
        with pytest.raises(SettingError, match="must be a number"):
            library.add("c.csv", io.BytesIO(b"user,item\nu1,i3\n"))


def content(number: int) -> bytes:
    return b"user,item\n" + f"u{number},i1\n".encode() * 30  # 190 bytes; with its record about 300


def test_many_uploads_at_once_are_together_within_the_quota(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_UPLOAD_GB", "0.0000013")  # 1,300 bytes: three fit
    looked = Library._check_quota

    def slowly(self: Library, n_bytes: int) -> None:
        looked(self, n_bytes)
        time.sleep(0.02)  # all others may look, too, before this one takes the room

    monkeypatch.setattr(Library, "_check_quota", slowly)

    def add(number: int) -> bool:
        try:
            library.add(f"{number}.csv", io.BytesIO(content(number)))
        except StorageError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        kept = sum(threads.map(add, range(8)))
    assert kept == 3 == len(library.list()) - 1


def test_of_the_same_file_sent_twice_at_once_one_is_kept_whole(library: Library) -> None:
    with ThreadPoolExecutor(6) as threads:
        keys = {one.key for one in threads.map(lambda _: library.add("a.csv", io.BytesIO(content(1))), range(6))}
    assert {KEEP_LOCK, *keys} == {path.name for path in library.root.iterdir()} and len(keys) == 1
    assert library.get(*keys).interactions.read_bytes() == content(1)


def test_what_is_on_its_way_counts_as_its_senders(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_UPLOAD_GB", "0.000002")
    with rights.acting(Person("ann", Role.ANALYST)):
        path = library.expect("a" * 32, "shop.csv", 1500)
        for more in (lambda: library.expect("b" * 32, "shop.csv", 600), lambda: library.expect_more(path, 2500)):
            with pytest.raises(StorageError, match="Your files would take"):
                more()
        library.expect_more(path, 1700)
    assert path.stat().st_size == 1700
    with rights.acting(Person("bob", Role.ANALYST)):
        library.expect("c" * 32, "shop.csv", 1500)


@pytest.mark.parametrize(
    "wrong", [{"added": "yesterday"}, {"roles": [1]}, {"preparation": None}, {"size": 3}, {"rows": "many"}, {"name": 1}]
)
def test_a_record_with_other_values_than_ours_hides_no_other_dataset(
    library: Library, wrong: dict[str, object]
) -> None:
    bad, good = (library.add("shop.csv", io.BytesIO(f"user,item\na,{n}\n".encode())) for n in range(2))
    path = library.folder(bad) / "dataset.json"
    write_form(path, {**read_json(path), **wrong})
    entries = library.list()
    assert {entry.key: bool(entry.trouble) for entry in entries} == {SAMPLE_KEY: False, good.key: False, bad.key: True}
    (library.root / SAMPLE_KEY).mkdir()
    write_json(library.root / SAMPLE_KEY / "dataset.json", wrong)
    assert library.sample().name == library.list()[0].name and library.sample().trouble


def test_a_dataset_that_nobody_may_look_into_hides_no_other(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = (library.add("shop.csv", io.BytesIO(f"user,item\na,{n}\n".encode())) for n in range(2))
    lock_up(monkeypatch, library.folder(bad))
    assert [entry.key for entry in library.list()] == [SAMPLE_KEY, good.key]
