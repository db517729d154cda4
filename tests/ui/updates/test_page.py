"""Updates: what changes when something happens? Replay, events by hand, feedback."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from grouprec.live import streams
from grouprec.live.stream import Stream
from grouprec.runs.store import Run, RunStore
from grouprec.ui import live_words
from grouprec.ui.updates import sending
from tests.support.schemas import make_older
from tests.support.small_run import copy_of
from tests.ui.opening import open_page, texts


@pytest.fixture
def live_run(small_run: Run, runs_folder: RunStore) -> Iterator[Run]:
    run = copy_of(small_run, runs_folder)
    groups = run.table("groups")
    run.save_table("groups", groups.assign(name=["Bags & *lunch*", *groups["name"][1:]]))
    yield run
    streams.close_all()


@pytest.fixture
def total(small_run: Run) -> int:
    """Return the number of events of the test part."""
    return len(small_run.table("held_out"))


def map_of(app: AppTest) -> dict[str, dict]:
    """Return the series of the map by name."""
    spec = json.loads(app.get("echarts_chart")[0].proto.spec)
    return {series["name"]: series for series in spec["series"]}


def done(app: AppTest) -> int:
    """Return how many events were replayed, by the first line of the page."""
    found = re.match(r"## After (\d+) of", app.markdown[0].value)
    return int(found[1]) if found else 0


def lists(app: AppTest) -> list[str]:
    """Return the lists in view, as HTML."""
    return [element.body for element in app.get("html") if "moving" in element.body and "<ol" in element.body]


def judged(app: AppTest) -> pd.DataFrame:
    """Return the table of the list whose items are judged."""
    return [frame.value for frame in app.dataframe if "label" in frame.value][-1]


def select(app: AppTest, table: str, row: int) -> None:
    """Select a row of a table whose items are judged."""
    app.session_state[table] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()


# -- replay


def test_before_the_first_event_the_page_says_what_there_is_to_replay(live_run: Run, total: int) -> None:
    app = open_page("updates", **{"from": "start"})
    assert f"The model has not seen {total} events of" in app.markdown[0].value
    assert not map_of(app)["user"]["data"] and len(map_of(app)["others"]["data"]) == 80
    assert app.button(key="replay_over").disabled and not app.button(key="replay_step").disabled
    assert len(lists(app)) == 1 and "▲" not in lists(app)[0]


def test_the_page_opens_at_the_moment_that_training_found_and_older_runs_look_for_one(live_run: Run) -> None:
    app = open_page("updates")
    assert done(app) == live_run.table("live_moment")["events"].iloc[0] > 0
    assert "▲" in lists(app)[0] and "--by:" in lists(app)[0]
    app.button(key="replay_over").click().run()
    assert done(app) == 0 and "▲" not in lists(app)[0]
    make_older(live_run, "live_moment")
    app = open_page("updates")
    assert done(app) > 0 and "▲" in lists(app)[0]


def test_a_list_comes_from_the_picture_before_while_events_play(live_run: Run) -> None:
    app = open_page("updates")
    app.run()
    assert "▲" in lists(app)[0] and "--by:" not in lists(app)[0], "nothing has happened since"


def test_a_step_moves_one_user_on_the_map_and_shows_both_lists(live_run: Run, total: int) -> None:
    app = open_page("updates", **{"from": "start"})
    app.button(key="replay_step").click().run()
    assert not app.exception
    first = live_run.table("held_out").iloc[0]
    assert app.markdown[0].value.startswith(f"## After 1 of {total} events, ")
    assert f"User **{first['user']}** took *{first['label']}*" in texts(app)
    assert len(map_of(app)["user"]["data"]) == 1
    group, own = lists(app)
    assert group.count("<li") == own.count("<li") == 10
    assert f"<span>{first['label']}</span>" not in own
    app.button(key="replay_step").click().run()
    assert done(app) == 2 and re.search(r"Half of the events took up to \*\*\d+\.?\d* ms", texts(app))
    app.button(key="replay_over").click().run()
    assert done(app) == 0


def test_playing_at_full_speed_reaches_the_end_and_stops(live_run: Run, total: int) -> None:
    app = open_page("updates", **{"from": "start"}, speed="max")
    app.button(key="replay_play").click().run()
    for _ in range(40):
        if done(app) == total:
            break
        assert app.button(key="replay_play").label == "Pause" and app.button(key="replay_step").disabled
        app.run()
    assert done(app) == total
    assert app.button(key="replay_play").label == "Play" and app.button(key="replay_play").disabled
    assert not (live_run.path / "live" / "ledger.sqlite").exists(), "a replay leaves nothing behind"


def test_pausing_stops_the_clock(live_run: Run) -> None:
    app = open_page("updates", **{"from": "start"}, speed="1")
    app.button(key="replay_play").click().run()
    app.button(key="replay_play").click().run()
    before = done(app)
    app.run()
    assert done(app) == before and app.button(key="replay_play").label == "Play"


def test_runs_that_cannot_be_replayed_say_so(live_run: Run, finished_run: Run) -> None:
    app = open_page("updates", run=finished_run.run_id)
    assert "takes no events: it is older than live updates" in app.markdown[0].value
    (live_run.path / "tables" / "held_out.parquet").unlink()
    live_run.write_manifest()
    app = open_page("updates", run=live_run.run_id)
    assert "kept no held-out part" in app.markdown[0].value


def test_one_user_who_acted_is_told_in_words() -> None:
    assert live_words.acted_words(1, 1) == "the one user who acted changed group"
    assert live_words.acted_words(0, 1) == "the one user who acted stays in their group"
    assert live_words.acted_words(2, 7) == "2 of 7 users who acted changed group"


# -- events by hand


def test_one_event_is_a_take_unless_chosen_otherwise_and_few_words_are_offered(live_run: Run) -> None:
    """Hundreds of words for behaviours are known, in many languages; one of every weight tells the difference."""
    sent = open_page("updates", mode="send").selectbox(key="send_behaviour")
    assert sent.value == ""
    assert sent.options[:4] == ["took it", "view", "cart", "purchase"] and len(sent.options) == 8


def test_an_event_sent_by_the_form_counts_and_says_what_it_did(live_run: Run) -> None:
    app = open_page("updates", mode="send")
    assert "No event has come since the training: 4 lists for 80 users" in app.markdown[0].value
    app.button(key="send_submit").click().run()
    assert "needs a user and an item" in app.error[0].value
    app.selectbox(key="send_user").set_value("u00003")
    app.selectbox(key="send_item").set_value("i00005")
    app.button(key="send_submit").click().run()
    assert not app.exception and not app.error
    assert app.markdown[0].value.startswith("## 1 event has come since the training")
    assert "**1 of 1 event applied**" in texts(app)
    app.button(key="send_recount").click().run()
    assert "the groups' sums" in texts(app)


def test_pasted_rows_are_applied_and_what_is_wrong_is_named(live_run: Run) -> None:
    app = open_page("updates", mode="send")
    app.segmented_control(key="send_way").set_value("Paste rows").run()
    rows = ["user,item,time", "u00003,i00005,2025-01-02", "u00003,i00006,2025-01-01", ",i00006,2025-01-02"]
    app.text_area(key="send_text").set_value("\n".join([*rows, "somebody,i00001,2025-01-02", rows[1]]))
    app.button(key="send_submit").click().run()
    said = texts(app)
    assert "**3 of 5 events applied**" in said and "1 came before, 1 malformed" in said
    assert "row 3: it has no user" in said.replace("\\", "")
    assert "1 new user joined" in said
    moved = next(table.value for table in app.dataframe if "before" in table.value.columns)
    assert "somebody" in moved["user"].tolist()
    assert [metric.value for metric in app.metric] == ["5", "3", "1", "0", "1", "0"]


def test_a_file_and_json_lines_are_read(live_run: Run) -> None:
    app = open_page("updates", mode="send")
    app.segmented_control(key="send_way").set_value("Upload a file").run()
    app.file_uploader(key="send_upload").upload("events.csv", b"user,item\nu00001,i00001\nu00002,i00001\n")
    app.button(key="send_submit").click().run()
    assert "**2 of 2 events applied**" in texts(app)
    app.segmented_control(key="send_way").set_value("Paste rows").run()
    app.text_area(key="send_text").set_value(
        '{"user": "u00001", "item": "i00002"}\n{"user": "u00001", "item": "i00003"}'
    )
    app.button(key="send_submit").click().run()
    assert "**2 of 2 events applied**" in texts(app)
    app.text_area(key="send_text").set_value("nothing")
    app.button(key="send_submit").click().run()
    assert not app.exception and len(app.error) == 1


def test_the_lists_as_they_stand_are_one_archive(live_run: Run, runs_folder: RunStore) -> None:
    with streams.use(runs_folder, live_run) as stream:
        stream.apply([{"user": "u00001", "item": "i00001"}])
    with zipfile.ZipFile(io.BytesIO(sending._archive(live_run))) as archive:
        members = pd.read_csv(archive.open("members.csv"))
        assert len(members) == 80 and "group_lists.csv" in archive.namelist()


def test_a_stream_that_another_process_holds_is_one_sentence(live_run: Run, runs_folder: RunStore) -> None:
    with streams.use(runs_folder, live_run) as stream:
        stream.apply([{"user": "u00001", "item": "i00001"}])
    streams.close_all()
    with Stream.open(runs_folder, live_run):
        app = open_page("updates")
        app.segmented_control(key="updates_mode").set_value("send").run()
        assert not app.exception and "Another process is sending events" in app.error[0].value
    app.button(key="updates_again").click().run()
    assert not app.error and "1 event has come" in app.markdown[0].value


# -- feedback


def test_a_verdict_on_a_groups_list_changes_it_at_once_and_can_be_taken_back(live_run: Run) -> None:
    app = open_page("recommendations", group="2", part="feedback")
    assert app.button(key="feedback_group_hide").disabled, "nothing is selected"
    first = judged(app)
    best = first["label"][0]
    select(app, "feedback_group_rows_0", 0)
    app.button(key="feedback_group_hide").click().run()
    then = judged(app)
    assert then["label"][0] == first["label"][1] and then["move"][0] == "▲ 1"
    assert then.iloc[-1][["label", "said"]].tolist() == [best, "hidden"]
    select(app, "feedback_group_rows_1", 2)
    app.button(key="feedback_group_like").click().run()
    assert judged(app).set_index("label")["said"][then["label"][2]] == "liked"
    select(app, "feedback_group_rows_2", len(then) - 1)
    app.button(key="feedback_group_unhide").click().run()
    back = judged(app)
    assert best in back["label"].tolist()[:2] and "hidden" not in back["said"].tolist()


def test_a_verdict_on_a_users_list_is_theirs_alone(live_run: Run, runs_folder: RunStore) -> None:
    app = open_page("recommendations", user="u00004")
    own = judged(app)["label"].tolist()
    select(app, "feedback_user_rows_0", 1)
    app.button(key="feedback_user_hide").click().run()
    assert not app.exception and own[1] not in judged(app)["label"].tolist()[:-1]
    with streams.use(runs_folder, live_run) as stream:
        (entry,) = stream.ledger.feedback()
        assert (entry.user, entry.behaviour, entry.method) == ("u00004", "hide", "individual")


def test_lists_that_events_do_not_change_follow_verdicts_too(live_run: Run) -> None:
    lists = live_run.table("group_lists")
    popular = lists["method"] == "popularity"
    lists.loc[popular, "score"] = 1 / lists.loc[popular, "rank"].astype("float32")
    live_run.save_table("group_lists", lists)
    app = open_page("recommendations", group="1", part="feedback")
    app.segmented_control(key="feedback_method").set_value("popularity").run()
    labels = judged(app)["label"].tolist()
    select(app, "feedback_group_rows_0", 1)
    app.button(key="feedback_group_dislike").click().run()
    then = judged(app)
    assert then["label"].tolist()[:4] == [labels[0], labels[2], labels[1], labels[3]], "half of 1/2 is 1/4"
    assert then["said"][2] == "disliked" and then["move"].tolist()[1:3] == ["▲ 1", "▼ 1"]


def test_the_compare_page_shows_how_often_people_agree(live_run: Run, runs_folder: RunStore) -> None:
    app = open_page("compare", part="Feedback")
    assert "Nobody has judged a list of this run yet" in texts(app)
    with streams.use(runs_folder, live_run) as stream:
        verdict = {"group": 1, "method": "members_mean", "regime": "strict"}
        said = zip(range(4), ["like", "like", "like", "hide"], strict=True)
        stream.apply([{**verdict, "item": f"i{n:05d}", "behaviour": behaviour} for n, behaviour in said])
    app = open_page("compare", part="Feedback")
    assert "People like 75 % of what they judge (3 of 4 verdicts)." in texts(app)
    table = next(one.value for one in app.dataframe if "likes" in one.value.columns)
    row = table.iloc[0]
    assert row["title"] == "1: Bags & *lunch* · Best for all members" and row["interval"] == "30\u00a0% – 95\u00a0%"
