"""The six views as HTML: one at a time on a screen, by links or arrow keys, and all six, a page each, on paper."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from grouprec.core.language import _, current
from grouprec.report.html.markup import Html, element, joined, paragraph, sentence, text
from grouprec.report.html.reading import Reading
from grouprec.report.html.views import View, six_views
from grouprec.report.text import short

SCRIPT = "present.js"  # turns views by keys and by touch; the server gives it out
# What the browser then refuses, whatever the data may try. Arrow keys need the one script, links do without.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)


def document(
    reading: Reading,
    group: int | None = None,
    *,
    up: str = "",
    leave: str | None = None,
    note: str = "",
    turned: bool = True,
) -> str:
    """Return the six views of a run as an HTML document that fills the screen.

    Args:
        group: the one that has a view of its own; the largest where it is None or not there.
        up: leads from the document to the server's root, as ``../``.
        leave: where closing leads to; no way out where it is None.
        note: what is said below every view.
        turned: somebody turns the views; else they are for pictures, which no button is on.
    """
    shown = slides(six_views(reading, group), reading.title, leave, note, "h1")
    if not turned:
        return _page(reading.title, element("main", shown), look="presenter still")
    return _page(reading.title, element("main", shown), element("script", src=up + SCRIPT, defer=""))


def sentence_page(said: str, href: str, way: str) -> str:
    """Return a document that says one sentence, with one link; what stands there where there are no views to show."""
    said_so = element("h1", said), element("p", element("a", way, href=href))
    shown = element("div", element("section", *said_so, class_="view told"), class_="views")
    return _page("grouprec", element("main", shown))


def with_banner(made: str, said: str) -> str:
    """Return a :func:`document` that was made before, with a sentence above every view."""
    return made.replace("<main>", f"<main>{element('p', said, class_='banner')}", 1)


def _page(title: str, body: Html, more: Html | None = None, look: str = "presenter") -> str:
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{text(POLICY)}"><meta name="robots" content="noindex">'
        '<link rel="icon" href="data:,">'
        f"{element('title', title)}{element('style', style())}{more or ''}"
    )
    return f'<!doctype html>\n<html lang="{current()}"><head>{head}</head><body class="{look}">{body}</body></html>\n'


def slides(shown: Sequence[View], title: str, leave: str | None = None, note: str = "", heading: str = "h2") -> Html:
    """Return views for a document that has :func:`style`; ``title`` is the run's, other arguments as there.

    Args:
        heading: the element of what a view says: h1 where nothing else is in the document.
    """
    links = [f"#view-{number}" for number in range(1, len(shown) + 1)]
    drawn = []
    for number, view in enumerate(shown, start=1):
        before = links[number - 2] if number > 1 else None
        after = links[number] if number < len(shown) else None
        pager = element(
            "nav",
            _turn(before, "‹", _("View before")),
            element("span", f"{number} / {len(shown)}"),
            _turn(after, "›", _("Next view")),
            None
            if leave is None
            else element("a", "✕", href=leave, class_="leave", aria_label=_("Leave"), title=_("Leave (Esc)")),
            aria_label=_("Views"),
        )
        over = element("p", element("span", view.title), f" · {short(title, 60)}", class_="over")
        foot = element("footer", element("p", note, class_="quiet"), pager)
        drawn.append(
            element(
                "section",
                over,
                element(heading, sentence(view.said)),
                _body(view),
                foot,
                id=f"view-{number}",
                class_=f"view {view.name}",
                tabindex=-1,
            )
        )
    return element("div", *drawn, class_="views")


def tabs(shown: Sequence[View]) -> Html:
    """Return links to views by their titles, for a document that holds more than them."""
    links = (element("a", view.title, href=f"#view-{number}") for number, view in enumerate(shown, start=1))
    return element("nav", *links, class_="tabs", aria_label=_("At a glance"))


def _turn(href: str | None, sign: str, label: str) -> Html:
    """Return a link to the next view or the one before; where there is none its place stays."""
    if href is None:
        return element("span", sign, class_="off", aria_hidden="true")
    return element("a", sign, href=href, aria_label=label)


def _body(view: View) -> Html:
    figure = None
    if view.picture:
        caption = element("figcaption", view.caption) if view.caption else None
        figure = element("figure", view.picture, caption)
    facts = None
    if view.facts:
        pairs = (element("div", element("dt", name), element("dd", said)) for name, said in view.facts.items())
        facts = element("dl", *pairs)
    notes = joined(*map(paragraph, view.notes))
    aside = element("aside", facts, notes) if facts or notes else None
    return element("div", figure, aside, class_="body" if figure and aside else "body alone")


def style() -> Html:
    """Return the rules that :func:`slides` needs: the report's, and its own."""
    folder = files("grouprec.report.html")
    return Html(
        "\n".join(
            folder.joinpath(name).read_text(encoding="utf-8") for name in ("style.css", "slides.css", "moving.css")
        )
    )


def script() -> str:
    """Return the script that turns the views."""
    return files("grouprec.report.html").joinpath("slides.js").read_text(encoding="utf-8")
