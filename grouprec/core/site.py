"""Where the app's own files are: the server script, the pages and the sample."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache  # a page asks for every link
def app_root() -> Path:
    """Return the folder of ``app.py``, ``pages/`` and ``sample_data/``: in an installed wheel, else the checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "_site"
    return inside if inside.is_dir() else package.parent
