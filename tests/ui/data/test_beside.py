"""Files beside the interactions on the pages: taken, said, refused, and trained with."""

from __future__ import annotations

import io
import itertools
import re

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.data.library import Library
from grouprec.runs.config import RunConfig
from grouprec.runs.store import RunStore
from tests.ui.opening import visit

USERS = [f"{n:04d}" for n in range(40)]
SHOP = "customer,product,date\n" + "".join(
    f"{user},p{(n + step) % 12},2024-{1 + step:02d}-{1 + n % 28:02d}\n"
    for n, user in enumerate(USERS)
    for step in range(6)
)
SITE = "customer,product\n" + "".join(f"{user},{item}\n" for user in USERS for item in ("cup", "tea"))
FRIENDS = "user,friend\n" + "".join(f"{one},{other}\n" for one, other in itertools.pairwise(USERS))


@pytest.fixture
def library(runs_folder: RunStore) -> Library:
    return Library(runs_folder.root / "datasets")


def drop(app: AppTest, part: str, name: str, content: str) -> AppTest:
    app.file_uploader(key=f"{part}.{app.session_state['upload_turn']}").upload(name, content.encode())
    app.run()
    assert not app.exception
    return app


def test_what_people_do_elsewhere_and_whom_they_know_join_the_file(library: Library) -> None:
    app = drop(visit("data"), "upload", "shop.csv", SHOP)
    app = drop(app, "upload_also", "site.csv", SITE)
    app = drop(app, "upload_edges", "friends.csv", FRIENDS)
    key = app.selectbox(key="pick_dataset").value
    entry = library.get(key)
    assert (entry.also.name, entry.edges.name) == ("site.csv", "friends.csv")
    said = " ".join(one.value for one in app.markdown).replace("\\", "")
    assert re.search(r"site.csv tells of (\d+) of \1 users what they take elsewhere: \d+ rows of 2 items", said)
    assert re.search(r"friends.csv connects (\d+) of \1 users by \d+ edges", said)
    app = drop(app, "upload_edges", "others.csv", "user,friend\nx,y\n")
    assert "connects no two users" in app.error[0].value and app.selectbox(key="pick_dataset").value == key


@pytest.mark.parametrize("with_friends", [True, False])
def test_a_run_is_given_the_files_and_what_reads_them(
    library: Library, started: list[RunConfig], with_friends: bool
) -> None:
    beside = {"edges": ("friends.csv", io.BytesIO(FRIENDS.encode()))} if with_friends else {}
    entry = library.add("shop.csv", io.BytesIO(SHOP.encode()), **beside)
    app = visit("train", dataset=entry.key)
    told = next(one.value for one in app.caption if one.value.startswith("Trains and blends"))
    assert ("Social" in told or "what friends have" in told) == with_friends
    app.button(key="start_run").click().run()
    assert started[0].edges == entry.edges and ("social" in [name for _, name in started[0].chosen()]) == with_friends
