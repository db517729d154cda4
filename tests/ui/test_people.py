"""People who sign in: who they are, what they find, and that nobody finds what is another one's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.core import rights
from grouprec.core.rights import STRANGER, Person, Role
from grouprec.core.types import StorageError
from grouprec.runs.store import Run
from grouprec.ui import fragments, people, state
from grouprec.ui.frame import SECTIONS
from grouprec.ui.people import Rules, who_is
from tests.ui.opening import FRAME, PATIENCE

PAGES = [name for section in SECTIONS.values() for name in section]
ANN, BOB, EVE = "ann@example.com", "bob@example.com", "eve@elsewhere.example"
RULES = Rules.model_validate({"analysts": ["ANN@example.com", "bob@example.com"], "viewers": ["*@example.com"]})
TITLE = "Very secret run"


def claims(email: str, **more: Any) -> dict[str, Any]:
    said = {"is_logged_in": True, "email": email, "email_verified": True, "sub": "17", "iat": time.time()}
    return {**said, **more}


@pytest.mark.parametrize(
    ("said", "role"),
    [
        (claims("Ann@Example.com"), Role.ANALYST),
        (claims("carl@example.com"), Role.VIEWER),
        (claims(EVE), Role.STRANGER),
        (claims(ANN, is_logged_in=False), Role.STRANGER),
        (claims(ANN, is_logged_in="true"), Role.STRANGER),
        (claims(ANN, email_verified=False), Role.STRANGER),
        (claims(ANN, email_verified=None), Role.STRANGER),
        (claims(ANN, iat=time.time() - 13 * 3600), Role.STRANGER),
        (claims(ANN, iat=None), Role.STRANGER),
        (claims(""), Role.STRANGER),
        (claims("api"), Role.STRANGER),
        (claims("evil\nann@example.com.evil"), Role.STRANGER),
        (claims("ann@example.com\u2003"), Role.STRANGER),
        (claims("\u2003"), Role.STRANGER),
        ({}, Role.STRANGER),
    ],
)
def test_people_are_who_their_provider_says_where_it_says_enough(said: dict[str, Any], role: Role) -> None:
    assert who_is(said, RULES, time.time()).role is role


def test_roles_may_come_from_a_claim_and_people_be_known_by_another_one_than_their_address() -> None:
    rules = Rules.model_validate({"analysts": ["Team-A"], "viewers": ["team-b"], "claim": "groups", "identity": "sub"})
    assert who_is(claims("", groups=["x", "team-a"]), rules, time.time()) == Person("17", Role.ANALYST)
    assert who_is(claims("", groups="team-b"), rules, time.time()).role is Role.VIEWER
    assert who_is(claims("", groups=["team-c"]), rules, time.time()) == STRANGER
    for odd in (None, 7, True, {"team-a": 1}, [None, 7, ["team-a"]]):
        assert who_is(claims("", groups=odd), rules, time.time()) == STRANGER


def test_a_name_that_looks_like_another_one_is_not_that_one() -> None:
    rules = Rules.model_validate({"analysts": ["Kate", "Åse"], "viewers": ["*"], "identity": "preferred_username"})
    for name in ("KATE", "kate", "ÅSE", "åse"):
        who = who_is(claims("", preferred_username=name), rules, time.time())
        assert (who.name, who.role) == (name.lower(), Role.ANALYST)
    for name in ("\u212aate", "kate\u2003", " kate", "kate\n", "\u212bse"):  # the signs of Kelvin and Angstrom
        who = who_is(claims("", preferred_username=name), rules, time.time())
        assert who.role is Role.VIEWER and who.name == rights.known_as(name) and who.name not in ("kate", "åse"), name


def visit(page: str, user: dict[str, Any], **query: str) -> AppTest:
    """Return a page of the app as somebody finds it who signed in; secrets are those of the team."""
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    app.secrets["people"] = {"analysts": [ANN, BOB], "viewers": ["*@example.com"]}
    app.user = user
    app.run()
    if user.get("is_logged_in"):
        app.switch_page(state.page_path(page))
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def told(app: AppTest) -> str:
    """Return all that the browser gets, as one text."""
    return str(app._tree)


@pytest.fixture
def signing_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "_asked", [people.current])


@pytest.fixture
def anns_run(finished_run: Run, signing_in: None) -> Run:
    with rights.acting(rights.LOCAL):
        finished_run.rename(TITLE)
    rights.give(finished_run.path, ANN)
    return finished_run


@pytest.mark.parametrize("page", PAGES)
def test_nobody_finds_the_private_run_of_another_one_on_any_page(anns_run: Run, page: str) -> None:
    assert TITLE in told(visit(page, claims(ANN), run=anns_run.run_id)), "and so it is in the caches, too"
    assert TITLE not in told(visit(page, claims(BOB), run=anns_run.run_id))


@pytest.mark.parametrize("user", [claims(BOB), claims("carl@example.com"), claims(EVE), {"is_logged_in": False}])
def test_without_its_id_nobody_learns_that_there_is_one(anns_run: Run, user: dict[str, Any]) -> None:
    text = told(visit("train", user))
    assert TITLE not in text and anns_run.run_id not in text


def test_who_has_not_signed_in_sees_the_door_and_nothing_else(anns_run: Run) -> None:
    app = visit("groups", {"is_logged_in": False}, run=anns_run.run_id)
    assert [button.label for button in app.button] == ["Sign in"]
    assert not app.selectbox and not app.dataframe
    app = visit("groups", claims(EVE), run=anns_run.run_id)
    assert [button.label for button in app.button] == ["Sign in again"]


def test_a_shared_run_is_seen_and_a_viewer_is_offered_nothing_to_train(anns_run: Run) -> None:
    app = visit("train", claims(ANN), run=anns_run.run_id)
    (toggle,) = [one for one in app.toggle if "Share this run" in one.label]
    toggle.set_value(True).run()
    assert rights.owner_of(anns_run.path) == (ANN, True)
    app = visit("train", claims("carl@example.com"), run=anns_run.run_id)
    assert TITLE in told(app)
    assert f"Shared by {ANN}." in [caption.value.replace("\\", "") for caption in app.sidebar.caption]
    assert not [button for button in app.button if button.key == "start_run"]
    assert not [one for one in app.toggle if "Share this run" in one.label]


def test_a_page_that_stands_open_shows_nothing_of_a_run_that_was_made_private(anns_run: Run) -> None:
    rights.give(anns_run.path, ANN, shared=True)
    with rights.acting(Person(BOB, Role.ANALYST)):
        assert len(state.table(anns_run, "users"))
        rights.give(anns_run.path, ANN, shared=False)
        for read in (state.metrics, state.edited, state.run_users, lambda run: state.table(run, "users")):
            with pytest.raises(StorageError, match="There is no run called"):
                read(anns_run)


def test_a_download_is_made_for_who_saw_its_button_and_may_still_see_the_run(anns_run: Run) -> None:
    rights.give(anns_run.path, ANN, shared=True)
    with rights.acting(Person(BOB, Role.ANALYST)):
        made = state.later(lambda: (rights.person().name, len(state.table(anns_run, "users"))), anns_run)
    with ThreadPoolExecutor(1) as elsewhere:  # where Streamlit makes it
        assert elsewhere.submit(made).result() == (BOB, anns_run.metrics()["n_users"])
        rights.give(anns_run.path, ANN, shared=False)
        with pytest.raises(StorageError, match="There is no run called"):
            elsewhere.submit(made).result()


def test_a_part_that_draws_itself_again_draws_nothing_of_a_run_that_was_made_private(
    anns_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[object] = []
    monkeypatch.setattr(fragments.st, "fragment", lambda part, **_: part)
    monkeypatch.setattr(fragments.st, "error", drawn.append)
    part = fragments.fragment(lambda run, what: drawn.append(what))
    rights.give(anns_run.path, ANN, shared=True)
    with rights.acting(Person(BOB, Role.ANALYST)):
        part(anns_run, "the next event")
        rights.give(anns_run.path, ANN, shared=False)
        part(anns_run, "another one")
    assert drawn[0] == "the next event" and len(drawn) == 2 and "There is no run called" in str(drawn[1])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[auth]\nx = 1\n", "names no analysts and no viewers"),
        ("[auth]\nx = 1\n[people]\nanalysts = 'ann@example.com'\n", "is wrong"),
        ("[auth]\nx = 1\n[people]\nadmins = ['ann@example.com']\n", "is wrong"),
        ("[auth\n", "cannot be read"),
    ],
)
def test_a_server_whose_lists_are_wrong_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    with pytest.raises(people.SettingError, match=sentence):
        secrets(tmp_path, monkeypatch, text)


def test_without_secrets_nobody_has_to_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not secrets(tmp_path, monkeypatch, None)
    assert not secrets(tmp_path, monkeypatch, "[other]\nx = 1\n")
    assert secrets(tmp_path, monkeypatch, "[auth]\nx = 1\n[people]\nviewers = ['*']\n")


def test_a_server_whose_named_secrets_are_gone_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(people.SECRETS, str(tmp_path / "secrets.toml"))
    with pytest.raises(people.SettingError, match="names no file that is there"):
        secrets(tmp_path, monkeypatch, None)


def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None) -> bool:
    """Return whether people have to sign in where Streamlit's secrets are this text."""
    import streamlit as st
    from streamlit.runtime.secrets import Secrets

    file = tmp_path / "secrets.toml"
    if text is not None:
        file.write_text(text)
    option = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: [str(file)] if name == "secrets.files" else option(name))
    monkeypatch.setattr("streamlit.runtime.secrets.config.get_option", st.get_option)
    monkeypatch.setattr(st, "secrets", Secrets())
    return people.sign_in_needed()
