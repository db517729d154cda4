"""The report: one file that needs nothing else, says everything, and runs nothing that the data smuggle in."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import StorageError
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import Edit, EditHistory, change
from grouprec.report.html import drawings, render, sections, slides, write
from grouprec.report.html import views as html_views
from grouprec.report.html.markup import Html, element, sentence, table
from grouprec.report.html.reading import Reading
from grouprec.runs.store import Run, RunStore, State
from tests.support.planted_run import HOSTILE_LABELS, build_older_run, build_run

VOID = {"meta", "link", "img", "br", "hr", "input"}
SCRIPT = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Reads a document; fails where tags do not close in order."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return build_run(RunStore(tmp_path))


@pytest.fixture
def page(run: Run) -> Page:
    return Page(render(run))


def test_the_report_is_one_well_formed_file_that_fetches_and_runs_nothing(page: Page) -> None:
    assert page.open == []
    assert not {"script", "img", "link", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    for name, value in page.attributes:
        assert not name.startswith("on")
        assert "//" not in value and "url(" not in value and "javascript:" not in value, (name, value)
        if name in ("href", "src", "xlink:href", "action"):
            assert value.startswith("#")
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    style = re.search(r"<style>(.*?)</style>", "".join(page.words), flags=re.DOTALL)
    assert "url(" not in str(style) and "@import" not in str(style)


def test_every_link_leads_to_a_part_of_the_report(page: Page) -> None:
    targets = {value for name, value in page.attributes if name == "id"}
    links = {value[1:] for name, value in page.attributes if name == "href"}
    six = {f"view-{number}" for number in range(1, 7)}
    assert links == targets == {"map", "groups", "lists", "number", "evidence", "method", "limits"} | six


def test_the_report_begins_with_the_six_views_that_are_presented(page: Page, run: Run) -> None:
    views = Page(slides.slides(html_views.six_views(Reading.of(run)), run.title()))
    assert views.tags["section"] == 6 and views.text in page.text
    assert page.text.index(views.text) < page.text.index("How to read this")


def test_the_first_line_is_the_answer_with_a_number_from_the_run(page: Page) -> None:
    assert "With these 3 lists, 19 of 100 people find something they take in their first ten." in page.text
    assert "Tested on 45 users; settings chosen by 52." in page.text
    assert "Personal lists reach 0.133 of nDCG@10; 3 shared lists (mean of the members) reach 0.084" in page.text


def test_every_group_and_the_ten_items_of_its_list_are_there(page: Page, run: Run) -> None:
    for name in run.table("groups")["name"]:
        assert name in page.text
    lists = run.table("group_lists")
    first = lists[(lists["method"] == "members_mean") & (lists["regime"] == "strict") & (lists["rank"] <= 10)]
    assert len(first) == 30
    for label in first["label"]:
        assert label in page.text
    assert "80 %" in page.text  # the first item reaches 0.8 of its group


def test_the_value_of_lists_and_the_evidence_are_told_with_intervals(page: Page) -> None:
    for said in (
        "20 lists are best, and no more were tried. One good list reaches 11 of 100 people with something they take; "
        "20 lists reach 28",
        "3 groups add 8.2 (5.2 to 11). With a list of their own, 21 more (18 to 24) would.",
        "0.036 (0.031–0.041)",
        "−0.048 (−0.050 to −0.046) ★",
        "The blend (+0.030)",
        "The list serves Tea towels least: 90 % of its 30 tested members found nothing in it.",
        "Country *France* better (0.110 against 0.080)",
        "Most popular in the group",
    ):
        assert said in page.text, said


def test_how_the_run_was_made_and_its_limits_are_told(page: Page) -> None:
    for said in ("Missing ids", "no user", "seed 0", "EASE + two-tower network", "Only 45 users could be tested"):
        assert said in page.text, said
    assert "Split at two moments for everybody, as the settings say. Users to choose settings by: 52," in page.text


def test_hostile_labels_and_names_are_shown_letter_by_letter(tmp_path: Path) -> None:
    run = build_run(RunStore(tmp_path), title=f"Run {SCRIPT}")
    lists, groups = run.table("group_lists"), run.table("groups")
    first = lists[(lists["method"] == "members_mean") & (lists["regime"] == "strict") & (lists["group"] == 1)]
    labels = [*HOSTILE_LABELS, SCRIPT, '" onmouseover="alert(1)', "</style><b>", "&lt;i&gt;"]
    lists.loc[first.sort_values("rank").index[: len(labels)], "label"] = labels
    run.save_table("group_lists", lists)
    groups["name"] = [SCRIPT, "</title>*x*", "\\**bold"]
    run.save_table("groups", groups)
    run.save_metrics(run.metrics() | {"dataset": SCRIPT, "device_title": SCRIPT, "preset": SCRIPT})
    document = render(run)
    page = Page(document)
    assert "script" not in page.tags and page.tags["b"] == 0 and page.open == []
    assert all(not name.startswith("on") for name, _ in page.attributes)
    for label in (*labels, *groups["name"]):
        assert " ".join(html.unescape(html.escape(label)).split()) in page.text, label


def test_sentences_become_html_and_nothing_else_does() -> None:
    said = sentence("**Bold \\*star\\*** and *slanted* <b>\\<i\\>")
    assert said == "<strong>Bold *star*</strong> and <em>slanted</em> &lt;b&gt;&lt;i&gt;"
    assert element("p", "a<b", element("b", "&"), None, class_='"x"') == (
        '<p class="&quot;x&quot;">a&lt;b<b>&amp;</b></p>'
    )
    assert "<td>&lt;td&gt;</td>" in table(pd.DataFrame({"<th>": ["<td>"]}))
    assert isinstance(said, Html)


def test_an_older_run_without_the_evidence_has_a_shorter_report(tmp_path: Path) -> None:
    page = Page(render(build_older_run(RunStore(tmp_path))))
    assert ("id", "number") not in page.attributes
    assert "Which method to trust" in page.text and "What every step adds" not in page.text


def test_a_run_without_held_out_rows_still_tells_its_groups(run: Run) -> None:
    for name in ("evaluation", "comparisons", "group_evaluation", "value_of_groups", "ablation", "fairness"):
        run.save_table(name, run.table(name).iloc[:0])
    page = Page(render(run))
    assert "Your 90 users fall into 3 groups" in page.text
    assert "This run has no evaluation" in page.text


def test_the_large_map_is_a_small_sample_that_says_so() -> None:
    rng = np.random.default_rng(0)
    users = pd.DataFrame({"x": rng.normal(size=50_000), "y": rng.normal(size=50_000), "group": np.arange(50_000) % 20})
    users["group"] += 1
    drawing, drawn, placed = drawings.user_map(users, {group: f"Group {group}" for group in range(1, 21)})
    assert (drawn, placed) == (drawings.MOST_POINTS, 50_000)
    assert len(drawing) < 100_000
    assert drawing == drawings.user_map(users, {group: f"Group {group}" for group in range(1, 21)})[0]


def test_no_number_on_the_map_covers_that_of_a_larger_group() -> None:
    users = pd.DataFrame({"x": [0.0, 0.1, 10, 10], "y": [0.0, 0, 0.0, 10], "group": [1, 2, 3, 4]})
    drawing, *_ = drawings.user_map(users, {group: f"Group {group}" for group in range(1, 5)})
    assert re.findall(r'class="mark">(\d+)<', drawing) == ["1", "3", "4"]


def test_the_map_stays_inside_its_frame_with_equal_steps_both_ways() -> None:
    users = pd.DataFrame({"x": [0.0, 10, 5, np.nan], "y": [0.0, 2, 1, 0], "group": [1, 1, 2, 2]})
    drawing, drawn, _ = drawings.user_map(users, {1: "a", 2: "b"})
    at = np.array([pair.split() for pair in re.findall(r"M(\d+ \d+)h0", drawing)], dtype=float)
    assert drawn == len(at) == 3
    assert (at >= 0).all() and (at[:, 0] <= drawings.WIDTH).all() and (at[:, 1] <= 560).all()
    low, high = at[at[:, 0].argmin()], at[at[:, 0].argmax()]
    assert (high - low)[0] / (low - high)[1] == pytest.approx(5, rel=0.02)  # y grows upwards


def test_grid_lines_stand_at_round_numbers_inside_the_scale() -> None:
    assert drawings.Scale(0, 0.137, 0, 100).ticks().tolist() == pytest.approx([0, 0.05, 0.1])
    assert drawings.Scale(1, 60, 0, 100).ticks(8).tolist() == [10, 20, 30, 40, 50, 60]
    assert drawings.Scale(5, 5, 10, 90).at(5).tolist() == 10


def test_a_run_that_is_not_finished_has_no_report(run: Run, tmp_path: Path) -> None:
    run.open_again([])
    run.set_status(state=State.LOST)
    with pytest.raises(StorageError, match=r"only a finished run has a report"):
        write(run, tmp_path / "story.html")


def test_the_file_is_written_into_a_new_folder_and_a_taken_name_is_refused(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "new" / "story.html"
    assert write(run, out) == out.stat().st_size < 2_000_000
    with pytest.raises(StorageError, match="Cannot write"):
        write(run, tmp_path / "new")


def test_the_lists_of_the_other_use_are_told_where_the_run_was_made_for_it(run: Run) -> None:
    run.save_metrics(run.metrics() | {"regime": "dedup"})
    reading = Reading.of(run)
    assert "generated list" in sections.opening(reading).lower()
    assert "Each member skips what they have" in sections.opening(reading)


def test_groups_bear_the_names_and_descriptions_that_people_gave_them(run: Run) -> None:
    trained = EditedRun(run, EditHistory()).trained
    change(run.path, trained, Edit("rename", (2,), "Evening <light>"))
    change(run.path, trained, Edit("describe", (2,), "For <b>long</b> evenings"))
    page = Page(render(run))
    assert "Evening <light>" in page.text and "For <b>long</b> evenings" in page.text
    assert page.tags["b"] == 0
    assert "merged, split" not in page.text


def test_the_report_knows_no_streamlit_and_no_torch() -> None:
    code = "import sys, grouprec.report.html; print({'streamlit', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_expected_takes_are_told_where_the_run_knows_them(run: Run) -> None:
    assert "Expected takes:" not in render(run)
    lists = {"strict": {"expected": 50.0, "taken": 48.0}, "dedup": {"expected": 60.0, "taken": 70.0}}
    takes = {"words": "19 days, as long as the run was judged on", "gap": 0.1, "taken": 201, "foretold": 250.0}
    run.save_metrics(run.metrics() | {"takes": takes | {"lists": lists}})
    assert "should have been taken 50 times, and were 48 times" in Page(render(run)).text
