"""What stages say of themselves in words, known without running them: a page of lists must not wait for torch.

A stage says it where it is registered, in its own file. Until that file is imported, its text is read instead.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from grouprec.core.language import _


@dataclass(frozen=True)
class Words:
    """The words of a declaration, as ``register(...)`` takes them.

    Attributes:
        title: what the user reads on the menu.
        cite: the paper that the method comes from.
        called: what sentences call it, e.g. "two-tower network"; "" for its name with spaces.
        explained: of a grouper, how users are divided, after "Users were divided"; "" for "by" and its name.
        measured: of an encoder, how near it comes to published figures; "" where nobody compared.
    """

    title: str
    cite: str
    called: str = ""
    explained: str = ""
    measured: str = ""


DECLARED: dict[tuple[str, str], Words] = {}
"""By kind and name: the stages whose modules are imported. Filled by their registries."""


def words_of(kind: str, name: str) -> Words | None:
    """Return the words of a stage, None where there is no such stage (a run may be of another version)."""
    return DECLARED.get((kind, name)) or _read(kind, name)


def called(kind: str, name: str) -> str:
    """Return what sentences call a stage."""
    words = words_of(kind, name)
    return _((words and words.called) or name.replace("_", " "))


@cache
def _read(kind: str, name: str) -> Words | None:
    """Return the words in the file of a stage, which bears its name; None where no such file registers one."""
    file = Path(__file__).parent / f"{kind}s" / f"{name}.py"
    if not name.isidentifier() or not file.is_file():  # names come from run folders
        return None
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "register":
            return Words(**{word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg})
    return None
