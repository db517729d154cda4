"""The presenter: ``/present?run=ID``, the six views of a finished run (report/html/views.py), with nothing to set.

It is no page of Streamlit's: it is one document, which turns its views by itself, also on a phone, and prints them.
``/shared/ID/TOKEN`` is the same as it was when somebody made a link (runs/links.py), and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from grouprec.core import audit, rights, usage
from grouprec.core.language import N_, _, plain_day, speaking
from grouprec.core.rights import Role
from grouprec.core.types import GrouprecError
from grouprec.core.whole import whole
from grouprec.report import small_groups
from grouprec.report.html import slides
from grouprec.report.html.reading import Reading
from grouprec.runs import links
from grouprec.runs.store import Run, RunStore
from grouprec.ui import languages

HEADERS = {"cache-control": "private, no-store"}
UP = "../../"  # from what a link shows to the server's root
CHANGED = N_("People have changed the groups since; this shows them as they were when the link was made.")
GONE = N_(
    "There is no such run here. It may have been deleted, or it belongs to somebody else; whoever sent the link can "
    "say more."
)


def routes() -> list[Route]:
    """Return the routes of the server."""
    shared = Route("/shared/{run}/{token}", get_shared)
    return [Route("/present", get_views), shared, Route(f"/{slides.SCRIPT}", get_script)]


def address(run: Run, group: str | None = None) -> str:
    """Return the address of the presenter, seen from a page.

    Args:
        group: the number of the one that has a view of its own.
    """
    chosen = f"&group={quote(group)}" if group else ""
    spoken = "".join(f"&{name}={value}" for name, value in languages.in_url().items())
    return f"present?run={quote(run.run_id)}{chosen}{spoken}"


async def get_views(request: Request) -> Response:
    """Answer with the six views of ``?run=``, with one of ``?group=`` where that is asked for."""
    make = partial(_views, request.query_params.get("run", ""), _group(request))
    with speaking(languages.of_request(request)):
        return await run_in_threadpool(told, make)


def _views(run_id: str, group: int | None) -> str | None:
    run = next((one for one in RunStore().runs() if one.run_id == run_id), None)
    if run is None:
        return None
    audit.note(rights.person().name, "present", run.run_id)
    usage.use(run.path)
    return slides.document(Reading.of(run), group, leave=f"decide?run={quote(run.run_id)}")


def _group(request: Request) -> int | None:
    return whole(request.query_params.get("group", ""))


async def get_shared(request: Request) -> Response:
    """Answer with the six views that a link was made for, as they were then."""
    run_id, token = request.path_params["run"], request.path_params["token"]
    with speaking(languages.of_request(request)):
        return await run_in_threadpool(told, partial(_shared, run_id, token), links.GONE, UP)


def _shared(run_id: str, token: str) -> str:
    run = next((one for one in RunStore().all_runs() if one.run_id == run_id), None)
    document, changed = links.follow(run, token, small_groups.discretion())
    if run is not None:
        usage.use(run.path)
    return slides.with_banner(document, _(CHANGED)) if changed else document


def make_link(run: Run, days: int, group: int | None = None) -> str:
    """Make a link to the six views of a run as they are now; return its address, seen from the server's root.

    Args:
        group: the one that has a view of its own.
    Raises:
        GrouprecError: as :func:`grouprec.runs.links.make`.
    """

    def draw(until: float) -> str:
        note = _("As it was on {time}. This link ends on {until}.").format(time=_day(time.time()), until=_day(until))
        return slides.document(Reading.of(run), group, up=UP, note=note)

    _link, token = links.make(run, draw, days, small_groups.discretion())
    return f"shared/{run.run_id}/{token}"


def _day(seconds: float) -> str:
    return plain_day(datetime.fromtimestamp(seconds, UTC))


async def get_script(request: Request) -> Response:
    """Answer with the script that turns the views."""
    return Response(slides.script(), media_type="text/javascript", headers={"cache-control": "no-cache"})


def told(make: Callable[[], str | None], gone: str = GONE, up: str = "") -> Response:
    """Return a document, or a page that says why there is none.

    Args:
        make: the document; None where what is asked for is not there.
        gone: what is said then.
        up: leads from the document to the server's root.
    """
    if rights.person().role is Role.STRANGER:
        return _sentence(_("Sign in first, then open this link again."), 401, up, _("Sign in"))
    try:
        document = make()
    except links.LinkError as error:
        return _sentence(str(error), 404, up)
    except GrouprecError as error:
        return _sentence(str(error), 409, up)
    return _sentence(_(gone), 404, up) if document is None else HTMLResponse(document, headers=HEADERS)


def _sentence(said: str, status: int, up: str, way: str = "") -> Response:
    return HTMLResponse(slides.sentence_page(said, up or "./", way or _("To the runs")), status, headers=HEADERS)
