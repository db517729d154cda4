"""Files of any size from the browser to disk: ``POST /api/upload?name=...`` streams its body into the library.

Streamlit's own uploader holds a file in memory; here no more than one buffer of it ever is. Only the app's own pages
may send: each session gets a key from :func:`issue_key`, which a page of another site can neither read nor put into
a header. A finished upload is claimed by the session that sent it, or deleted after a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import secrets
import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from grouprec.core import rights
from grouprec.core.rights import Deed
from grouprec.core.types import GrouprecError
from grouprec.data.library import UPLOADS, Library, Received, safe_name
from grouprec.runs.store import RunStore

KEY_HEADER = "x-grouprec-upload"
MOST_BYTES = 20_000_000_000  # of one file
SPARE_BYTES = 1_000_000_000  # of the disk that stay free: training needs some, too
BUFFER_BYTES = 1 << 20  # written at a time
KEY_SECONDS, FILE_SECONDS = 86_400.0, 86_400.0
MOST_KEYS = 10_000
_ID = re.compile(r"[0-9a-f]{32}")
_lock = threading.Lock()
_keys: dict[str, float] = {}  # key -> when it was issued
_done: dict[str, Upload] = {}  # id -> what lies on disk
_coming: set[str] = set()  # ids of what is on its way, however long that takes and whatever the clock says


@dataclass(frozen=True)
class Upload:
    """One finished upload: what the browser called it, who sent it, and where it lies."""

    name: str
    key: str
    received: Received
    n_bytes: int


def route() -> Route:
    """Return the route of the server."""
    return Route("/api/upload", post_upload, methods=["POST"])


def issue_key() -> str:
    """Return a new key for a session, good for a day."""
    now, key = time.monotonic(), secrets.token_urlsafe(24)
    with _lock:
        for old in [old for old, issued in _keys.items() if now - issued > KEY_SECONDS]:
            del _keys[old]
        while len(_keys) >= MOST_KEYS:
            del _keys[next(iter(_keys))]
        _keys[key] = now
    return key


def claim(upload_id: str, key: str) -> Upload | None:
    """Return a finished upload to the session that sent it; None where there is none, or it was somebody else's."""
    with _lock:
        upload = _done.get(upload_id)
        return upload if upload is not None and secrets.compare_digest(upload.key, key) else None


def forget(upload_id: str) -> None:
    """Delete what is left of an upload; called once it is in the library, or not wanted."""
    with _lock:
        upload = _done.pop(upload_id, None)
    if upload is not None:
        shutil.rmtree(folder() / upload_id, ignore_errors=True)


def folder() -> Path:
    """Return where uploads lie: inside the library, so that taking one over moves it and copies nothing."""
    return _library().root / UPLOADS


def _library() -> Library:
    return Library(RunStore().root / "datasets")


async def post_upload(request: Request) -> Response:
    """Write the body to disk and answer with ``{"id", "name", "bytes"}``, or with one sentence and its status."""
    try:
        return JSONResponse(await _receive(request), headers={"Cache-Control": "no-store"})
    except HTTPException as error:
        return JSONResponse({"error": error.detail}, error.status_code)
    except GrouprecError as error:
        return JSONResponse({"error": str(error)}, 403)
    except OSError as error:
        return JSONResponse({"error": f"The file cannot be written: {error.strerror}."}, 507)


async def _receive(request: Request) -> dict[str, Any]:
    key = request.headers.get(KEY_HEADER, "")
    with _lock:
        known = time.monotonic() - _keys.get(key, -KEY_SECONDS) < KEY_SECONDS
    if not known:
        raise HTTPException(403, "This page is too old to send files; reload it and try again.")
    length = request.headers.get("content-length", "")
    expected = int(length) if length.isascii() and length.isdecimal() and len(length) < 16 else 0
    rights.require(Deed.ADD, "send file")
    root = folder()
    await run_in_threadpool(_make_room, root, expected)
    upload_id = secrets.token_hex(16)
    _coming.add(upload_id)
    name = safe_name(request.query_params.get("name", ""))
    try:
        path = await run_in_threadpool(_library().expect, upload_id, name, expected)
        digest, n_bytes = await _write(request, path, expected)
        if not n_bytes:
            raise HTTPException(400, f"The file '{name}' is empty; choose one with a header and rows.")
    except BaseException as error:  # also a request that is cut off: nothing half may stay
        shutil.rmtree(root / upload_id, ignore_errors=True)
        if isinstance(error, ClientDisconnect):
            raise HTTPException(400, "The connection closed before the file was complete.") from error
        raise
    finally:
        _coming.discard(upload_id)
    with _lock:
        _done[upload_id] = Upload(name, key, Received(path, digest), n_bytes)
    return {"id": upload_id, "name": name, "bytes": n_bytes}


def _make_room(root: Path, expected: int) -> None:
    """Delete what nobody claimed, and refuse what is too large for the limit or the disk."""
    root.mkdir(parents=True, exist_ok=True)
    for old in root.iterdir():
        with contextlib.suppress(OSError):
            stale = time.time() - old.stat().st_mtime > FILE_SECONDS
            if _ID.fullmatch(old.name) and stale and old.name not in _coming:
                shutil.rmtree(old, ignore_errors=True)
    _check_size(root, expected, expected)


def _check_size(root: Path, n_bytes: int, missing: int) -> None:
    if n_bytes > MOST_BYTES:
        limit = MOST_BYTES / 1e9
        raise HTTPException(413, f"Files may have up to {limit:.0f} GB; send a part of it, or `grouprec train FILE`.")
    if shutil.disk_usage(root).free - missing < SPARE_BYTES:
        raise HTTPException(507, "The server's disk has no room for this file; free some space and try again.")


async def _write(request: Request, path: Path, expected: int) -> tuple[str, int]:
    """Write the body to a file; return its SHA-256 and its bytes. The sender is slowed down to the disk's pace."""
    digest, n_bytes, buffer = hashlib.sha256(), 0, bytearray()

    def flush() -> None:
        _check_size(path.parent, n_bytes, 0)
        if n_bytes > expected:  # its header said less, or nothing
            _library().expect_more(path, n_bytes)
        file.write(buffer)
        digest.update(buffer)
        buffer.clear()

    file = await run_in_threadpool(path.open, "r+b")
    try:
        async for chunk in request.stream():
            buffer += chunk
            n_bytes += len(chunk)
            if len(buffer) >= BUFFER_BYTES:
                await run_in_threadpool(flush)
        await run_in_threadpool(flush)
        await run_in_threadpool(file.truncate)  # its header may have said more
    finally:
        await asyncio.shield(run_in_threadpool(file.close))
    return digest.hexdigest(), n_bytes
