"""Downloads and uploads are for people who have signed in; the cookie says who, and only ours counts."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message
from streamlit.file_util import get_static_dir
from streamlit.runtime import memory_media_file_storage
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorageError
from streamlit.web.server.server_util import get_cookie_secret
from streamlit.web.server.starlette import starlette_app
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from grouprec.core import audit, rights
from grouprec.ui import people, signed_out
from grouprec.ui.people import Rules
from grouprec.ui.server import door, uploads
from grouprec.ui.server.door import Door

CLOSED = ("/media/0f.csv", "/team/media/0f.csv", "/_stcore/upload_file/a/b", "/component/x")
ANN = {"email": "ann@example.com", "email_verified": True, "is_logged_in": True}


async def _who(request: Request) -> PlainTextResponse:
    return PlainTextResponse(rights.person().name)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(rights, "_asked", [people.current])
    monkeypatch.setattr(people, "_rules", lambda: Rules(analysts=("ann@example.com",), viewers=("carl@example.com",)))
    there = (*CLOSED, "/groups", door.NOBODYS, f"/team{door.NOBODYS}", door.SIGN_OUT, f"/team{door.SIGN_OUT}")
    return Door(Starlette(routes=[*(Route(path, _who) for path in there), uploads.route()]))


def cookie(secret: str | None = None, **more: Any) -> str:
    claims = json.dumps({**ANN, "iat": time.time(), **more})
    signed = create_signed_value(secret or get_cookie_secret(), USER_COOKIE_NAME, claims).decode()
    return f"{USER_COOKIE_NAME}={signed}"


def ask(
    app: ASGIApp, path: str, cookie: str = "", method: str = "GET", query: str = "name=a.csv", **headers: str
) -> tuple[int, str]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"user,item\n1,2\n"}

    async def send(message: Message) -> None:
        sent.append(message)

    lines = [(b"cookie", cookie.encode()), *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items())]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": lines}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()


@pytest.mark.parametrize("path", CLOSED)
def test_without_a_cookie_of_ours_nothing_is_given_out(app: Door, path: str) -> None:
    wrong = ["", f"{USER_COOKIE_NAME}=x", cookie("another secret"), cookie(iat=0), cookie(email="eve@example.com")]
    assert [ask(app, path, one)[0] for one in wrong] == [401] * len(wrong)
    assert ask(app, path, cookie()) == (200, "ann@example.com")


@pytest.mark.parametrize("base", ["", "/team"])
def test_what_streamlit_counts_of_all_sessions_is_nobodys(app: Door, base: str) -> None:
    answers = [ask(app, f"{base}/_stcore/metrics", one) for one in ("", cookie())]
    assert [status for status, _ in answers] == [401, 403] and "ann@" not in answers[1][1]


@pytest.mark.parametrize("base", ["", "/team"])
def test_a_copy_of_the_cookie_of_who_has_signed_out_opens_nothing(app: Door, runs_root: Path, base: str) -> None:
    copied, later = cookie(iat=time.time() - 60, origin="http://x"), cookie(iat=time.time(), origin="http://x")
    ask(app, f"{base}/auth/logout")
    ask(app, f"{base}/auth/logout", cookie("another secret", iat=time.time() - 60))
    assert ask(app, "/component/x", copied)[0] == 200
    assert ask(app, f"{base}/auth/logout", copied)[0] == 200
    assert [ask(app, "/component/x", one)[0] for one in (copied, later)] == [401, 200]
    said = {**ANN, "iat": time.time() - 60}
    assert len(list((runs_root / signed_out.FOLDER).iterdir())) == 1
    signed_out.end(said)
    assert people.of_claims(said) == rights.STRANGER, "another tab is a stranger's, too"
    assert people.of_claims({**said, "iat": time.time()}).name == ANN["email"]


def test_what_is_remembered_of_a_sign_out_goes_when_no_cookie_is_that_old(runs_root: Path) -> None:
    signed_out.end({**ANN, "iat": 1})
    (old,) = (runs_root / signed_out.FOLDER).iterdir()
    os.utime(old, (0, 0))
    signed_out.end({**ANN, "iat": 2})
    assert old not in (runs_root / signed_out.FOLDER).iterdir()
    assert signed_out.ended({**ANN, "iat": 2}) and not signed_out.ended({**ANN, "iat": 1})


def test_a_sign_out_goes_on_where_the_disk_takes_nothing(app: Door, runs_root: Path) -> None:
    runs_root.mkdir()
    (runs_root / signed_out.FOLDER).write_text("")
    assert ask(app, "/auth/logout", cookie())[0] == 200


def test_the_page_that_asks_people_to_sign_in_stays_open(app: Door) -> None:
    assert ask(app, "/groups")[0] == 200
    font = next(path.name for path in Path(get_static_dir(), "static/media").glob("MaterialSymbols*"))
    assert ask(app, f"/static/media/{font}")[0] == 404, "asked, and only here there is none"
    below = f"/static/media/{'0f' * 28}.csv"  # of a server that lies below /static
    assert [ask(app, path)[0] for path in (below, f"/media/{font}", f"/media/static/{font}")] == [401] * 3


# What draws the page that asks people to sign in, signs them in, or tells nothing of anybody
OPEN = {
    "/_stcore/health",
    "/_stcore/host-config",
    "/_stcore/stream",  # its pages ask for themselves who looks (grouprec/ui/people.py)
    "/_stcore/bidi-components/{path:path}",  # scripts of installed packages
    "/auth/login",
    "/auth/logout",
    "/oauth2callback",
    "",  # Streamlit's own files and the page
}


@pytest.mark.parametrize("base", ["", "/team"])
def test_every_path_that_streamlit_serves_is_behind_the_door_or_open_on_purpose(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = starlette_app.config.get_option
    monkeypatch.setattr(
        starlette_app.config, "get_option", lambda name: base if name == "server.baseUrlPath" else asked(name)
    )
    paths = {route.path for route in starlette_app.create_streamlit_routes(MagicMock())}  # type: ignore[attr-defined]
    closed = {path for path in paths if any(part in path for part in ("/media/", door.NOBODYS, *door.CLOSED))}
    assert {path.removeprefix(base) for path in paths - closed} == OPEN


def test_a_download_leaves_a_line(app: Door, tmp_path: Path) -> None:
    audit.write_to(tmp_path)
    ask(app, "/media/0f.csv", cookie())
    audit.close()
    line = json.loads((tmp_path / audit.FOLDER / audit.NAME).read_text())
    assert (line["who"], line["what"], line["on"]) == ("ann@example.com", "download", "0f.csv")


def test_the_address_of_a_download_cannot_be_worked_out_from_what_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = memory_media_file_storage._calculate_file_id
    monkeypatch.setattr(memory_media_file_storage, "_calculate_file_id", hashed)  # and back again at the end
    storage = memory_media_file_storage.MemoryMediaFileStorage("/media")
    door.hide_downloads()
    given = b"user,group\nann,1\n", "text/csv", MediaFileKind.DOWNLOADABLE, "members.csv"
    there = storage.load_and_get_id(*given)
    assert there == storage.load_and_get_id(*given) and storage.get_file(f"{there}.csv").content == given[0]
    with pytest.raises(MediaFileStorageError):
        storage.get_file(f"{hashed(given[0], given[1], given[3])}.csv")


def test_only_who_may_add_sends_files(app: Door) -> None:
    key = {uploads.KEY_HEADER: uploads.issue_key()}
    assert ask(app, "/api/upload", method="POST", **key)[0] == 401
    assert ask(app, "/api/upload", cookie(email="carl@example.com"), "POST", **key)[0] == 403
    status, body = ask(app, "/api/upload", cookie(), "POST", **key)
    assert status == 200, body
