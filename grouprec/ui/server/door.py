"""Where people sign in: what is not drawn by a page, downloads and uploads, is theirs only who have done so.

A page's script asks for itself who looks at it (grouprec/ui/people.py). The rest of the server's paths is asked here by
the cookie that Streamlit sets at sign-in. What the browser needs before, to draw the page that asks, stays open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime import memory_media_file_storage
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from grouprec.core import audit, rights
from grouprec.core.rights import Person, Role
from grouprec.ui import people, signed_out
from grouprec.ui.server.guard import is_download, refuse

# Documents of our own that answer strangers themselves, in a sentence with the way to the sign-in.
ANSWERING = ("/present", "/shared/")
CLOSED = ("/_stcore/upload_file/", "/_stcore/agent/", "/component/", "/api/upload")
NOBODYS = "/_stcore/metrics"  # sizes of what others have opened and hold; the server's own are at /metrics
SIGN_OUT = "/auth/logout"


class Door:
    """ASGI middleware within :class:`~grouprec.ui.server.guard.Guard`, where people have to sign in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.endswith(SIGN_OUT) and (claims := claims_of(HTTPConnection(scope))):
            signed_out.end(claims)
        closed = is_download(path) or NOBODYS in path or any(part in path for part in CLOSED)
        if scope["type"] != "http" or not (closed or any(part in path for part in ANSWERING)):
            await self._app(scope, receive, send)
            return
        who = visitor(HTTPConnection(scope))
        if who.role is Role.STRANGER and closed:
            await refuse(JSONResponse({"error": "Sign in first."}, 401), scope, receive, send)
            return
        if NOBODYS in path:
            await refuse(JSONResponse({"error": "Nobody may read this; see /metrics."}, 403), scope, receive, send)
            return
        if is_download(path):
            audit.note(who.name, "download", path.rpartition("/")[2])
        with rights.acting(who):
            await self._app(scope, receive, send)


def hide_downloads() -> None:
    """From now on, in this process, give downloads addresses that nobody can work out from what is in them.

    Streamlit's are hashes of the content: whoever guesses that would learn whether another one holds it now.
    """
    secret, hashed = secrets.token_bytes(32), memory_media_file_storage._calculate_file_id

    def hidden(data: bytes, mimetype: str, filename: str | None = None) -> str:
        return hmac.new(secret, hashed(data, mimetype, filename).encode(), hashlib.sha224).hexdigest()

    memory_media_file_storage._calculate_file_id = hidden  # type: ignore[assignment]


def visitor(connection: HTTPConnection) -> Person:
    """Return who sends a request, a stranger where no cookie of ours says it."""
    return people.of_claims(claims_of(connection))


def claims_of(connection: HTTPConnection) -> dict[str, Any]:
    """Return what the cookie of a request says of whoever sends it, {} where it has none that we have signed."""
    try:
        cookie = _get_signed_cookie_with_chunks(dict(connection.cookies), USER_COOKIE_NAME)
        claims: Any = json.loads(cookie) if cookie else None
    except ValueError:
        claims = None
    return claims if isinstance(claims, dict) else {}
