"""The Data page: the answer, the choices, uploads, bad input."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import grouprec.ui
from grouprec.core.forms import write_form
from grouprec.data.library import SAMPLE_KEY, Library, Received
from grouprec.runs.store import RunStore
from grouprec.ui.data import checking
from grouprec.ui.server import uploads
from tests.ui.opening import visit

FRAME = Path(grouprec.ui.__file__).with_name("frame.py")


def shop(n_users: int = 40, n_items: int = 12) -> bytes:
    """Return a CSV in which every user takes six items, on days of their own; one row in ten names no user."""
    rows = ["customer,product,action,date"]
    for user in range(n_users):
        for step in range(6):
            name = "" if (user * 6 + step) % 10 == 0 else f"{user:04d}"
            action = "view" if step % 2 else "purchase"
            rows.append(f"{name},p{(user + step) % n_items},{action},2024-{1 + step:02d}-{1 + user % 28:02d}")
    return "\n".join(rows).encode()


@pytest.fixture
def library(runs_folder: RunStore) -> Library:
    return Library(runs_folder.root / "datasets")


def open_data(**query: str) -> AppTest:
    return visit("data", **query)


def open_upload(library: Library, content: bytes, name: str = "shop.csv") -> AppTest:
    return open_data(dataset=library.add(name, io.BytesIO(content)).key)


def answer(app: AppTest) -> str:
    """Return the page's first line and what was counted below it, as people read them."""
    first = next(element.value for element in app.main.markdown if element.value.startswith("#"))
    counted = next((element.value for element in app.main.caption if element.value.startswith("There are")), "")
    return f"{first.lstrip('# ')} {counted}".strip().replace("\\", "").replace("\u00a0", " ")


# -- the page


def test_choices_that_are_damaged_are_said_and_begun_anew(library: Library) -> None:
    key = library.add("shop.csv", io.BytesIO(shop())).key
    write_form(library.root / key / "dataset.json", {"format": 2, "roles": ["no"]})
    app = open_data(dataset=key)
    assert "is damaged" in app.error[0].value and not app.exception
    train = visit("train", dataset=key)
    assert any("is damaged" in error.value for error in train.error) and not train.exception
    app.button("begin_anew").click().run()
    assert not app.error and library.get(key).trouble == "" and "40" in answer(app)


def test_a_large_file_waits_for_a_click_and_the_page_says_what_it_looks_like(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 10)
    app = open_upload(library, shop())
    said = answer(app)
    assert "240 rows in 4 columns" in said
    assert "the user is “customer”, the item is “product”, the time is “date”" in said
    assert app.selectbox(key=f"role.{state_key(app)}.behaviour").value == "action"
    app.button(key="check_data").click().run()
    assert not app.exception
    assert answer(app).startswith("Only just")
    app.toggle(key=f"prepare.{state_key(app)}.drop_robots").set_value(False).run()
    assert app.button(key="check_data")
    assert answer(app).startswith("shop")


def state_key(app: AppTest) -> str:
    return app.selectbox(key="pick_dataset").value


def test_the_check_answers_with_numbers_and_shows_what_went(library: Library) -> None:
    app = open_upload(library, shop())
    said = answer(app)
    assert said.startswith("Only just: 25 users can be tested: too few to tell")
    assert "12 items with 216 usable interactions" in said
    assert "10 % of the rows were dropped or merged, most because they name no user" in said
    report = next(frame.value for frame in app.dataframe if "rows_before" in frame.value.columns)
    assert report["dropped"].min() > 0 and report["dropped"].max() == 24
    assert app.button(key="to_train").label == "Continue to training"
    assert len(app.get("plotly_chart")) == 5


def plenty(n_users: int = 240) -> bytes:
    """Return a CSV of users who take something new every week, so that all can be tested; one row is cancelled."""
    rows = ["customer,product,quantity,date"]
    for user in range(n_users):
        for week in range(10):
            rows.append(f"{user:04d},p{(user + week) % 40},1,{pd.Timestamp('2024-01-01') + pd.Timedelta(weeks=week)}")
    return "\n".join([*rows, "0000,p1,-1,2024-01-01"]).encode()


def test_the_first_line_is_about_tested_users_and_names_a_single_dropped_row(library: Library) -> None:
    app = open_upload(library, plenty())
    app.run()
    assert not app.exception
    assert answer(app) == (
        "Ready to train: lists can be tested on 240 users. There are 240 users and 40 items with 2,400 usable "
        "interactions; "
        "1 of 2,401 rows was dropped or merged, most because they are cancelled or have no positive quantity."
    )
    said = [element.value.replace("\\", "") for element in app.markdown]
    assert (
        "Split at two moments for everybody: nothing later than what is judged trains, and enough users are left. "
        "Users to choose settings by: 240, to judge by: 240."
    ) in said
    assert [(metric.label, metric.value) for metric in app.metric] == [
        ("To learn from", "1,920 rows"),
        ("To choose settings", "240 rows"),
        ("To judge the result", "240 rows"),
    ]
    split = app.selectbox(key=f"prepare.{state_key(app)}.split")
    assert split.value == "auto" and "Time, every user's own" in split.options
    over_time = app.get("plotly_chart")[0].proto.spec  # a picture of what was dropped would be a whole bar
    assert "interactions" in over_time and "rows before" not in over_time


def test_few_users_to_choose_by_means_defaults_and_the_page_says_that_others_later_rows_train(library: Library) -> None:
    app = open_upload(library, shop())
    app.run()
    said = " ".join(element.value.replace("\\", "") for element in app.markdown)
    assert "users are left to choose settings by, so defaults will be used.** Raise “Share that chooses”" in said
    assert "Split along every user's own time: cut at two moments for everybody, only" in said
    assert "Rows that other users add later train, too" in said


def test_checked_choices_are_remembered_for_training(library: Library) -> None:
    app = open_upload(library, shop())
    key = state_key(app)
    app.selectbox(key=f"role.{key}.time").select("–")
    app.number_input(key=f"prepare.{key}.min_item_users").set_value(2)
    app.number_input(key=f"behaviour.{key}.view").set_value(0.5)
    app.run()
    assert not app.exception
    saved = library.get(key)
    assert saved.roles == {"time": ""}
    assert saved.preparation["min_item_users"] == 2
    assert saved.preparation["behaviour_weights"]["view"] == 0.5
    assert set(saved.preparation) == {"min_item_users", "behaviour_weights"}


def test_a_changed_choice_is_checked_at_once(library: Library) -> None:
    app = open_upload(library, shop())
    app.number_input(key=f"behaviour.{state_key(app)}.view").set_value(0.0).run()
    assert not app.exception
    assert "96 usable interactions" in answer(app)
    assert library.get(state_key(app)).preparation["behaviour_weights"]["view"] == 0.0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("header.csv", b"user,item\n", "no rows"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
        ("ragged.csv", b"user,item\na,b,c\nd\n", "Most unreadable rows” under Preparation"),
        ("broken.parquet", b"PAR1 this is not parquet", "parquet"),
    ],
)
def test_an_unreadable_file_is_one_sentence_and_the_page_stays_usable(
    library: Library, name: str, content: bytes, says: str
) -> None:
    app = open_upload(library, content, name)
    assert len(app.error) == 1
    assert says.lower() in app.error[0].value.lower()
    app.button(key="use_sample").click().run()
    assert not app.exception
    assert state_key(app) == SAMPLE_KEY
    assert not app.error


def test_rows_that_all_drop_name_the_step_and_the_choices_can_be_changed(library: Library) -> None:
    content = b"user,item,quantity\n" + b"".join(b"u%d,i%d,0\n" % (n % 9, n % 5) for n in range(90))
    app = open_upload(library, content)
    app.run()
    assert "cancellations and non" in app.error[0].value
    app.selectbox(key=f"role.{state_key(app)}.weight").select("–").run()
    app.run()
    assert not app.error


def test_two_roles_for_one_column_are_refused_in_a_sentence(library: Library) -> None:
    app = open_upload(library, shop())
    app.selectbox(key=f"role.{state_key(app)}.label").select("product")
    app.run()
    assert not app.exception
    assert len(app.error) == 1


def drop(app: AppTest, content: bytes, name: str = "shop.csv", part: str = "upload") -> AppTest:
    """Drop a file on the page; ``part`` is ``upload``, ``upload_items`` or ``upload_users``."""
    turn = app.session_state["upload_turn"]
    app.file_uploader(key=f"{part}.{turn}").upload(name, content)
    app.run()
    assert not app.exception
    return app


def test_a_dropped_file_is_checked_and_becomes_the_current_dataset(library: Library) -> None:
    app = drop(open_data(), shop(), "My <b>shop</b>.csv")
    assert library.get(state_key(app)).interactions.read_bytes() == shop()
    assert answer(app).startswith("Only just: 25 users can be tested")
    understood = next(frame.value for frame in app.dataframe if "examples" in frame.value.columns)
    assert understood.set_index("role")["column"].to_dict() == {
        "User": "customer",
        "Item": "product",
        "Time": "date",
        "Behaviour": "action",
    }
    assert understood["examples"].tolist()[2].startswith("01 Jan 2024, ")


ITEMS = b"product,price\np1,2.5\np2,3\np99,1\n"


def test_a_file_of_items_joins_the_dataset_and_says_how_many_ids_matched(library: Library) -> None:
    app = drop(drop(open_data(), shop()), ITEMS, "items.csv", "upload_items")
    entry = library.get(state_key(app))
    assert entry.items is not None and entry.items.name == "items.csv"
    said = " ".join(element.value.replace("\\", "") for element in app.markdown)
    assert "items.csv describes 2 of 12 items that lists are made of (price)" in said
    assert "The file of items knows only 2 of 12 items.** Are its ids written as" in said
    assert [one.key for one in library.list()] == [SAMPLE_KEY, entry.key], "what was extended gave way"


def test_a_file_of_items_that_comes_first_waits_for_the_other(library: Library) -> None:
    app = drop(open_data(), ITEMS, "items.csv", "upload_items")
    assert state_key(app) == SAMPLE_KEY and any("Kept until" in element.value for element in app.caption)
    assert library.get(state_key(drop(app, shop()))).items is not None


@pytest.mark.parametrize(
    ("name", "content", "says", "mendable"),
    [
        ("empty.csv", b"", "is empty", False),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG", False),
        ("ragged.csv", b"user,item\na,b,c\nd\n", "Most unreadable rows” under Preparation", True),
        ("one.csv", b"user,item\n" + b"".join(b"a,i%d\n" % n for n in range(60)), "only one user", True),
    ],
)
def test_a_bad_file_is_never_the_chosen_dataset(
    library: Library, name: str, content: bytes, says: str, mendable: bool
) -> None:
    app = drop(open_data(), shop())
    good = state_key(app)
    drop(app, content, name)
    assert state_key(app) == good and answer(app).startswith("Only just: 25")
    assert f"**{name.replace('.', chr(92) + '.')} was not taken" in app.error[0].value
    assert says in app.error[0].value.replace("\\", "")
    assert len(library.list()) == 2 + mendable
    if mendable:
        app.button(key="open_refused").click().run()
        assert not app.exception and state_key(app) not in (good, SAMPLE_KEY)
        return
    app.button(key="close_refused").click().run()
    assert not app.error


def test_what_was_refused_is_kept_no_longer_than_it_is_told(library: Library) -> None:
    app = drop(open_data(), b"user,item\na,b,c\nd\n", "ragged.csv")
    assert len(library.list()) == 2
    drop(app, shop())
    assert not app.error and [entry.name for entry in library.list()] == ["Online Retail (sample)", "shop.csv"]


def test_a_file_of_items_of_other_ids_is_refused_and_the_dataset_stays(library: Library) -> None:
    app = drop(open_data(), shop())
    before = state_key(app)
    drop(app, b"product,price\nX1,2\nX2,3\n", "items.csv", "upload_items")
    assert "holds the item ids" in app.error[0].value
    assert state_key(app) == before and len(library.list()) == 2


def test_a_removed_upload_gives_way_to_the_sample(library: Library) -> None:
    app = open_upload(library, shop())
    app.button(key="remove_dataset").click().run()
    assert not app.exception
    assert state_key(app) == SAMPLE_KEY
    assert len(library.list()) == 1


def test_a_large_file_that_has_arrived_is_added_with_its_optional_files(library: Library) -> None:
    app = open_data()
    path = library.expect("a" * 32, "shop.csv", len(shop()))
    path.write_bytes(shop())
    received = Received(path, hashlib.sha256(shop()).hexdigest())
    key = app.session_state["upload_key"]
    uploads._done["a" * 32] = uploads.Upload("shop.csv", key, received, len(shop()))
    app.session_state["upload_id"] = "a" * 32
    app.run()
    assert not app.exception and not app.error
    assert library.get(state_key(app)).interactions.read_bytes() == shop()
    assert not list(uploads.folder().iterdir())


def test_the_same_content_again_is_recognised_and_another_is_a_version(library: Library) -> None:
    app = open_data()
    for content in (shop(), shop() + b"\n0001,p1,view,2024-01-01", shop()):
        drop(app, content)
    assert [message.value for message in app.toast][-1].startswith("The same content is here since")
    assert len(library.list()) == 3
    table = next(frame.value for frame in app.dataframe if "version" in frame.value.columns)
    assert table[table["name"] == "shop.csv"].sort_values("version")["rows"].tolist() == [240, 241]


def test_another_version_is_opened_from_the_list(library: Library) -> None:
    first = library.add("shop.csv", io.BytesIO(shop()))
    second = library.add("shop.csv", io.BytesIO(shop(50)))
    app = open_data(dataset=second.key)
    table = next(frame.value for frame in app.dataframe if "version" in frame.value.columns)
    row = table["key"].tolist().index(first.key[:8])
    app.session_state[f"versions.{second.key}"] = {"selection": {"rows": [row], "columns": []}}
    app.run()
    assert not app.exception
    assert state_key(app) == first.key


def test_the_reading_of_the_first_rows_follows_the_roles(library: Library) -> None:
    app = open_upload(library, shop())
    table = next(frame.value for frame in app.dataframe if "User (customer)" in frame.value.columns)
    assert str(table["Time (date)"].dtype).startswith("datetime64")
    app.selectbox(key=f"role.{state_key(app)}.user").select("action").run()
    assert next(frame.value for frame in app.dataframe if "User (action)" in frame.value.columns) is not None


def test_doubts_come_with_what_to_do(library: Library) -> None:
    app = open_upload(library, shop())
    app.run()
    said = " ".join(element.value.replace("\\", "") for element in app.markdown)
    assert "40 users are few to form groups of.** Take a longer period" in said
