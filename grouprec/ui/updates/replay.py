"""The replay of the held-out part on the Updates page: controls, the travelling user, lists, counters."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, _, pgettext
from grouprec.live.replay import Replay
from grouprec.report import learned, tables
from grouprec.report.html.moving import moving_list
from grouprec.runs.store import Run
from grouprec.ui import cards, live_words, state, workspace
from grouprec.ui.address import from_url
from grouprec.ui.fragments import fragment
from grouprec.ui.updates import charts

SPEEDS: dict[str, float] = {"1": 1, "5": 5, "20": 20, "100": 100, "max": np.inf}  # events per second
TICK = 0.5  # seconds between two pictures
FROM, START = "from", "start"  # of the URL: the replay begins before the first event
MOST_EVENTS, MOST_SECONDS = 400, 1.0  # that the page may replay before it opens
BUSY = 0.35  # seconds of a tick that events may take, so that the buttons stay alive
MOVES_HELP = N_("Against the list before the first event: ▲ up, ▼ down, new")
MOVED_HELP = N_("Users whom an event has put into another group, also where another one has brought them back")
LATENCY_HELP = N_("From the event to the updated user, group and lists")
PLACE_HELP = N_(
    "The arrow leads from where training put the user to the mean place of the ten users whose tastes are nearest now, "
    "nearer ones counting more. The map itself stays."
)
EXPLANATION = N_(
    "The model was trained without these events. Each one moves its user's vector by one step, places the user anew, "
    "and refreshes the lists of the groups concerned. Nothing of this is kept."
)


@dataclass
class Player:
    """The replay of one session, and how far its clock has come."""

    run_id: str
    replay: Replay
    playing: bool = False
    at: float = 0.0  # when the last picture was drawn
    owed: float = 0.0  # a part of an event that is due
    seen: dict[str, list[int]] = field(default_factory=dict)  # whose list is in view -> its items

    def came_from(self, whose: str, before: list[int], now: list[int]) -> list[int]:
        """Return where a list's items come from in this picture: the one before, if it was of the same list."""
        kind = whose.partition(" ")[0]
        last = next((items for name, items in self.seen.items() if name == whose), before)
        self.seen = {name: items for name, items in self.seen.items() if not name.startswith(f"{kind} ")}
        self.seen[whose] = now
        return last

    def toggle(self) -> None:
        self.playing, self.at, self.owed = not self.playing, time.monotonic(), 0.0

    def advance(self, speed: float) -> None:
        """Replay as many events as the time since the last picture asks for; what is not managed is left out."""
        now = time.monotonic()
        due = self.owed + speed * min(now - self.at, 2 * TICK)
        self.at, n = now, len(self.replay) if np.isinf(due) else int(due)
        self.owed = 0.0 if np.isinf(due) else due - n
        if n:
            self.replay.step(n, BUSY)
        self.playing = self.replay.done < len(self.replay)


def controls(run: Run) -> Player:
    """Draw the controls and return what they control."""
    player = _player(run)
    replay, over = player.replay, player.replay.done == len(player.replay)
    if st.button(
        pgettext("a button that plays one event", "Step"),
        icon=":material/skip_next:",
        key="replay_step",
        disabled=player.playing or over,
    ):
        replay.step()
    label, icon = (_("Pause"), ":material/pause:") if player.playing else (_("Play"), ":material/play_arrow:")
    st.button(label, icon=icon, type="primary", key="replay_play", on_click=player.toggle, disabled=over)
    st.button(
        _("Start over"), icon=":material/replay:", key="replay_over", on_click=_start_over, disabled=not replay.done
    )
    st.segmented_control(
        _("Events a second"),
        list(SPEEDS),
        required=True,
        format_func=lambda speed: _("max") if speed == "max" else _("{n}/s").format(n=speed),
        label_visibility="collapsed",
        key="replay_speed",
        on_change=from_url("speed", "replay_speed", list(SPEEDS), "5"),
    )
    return player


def picture(run: Run, player: Player, top: DeltaGenerator) -> None:
    """Draw what has happened so far, again and again while events are playing.

    Args:
        top: the place of the page's first line.
    """
    fragment(_draw, run_every=TICK if player.playing else None)(run, player, top)


def _player(run: Run) -> Player:
    """Return the replay of this session: at first at a moment when a list has moved, so that there is one to see."""
    player = st.session_state.get("replay")
    if player is None or player.run_id != run.run_id:
        with st.spinner(_("Reading what the model knew before these events")):
            player = Player(run.run_id, Replay.of(state.store(), run))
            if st.query_params.get(FROM) != START:
                _go_to_a_moment(run, player.replay)
        st.session_state["replay"] = player
    return player


def _go_to_a_moment(run: Run, replay: Replay) -> None:
    """Replay to the moment that training found, when a list has moved; older runs look for one."""
    found = state.table_or_none(run, "live_moment")
    if found is None:
        replay.to_a_change(MOST_EVENTS, MOST_SECONDS)
    elif len(found):
        replay.step(int(found["events"].iloc[0]), MOST_SECONDS)


def _start_over() -> None:
    """Forget the replay, and begin the next one with its first event; the URL says so."""
    st.session_state.pop("replay", None)
    st.query_params[FROM] = START


def _draw(run: Run, player: Player, top: DeltaGenerator) -> None:
    replay = player.replay
    if player.playing:
        player.advance(SPEEDS[st.session_state["replay_speed"]])
        if not player.playing:  # that was the last one: the buttons and the clock stop
            st.rerun()
    with top.container():
        cards.answer(live_words.replay_answer(replay), _(EXPLANATION))
    last = replay.last
    left, right = st.columns(workspace.SPLIT, gap="medium")
    with left:
        said = live_words.step_line(last) if last else learned.updater_answer(state.metrics(run).get("updater") or {})
        st.markdown(said)
        _map(run, replay)
        _moved(replay)
    with right:
        group, user = st.columns(2, gap="medium")
        with group:
            _group_list(run, player)
        with user:
            _user_list(player)
        _how_fast(replay)


def _moved(replay: Replay) -> None:
    """Draw how many users had changed group after how many events."""
    if not replay.done:
        return
    st.caption(_("Users who changed group, by events"), help=_(MOVED_HELP))
    st.echarts_chart(
        charts.moved_curve(replay.curve()),
        height=charts.CURVE_HEIGHT,
        key="replay_curve",
        alt=_("{n_moved} users moved after {done} events").format(n_moved=len(replay.moved), done=replay.done),
    )


def _how_fast(replay: Replay) -> None:
    """Offer how long an event takes."""
    median, high = map(live_words.milliseconds, replay.latency())
    with st.popover(_("How fast"), type="tertiary", icon=":material/timer:"):
        st.markdown(
            _("Half of the events took up to **{median}**, 99 of 100 up to **{high}**.").format(
                median=median, high=high
            ),
            help=_(LATENCY_HELP),
        )


def _map(run: Run, replay: Replay) -> None:
    last, groups, places = replay.last, {}, None
    if last is not None:
        groups = {"after": last.group_after + 1}
        if last.group_before != last.group_after:
            groups["before"] = last.group_before + 1
        places = replay.places(last.user_row)
    st.echarts_chart(
        charts.travel_map(_background(run, replay), groups, places),
        height=charts.MAP_HEIGHT,
        key="replay_map",
        alt=_("User {user}, now in group {group_after}").format(user=last.user, group_after=last.group_after + 1)
        if last
        else _("All users before the first event"),
    )


def _background(run: Run, replay: Replay) -> pd.DataFrame:
    """Return a sample of users on the map with the groups that they are in now: x, y, group."""
    users = state.table(run, "users")[["user", "x", "y"]].dropna()
    shown = users.sample(min(len(users), charts.POINTS), random_state=0)
    rows = shown["user"].map(replay.state.user_row)
    shown = shown[rows.notna()]
    return shown.assign(group=replay.state.labels[rows.dropna().to_numpy(np.int64)] + 1)


def _group_list(run: Run, player: Player) -> None:
    """Draw the list of the group that the last event concerned; of the largest before the first event."""
    replay = player.replay
    sizes, labels = replay.state.sizes, replay.state.item_labels
    group = int(sizes.argmax()) if replay.last is None else replay.last.group_after
    name = judged_names(run).get(group + 1, f"Group {group + 1}")
    st.markdown(f"{cards.group_mark(group + 1)} **{cards.plain(cards.short(name, 34))}**", help=_(MOVES_HELP))
    before, after = replay.lists(group)
    st.html(moving_list(before, after, labels, player.came_from(f"group {group}", before, after)))
    members = live_words.members_line(int(sizes[group]), int((replay.base.labels == group).sum()))
    st.caption(" · ".join(filter(None, [members, live_words.gone_line(before, after, labels)])))


def _user_list(player: Player) -> None:
    replay = player.replay
    if replay.last is None:
        st.markdown(_("**The user's own list**"))
        st.caption(_("Press Step or Play: the user of every event appears here, with their own list."))
        return
    user = replay.last.user
    st.markdown(_("**User {user}**: own list").format(user=cards.plain(user)), help=_(MOVES_HELP))
    before, after = replay.user_lists(replay.last.user_row)
    st.html(moving_list(before, after, replay.state.item_labels, player.came_from(f"user {user}", before, after)))


def judged_names(run: Run) -> dict[int, str]:
    """Return the names of the groups that the held-out part judged: those on the other pages, but after a refit."""
    table = "group_evaluation" if state.metrics(run).get("refit") else "groups"
    return tables.group_names(state.trained_table(run, table).drop_duplicates("group"))
