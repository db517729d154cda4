"""The server's log, a line per event, with the run that it is about; as JSON where ``GROUPREC_LOG=json`` says so.

No line bears a secret: neither ours nor one of a library that quotes an address.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from typing import Any

FORMAT = "GROUPREC_LOG"
_log = logging.getLogger("grouprec")

# What would let a reader in: the token of a link, codes and tokens of a sign-in, passwords in an address.
_SECRETS = (
    (re.compile(r"/shared/[^\s\"'<>]*"), "/shared/..."),
    (re.compile(r"://[^\s@?#]*@"), "://...@"),
    (re.compile(r"([?&](?:code|state|nonce|sig|signature|access_key_id)=)[^\s&\"'<>]*", re.IGNORECASE), r"\1..."),
    (
        re.compile(r"(\b\w*(?:token|secret|secret_key|access_key|password)=|\bBearer )[^\s&\"'<>]*", re.IGNORECASE),
        r"\1...",
    ),
)
_NAMED = re.compile(r"(?:TOKEN|SECRET|PASSWORD|_KEY)$")  # settings whose values are secrets
_SHORTEST = 6  # letters of a setting that is taken out of lines wherever it stands


def without_secrets(text: str) -> str:
    """Return a text without tokens, codes, passwords, and the values of settings that are secrets."""
    for found, instead in _SECRETS:
        text = found.sub(instead, text)
    for name, value in os.environ.items():
        if _NAMED.search(name) and len(value) >= _SHORTEST:
            text = text.replace(value, "...")
    return text


def note(event: str, run: str = "", **more: object) -> None:
    """Write a line about something that happened, to a run or to the server."""
    details = {name: _discreet(value) for name, value in {"run": run, **more}.items() if value != ""}
    text = " ".join([event, *(f"{name}={value}" for name, value in details.items())])
    _log.info(text, extra={"details": {"event": event, **details}})


def _discreet(value: object) -> object:
    return without_secrets(value) if isinstance(value, str) else value


class JsonLines(logging.Formatter):
    """One JSON object a line: when, level, logger, text, and what the event says of itself."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"when": when, "level": record.levelname.lower(), "logger": record.name, "text": record.getMessage()}
        if record.exc_info:
            line["error"] = record.exc_text or self.formatException(record.exc_info)
        return json.dumps({**line, **getattr(record, "details", {})}, ensure_ascii=False, default=str)


def begin() -> None:
    """Let our own lines, and those of the server below us, go to stderr in the form that the environment asks for."""
    logging.setLogRecordFactory(_discreet_record)
    if not _log.handlers:
        _log.addHandler(logging.StreamHandler())
        _log.setLevel(logging.INFO)
        _log.propagate = False
        _log.handlers[0].setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    if os.environ.get(FORMAT) == "json":
        loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
        for handler in {handler for logger in [logging.root, *loggers] for handler in logger.handlers}:
            if type(handler) is logging.StreamHandler:  # not those to files, like the audit log
                handler.setFormatter(JsonLines())


def _discreet_record(*given: Any, **more: Any) -> logging.LogRecord:
    """Make a record of any logger of the process, its traceback included, without secrets."""
    record = logging.LogRecord(*given, **more)
    record.msg, record.args = without_secrets(_message(record)), None
    if record.exc_info:
        record.exc_text = without_secrets(logging.Formatter().formatException(record.exc_info))
    return record


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit: no reason to lose the line
        return f"{record.msg} {record.args}"
