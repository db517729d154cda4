"""The server's log, a line per event, with the run that it is about; as JSON where ``GROUPREC_LOG=json`` says so."""

from __future__ import annotations

import json
import logging
import os
import time

FORMAT = "GROUPREC_LOG"
_log = logging.getLogger("grouprec")


def note(event: str, run: str = "", **more: object) -> None:
    """Write a line about something that happened, to a run or to the server."""
    details = {name: value for name, value in {"run": run, **more}.items() if value != ""}
    text = " ".join([event, *(f"{name}={value}" for name, value in details.items())])
    _log.info(text, extra={"details": {"event": event, **details}})


class JsonLines(logging.Formatter):
    """One JSON object a line: when, level, logger, text, and what the event says of itself."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z"
        line = {"when": when, "level": record.levelname.lower(), "logger": record.name, "text": record.getMessage()}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps({**line, **getattr(record, "details", {})}, ensure_ascii=False, default=str)


def begin() -> None:
    """Let our own lines, and those of the server below us, go to stderr in the form that the environment asks for."""
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
