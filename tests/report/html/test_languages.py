"""The report in the language of the page or command that it is made by."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from grouprec.cli.main import app
from grouprec.core.language import speaking
from grouprec.report import html
from grouprec.runs.store import Run

NAMES = re.compile(
    r"[Ii]tem(?: \d+)?|[Cc]ategory \d|k-means|k-core|EASE|DNN|nDCG@10"
    r"|EP-FuzzDA|GFAR|CPU|GPU|ID|GB|grouprec|planted(?:\.csv)?"
    r"|standard|thorough|quick|region|north|south|east|west|Esc|UTC|[\w.-]*\d{6}[\w-]*|&#?\w+;"
)
ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]+)*")


def paragraphs(document: str) -> list[str]:
    """Return the texts of a document but for what the run stores: notes of the preparation, settings and versions."""
    seen = re.sub(r"<(style|script|details).*?</\1>|<h3>数据准备去掉了什么</h3>.*?</table>", "", document, flags=re.S)
    return [text.strip() for text in re.findall(r">([^<]+)<", seen) if text.strip()]


def test_a_chinese_report_has_no_english_sentence(small_run: Run) -> None:
    with speaking("zh"):
        document = html.render(small_run)
    assert '<html lang="zh">' in document
    assert [text for text in paragraphs(document) if ENGLISH.search(NAMES.sub("", text))] == []


def test_a_report_is_english_by_itself(small_run: Run) -> None:
    document = html.render(small_run)
    assert '<html lang="en">' in document and "How to read this" in document


def test_the_command_line_asks_for_a_language(small_run: Run, tmp_path: Path) -> None:
    out = tmp_path / "story.html"
    command = ["report", small_run.run_id, "--runs", str(small_run.path.parent), "--out", str(out)]
    done = CliRunner().invoke(app, [*command, "--language", "zh"])
    assert done.exit_code == 0, done.output
    assert "如何阅读" in out.read_text(encoding="utf-8")


def test_a_language_that_is_not_spoken_is_refused(small_run: Run, tmp_path: Path) -> None:
    command = ["report", small_run.run_id, "--runs", str(small_run.path.parent), "--out", str(tmp_path / "a.html")]
    done = CliRunner().invoke(app, [*command, "--language", "fr"])
    assert done.exit_code != 0
    assert "There is no language 'fr'; there are en, zh." in f"{done.output}{done.exception}"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("page", ["present", "shared"])
def test_routes_speak_what_a_browser_asks_for(page: str) -> None:
    from starlette.requests import Request

    from grouprec.ui import languages

    def asked(query: bytes, header: bytes) -> str:
        scope = {"type": "http", "query_string": query, "headers": [(b"accept-language", header)], "path": f"/{page}"}
        return languages.of_request(Request(scope))

    assert [asked(b"", b"zh-CN,en;q=0.8"), asked(b"lang=en", b"zh-CN"), asked(b"", b"fr")] == ["zh", "en", "en"]
