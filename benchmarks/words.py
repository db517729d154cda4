"""The words of pages and reports for translators: `make words` brings every catalogue up to date with the code.

Messages are found as gettext finds them, ``_("...")``, and where this code declares what things are called: values of
``Glossary({...})``, nouns of ``plural(n, "user")``, titles and descriptions of stages and their settings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from grouprec.core.language import CATALOGUES, DOMAIN, ENGLISH, LANGUAGES

ROOT = Path(__file__).parents[1]
MARKS = {"_": 1, "N_": 1, "ngettext": 2, "pgettext": 2, "NP_": 2}  # calls, and how many arguments are words
REGISTERED = ("title", "called", "explained")  # what a stage says of itself
Found = tuple[int, str, Any, list[str]]


def extract(fileobj: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """Find the messages of a Python file: line, function, message or messages, comments; babel's extraction method."""
    for node in ast.walk(ast.parse(fileobj.read())):
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _described(node.value):
            yield node.lineno, "_", node.target.id.replace("_", " ").capitalize(), []  # as forms call a setting


def _of_call(node: ast.Call) -> Iterator[Found]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    texts = [_text(argument) for argument in node.args]
    named = {word.arg: word.value for word in node.keywords}
    said: list[ast.expr] = [named["description"]] if "description" in named else []
    if name in MARKS and isinstance(node.func, ast.Name):
        wanted = texts[: MARKS[name]]
        if wanted and all(wanted):
            yield node.lineno, name.replace("NP_", "pgettext"), wanted[0] if len(wanted) == 1 else tuple(wanted), []
    elif name == "plural" and len(texts) == 2 and texts[1]:
        yield node.lineno, "ngettext", (f"{{n}} {texts[1]}", f"{{n}} {texts[1]}s"), []
    elif name == "Glossary" and isinstance(node.args[0], ast.Dict):
        said += node.args[0].values
    elif name == "register":
        said += [named[word] for word in REGISTERED if word in named]
    elif name == "_strategy":
        said += [node.args[0], node.args[2]]
    yield from ((value.lineno, "_", text, []) for value in said if (text := _text(value)))


def _described(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Call) and any(word.arg == "description" for word in value.keywords)


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def template() -> Catalog:
    """Return all messages of the package, without translations."""
    found = Catalog(domain=DOMAIN, project="grouprec", charset="utf-8")
    keywords = {"_": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
    method = [("**.py", "benchmarks.words:extract")]
    for file, line, message, _comments, context in extract_from_dir(ROOT / "grouprec", method, keywords=keywords):
        found.add(message, None, [(f"grouprec/{file}", line)], context=context)
    return found


def catalogue(language: str) -> Catalog:
    """Return what is translated into a language."""
    with path(language).open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def path(language: str) -> Path:
    """Return where a catalogue lies."""
    return CATALOGUES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def main() -> None:
    """Write every catalogue: new messages without a translation, those of today with theirs, no others."""
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        known = catalogue(language) if path(language).exists() else Catalog(language, domain=DOMAIN)
        known.update(template(), no_fuzzy_matching=True)
        known.obsolete.clear()
        with path(language).open("wb") as file:
            write_po(file, known, width=120, omit_header=True, include_lineno=False, sort_output=True)


if __name__ == "__main__":
    main()
