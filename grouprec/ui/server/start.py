"""How the server starts: where it may listen, and what stands around its pages."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Iterable

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from grouprec.core import rights
from grouprec.core.types import SettingError
from grouprec.training import retention
from grouprec.ui import people
from grouprec.ui.server import first_page, tidying
from grouprec.ui.server.door import Door, hide_downloads
from grouprec.ui.server.first_page import FirstPage
from grouprec.ui.server.guard import OPEN_PATHS, Guard, allowed_hosts, refusal
from grouprec.ui.server.health import Watch
from grouprec.ui.server.plotly_file import PlotlyFile


def middleware() -> list[Middleware]:
    """Return what every request passes first, the outermost first, and let people sign in where they have to.

    Raises:
        SystemExit: the server would be open to the network and nobody said that it shall be, or who may sign in is
            not said as it should be, or how long things are kept.
    """
    address = st.get_option("server.address")
    try:
        signed_in = people.sign_in_needed()
        sentence = refusal(address, signed_in)
        retention.keep_days()  # which must be numbers
        tidying.most_gb()
    except SettingError as error:
        signed_in, sentence = True, str(error)
    if sentence:
        sys.stderr.write(sentence + "\n")
        raise SystemExit(2)
    if signed_in:
        rights.ask(people.current)
        hide_downloads()
    paths = [path for one in OPEN_PATHS for path in (one, *_below_base(one))]
    guard = Middleware(Guard, hosts=allowed_hosts(address), hashes=inline_scripts(), open_paths=paths)
    door = [Middleware(Door)] if signed_in else []
    return [Middleware(Watch), guard, *door, Middleware(PlotlyFile), Middleware(FirstPage)]


def below_base(routes: Iterable[Route]) -> list[Route]:
    """Return the routes as they are and, where the server lies below a path (``server.baseUrlPath``), also there."""
    routes = list(routes)
    there = [
        Route(path, one.endpoint, methods=list(one.methods or ())) for one in routes for path in _below_base(one.path)
    ]
    return [*routes, *there]


def _below_base(path: str) -> list[str]:
    """Return where a path lies below that of the server, nothing where the server has none."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return [f"/{base}{path}"] if base else []


def inline_scripts() -> list[str]:
    """Return the SHA-256 of every script that the page of every visitor bears in itself, as CSP writes it."""
    scripts = re.findall(r"<script>(.*?)</script>", first_page.ours(), re.DOTALL)
    return ["sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
