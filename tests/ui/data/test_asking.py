"""What the Data page asks, what it doubts, and how service lines are kept by one click."""

from __future__ import annotations

import pytest

from grouprec.data.library import Library
from grouprec.data.roles.columns import ROLES, Roles
from grouprec.data.roles.detect import Detected
from grouprec.runs.store import RunStore
from grouprec.ui.data.asking import question
from grouprec.ui.data.page import ROLE_HELP
from tests.ui.data.test_page import answer, open_upload, state_key


@pytest.fixture
def library(runs_folder: RunStore) -> Library:
    return Library(runs_folder.root / "datasets")


def shop(*extra: str, n_users: int = 40, header: str = "customer,product,description,date") -> bytes:
    """Return a CSV in which every user takes six of twelve mugs, and further rows."""
    rows = [header]
    for user in range(n_users):
        rows += [
            f"{user:04d},p{(user + step) % 12},Mug {(user + step) % 12},2024-{1 + step:02d}-{1 + user % 28:02d}"
            for step in range(6)
        ]
    return "\n".join([*rows, *extra]).encode()


def texts(app) -> str:
    return " ".join(element.value.replace("\\", "") for element in app.main.markdown)


def test_a_missing_role_is_asked_for_instead_of_a_check(library: Library) -> None:
    lines = [f"{order},{line},p{(order + line) % 12}" for order in range(60) for line in range(1, 6)]
    app = open_upload(library, "\n".join(["order_id,line,product", *lines]).encode())
    said = answer(app)
    assert said.startswith(
        "One thing to tell: which column says who (the user)? ('line' was not taken: it counts the lines"
    )
    assert "to_train" not in [button.key for button in app.button]
    choice = app.selectbox(key=f"ask.{state_key(app)}.user")
    assert "order_id: 0, 1, 2" in choice.options
    choice.select("order_id: 0, 1, 2").run()
    assert not app.exception and app.button(key="to_train")
    assert library.get(state_key(app)).roles == {"user": "order_id"}


def test_service_lines_are_shown_and_kept_by_one_click(library: Library) -> None:
    postage = [f"{user:04d},POST,Postage,2024-02-{1 + user % 28:02d}" for user in range(30)]
    app = open_upload(library, shop(*postage))
    assert "30 rows are service lines and left out (Postage)" in texts(app)
    assert "13 items" not in answer(app) and "12 items" in answer(app)
    app.button(key="undo.drop_services").click().run()
    assert not app.exception
    assert "13 items" in answer(app), "checked again at once"
    assert library.get(state_key(app)).preparation == {"drop_services": False}
    assert "service lines" not in texts(app)


def test_doubts_stand_under_what_to_look_at(library: Library) -> None:
    app = open_upload(library, shop("0001,p1,Mug 1,soon"))
    assert "1 of 241 times in column 'date' cannot be read, such as 'soon'" in texts(app)
    assert "choose another column for the time under Columns" in texts(app)


@pytest.mark.parametrize(
    ("roles", "asked"),
    [
        ({"user": "a", "item": "b"}, None),
        ({"user": "a", "item": ""}, "One thing to tell: which column says what (the item)?"),
        (
            {},
            "Two things to tell: which column says who (the user) and which what (the item)? "
            "('x' was not taken: it holds durations)",
        ),
    ],
)
def test_the_question_names_what_is_missing(roles, asked) -> None:
    detected = Detected(roles=Roles(), refused={"user": {"x": "it holds durations"}})
    assert question(detected, roles) == asked


def test_every_role_is_explained() -> None:
    assert set(ROLE_HELP) == set(ROLES)
