"""The regular expressions of the package, wherever they stand, and texts made to hold each of them up."""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import grouprec
from tests.support.held_up import texts_against

LENGTH = 100_000
MOST_SECONDS = 1.0  # of a processor; what grows with the square of the length takes five at least, all others a tenth
# What takes less at a shorter length is not tried at longer ones: growing with the square, it stays below the most.
SUSPECT_SECONDS = {1_000: 0.0003, 10_000: 0.007}
_WAYS = ("match", "fullmatch", "finditer")
_WAY = {"match": "match", "fullmatch": "fullmatch"}  # all others look from every place on
_IN_RE = ("compile", "match", "fullmatch", "search", "sub", "subn", "findall", "finditer", "split")
_FLAGS = {"I": 2, "IGNORECASE": 2, "MULTILINE": 8, "DOTALL": 16}
_IN_TEXTS = ("match", "fullmatch", "contains", "extract", "extractall", "replace", "findall", "count", "split")


@dataclass(frozen=True)
class Found:
    """A pattern, its name or its function, and how it is used: ``match``, ``fullmatch``, ``finditer``."""

    where: str
    pattern: str
    flags: int
    ways: tuple[str, ...]


class Unknown(NamedTuple):
    """A pattern that a function builds while it runs, and how it is used."""

    function: str
    ways: tuple[str, ...]


class _Call(NamedTuple):
    function: str
    method: str
    pattern: ast.expr
    flags: int


@cache
def all_patterns() -> tuple[list[Found], list[Unknown]]:
    """Return the patterns of the package, and those that only a running function knows."""
    # Only those that have some: of the others some do something when they are imported.
    own = [name for name, source in _sources().items() if re.search(r"^import re$|\.str\.", source, re.MULTILINE)]
    modules = [importlib.import_module(name) for name in own]
    found, unknown = [], []
    everywhere = _ways_everywhere()
    shared = {name: ways for name, ways in everywhere.items() if name[:1] not in ("", "_")}  # others may import these
    for module in modules:
        used = _ways_by_name(module.__name__) | {
            name: ways for name, ways in shared.items() if name[:1] not in ("", "_")
        }
        for name, value in vars(module).items():
            for pattern in _inside(value) if _is_own(name, module) else ():
                ways = used[name] if value is pattern and name in used else used[""] or set(_WAYS)
                found.append(_found(module, name, pattern, 0, ways))
        for call in _calls(module):
            ways = {_way(call.method)} if call.method != "compile" else used.get("") or {"finditer"}
            try:
                value = eval(compile(ast.Expression(call.pattern), module.__name__, "eval"), vars(module))
            except NameError:
                unknown.append(Unknown(f"{module.__name__}.{call.function}", tuple(sorted(ways))))
            else:
                found.append(_found(module, call.function, value, call.flags, ways))
    return found, unknown


def _found(module: ModuleType, where: str, value: Any, flags: int, ways: set[str]) -> Found:
    text, flags = (value.pattern, value.flags) if isinstance(value, re.Pattern) else (value, flags)
    if isinstance(text, bytes):
        text, flags = text.decode("latin-1"), flags | re.ASCII
    return Found(f"{module.__name__}.{where}", text, flags, tuple(sorted(ways)))


def held_up_by(found: Found, most_seconds: float = MOST_SECONDS) -> str:
    """Return the beginning of a text that holds the pattern up longer than it may, or nothing."""
    pattern = re.compile(found.pattern, found.flags & ~re.DEBUG)
    with _alarm():
        for text in texts_against(found.pattern, found.flags):
            for way in found.ways:
                at = partial(_seconds, pattern, way, most=most_seconds)
                suspect = all(at(text(length)) >= seconds for length, seconds in SUSPECT_SECONDS.items())
                if suspect and at(text(LENGTH)) >= most_seconds:
                    return f"{way} of {text(30)[:60]!r}"
    return ""


class _TimeIsUp(Exception):
    pass


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    """Let a timer of this process's own time raise :class:`_TimeIsUp`."""

    def stop(*_: Any) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGVTALRM, before)


def _seconds(pattern: re.Pattern[str], way: str, text: str, most: float) -> float:
    begun = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, most)
    try:
        for _ in pattern.finditer(text) if way == "finditer" else [getattr(pattern, way)(text)]:
            pass
    except _TimeIsUp:
        return most
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - begun


@cache
def _sources() -> dict[str, str]:
    folder = Path(grouprec.__path__[0])
    files = [path for path in sorted(folder.rglob("*.py")) if path.stem != "__init__"]
    return {".".join(("grouprec", *path.relative_to(folder).with_suffix("").parts)): path.read_text() for path in files}


def _inside(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _inside(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _inside(part)


def _is_own(name: str, module: ModuleType) -> bool:
    """Return whether a module makes what has that name, and does not only import it."""
    return re.search(rf"^{re.escape(name)}\b", _source(module), re.MULTILINE) is not None


def _source(module: ModuleType) -> str:
    return _sources()[module.__name__]


@cache
def _tree(name: str) -> ast.Module:
    return ast.parse(_sources()[name])


def _ways_everywhere() -> dict[str, set[str]]:
    """Return how the package uses the patterns that have names; a module that calls none need not be parsed."""
    uses = re.compile(rf"[A-Z]\.(?:{'|'.join(_IN_RE[1:])})\(")
    used: dict[str, set[str]] = defaultdict(set)
    for name, source in _sources().items():
        for pattern, ways in _ways_by_name(name).items() if uses.search(source) else ():
            used[pattern] |= ways
    return used


def _ways_by_name(module: str) -> dict[str, set[str]]:
    """Return how a module uses the patterns that it names, and under "" those that a variable holds."""
    used: dict[str, set[str]] = defaultdict(set)
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _IN_RE[1:]:
            name = node.value.id
            if name.isupper() or (name != "re" and node.attr != "split"):  # texts are split, too
                used[name if name.isupper() else ""].add(_way(node.attr))
    return used


def _way(method: str) -> str:
    return _WAY.get(method, "finditer")


def _calls(module: ModuleType) -> Iterator[_Call]:
    """Yield every call of ``re`` and of texts of pandas inside functions that takes a pattern."""
    functions = [node for node in ast.walk(_tree(module.__name__)) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args and _takes_one(node):
                said = ast.unparse(node)
                flags = sum(flag for name, flag in _FLAGS.items() if re.search(rf"\bre\.{name}\b", said))
                yield _Call(function.name, node.func.attr, node.args[0], flags)


def _takes_one(node: ast.Call) -> bool:
    assert isinstance(node.func, ast.Attribute)
    method, owner = node.func.attr, node.func.value
    regex = next((ast.unparse(key.value) for key in node.keywords if key.arg == "regex"), "")
    if isinstance(owner, ast.Attribute) and owner.attr == "str" and method in _IN_TEXTS:
        return regex == "True" or (regex == "" and method not in ("replace", "split"))
    return isinstance(owner, ast.Name) and owner.id == "re" and method in _IN_RE
