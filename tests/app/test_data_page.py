"""The Data page: the answer, the choices, uploads, bad input; and the shapes of its charts."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

import grouprec.ui
from grouprec.data.clean import Preparation
from grouprec.library import SAMPLE_KEY, Library
from grouprec.runs import RunStore
from grouprec.ui import preview, state
from grouprec.ui.forms import FieldSpec, changed, describe

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
    app = AppTest.from_file(FRAME, default_timeout=30).run()
    app.switch_page(state.page_path("data"))
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def open_upload(library: Library, content: bytes, name: str = "shop.csv") -> AppTest:
    return open_data(dataset=library.add(name, io.BytesIO(content)).key)


def answer(app: AppTest) -> str:
    """Return the page's first line, as people read it."""
    first = next(element.value for element in app.main.markdown if element.value.startswith("#"))
    return first.lstrip("# ").replace("\\", "")


# -- the page


def test_before_the_check_the_page_says_what_the_file_looks_like(library: Library) -> None:
    app = open_upload(library, shop())
    said = answer(app)
    assert "240 rows in 4 columns" in said
    assert "the user is “customer”, the item is “product”, the time is “date”" in said
    assert app.selectbox(key=f"role.{state_key(app)}.behaviour").value == "action"


def state_key(app: AppTest) -> str:
    return app.selectbox(key="pick_dataset").value


def test_the_check_answers_with_numbers_and_shows_every_step(library: Library) -> None:
    app = open_upload(library, shop())
    app.button(key="check_data").click().run()
    assert not app.exception
    said = answer(app)
    assert said.startswith("Only just: 40 users are few")
    assert "12 items with 216 usable interactions" in said
    assert "10 % of the rows were dropped or merged, most because they name no user" in said
    report = next(frame.value for frame in app.dataframe if "rows_before" in frame.value.columns)
    assert report["dropped"].max() == 24
    assert app.button(key="to_train").label == "Continue to training"
    assert len(app.get("plotly_chart")) == 4


def test_checked_choices_are_remembered_for_training(library: Library) -> None:
    app = open_upload(library, shop())
    key = state_key(app)
    app.selectbox(key=f"role.{key}.time").select("–")
    app.number_input(key=f"prepare.{key}.min_item_users").set_value(2)
    app.number_input(key=f"behaviour.{key}.view").set_value(0.5)
    app.button(key="check_data").click().run()
    assert not app.exception
    saved = library.get(key)
    assert saved.roles == {"time": ""}
    assert saved.preparation["min_item_users"] == 2
    assert saved.preparation["behaviour_weights"]["view"] == 0.5
    assert set(saved.preparation) == {"min_item_users", "behaviour_weights"}


def test_a_changed_choice_asks_for_another_check(library: Library) -> None:
    app = open_upload(library, shop())
    app.button(key="check_data").click().run()
    app.toggle(key=f"prepare.{state_key(app)}.drop_robots").set_value(False).run()
    assert app.button(key="check_data")
    assert answer(app).startswith("shop")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("header.csv", b"user,item\n", "no rows"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "PNG"),
        ("double.csv", b"user,user,item\na,b,c\n", "user"),
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
    content = b"user,item,quantity\n" + b"".join(b"u%d,i%d,-1\n" % (n % 9, n % 5) for n in range(90))
    app = open_upload(library, content)
    app.button(key="check_data").click().run()
    assert "cancellations and non" in app.error[0].value
    app.selectbox(key=f"role.{state_key(app)}.weight").select("–").run()
    app.button(key="check_data").click().run()
    assert not app.error


def test_two_roles_for_one_column_are_refused_in_a_sentence(library: Library) -> None:
    app = open_upload(library, shop())
    app.selectbox(key=f"role.{state_key(app)}.label").select("product")
    app.button(key="check_data").click().run()
    assert not app.exception
    assert len(app.error) == 1


def test_an_uploaded_file_becomes_the_current_dataset(library: Library) -> None:
    app = open_data()
    app.file_uploader(key="upload.0").upload("My <b>shop</b>.csv", shop())
    app.file_uploader(key="upload_items.0").upload("items.csv", b"product,price\np1,2.5\np2,3\n")
    next(button for button in app.button if button.label == "Add").click().run()
    assert not app.exception
    entry = library.get(state_key(app))
    assert entry.interactions.read_bytes() == shop()
    assert entry.items.name == "items.csv"
    assert "240 rows" in answer(app)


def test_adding_without_a_file_says_what_to_do(library: Library) -> None:
    app = open_data()
    next(button for button in app.button if button.label == "Add").click().run()
    assert app.error[0].value == "Choose an interactions file first."


def test_a_removed_upload_gives_way_to_the_sample(library: Library) -> None:
    app = open_upload(library, shop())
    app.button(key="remove_dataset").click().run()
    assert not app.exception
    assert state_key(app) == SAMPLE_KEY
    assert len(library.list()) == 1


# -- the shapes


def test_counts_fall_into_powers_of_two() -> None:
    frame = preview.distribution(np.array([0, 1, 1, 2, 3, 4, 9]))
    assert frame["interactions"].tolist() == ["1", "2–3", "4–7", "8–15"]
    assert frame["count"].tolist() == [2, 2, 1, 1]
    assert preview.distribution(np.zeros(3, int)).empty


@pytest.mark.parametrize(("days", "most"), [(30, 31), (400, 60), (2000, 68)])
def test_activity_keeps_every_row_in_a_readable_number_of_bars(days: int, most: int) -> None:
    times = np.arange(days) * 86_400.0 + 1.6e9
    frame = preview.activity(times)
    assert frame["count"].sum() == days
    assert 10 <= len(frame) <= most


def test_activity_without_times_is_empty() -> None:
    assert preview.activity(np.empty(0)).empty


def check_of(n_users: int, n_items: int, n_rows: int, dropped: int) -> preview.Check:
    steps = [("missing ids", n_rows + dropped, n_rows, dropped, "")]
    report = pd.DataFrame(steps, columns=["step", "rows_before", "rows_after", "dropped", "note"])
    empty = pd.DataFrame()
    return preview.Check(n_users, n_items, n_rows, n_rows + dropped, report, empty, empty, empty, {})


def test_the_verdict_is_yes_for_plenty_and_names_the_weakness_else() -> None:
    assert preview.verdict(check_of(4338, 3665, 390_000, 130_000)) == (
        "Yes: 4,338 users and 3,665 items with 390,000 usable interactions; "
        "25 % of the rows were dropped or merged, most because they name no user or no item."
    )
    assert preview.verdict(check_of(5000, 10, 90_000, 0)).startswith("Only just: 10 items are few")
    assert preview.verdict(check_of(5000, 100, 9_000, 0)).startswith("Only just: most users have too few")
    assert "no row was dropped" in preview.verdict(check_of(500, 100, 9_000, 0))


# -- forms


def test_every_preparation_setting_but_the_weights_has_a_widget_with_its_bounds() -> None:
    specs = {spec.name: spec for spec in describe(Preparation)}
    assert set(specs) == set(Preparation.model_fields) - {"behaviour_weights"}
    assert all(spec.help for spec in specs.values())
    assert specs["min_item_users"] == FieldSpec(
        "min_item_users",
        "Min item users",
        Preparation.model_fields["min_item_users"].description or "",
        "int",
        low=1,
        high=1000,
    )
    assert specs["weighting"].options == ("log", "none", "binary")
    assert (specs["drop_robots"].kind, specs["winsorise"].kind) == ("bool", "float")


def test_only_changed_values_are_settings() -> None:
    base = Preparation()
    assert changed({**base.model_dump(), "min_user_items": 4}, base) == {"min_user_items": 4}
