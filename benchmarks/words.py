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
CALLS = ("_", "N_", "ngettext", "pgettext")
DECLARED = {
    "register": ("title", "called", "explained"),
    "Field": ("description", "title"),
    "_strategy": ("title", "explanation"),
}
Found = tuple[int, str, Any, list[str]]


def extract(fileobj: Any, keywords: Any, comment_tags: Any, options: Any) -> Iterator[Found]:
    """Find the messages of a Python file: line, function, message or messages, comments; babel's extraction method."""
    for node in ast.walk(ast.parse(fileobj.read())):
        if isinstance(node, ast.Call):
            yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[Found]:
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    texts = [_text(argument) for argument in node.args]
    if name in CALLS and isinstance(node.func, ast.Name):
        wanted = texts[: 1 if name in ("_", "N_") else 2]
        if wanted and all(wanted):
            yield node.lineno, name, wanted[0] if len(wanted) == 1 else tuple(wanted), []
    elif name == "Glossary":
        yield from ((value.lineno, "_", text, []) for value in node.args[0].values if (text := _text(value)))
    elif name == "plural" and len(texts) == 2 and texts[1]:
        yield node.lineno, "ngettext", (f"{{n}} {texts[1]}", f"{{n}} {texts[1]}s"), []
    elif name in DECLARED:
        said = [*(word.value for word in node.keywords if word.arg in DECLARED[name])]
        yield from ((value.lineno, "_", text, []) for value in said if (text := _text(value)))


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
            write_po(file, known, width=120, omit_header=False, include_lineno=False, sort_output=True)


if __name__ == "__main__":
    main()
