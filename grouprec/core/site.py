"""Where the app's own files are: the server script, the pages and the sample."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

IMAGES = "GROUPREC_IMAGES"  # the name of the setting: hosts that pictures of items may come from, by commas
_HOST = re.compile(r"[a-z0-9.-]+(?::\d+)?")


def image_hosts() -> tuple[str, ...]:
    """Return the hosts from which browsers may load pictures of items; none unless whoever runs the server names them.

    A browser that loads a picture tells its host who looks at what, so nobody's file alone decides that.
    """
    asked = (host.strip().lower() for host in os.environ.get(IMAGES, "").split(","))
    return tuple(host for host in asked if _HOST.fullmatch(host))


@cache  # a page asks for every link
def app_root() -> Path:
    """Return the folder of ``app.py``, ``pages/`` and ``sample_data/``: in an installed wheel, else the checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_site"
    return inside if inside.is_dir() else package.parent
