"""The mutants of a file: every place where a rule applies, without text, types and declarations; a seeded sample."""

from __future__ import annotations

import ast
import difflib
import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.mutants.rules import RULES, SIZES, Edit, Source

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
_UNTOUCHED_FIELDS = {"annotation", "returns", "decorator_list", "type_params", "bases"}
_DECLARATIONS = {"Field", "setting", "field", "ConfigDict", "TypeVar"}  # words, bounds and defaults of settings


@dataclass(frozen=True)
class Mutant:
    """One change of one file. ``before`` and ``after`` are the source lines that it touches, without indentation."""

    file: str  # below the root, with slashes
    line: int
    rule: str
    number: int  # of this rule in this line
    before: str
    after: str
    original: str = field(repr=False)
    edit: Edit = field(repr=False)

    @property
    def id(self) -> str:
        return f"{self.file}:{self.line}:{self.rule}" + (f":{self.number}" if self.number else "")

    @property
    def source(self) -> str:
        return Source(self.original).changed(self.edit)

    def diff(self) -> str:
        lines = difflib.unified_diff(
            self.original.splitlines(True), self.source.splitlines(True), self.file, self.file, n=2
        )
        return "".join(lines)

    def place(self, seed: int) -> bytes:
        """Return where the mutant stands in the seed's order: code elsewhere in the file does not change it."""
        words = f"{seed}|{self.file}|{self.rule}|{self.before}|{self.after}|{self.number}"
        return hashlib.sha256(words.encode()).digest()


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can kill, known by its source line, and, where ``after`` is given, what becomes of it."""

    file: str
    before: str
    rule: str
    reason: str
    after: str | None = None

    def covers(self, mutant: Mutant) -> bool:
        same = (self.file, self.before, self.rule) == (mutant.file, mutant.before, mutant.rule)
        return same and self.after in (None, mutant.after)


class KnownEquivalent:
    """The list of equivalent mutants."""

    def __init__(self, path: Path = EQUIVALENT) -> None:
        entries = tomllib.loads(path.read_text())["equivalent"] if path.exists() else []
        self.entries = [Equivalent(**entry) for entry in entries]

    @cached_property
    def by_file(self) -> dict[str, list[Equivalent]]:
        files: dict[str, list[Equivalent]] = {}
        for entry in self.entries:
            files.setdefault(entry.file, []).append(entry)
        return files

    def without(self, mutants: Sequence[Mutant]) -> list[Mutant]:
        return [
            mutant for mutant in mutants if not any(entry.covers(mutant) for entry in self.by_file.get(mutant.file, []))
        ]


def find_mutants(root: Path, file: str) -> list[Mutant]:
    """Return all mutants of a file, in the order of its lines."""
    text = (root / file).read_text()
    source = Source(text)
    edits = sorted(
        {(edit, name) for node in _nodes(source.tree) for name in RULES for edit in RULES[name](node, source)}
    )
    counts: Counter[tuple[int, str]] = Counter()
    found = []
    for edit, name in edits:
        line = source.line(edit[0])
        before, after = _touched(source, edit)
        found.append(Mutant(file, line, name, counts[line, name], before, after, text, edit))
        counts[line, name] += 1
    return found


def sample(mutants: Sequence[Mutant], size: int | None, seed: int) -> list[Mutant]:
    """Return a sample of a file's mutants, by line; code elsewhere in the file does not change it."""
    if size is None:
        return list(mutants)
    chosen = sorted(mutants, key=lambda mutant: mutant.place(seed))[:size]
    return sorted(chosen, key=lambda mutant: (mutant.line, mutant.edit))


def _touched(source: Source, edit: Edit) -> tuple[str, str]:
    start, end, new = edit
    first = source.bytes.rfind(b"\n", 0, start) + 1
    last = source.bytes.find(b"\n", end)
    last = last if last >= 0 else len(source.bytes)
    before = source.bytes[first:last].decode()
    after = (source.bytes[first:start] + new.encode() + source.bytes[end:last]).decode()
    return " ".join(before.split()), " ".join(after.split())


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that rules may change: not types, decorators, error messages, text, declarations or sizes."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in _UNTOUCHED_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_untouched(child):
                yield from _nodes(child)


def _is_untouched(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.JoinedStr() | ast.FunctionDef(name="__repr__"):
            return True  # places inside f-strings are wrong before Python 3.12
        case ast.Call(func=ast.Name(id=name)):
            return name in _DECLARATIONS
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign() | ast.AnnAssign():
            used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
            return not used.isdisjoint(SIZES)  # a size, or a part's length made from one
    return False
