"""The server's log: one line an event, as text or as JSON with the run it is about."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from grouprec.core import logs


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream, log = io.StringIO(), logging.getLogger("grouprec")
    monkeypatch.setattr(log, "handlers", [logging.StreamHandler(stream)])
    monkeypatch.setattr(log, "propagate", False)
    level = log.level
    log.setLevel(logging.INFO)  # not by an attribute: a logger remembers what it lets through
    yield stream
    log.setLevel(level)


def test_a_line_of_json_names_the_run(written: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(logs.FORMAT, "json")
    monkeypatch.setattr(logging.root.manager, "loggerDict", {"grouprec": logging.getLogger("grouprec")})
    logs.begin()
    logs.note("training ended", run="20260101-000000-ab\n", state="done")
    line = json.loads(written.getvalue())
    assert written.getvalue().count("\n") == 1
    assert (line["event"], line["run"], line["state"]) == ("training ended", "20260101-000000-ab\n", "done")
    assert line["level"] == "info" and line["when"].endswith("Z")


def test_without_the_setting_it_is_a_line_of_text(written: io.StringIO) -> None:
    logs.note("training started", run="r1", pid=7)
    assert written.getvalue() == "training started run=r1 pid=7\n"
