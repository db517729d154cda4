"""Rules that change one thing in Python source: at which nodes of the syntax tree, and what is written there."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property

Edit = tuple[int, int, str]  # bytes from, to, and what stands there instead
Rule = Callable[[ast.AST, "Source"], Iterator[Edit]]

RULES: dict[str, Rule] = {}

# Changing these changes memory or time, never a result.
SIZES = {
    "BATCH": "events of one transaction",
    "CELLS": "numbers held at a time",
    "CHUNK": "users held at a time",
    "_CHUNK": "bytes or keys read at a time",
    "batch_size": "users handled at a time",
    "chunk_size": "rows read at a time",
    "maxsize": "results that a cache keeps",
    "n_jobs": "processors used",
    "rows_per_batch": "rows handled at a time",
}
FLAGS = {
    "copy": "saves memory",
    "strict": "guards a zip whose parts are equally long",
}
TINY = 1e-5  # guards against division by zero and rounding: any other tiny number does as well

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "+"),
    ast.Pow: ("**", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}
_NUMBERS = {0.95: "0.9", 0.9: "0.95", 1.96: "1.64"}
_SWAPS = {
    "argmax": "argmin",
    "max": "min",
    "maximum": "minimum",
    "nanmax": "nanmin",
    "idxmax": "idxmin",
    "any": "all",
    "ceil": "floor",
    "zeros": "ones",
    "zeros_like": "ones_like",
}
_SWAPS |= {new: old for old, new in _SWAPS.items()}
_EMPTY = {
    r".*\| None": "None",
    "int": "0",
    "float": "0.0",
    "str": '""',
    r"list\b.*": "[]",
    r"dict\b.*": "{}",
    r"set\b.*": "set()",
    r"tuple\[.*\.\.\.\]": "()",
}


class Source:
    """Source text with its syntax tree, and the bytes at which nodes begin and end (columns of ``ast`` are bytes)."""

    def __init__(self, text: str) -> None:
        self.bytes = text.encode()
        self.tree = ast.parse(text)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer(rb"\n", self.bytes))]

    def start(self, node: ast.AST) -> int:
        return self.line_starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.AST) -> int:
        return self.line_starts[node.end_lineno - 1] + node.end_col_offset

    def line(self, place: int) -> int:
        """Return the number of the line, from 1, that a byte stands in."""
        return bisect_right(self.line_starts, place)

    def text(self, node: ast.AST) -> str:
        return self.bytes[self.start(node) : self.end(node)].decode()

    def edit(self, node: ast.AST, new: str) -> Edit:
        """Return the edit that writes something else where the node stands."""
        return self.start(node), self.end(node), new

    def between(self, before: ast.AST, after: ast.AST, pattern: str, new: str) -> Iterator[Edit]:
        """Yield the edit of what matches the pattern between two nodes."""
        begin = self.end(before)
        gap = re.sub(rb"#[^\n]*", lambda comment: b" " * len(comment[0]), self.bytes[begin : self.start(after)])
        found = re.search(pattern.encode(), gap)
        if found:
            yield begin + found.start(), begin + found.end(), new

    def changed(self, edit: Edit) -> str:
        start, end, new = edit
        return (self.bytes[:start] + new.encode() + self.bytes[end:]).decode()


def rule(name: str) -> Callable[[Rule], Rule]:
    def keep(function: Rule) -> Rule:
        RULES[name] = function
        return function

    return keep


@rule("compare")
def compare(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``<`` to ``<=``, ``>`` to ``>=``, ``==`` to ``!=``, ``in`` to ``not in``, and back."""
    if isinstance(node, ast.Compare):
        for left, sign, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            yield from source.between(left, right, *_COMPARISONS[type(sign)])


@rule("arithmetic")
def arithmetic(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``+`` to ``-``, ``*`` to ``/``, ``&`` to ``|``, and back; not where text or literal lists are joined."""
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            suffix = ""
        case ast.AugAssign(target=left, op=sign, value=right):
            suffix = "="
        case _:
            return
    if type(sign) in _ARITHMETIC and not any(_is_literal(side) for side in (left, right)):
        old, new = _ARITHMETIC[type(sign)]
        yield from source.between(left, right, re.escape(old + suffix), new + suffix)


def _is_literal(node: ast.AST) -> bool:
    text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return text or isinstance(node, ast.JoinedStr | ast.List | ast.Tuple | ast.Dict)


@rule("number")
def number(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``n`` to ``n + 1``, a fraction to its double, .95 to .9, 1.96 to 1.64, ``shape[1]`` to ``shape[0]``."""
    if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
        return
    parent = source.parents[node]
    if name_of(parent, node) in {*SIZES, "axis"} or _is_step(parent, source):
        return
    if isinstance(parent, ast.Subscript) and isinstance(parent.value, ast.Attribute) and parent.value.attr == "shape":
        yield source.edit(node, "1" if node.value == 0 else "0")
    elif isinstance(node.value, int):
        yield source.edit(node, str(node.value + 1))
    elif node.value == 0 or abs(node.value) > TINY:
        yield source.edit(node, _NUMBERS.get(node.value) or repr(node.value * 2 if node.value else 1.0))


def _is_step(node: ast.AST, source: Source) -> bool:
    above = source.parents.get(node)
    return isinstance(above, ast.Slice) and above.step is node


def name_of(parent: ast.AST, node: ast.AST) -> str | None:
    """Return the name that a value is given to: by a keyword, a default or an assignment."""
    match parent:
        case ast.keyword(arg=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.arguments():
            positional = [*parent.posonlyargs, *parent.args]
            places = [*zip(reversed(positional), reversed(parent.defaults), strict=False)]
            places += zip(parent.kwonlyargs, parent.kw_defaults, strict=False)
            return next((argument.arg for argument, default in places if default is node), None)
    return None


@rule("negate")
def negate(node: ast.AST, source: Source) -> Iterator[Edit]:
    """A condition to its contrary."""
    tests = [node.test] if isinstance(node, ast.If | ast.While | ast.IfExp) else []
    tests += node.ifs if isinstance(node, ast.comprehension) else []
    for test in tests:
        if not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            yield source.edit(test, f"(not ({source.text(test)}))")


@rule("not")
def drop_not(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``not x`` to ``x``, ``~x`` to ``x``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield source.edit(node, f"({source.text(node.operand)})")


@rule("logic")
def logic(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``and`` to ``or``, and back."""
    if isinstance(node, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield from source.between(left, right, rf"\b{old}\b", new)


@rule("return")
def empty_return(node: ast.AST, source: Source) -> Iterator[Edit]:
    """What a function returns to nothing of the same type, a truth to its contrary."""
    if not isinstance(node, ast.Return) or node.value is None:
        return
    above = source.parents[node]
    while not isinstance(above, ast.FunctionDef | ast.AsyncFunctionDef):
        above = source.parents[above]
    kind = ast.unparse(above.returns) if above.returns else ""
    if kind == "bool":
        yield source.edit(node.value, f"not ({source.text(node.value)})")
    for pattern, empty in _EMPTY.items():
        if re.fullmatch(pattern, kind):
            if source.text(node.value) != empty:
                yield source.edit(node.value, empty)
            return


@rule("swap")
def swap(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``max`` to ``min``, ``argmax`` to ``argmin``, ``any`` to ``all``, ``zeros`` to ``ones``, and back, in calls."""
    above = source.parents.get(node)
    called = node
    if isinstance(above, ast.Attribute):  # np.maximum.at(...)
        called, above = above, source.parents[above]
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if name in _SWAPS and isinstance(above, ast.Call) and above.func is called:
        yield source.end(node) - len(name), source.end(node), _SWAPS[name]


@rule("order")
def order(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``-x`` to ``x``, ``[::-1]`` to ``[::1]``."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            if _is_step(node, source) or not isinstance(operand, ast.Constant):
                yield source.edit(node, source.text(operand))


@rule("drop")
def drop(node: ast.AST, source: Source) -> Iterator[Edit]:
    """A statement that acts by its effect: a call, an assignment into an object or an array, ``+=``, ``del``."""
    match node:
        case (
            ast.Expr(value=ast.Call())
            | ast.Assign(targets=[ast.Attribute() | ast.Subscript()])
            | ast.AugAssign()
            | ast.Delete()
        ):
            yield source.edit(node, "pass")


@rule("loop")
def loop(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``break`` and ``continue`` to nothing."""
    if isinstance(node, ast.Break | ast.Continue):
        yield source.edit(node, "pass")


@rule("axis")
def axis(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``axis=0`` to ``axis=1``, and back."""
    match node:
        case ast.keyword(arg="axis", value=ast.Constant(value=0 | 1 as old) as value):
            yield source.edit(value, str(1 - old))


@rule("flag")
def flag(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``True`` to ``False``, and back, as a keyword's value or a default."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        name = name_of(source.parents[node], node)
        if name is not None and name not in FLAGS:
            yield source.edit(node, str(not node.value))


@rule("stable")
def stable(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``kind="stable"`` to numpy's and pandas' default."""
    match node:
        case ast.keyword(arg="kind", value=ast.Constant(value="stable") as value):
            yield source.edit(value, '"quicksort"')


@rule("escape")
def escape(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``re.escape(x)`` to ``x``."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="escape"), args=[only]):
            yield source.edit(node, f"({source.text(only)})")


@rule("slice")
def longer(node: ast.AST, source: Source) -> Iterator[Edit]:
    """``[:k]`` to ``[:k + 1]``, ``[k:]`` to ``[k + 1:]``; constants are numbers of their own."""
    if isinstance(node, ast.Slice):
        for end in (node.lower, node.upper):
            plain = end.operand if isinstance(end, ast.UnaryOp) else end
            if end is not None and not isinstance(plain, ast.Constant):
                yield source.edit(end, f"({source.text(end)}) + 1")
