"""What kind of value every known field of ``metrics.json`` holds, so that a summary of another version is told as such.

Fields that are missing or unknown are no fault: older versions had fewer, newer ones may have more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grouprec.core.forms import DamagedError
from grouprec.runs import content

FILE = "metrics.json"
_MOST_WHOLE, _MOST_SECONDS = 2**53, 1e10  # what a float counts exactly; three hundred years


@dataclass(frozen=True)
class _Kind:
    """What a value is called, and whether one is that. ``null`` says that a run could not tell, where it may."""

    called: str
    fits: Callable[[Any], bool]
    may_lack: bool = True


def _number(value: Any) -> bool:
    """Whether it is a number as runs write them: a measurement, NaN and infinity, too, or a whole number."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) <= _MOST_WHOLE)


def _count(value: Any) -> bool:
    return _number(value) and 0 <= value <= _MOST_WHOLE and value == int(value)


def _seconds(value: Any) -> bool:
    return _number(value) and 0 <= value <= _MOST_SECONDS


def _text(value: Any) -> bool:
    return isinstance(value, str) and value.encode(errors="ignore").decode() == value  # half a letter is no text


def _numbers(value: Any) -> bool:
    return isinstance(value, list) and all(one is None or _number(one) for one in value)


_NUMBER, _COUNT, _SECONDS = _Kind("a number", _number), _Kind("a count", _count), _Kind("a time in seconds", _seconds)
_TEXT, _YES = _Kind("a text", _text), _Kind("true or false", lambda value: isinstance(value, bool))
_MEASURED = _Kind("a number or an interval", lambda value: _number(value) or _numbers(value))
_LIST = _Kind("a list of numbers", _numbers)
_GIVEN = replace(_NUMBER, may_lack=False)
_EVERY = "*"  # stands for whatever names an object has
_NUMBERS, _TEXTS = {_EVERY: _NUMBER}, {_EVERY: _TEXT}
_REPLAYED = {"n_events": _COUNT, "n_users": _COUNT, _EVERY: {_EVERY: _MEASURED}}
_NAMES = ("encoder", "device_title", "dataset", "regime", "preset", "n_groups_reason", "time_order", "id_key")
_COUNTS = ("n_users", "n_items", "n_interactions", "n_test_users", "n_groups", "n_groups_asked")
_SHAPE: dict[str, Any] = {
    **dict.fromkeys((*_NAMES, "kind_column", "map_method"), _TEXT),
    **dict.fromkeys(_COUNTS, _COUNT),
    **dict.fromkeys(("refit", "repeats"), _YES),
    **dict.fromkeys(("encoders", "verdict", "headline", "clusters", "generator", "profile"), _NUMBERS),
    **dict.fromkeys(("list_method", "files", "versions"), _TEXTS),
    "seconds": _SECONDS,
    "stage_seconds": {_EVERY: _SECONDS},
    "blend": {
        "encoders": {_EVERY: _GIVEN},
        "ndcg": {_EVERY: _GIVEN},
        "half_life": _NUMBER,
        "repeats": _LIST,
        _EVERY: _GIVEN,
    },
    "split": {"kind": _TEXT, "reason": _TEXT},
    "new_users": {_EVERY: _COUNT},
    "decided": {_EVERY: {}},
    "takes": {
        "horizon": {"kind": _TEXT, "length": _GIVEN},
        "knots": {_EVERY: _LIST},
        "weights": _LIST,
        **dict.fromkeys(("intercept", "n_users", "spread"), _GIVEN),
    },
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
    if isinstance(shape, _Kind):
        if not (shape.may_lack if value is None else shape.fits(value)):
            yield f"'{name}' is not {shape.called}"
    elif value is not None and not isinstance(value, dict):
        yield f"'{name}' is not an object" if name else "it holds no JSON object"
    else:
        every = shape.get(_EVERY)
        for field, one in (value or {}).items():
            if (wanted := shape.get(field, every)) is not None:
                yield from _troubles(one, wanted, f"{name}.{field}".lstrip("."))
