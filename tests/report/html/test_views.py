"""The six views: they say what pages and report say, tell few people as few, and stand in one document."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from grouprec.core.language import speaking
from grouprec.report import gain, learned, noise, sentences, small_groups
from grouprec.report.html import slides
from grouprec.report.html.reading import Reading
from grouprec.report.html.views import NAMES, View, _left_out, six_views
from grouprec.runs.approvals import Approval, approve
from grouprec.runs.store import Run, RunStore
from tests.report.html.test_html import SCRIPT, Page
from tests.support.planted_run import HOSTILE_LABELS, build_older_run, build_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return build_run(RunStore(tmp_path))


def made(run: Run, group: int | None = None) -> dict[str, View]:
    return {view.name: view for view in six_views(Reading.of(run), group)}


def test_six_views_in_their_order_say_what_the_pages_say(run: Run) -> None:
    found, reading = made(run), Reading.of(run)
    assert tuple(found) == NAMES
    assert found["groups"].said == sentences.groups_answer(reading.groups)
    assert found["decide"].said.startswith("20 lists are best, and no more were tried. One good list reaches 11 of ")
    assert found["evidence"].said == gain.reached_answer(reading.split) if reading.split else False
    assert found["live"].said == learned.updater_answer(run.metrics()["updater"])
    assert found["file"].facts["Tested on"] == "45"
    assert found["decide"].facts == {"One good list": "11", "3 lists": "19", "Personal lists": "40"}
    assert all(view.picture for view in found.values())


def test_sentence_picture_and_numbers_of_the_decision_name_the_same_number_of_lists(run: Run) -> None:
    """By people alone the largest number would be enough here; the sentence goes by the order of hits, as runs do."""
    table = run.table("value_of_groups")
    hits, least = table["metric"] == gain.HITS, sorted(table["n_groups"].unique())[1]
    table.loc[~hits & (table["n_groups"] >= least), "value"] = table.loc[~hits, "value"].max()
    table.loc[hits, "value"] = 0.2 + table.loc[hits, "n_groups"] / 100
    run.save_table("value_of_groups", table)
    run.write_manifest()
    found, reading = made(run)["decide"], Reading.of(run)
    assert found.said.startswith(f"{least} lists are enough.")
    assert f"{least} are enough" in (found.picture or "")
    assert f"; {reading.metrics['n_groups']} lists reach {found.facts['3 lists']}; " in found.said, "this run's own"
    assert any(f"{least} lists reach" in note for note in found.notes)


def test_where_one_list_is_enough_no_picture_names_another_number(run: Run) -> None:
    table = run.table("value_of_groups")
    run.save_table("value_of_groups", table.assign(floor=table["value"].max() + 0.01))
    run.save_table("gain_of_groups", run.table("gain_of_groups").assign(low=-0.1)) if run.has_table(
        "gain_of_groups"
    ) else None
    run.write_manifest()
    found = made(run)["decide"]
    assert "list for all is enough" in found.said
    assert "are enough" not in (found.picture or "") and "are best" not in (found.picture or "")


def test_the_file_is_told_by_its_rows_and_what_cost_most_of_them(run: Run) -> None:
    page = Page(made(run)["file"].picture or "")
    assert page.text == "in the file 1,000 without missing ids 900 without duplicates 850"
    assert "Of 1,000 rows of the file, 85\u00a0% are used." in made(run)["file"].notes


@pytest.mark.parametrize(("left", "said"), [(46, "all but 46 are used"), (0, "100\u00a0% are used")])
def test_what_is_nearly_everything_is_not_called_all(left: int, said: str) -> None:
    steps = pd.DataFrame({"rows_before": [17_551], "rows_after": [17_551 - left]})
    assert _left_out(steps) == f"Of 17,551 rows of the file, {said}."


def test_the_steps_of_the_preparation_are_said_in_the_readers_words(run: Run) -> None:
    run.save_table("preparation", run.table("preparation").assign(step=["read", "missing ids", "k-core"]))
    run.write_manifest()
    assert "without rare users and items" in Page(made(run)["file"].picture or "").text
    with speaking("zh"):
        assert "missing" not in Page(made(run)["file"].picture or "").text


def test_a_group_can_be_asked_for_and_the_largest_is_shown_where_it_is_not_there(run: Run) -> None:
    assert "Tea towels" in made(run, 3)["group"].said
    largest = run.table("groups").sort_values(["size", "group"], ascending=[False, True])["name"].iloc[0]
    for other in (None, 99):
        assert str(largest).split("*")[0].split(",")[0].split("&")[0].strip() in made(run, other)["group"].said


def test_what_was_approved_last_is_told(run: Run) -> None:
    for lists in (3, 6):
        approve(run.path, Approval(lists, "strict", "Mei *Lin*", 1_700_000_000.0))
    assert "**6 lists approved** by Mei \\*Lin\\*, 14 November 2023." in made(run)["decide"].notes


def test_few_people_are_told_as_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = build_run(RunStore(tmp_path), n_users=12)
    run.save_table("groups", run.table("groups").assign(size=[3, 4, 5], share=[0.25, 1 / 3, 5 / 12]))
    run.write_manifest()
    small = made(run, 1)
    assert "fewer than 5" in small["group"].said and not small["group"].facts
    assert " %" not in Page(small["group"].picture or "").text, "nor is it told how many an item reaches"
    assert Page(small["groups"].picture or "").text.count("fewer than 5") == 2
    monkeypatch.setenv(small_groups.SETTING, "1")
    assert "3 users" in made(run, 1)["group"].said


def test_sizes_with_noise_are_the_only_numbers_of_groups(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise, "_noisy", lambda sizes, epsilon: [size + 100 for size in sizes])
    monkeypatch.setenv(noise.SETTING, "1")
    found = made(run, 1)
    assert found["groups"].said == "There are 3 groups." and "random noise" in found["groups"].caption
    assert Page(found["groups"].picture or "").tags["path"] == 0, "nobody is drawn"
    assert "130 users" in found["group"].said and " %" not in Page(found["group"].picture or "").text


def test_an_older_run_and_one_without_held_out_rows_still_have_six_views(run: Run, tmp_path: Path) -> None:
    assert tuple(made(build_older_run(RunStore(tmp_path / "older")))) == NAMES
    for name in ("evaluation", "gain", "value_of_groups", "group_activity", "preparation"):
        if run.has_table(name):
            run.save_table(name, run.table(name).iloc[:0])
    run.save_metrics({**run.metrics(), "updater": {}, "n_test_users": 0})
    found = made(run)
    assert tuple(found) == NAMES
    assert "no evaluation" in found["evidence"].said and "not evaluated" in found["live"].said


def test_live_shows_the_list_that_moved_unless_few_people_had_it(run: Run) -> None:
    listed = pd.DataFrame({"item": ["a", "b", "c"], "label": ["Bag", "<b>Cup</b>", "Tea"], "before": [2, 1, 3]})
    for size in (30, 4):
        run.save_table("live_moment", listed.assign(now=[1, 2, 0], events=107, group=2, size=size))
        view = made(run)["live"]
        assert view.picture is not None and ('class="moving"' in view.picture) is (size == 30)
        assert {"As trained", "Updated after every event"} <= set(view.facts)
    run.save_table("live_moment", listed.assign(now=[1, 2, 0], events=107, group=2, size=30))
    view = made(run)["live"]
    assert re.findall(r"<strong>(.*?)</strong><span>(.*?)</span>", str(view.picture)) == [
        ("▲ 1", "Bag"),
        ("▼ 1", "&lt;b&gt;Cup&lt;/b&gt;"),
    ]
    assert "Lights, candles after 107 events that training had not seen" in view.caption


def test_the_document_is_well_formed_and_shows_hostile_words_letter_by_letter(run: Run) -> None:
    groups, lists = run.table("groups"), run.table("group_lists")
    first = (lists["method"] == "members_mean") & (lists["regime"] == "strict") & (lists["group"] == 1)
    lists.loc[first & (lists["rank"] <= len(HOSTILE_LABELS)), "label"] = HOSTILE_LABELS
    run.save_table("group_lists", lists)
    groups["name"] = [SCRIPT, "</title>*x*", "\\**bold"]
    run.save_table("groups", groups)
    run.save_metrics(run.metrics() | {"dataset": SCRIPT})
    page = Page(slides.document(Reading.of(run), 1, up="../", leave="decide?run=x"))
    assert page.open == [] and page.tags["script"] == 1 and page.tags["section"] == 6
    assert ("src", "../present.js") in page.attributes and page.text.count(SCRIPT) >= 3
    assert all(label in page.text for label in HOSTILE_LABELS)
    for name, value in page.attributes:
        assert not name.startswith("on") and "url(" not in value
    links = {value for name, value in page.attributes if name == "href"}
    assert {f"#view-{number}" for number in range(1, 7)} | {"decide?run=x", "data:,"} == links
    assert "url(" not in slides.style() and "@import" not in slides.style()


def test_bars_never_leave_their_track(run: Run) -> None:
    from grouprec.report.html import pictures

    rows = pd.DataFrame({"title": ["a", "b"], "value": [3.0, 0.0], "text": ["3", "0"], "ours": [True, False]})
    rows = rows.assign(low=[2.0, float("nan")], high=[4.0, float("nan")])
    page = Page(pictures.bars(rows))
    styles = [value for name, value in page.attributes if name == "style"]
    assert styles == ["--longest:1ch", "width:75.0%", "left:50.0%;width:50.0%", "width:0.0%"]
