"""What stands before every page, WebSocket, upload and request of the API: is it meant for us, and from our own page?

A web page of somebody else can make a browser talk to this server: from its own address, which the Origin header tells,
or under a name of its own that it lets point here (DNS rebinding), which the Host header tells. Requests of other
programs have no Origin and pass; who they are is asked further in. Every answer bears the headers by which a browser
keeps the page to itself.
"""

from __future__ import annotations

import functools
import ipaddress
import os
import socket
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from grouprec.core import logs
from grouprec.core.site import image_hosts

HOSTS = (
    "GROUPREC_HOSTS"  # the name of the setting: further names of this server, by commas; *.example.com takes all below
)
OPEN_PATHS = frozenset({"/healthz"})  # probes ask by whatever address they have, and learn nothing
# Streamlit and Plotly draw with styles of their own ('unsafe-inline'). Plotly's WebGL makes code while it runs to draw
# maps ('unsafe-eval'; without it there is none), and the upload of large files arrives as a blob. All other scripts
# come from this server, or are known by hash.
CSP = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-eval' blob: {hashes}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:{images}",
        "font-src 'self' data:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """ASGI middleware around the whole server.

    Args:
        hosts: the names and addresses, in lower case, under which this server may be asked.
        hashes: of the inline scripts that its pages bear, as CSP writes them.
        open_paths: that answer under any name: these very paths, and nothing below or before them.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        hashes: Iterable[str] = (),
        open_paths: Iterable[str] = OPEN_PATHS,
    ) -> None:
        self._app, self._hosts, self._open = app, frozenset(hosts), frozenset(open_paths)
        images = "".join(f" {host}" for host in image_hosts())  # a page under https loads them by https alone
        policy = CSP.format(hashes=" ".join(f"'{one}'" for one in hashes), images=images)
        self._headers = {**HEADERS, "content-security-policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                if is_download(scope["path"]):  # people's data: no copy stays with the browser
                    headers["cache-control"] = "private, no-store"
            await send(message)

        probe = scope["type"] == "http" and scope["path"] in self._open
        wrong = "" if probe else self._wrong(Headers(scope=scope))
        if wrong:
            logs.note("request refused", path=scope["path"][:200], why=wrong)
            await refuse(PlainTextResponse(wrong, 403), scope, receive, dressed)
        else:
            await self._app(scope, receive, dressed)

    def _wrong(self, headers: Headers) -> str:
        """Return why a request is refused, "" where it is not."""
        host = ", ".join(headers.getlist("host"))  # two of them are no name: a proxy may have read the other one
        if not self._known(_name(host)):
            return f"This server does not answer to the name '{host[:80]}'. Whoever runs it can allow it: {HOSTS}."
        ours = {f"{scheme}://{host.lower()}" for scheme in ("http", "https")}
        if not {one.lower() for one in headers.getlist("origin")} <= ours:
            return "This request comes from a page of another site, and is refused."
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            return "This request comes from a page of another site, and is refused."
        return ""

    def _known(self, name: str) -> bool:
        """Return whether we are called so."""
        labels = name.split(".")
        if not all(labels):  # also "": no name has an empty part
            return False
        return name in self._hosts or any(f"*.{'.'.join(labels[at:])}" in self._hosts for at in range(1, len(labels)))


def is_download(path: str) -> bool:
    """Return whether a path is of what a page offers, and not of a font or picture that Streamlit's own page needs.

    Those are known by name: the server itself may lie below a path called static.
    """
    folder, _, name = path.rpartition("/")
    return "/media/" in path and not (folder.endswith("/static/media") and name in _streamlits_files())


@functools.cache
def _streamlits_files() -> frozenset[str]:
    return frozenset(path.name for path in Path(get_static_dir(), "static", "media").glob("*"))


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer instead of what was asked for; a WebSocket is not opened."""
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
    else:
        await response(scope, receive, send)


def _name(host: str) -> str:
    """Return the name or address of a Host header, "" where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # a wrong one raises here
    except ValueError:
        return ""
    odd = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    return "" if odd else (parts.hostname or "").removesuffix(".")  # the dot of a whole name, as DNS writes it


def allowed_hosts(address: str | None) -> set[str]:
    """Return the names of a server that listens on an address, None where that is every address of this machine."""
    names = {"localhost", "127.0.0.1", "::1"}
    if everywhere(address):
        found = (one.address.split("%")[0] for many in psutil.net_if_addrs().values() for one in many)
        names |= {one for one in found if _is_address(one)} | {socket.gethostname().lower()}
    else:
        names.add(str(address).lower())
    given = os.environ.get(HOSTS, "").lower().split(",")
    return names | {_name(one.strip()) for one in given if one.strip()}


def everywhere(address: str | None) -> bool:
    return address is None or address in ("", "0.0.0.0", "::")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


# -- where it may listen

OPEN = "GROUPREC_OPEN_TO_NETWORK"


def refusal(address: str | None, signed_in: bool) -> str:
    """Return why a server must not listen on an address, "" where it may.

    Args:
        signed_in: whether people have to sign in.
    """
    if signed_in or os.environ.get(OPEN, "") not in ("", "0") or _only_here(address):
        return ""
    where = "Every address of this machine" if everywhere(address) else f"The address {address}"
    return (
        f"{where} can be reached from the network, and without sign-in whoever reaches it sees, changes and deletes "
        "everything: set up sign-in (docs/deploy.md), listen on 127.0.0.1, or say --open-to-network "
        f"({OPEN}=1) where just that is wanted."
    )


def _only_here(address: str | None) -> bool:
    if address == "localhost":
        return True
    return address is not None and _is_address(address) and ipaddress.ip_address(address).is_loopback
