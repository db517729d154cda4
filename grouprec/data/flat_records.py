"""Objects inside objects as columns: ``{"a": {"b": 1}}`` -> ``{"a.b": 1}``; what databases wrap is unwrapped."""

from __future__ import annotations

import re
from typing import Any

_DEEPEST = 6  # objects inside objects
_WRAPPED = re.compile(r"\$(oid|date|numberLong|numberInt|numberDouble|numberDecimal|uuid|symbol)")


def flat(record: dict[str, Any], before: str = "", depth: int = 0) -> dict[str, Any]:
    """Return a record whose inner objects became columns: ``{"a": {"b": 1}}`` -> ``{"a.b": 1}``."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            value = unwrap(value)
        elif isinstance(value, list) and value:
            value = by_key(value)
        if isinstance(value, dict) and depth < _DEEPEST:
            found.update(flat(value, f"{before}{name}.", depth + 1))
        else:
            found[f"{before}{name}"] = value
    return found


def by_key(values: list[Any]) -> Any:
    """Return a list of keys and values as the object it means: ``[{"key": "a", "value": {"string_value": "b"}}]``."""
    if not all(isinstance(one, dict) and one.keys() == {"key", "value"} for one in values):
        return values
    found = {}
    for one in values:
        value = one["value"]
        typed = isinstance(value, dict) and value and all(str(name).endswith("_value") for name in value)
        told = next((inner for inner in value.values() if inner is not None), None) if typed else value
        found[str(one["key"])] = told
    return found


def unwrap(value: dict[str, Any]) -> Any:
    """Return the value of an object by which databases give a type: ``{"$oid": "5f.."}``, ``{"S": "A1"}``."""
    if value.keys() == {"_seconds", "_nanoseconds"}:
        return value["_seconds"]
    if len(value) == 1 and next(iter(value)) in ("S", "N", "BOOL") and not isinstance(value[next(iter(value))], dict):
        return next(iter(value.values()))
    while isinstance(value, dict) and len(value) == 1 and _WRAPPED.fullmatch(next(iter(value))):
        value = next(iter(value.values()))
    return value
