"""The presenter: ``/present?run=ID``, the six views of a finished run (report/html/views.py), with nothing to set.

It is no page of Streamlit's: it is one document, which turns its views by itself, also on a phone, and prints them.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from grouprec.core import audit, rights
from grouprec.core.rights import Role
from grouprec.core.types import GrouprecError
from grouprec.report.html import slides
from grouprec.report.html.reading import Reading
from grouprec.runs.store import Run, RunStore

HEADERS = {"cache-control": "private, no-store"}
GONE = (
    "There is no such run here. It may have been deleted, or it belongs to somebody else; whoever sent the link can "
    "say more."
)


def routes() -> list[Route]:
    """Return the routes of the server."""
    return [Route("/present", get_views), Route(f"/{slides.SCRIPT}", get_script)]


def address(run: Run, group: str | None = None) -> str:
    """Return the address of the presenter, seen from a page.

    Args:
        group: the number of the one that has a view of its own.
    """
    chosen = f"&group={quote(group)}" if group else ""
    return f"present?run={quote(run.run_id)}{chosen}"


async def get_views(request: Request) -> Response:
    """Answer with the six views of ``?run=``, with one of ``?group=`` where that is asked for."""
    return await run_in_threadpool(told, lambda: _views(request.query_params.get("run", ""), _group(request)))


def _views(run_id: str, group: int | None) -> str | None:
    run = next((one for one in RunStore().runs() if one.run_id == run_id), None)
    if run is None:
        return None
    audit.note(rights.person().name, "present", run.run_id)
    return slides.document(Reading.of(run), group, leave=f"decide?run={quote(run.run_id)}")


def _group(request: Request) -> int | None:
    asked = request.query_params.get("group", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else None


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
        return _sentence("Sign in first, then open this link again.", 401, up, "Sign in")
    try:
        document = make()
    except GrouprecError as error:
        return _sentence(str(error), 409, up)
    return _sentence(gone, 404, up) if document is None else HTMLResponse(document, headers=HEADERS)


def _sentence(said: str, status: int, up: str, way: str = "To the runs") -> Response:
    return HTMLResponse(slides.sentence_page(said, up or "./", way), status, headers=HEADERS)
