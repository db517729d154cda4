"""The main job in a real browser: sample or own file -> train -> map -> list -> compare."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from grouprec.data.synthetic import planted
from grouprec.runs.store import RunStore, State
from grouprec.training import jobs
from tests.browser.conftest import PAGES, Tab
from tests.support.small_run import write_csv

pytestmark = pytest.mark.browser
TRAINING_MS = 420_000  # the deadline only ends a test that has already failed
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


@pytest.mark.skipif(PICTURES, reason="pictures are of the sample")
def test_a_stranger_goes_from_the_sample_to_an_own_file_and_compared_lists(tab: Tab, tmp_path: Path) -> None:
    """The sample is cancelled: it takes minutes, and what follows is the same for any data."""
    page = tab.page
    train_the_sample(tab)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(re.compile("[Cc]ancelled")).first).to_be_visible()

    tab.open("/data")
    shop = write_csv(planted(n_users=80, n_items=60, events_per_user=20).data, tmp_path / "planted.csv")
    drop(tab, "planted.csv", shop.read_bytes())
    expect(page.get_by_text("There are 80 users and 60 items").first).to_be_visible()
    page.get_by_role("button", name="Continue to training").click()
    expect(page).to_have_url(re.compile("/train"))
    tab.settled()
    page.get_by_role("button", name="Start training").click()
    reach_compared_lists(tab)


@pytest.mark.skipif(not PICTURES, reason="only for `make screenshots`")
def test_the_sample_goes_to_compared_lists(tab: Tab) -> None:
    train_the_sample(tab)
    reach_compared_lists(tab)


def reach_compared_lists(tab: Tab) -> None:
    page = tab.page
    page.locator(".st-key-open_decide button").click(timeout=TRAINING_MS)
    expect(page).to_have_url(re.compile("/decide"))
    run = RunStore(tab.server.runs).get("last")
    assert run.status().state is State.DONE and run.damaged() == []

    tab.settled()
    expect(page.locator(".st-key-decide_curve .js-plotly-plot")).to_be_visible()
    page.get_by_role("link", name="Groups").click()
    plot = page.locator(".st-key-groups_map .js-plotly-plot")
    expect(plot).to_be_visible()
    tab.settled()
    tab.lasso(page.get_by_text("users selected"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download these users").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) > 10

    page.get_by_role("link", name="Recommendations").click()
    tab.settled()
    expect(page.get_by_text("members", exact=False).first).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    tab.settled()
    expect(page.locator(".st-key-compare_five .js-plotly-plot")).to_be_visible()


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
    chosen = page.get_by_role("heading", level=2, name=re.compile("no row was dropped|usable interactions"))
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
