"""Two people of a team in two browsers, signed in at a real provider, below a path as behind a proxy."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from grouprec.core import rights
from grouprec.runs.store import RunStore
from tests.browser.conftest import PATIENCE_MS, Server, free_port, serving
from tests.support.planted_run import build_run

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from oidc_provider_mock import User, run_server_in_thread

ANN, CARL, EVE = "ann@example.com", "carl@example.com", "eve@elsewhere.example"
SECRETS = """[auth]
redirect_uri = "{url}/oauth2callback"
cookie_secret = "only for this test, and long enough"
client_id = "grouprec"
client_secret = "secret"
server_metadata_url = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
[people]
analysts = ["{ann}"]
viewers = ["*@example.com"]
"""


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server where people sign in, with a run of Ann's."""
    folder, port = tmp_path_factory.mktemp("team"), free_port()
    run = build_run(RunStore(folder / "runs"))
    rights.give(run.path, ANN)
    users = [User(sub=name, claims={"email": name, "email_verified": True}) for name in (ANN, CARL, EVE)]
    with run_server_in_thread(user_claims=users) as provider:
        url = f"http://127.0.0.1:{port}/team"
        secrets = SECRETS.format(url=url, provider=provider.server_port, ann=ANN)
        (folder / "secrets.toml").write_text(secrets)
        environment = {
            "STREAMLIT_SECRETS_FILES": str(folder / "secrets.toml"),
            "STREAMLIT_SERVER_BASE_URL_PATH": "team",
        }
        with serving(folder, port, **environment) as server:
            yield server


def sign_in(browser: Browser, server: Server, name: str) -> Page:
    """Return a browser's page after somebody has signed in."""
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{server.url}/groups")
    page.get_by_role("button", name="Sign in").click()
    page.locator("input[name=sub]").fill(name)
    page.get_by_role("button", name="Authorize").click()
    return page


def test_each_finds_what_is_theirs_and_what_is_shared(team: Server, browser: Browser) -> None:
    (run,) = RunStore(team.runs).all_runs()
    ann = sign_in(browser, team, ANN)
    expect(ann).to_have_url(re.compile(run.run_id))
    expect(ann.get_by_role("button", name=ANN)).to_be_visible()

    carl = sign_in(browser, team, CARL)
    expect(carl.get_by_role("button", name=CARL)).to_be_visible()
    carl.goto(f"{team.url}/groups?run={run.run_id}")
    expect(carl.get_by_text("This run is not here")).to_be_visible()
    expect(carl.get_by_test_id("stSidebar").get_by_label("Run")).to_have_count(0)

    ann.goto(f"{team.url}/groups?run={run.run_id}")
    ann.get_by_text("Share this run with the team").click()
    expect(ann.get_by_label("Share this run with the team")).to_be_checked()
    expect(ann.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    carl.goto(f"{team.url}/groups?run={run.run_id}")
    expect(carl.get_by_test_id("stSidebar").get_by_text(f"Shared by {ANN}.")).to_be_visible()
    audit = (team.runs / ".audit" / "audit.jsonl").read_text()
    assert f'"who": "{ANN}", "what": "share"' in audit and f'"who": "{CARL}", "what": "open"' in audit


def test_who_is_on_no_list_stays_outside(team: Server, browser: Browser) -> None:
    page = sign_in(browser, team, EVE)
    expect(page.get_by_text("This server does not know you")).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)


def test_nothing_of_the_server_is_given_out_without_a_sign_in(team: Server, browser: Browser) -> None:
    page = browser.new_context().new_page()
    for path in ("media/x.csv", "_stcore/metrics", "metrics", "present?run=x", "shared/x/y"):
        assert page.request.get(f"{team.url}/{path}").status in (401, 404), path
    assert page.request.post(f"{team.url}/api/upload?name=x.csv", data="user,item").status == 401
    log = Path(team.log).read_text()
    assert "Traceback" not in log, log
