"""A finished run as one HTML file: everything inside it, nothing fetched, no script, good to print.

It begins with the six views of :mod:`grouprec.report.html.views`, one at a time on a screen, a page each on paper.
"""

from __future__ import annotations

from pathlib import Path

from grouprec.core.files import replacing, storage
from grouprec.core.language import _, current
from grouprec.report.html import evidence, making, sections, slides
from grouprec.report.html.markup import Html, element, joined, text
from grouprec.report.html.reading import Reading
from grouprec.report.html.views import six_views
from grouprec.runs.store import Run

# The browser itself then refuses whatever a file might try to fetch or run.
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render(run: Run) -> str:
    """Return the report of a finished run as an HTML document.

    Raises:
        StorageError: the run is not finished, or its tables cannot be read.
    """
    reading = Reading.of(run)
    parts = {
        "map": (_("The map"), sections.the_map(reading)),
        "groups": (_("The groups"), sections.groups(reading)),
        "lists": (_("The lists"), sections.lists(reading)),
        "number": (_("How many lists"), sections.value_of_groups(reading)),
        "evidence": (_("The evidence"), evidence.of_run(reading)),
        "method": (_("How it was made"), making.method(reading)),
        "limits": (_("What to keep in mind"), making.limits(reading)),
    }
    shown = {name: (title, part) for name, (title, part) in parts.items() if part}
    links = element("nav", *(element("a", title, href=f"#{name}") for name, (title, *_rest) in shown.items()))
    body = [_section(name, title, part) for name, (title, part) in shown.items()]
    glance = six_views(reading)
    first = joined(slides.tabs(glance), slides.slides(glance, reading.title))
    head = sections.opening(reading)
    return _document(reading.title, joined(first, head, links, *body, element("footer", making.footer(reading))))


def write(run: Run, out: Path) -> int:
    """Write the report of a finished run and return its size in bytes.

    Raises:
        StorageError: the run is not finished, or the file cannot be written.
    """
    document = render(run).encode("utf-8")
    with storage(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as temporary:
        temporary.write_bytes(document)
    return len(document)


def _section(name: str, title: str, part: Html) -> Html:
    flows = "flows" if name == "limits" else None
    return element("section", element("h2", title), part, id=name, class_=flows)


def _document(title: str, body: Html) -> str:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}">'
        f"{element('title', title)}{element('style', slides.style())}"
    )
    return f'<!doctype html>\n<html lang="{current()}"><head>{head}</head><body>{body}</body></html>\n'


__all__ = ["render", "write"]
