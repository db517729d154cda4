"""Sign-ins that people have ended: another tab and a copy of the cookie are nobody's from then on.

Streamlit takes the cookie away at a sign-out and remembers nothing, so what somebody had copied of it would stay good
until the sign-in ends by itself. Here an empty file beside the runs remembers, also after a restart.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grouprec.core import logs
from grouprec.runs.store import RunStore

FOLDER = ".signed_out"
KEPT_SECONDS = 60 * 86_400.0  # twice as long as Streamlit lets a cookie be
_ONE = ("iss", "sub", "email", "iat", "nonce", "sid")  # claims that together tell one sign-in from all others


def end(claims: Mapping[str, Any]) -> None:
    """Remember that the sign-in with these claims has ended; what the disk does not take is said in the log."""
    mark = _mark(claims)
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch(mode=0o600)
        for old in mark.parent.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another server was quicker
                if time.time() - old.stat().st_mtime > KEPT_SECONDS:
                    old.unlink()
    except OSError as error:
        logs.note("sign-out not remembered", why=error.strerror)


def ended(claims: Mapping[str, Any]) -> bool:
    """Return whether the sign-in with these claims has ended, or that cannot be known."""
    try:
        return _mark(claims).exists()
    except OSError:
        return True


def _mark(claims: Mapping[str, Any]) -> Path:
    one = json.dumps([claims.get(name) for name in _ONE], default=str)
    return RunStore().root / FOLDER / hashlib.sha256(one.encode()).hexdigest()
