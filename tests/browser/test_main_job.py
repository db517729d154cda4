"""The main job in a real browser, as two people do it who have read nothing before.

The analyst's ten minutes: three files as MovieLens has them -> train -> map -> list -> compare -> an event -> files.
The manager's five, by keyboard alone: a finished run of the sample -> slider -> yes -> files -> views for a room.
"""

from __future__ import annotations

import csv
import os
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, expect

from grouprec.core.site import app_root
from grouprec.report import bundle
from grouprec.runs.approvals import approvals
from grouprec.runs.config import parse_settings
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs
from tests.browser.conftest import PAGES, Server, Tab
from tests.support.films import Films, write_films
from tests.support.small_run import TINY_SETTINGS, train

pytestmark = pytest.mark.browser
TRAINING_MS = 420_000  # the deadline only ends a test that has already failed
MOST_TABS = 80  # to whatever is on a page
PICTURES = bool(os.environ.get("GROUPREC_SCREENSHOTS"))


def train_the_sample(tab: Tab) -> None:
    page = tab.page
    tab.open("/")
    tab.shot("welcome")
    page.get_by_role("button", name="Train the sample").click()
    expect(page).to_have_url(re.compile("/train.*run="))
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    # Trainings give way to everything else: beside other tests the process may take long until it says anything.
    expect(page.get_by_text(re.compile("Now: "))).to_be_visible(timeout=TRAINING_MS)
    tab.shot("training")
    page.reload()  # the run goes on without the tab, and the URL finds it again
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()


def drop(tab: Tab, name: str, content: bytes) -> None:
    """Drop a file on the Data page; it is looked at at once."""
    tab.page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )


def give(tab: Tab, file: Path, place: int) -> None:
    """Give a file to a drop zone of the Data page: 0 who did what, 1 items, 2 users."""
    tab.settled()
    tab.page.locator("input[type=file]").nth(place).set_input_files(file)


def read(csv_file: Path | bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    content = csv_file if isinstance(csv_file, bytes) else csv_file.read_bytes()
    return list(csv.DictReader(content.decode("utf-8-sig").splitlines()))


def download(tab: Tab, button: str) -> Path:
    """Press a button and return the file that it gives."""
    with tab.page.expect_download() as given:
        tab.page.get_by_role("button", name=button).first.press("Enter")
    return Path(given.value.path())


# -- the analyst's ten minutes


@pytest.mark.skipif(PICTURES, reason="pictures are of the sample")
def test_an_analyst_takes_three_files_to_lists_that_an_event_moves(tab: Tab, tmp_path: Path) -> None:
    """The sample is cancelled: it takes minutes, and what follows is the same for any data."""
    page, films = tab.page, write_films(tmp_path)
    train_the_sample(tab)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile("[Cc]ancelled")).first).to_be_visible()

    bring(tab, films)
    page.get_by_role("button", name="Start training").click()
    page.locator(".st-key-open_decide button").click(timeout=TRAINING_MS)
    expect(page).to_have_url(re.compile("/decide"))
    run = RunStore(tab.server.runs).get("last")
    assert run.status().state is State.DONE and run.damaged() == []
    look_around(tab)
    shown = {row["user"] for row in read(download(tab, "Download these users"))}
    assert len(shown) > 10 and shown <= films.users

    page.get_by_role("link", name="Recommendations").click()
    tab.settled()
    expect(page.locator(".st-key-why")).to_contain_text(
        re.compile(r"Café No\. \d+ \(\d{4}\) is number 1.*Because members", re.S)
    )
    compare(tab)
    send_an_event(tab, films)
    approve(tab, films)


def bring(tab: Tab, films: Films) -> None:
    """Bring the three files to the Data page, and go on to training once it says what it understood."""
    page = tab.page
    tab.open("/data")
    give(tab, films.ratings, 0)
    expect(page.get_by_text("There are 80 users and 120 items").first).to_be_visible()
    for place, file, said in ((1, films.films, "120 of 120 items"), (2, films.people, "80 of 80 users")):
        give(tab, file, place)
        expect(page.get_by_text(f"{file.name} describes {said}").first).to_be_visible()
    page.get_by_role("button", name="Continue to training").click()
    expect(page).to_have_url(re.compile("/train"))
    tab.settled()


def look_around(tab: Tab) -> None:
    """Go from Decide to the map, and draw around users."""
    page = tab.page
    tab.settled()
    expect(page.locator(".st-key-decide_curve .js-plotly-plot")).to_be_visible()
    page.get_by_role("link", name="Groups").click()
    expect(page.locator(".st-key-groups_map .js-plotly-plot")).to_be_visible()
    tab.settled()
    tab.lasso(page.get_by_text("users selected"))


def compare(tab: Tab) -> None:
    page = tab.page
    page.get_by_role("link", name="Compare").click()
    tab.settled()
    expect(page.locator(".st-key-compare_five .js-plotly-plot")).to_be_visible()
    page.get_by_role("radio", name="For analysts").click()
    page.get_by_role("tab", name="In numbers").click()
    expect(page.get_by_role("region", name=re.compile("Methods in rows"))).to_be_visible()


def send_an_event(tab: Tab, films: Films) -> None:
    """Let somebody take the first film of their list, and find it gone from the lists as they then stand."""
    page = tab.page
    page.get_by_role("link", name="Updates").click()
    tab.settled()
    page.get_by_role("radio", name="Send events").click()
    tab.settled()
    run = RunStore(tab.server.runs).get("last")
    user, film = run.table("user_lists").query("rank == 1")[["user", "item"]].iloc[0]
    for name, value in (("User", user), ("Item", film)):
        field = page.get_by_role("combobox", name=name, exact=True)
        field.fill(value)
        page.get_by_role("option").filter(has_text=re.compile(rf"(^|· ){value}$")).click()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("1 of 1 event applied")).to_be_visible()
    with zipfile.ZipFile(download(tab, "Download lists as they stand")) as files:
        own = [row["item"] for row in read(files.read("user_lists.csv")) if row["user"] == user]
    assert len(own) > 10 and film not in own and set(own) <= set(films.genre_of)


def approve(tab: Tab, films: Films) -> None:
    """Take the files for the shop along: everybody is in a group, and every list is of a genre that was planted, but
    for what one member of another taste may add."""
    page = tab.page
    page.get_by_role("link", name="Decide").click()
    tab.settled()
    page.get_by_role("button", name="Approve and export").click()
    with zipfile.ZipFile(download(tab, "CSV for the shop")) as files:
        members, lists = (read(files.read(f"{name}.csv")) for name in ("members", "group_lists"))
    assert {row["user"] for row in members} == films.users
    for group in {row["group"] for row in members}:
        first = [films.genre_of[row["item"]] for row in lists if row["group"] == group and int(row["rank"]) <= 10]
        assert len(first) == 10 and max(map(first.count, first)) >= 9, (group, first)


# -- the manager's five minutes


@pytest.fixture
def managers_run(server: Server, tmp_path: Path) -> Run:
    """A run of a sixteenth of the sample's customers."""
    if PICTURES:
        pytest.skip("pictures show the sample alone")
    store = RunStore(server.runs)
    rows = pd.read_parquet(app_root() / "sample_data" / "online_retail.parquet")
    rows[rows["CustomerID"] % 16 == 0].to_parquet(tmp_path / "sample.parquet")
    tiny = [setting for setting in TINY_SETTINGS if not setting.startswith(("dnn.", "data.", "lists.min"))]
    return train(store, tmp_path / "sample.parquet", encoders=("ease",), n_groups=6, settings=parse_settings(tiny))


def test_a_manager_decides_by_keyboard_takes_the_files_along_and_presents(tab: Tab, managers_run: Run) -> None:
    page = tab.page
    tab.open(f"/?run={managers_run.run_id}")
    expect(page).to_have_url(re.compile("/decide"))
    tab.settled()
    end_the_tour(tab)
    said = page.locator("[data-testid=stMain] h2").first
    expect(said).to_contain_text(re.compile("(enough|are best).*of 100 people"))
    before = said.inner_text()
    press(tab, page.get_by_role("slider"), "ArrowLeft")
    expect(said).not_to_have_text(before)
    tab.settled()
    expect(page.locator(".st-key-decide_tab")).to_contain_text("Who each list is for")

    press(tab, page.get_by_role("button", name="Approve and export"), "Enter")
    expect(page.get_by_label("Your name")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your name")).to_be_focused()
    press(tab, page.get_by_label("Your name"), "Mei Lin")
    press(tab, page.get_by_role("button", name=re.compile("^Approve \\d+ list")), "Enter")
    expect(page.get_by_text("approved by Mei Lin").first).to_be_visible()
    kept = approvals(managers_run.path)[-1]
    assert kept.by == "Mei Lin" and f"lists={kept.lists}" in page.url
    if not page.get_by_role("button", name="CSV for the shop").is_visible():
        press(tab, page.get_by_role("button", name="Approve and export"), "Enter")
    with zipfile.ZipFile(download(tab, "CSV for the shop")) as files:
        assert bundle.seals({name: files.read(name) for name in files.namelist()}) == kept.files
        assert len({row["group"] for row in read(files.read("group_lists.csv"))}) <= kept.lists
    report = download(tab, "Report").read_text(encoding="utf-8")
    assert report.startswith("<!doctype html>") and "Mei Lin" in report

    page.keyboard.press("Escape")
    with page.context.expect_page() as opened:
        press(tab, page.get_by_role("main").get_by_role("link", name="Present"), "Enter")
    room = opened.value
    expect(room.locator(".view:visible h1")).to_contain_text("interactions of")
    for _view in range(3):
        room.keyboard.press("ArrowRight")
    expect(room.locator(".view:visible")).to_contain_text("approved by Mei Lin")


def end_the_tour(tab: Tab) -> None:
    button = tab.page.get_by_role("button", name="End the tour")
    if button.count():
        press(tab, button, "Enter")
        expect(button).to_have_count(0)


def press(tab: Tab, where: Locator, what: str) -> None:
    """Go to an element with the tab key and press a key, or type, there; no hand touches a mouse."""
    keyboard = tab.page.keyboard
    expect(where.first).to_be_visible()
    for _press in range(MOST_TABS):
        if where.first.evaluate("element => element === document.activeElement"):
            break
        keyboard.press("Tab")
    expect(where.first).to_be_focused()
    if what in ("Enter", "ArrowLeft"):
        keyboard.press(what)
    else:
        keyboard.type(what)


# -- pictures


@pytest.mark.skipif(not PICTURES, reason="only for `make screenshots`")
def test_the_sample_goes_to_compared_lists(tab: Tab) -> None:
    train_the_sample(tab)
    tab.page.locator(".st-key-open_decide button").click(timeout=TRAINING_MS)
    look_around(tab)
    compare(tab)


@pytest.mark.skipif(not PICTURES, reason="only for `make screenshots`")
@pytest.mark.parametrize("tab", ["light", "dark", "phone"], indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_its_picture(tab: Tab, name: str, request: pytest.FixtureRequest) -> None:
    run = RunStore(tab.server.runs).get("last")
    tab.open(f"/{name}?run={run.run_id}")
    tab.page.wait_for_load_state("networkidle")
    expect(tab.page.locator("[data-testid=stException]")).to_have_count(0)
    tab.shot(f"{name}_{request.node.callspec.params['tab']}")


@pytest.mark.skipif(not PICTURES, reason="only for `make screenshots`")
@pytest.mark.parametrize("tab", ["light", "dark", "phone"], indirect=True)
def test_the_presenter_has_its_picture(tab: Tab, request: pytest.FixtureRequest) -> None:
    run = RunStore(tab.server.runs).get("last")
    tab.page.goto(f"{tab.server.url}/present?run={run.run_id}#view-3")
    tab.shot(f"present_{request.node.callspec.params['tab']}")


def test_uploads_are_checked_and_a_bad_one_is_a_sentence(tab: Tab) -> None:
    page = tab.page
    tab.open("/data")
    chosen = page.get_by_text(re.compile("There are .* usable interactions"))
    before = chosen.inner_text()

    drop(tab, "header.csv", b"user_id,item_id\n")
    expect(page.locator("[data-testid=stAlert]").first).to_contain_text("header.csv was not taken")
    expect(chosen).to_have_text(before)
    tab.settled()
    rows = "".join(f"00{n % 9},item {n % 7}\n" for n in range(200))
    drop(tab, "shop.csv", b"user_id,item_id\n" + rows.encode())
    expect(page.get_by_text("9 users and 7 items").first).to_be_visible()
    expect(page.get_by_role("button", name="Continue to training").first).to_be_visible()
    expect(page.locator("[data-testid=stException]")).to_have_count(0)


def test_no_job_is_left_behind(tab: Tab) -> None:
    assert jobs.active(RunStore(tab.server.runs)) is None
