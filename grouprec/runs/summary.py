"""What kind of value every known field of ``metrics.json`` holds, so that a summary of another version is told as such.

Fields that are missing or unknown are no fault: older versions had fewer, newer ones may have more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grouprec.core.forms import DamagedError
from grouprec.runs import content

FILE = "metrics.json"
_NUMBER, _TEXT, _MEASURED = "a number", "a text", "a number or an interval"
_EVERY = "*"  # stands for whatever names an object has
_NUMBERS, _TEXTS = {_EVERY: _NUMBER}, {_EVERY: _TEXT}
_REPLAYED = {"n_events": _NUMBER, "n_users": _NUMBER, _EVERY: {_EVERY: _MEASURED}}
_NAMES = ("encoder", "device_title", "dataset", "regime", "preset", "n_groups_reason", "time_order", "id_key")
_COUNTS = ("n_users", "n_items", "n_interactions", "n_test_users", "n_groups", "seconds")
_SHAPE: dict[str, Any] = {
    **dict.fromkeys(_NAMES, _TEXT),
    **dict.fromkeys(_COUNTS, _NUMBER),
    **dict.fromkeys(("encoders", "verdict", "headline", "clusters", "stage_seconds", "generator", "profile"), _NUMBERS),
    **dict.fromkeys(("list_method", "files", "versions"), _TEXTS),
    "blend": {"encoders": _NUMBERS, "ndcg": _NUMBERS},
    "split": {"kind": _TEXT, "reason": _TEXT},
    "new_users": _NUMBERS,
    "decided": {_EVERY: {}},
    "updater": {**_REPLAYED, "drawn": _REPLAYED},
}


def check(folder: Path, files: Mapping[str, str]) -> None:
    """Check the summary of a finished run; remembered while its file stays as it is.

    Args:
        files: of the run's manifest.
    Raises:
        DamagedError: a field that this version knows is of another kind.
    """
    if FILE in files and (path := content.remembered(folder / FILE, "shape", _first_trouble)):
        reason = f"{FILE} is of another version or damaged: {path}"
        raise DamagedError(reason, "open it with the version that made it, or train it again")


def _first_trouble(path: Path) -> str:
    return next(_troubles(content.json_of(path), _SHAPE, ""), "")


def _troubles(value: Any, shape: Any, name: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(shape, dict):
        if not _is(value, shape):
            yield f"'{name}' is not {shape}"
    elif not isinstance(value, dict):
        yield f"'{name}' is not an object" if name else "it holds no JSON object"
    else:
        every = shape.get(_EVERY)
        for field, one in value.items():
            if (wanted := shape.get(field, every)) is not None:
                yield from _troubles(one, wanted, f"{name}.{field}".lstrip("."))


def _is(value: Any, kind: str) -> bool:
    if kind == _MEASURED and isinstance(value, list):
        return all(one is None or _is(one, _NUMBER) for one in value)
    if kind == _TEXT:
        return isinstance(value, str) and value.encode(errors="ignore").decode() == value  # half a letter is no text
    return isinstance(value, int | float)  # NaN, too, of runs that could not say
