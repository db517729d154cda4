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
    level, factory = log.level, logging.getLogRecordFactory()
    log.setLevel(logging.INFO)  # not by an attribute: a logger remembers what it lets through
    yield stream
    log.setLevel(level)
    logging.setLogRecordFactory(factory)


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


SECRETS = {
    "request refused path=/shared/20260101-000000-ab/Qm9-_tok": "Qm9-_tok",
    "GET /grouprec/shared/r/Qm9tok HTTP/1.1": "Qm9tok",
    "GET /oauth2callback?code=Qm9tok&state=other": "Qm9tok",
    "GET /oauth2callback?code=other&state=Qm9tok": "Qm9tok",
    "connection to postgresql://ann:Qm9tok@db/shop failed": "Qm9tok",
    "connection to s3://AKID:Qm9/tok@bucket/orders failed": "Qm9/tok",
    "https://store.blob/orders?sv=1&sig=Qm9%3D": "Qm9",
    "Authorization: Bearer Qm9tok": "Qm9tok",
    "client_secret=Qm9tok": "Qm9tok",
    "somebody sent the-token-of-the-api": "the-token-of-the-api",
}


@pytest.mark.parametrize("line", SECRETS)
@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_of_any_logger_bears_a_secret(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch, line: str, form: str
) -> None:
    monkeypatch.setenv(logs.FORMAT, form)
    monkeypatch.setenv("GROUPREC_API_TOKEN", "the-token-of-the-api")
    other = logging.Logger("of a library")  # with a handler of its own, as Streamlit's loggers have
    other.addHandler(logging.StreamHandler(written))
    logs.begin()
    logs.note("request refused", path=line)
    other.warning("%s", line)
    try:
        raise OSError(line)
    except OSError:
        other.exception("it failed")
    assert "OSError" in written.getvalue() and SECRETS[line] not in written.getvalue()


@pytest.mark.parametrize(
    "line", ["training ended run=r1 state=done code=5", "http://x/groups?run=r1 by ann@example.com"]
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert logs.without_secrets(line) == line


def test_a_line_whose_arguments_do_not_fit_is_written_all_the_same(written: io.StringIO) -> None:
    logs.begin()
    logging.getLogger("grouprec").info("%d of them", "many")
    assert "many" in written.getvalue()
