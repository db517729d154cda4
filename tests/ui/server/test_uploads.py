"""Large uploads: they reach the disk as they come, in small pieces, only from our own pages, and nothing half stays."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import shutil
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from grouprec.core.types import DataError
from grouprec.data.library import Library
from grouprec.ui.server import uploads

ROWS = b"user,item\nann,tea\nbob,milk\n"


def post(
    chunks: Iterable[bytes], key: str, name: str = "shop.csv", length: int | None = None, cut: bool = False
) -> tuple[int, dict[str, Any]]:
    """Send a body in chunks through the route and return status and answer; ``cut`` closes the connection early."""
    sent: list[Message] = []
    pieces = iter(chunks)

    async def receive() -> Message:
        piece = next(pieces, None)
        if piece is None:
            return {"type": "http.disconnect"} if cut else {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(uploads.KEY_HEADER.encode(), key.encode())]
    if length is not None:
        headers.append((b"content-length", str(length).encode()))
    path = {"path": "/api/upload", "query_string": f"name={name}".encode(), "headers": headers}
    scope = {"type": "http", "method": "POST", **path}
    asyncio.run(Starlette(routes=[uploads.route()])(scope, receive, send))
    return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture
def key() -> str:
    return uploads.issue_key()


@pytest.fixture
def library(runs_root: Path) -> Library:
    return Library(runs_root / "datasets")


def left_over() -> list[Path]:
    return list(uploads.folder().iterdir()) if uploads.folder().exists() else []


def test_a_file_arrives_byte_for_byte_and_moves_into_the_library(key: str, library: Library) -> None:
    status, answer = post([ROWS[:7], ROWS[7:]], key, name="My%20shop.csv")
    assert (status, answer["name"], answer["bytes"]) == (200, "My shop.csv", len(ROWS))
    upload = uploads.claim(answer["id"], key)
    assert upload is not None
    assert upload.received.digest == hashlib.sha256(ROWS).hexdigest()
    entry = library.add(upload.name, upload.received)
    uploads.forget(answer["id"])
    assert entry.interactions.read_bytes() == ROWS
    assert uploads.claim(answer["id"], key) is None
    assert left_over() == []


def test_a_streamed_file_and_a_small_upload_of_the_same_content_are_one_dataset(key: str, library: Library) -> None:
    _, answer = post([ROWS], key)
    upload = uploads.claim(answer["id"], key)
    assert upload is not None
    streamed = library.add("a.csv", upload.received)
    assert library.add("b.csv", io.BytesIO(ROWS)).key == streamed.key


@pytest.mark.parametrize("wrong", ["", "guessed", "ä"])
def test_without_a_key_of_ours_nothing_is_read(wrong: str, library: Library) -> None:
    def body() -> Iterable[bytes]:
        raise AssertionError("the body was read")
        yield b""

    status, answer = post(body(), wrong)
    assert status == 403 and "reload" in answer["error"]
    assert left_over() == []


def test_an_upload_belongs_to_the_session_that_sent_it(key: str) -> None:
    _, answer = post([ROWS], key)
    assert uploads.claim(answer["id"], uploads.issue_key()) is None
    assert uploads.claim("../../etc", key) is None


def test_a_connection_that_breaks_leaves_nothing(key: str) -> None:
    status, answer = post([ROWS], key, cut=True)
    assert status == 400 and "complete" in answer["error"]
    assert left_over() == []


def test_an_empty_file_is_refused_in_a_sentence(key: str) -> None:
    status, answer = post([], key, name="none.csv")
    assert status == 400 and "'none.csv' is empty" in answer["error"]
    assert left_over() == []


def test_a_hostile_name_stays_inside_the_folder(key: str) -> None:
    _, answer = post([ROWS], key, name="..%2F..%2Fescape.csv")
    upload = uploads.claim(answer["id"], key)
    assert upload is not None
    assert upload.received.path.resolve().is_relative_to(uploads.folder().resolve())


def test_a_file_over_the_limit_is_refused_by_its_header_or_on_the_way(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 3 * uploads.BUFFER_BYTES)
    chunk = b"x" * uploads.BUFFER_BYTES
    assert post([], key, length=len(chunk) * 4)[0] == 413
    assert post([chunk] * 5, key)[0] == 413, "no header, or a false one"
    assert post([chunk] * 3, key)[0] == 200
    assert len(left_over()) == 1


class Disk(NamedTuple):
    total: int
    used: int
    free: int


def test_the_quota_counts_what_is_on_its_way_whatever_the_header_says(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUPREC_UPLOAD_GB", "0.000001")  # 1,000 bytes
    answers = []

    def body() -> Iterable[bytes]:
        yield ROWS
        with ThreadPoolExecutor(1) as other:  # a second one, while the first is being sent
            answers.append(other.submit(post, [ROWS], key, length=500).result())

    first = post(body(), key, length=600)
    assert first[0] == 200 and answers[0][0] == 403 and "than the 1e-06 GB" in answers[0][1]["error"]
    assert [path.stat().st_size for path in uploads.folder().glob("*/file/*")] == [len(ROWS)]
    assert post([b"x" * 1200], key)[0] == 403, "no header"
    assert post([b"x" * 1200], key, length=10)[0] == 403, "a false one"
    assert len(left_over()) == 1


def test_a_full_disk_is_said_before_anything_is_written(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(10**12, 0, uploads.SPARE_BYTES + 10))
    status, answer = post([ROWS], key, length=11)
    assert status == 507 and "no room" in answer["error"]
    assert left_over() == []


def test_memory_stays_under_two_buffers_whatever_the_size(key: str) -> None:
    chunk = b"u1,i1\n" * 10_000
    n_chunks = 40 * uploads.BUFFER_BYTES // len(chunk)
    tracemalloc.start()
    try:
        status, answer = post((chunk for _ in range(n_chunks)), key)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (status, answer["bytes"]) == (200, n_chunks * len(chunk))
    assert peak < 2 * uploads.BUFFER_BYTES


def test_what_nobody_claims_is_deleted_after_a_day(key: str) -> None:
    _, answer = post([ROWS], key)
    old = uploads.folder() / answer["id"]
    yesterday = time.time() - uploads.FILE_SECONDS - 60
    os.utime(old, (yesterday, yesterday))
    post([ROWS], key)
    assert not old.exists() and len(left_over()) == 1


def test_what_is_on_its_way_stays_whatever_the_clock_says(key: str) -> None:
    def slowly() -> Iterator[bytes]:
        yield ROWS
        (coming,) = left_over()
        os.utime(coming, (0, 0))  # as where the clock leaps ahead in the middle
        uploads._make_room(uploads.folder(), 0)
        yield ROWS

    assert post(slowly(), key)[0] == 200 and len(left_over()) == 1


def test_an_empty_streamed_file_never_becomes_a_dataset(tmp_path: Path, library: Library) -> None:
    file = tmp_path / "none.csv"
    file.touch()
    with pytest.raises(DataError, match="empty"):
        library.add("none.csv", uploads.Received(file, hashlib.sha256(b"").hexdigest()))


def test_the_oldest_keys_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_keys", {})
    monkeypatch.setattr(uploads, "MOST_KEYS", 3)
    keys = [uploads.issue_key() for _ in range(5)]
    assert list(uploads._keys) == keys[2:]
