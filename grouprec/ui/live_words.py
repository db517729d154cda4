"""What live updates changed, as sentences and tables. Markdown, names already escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from grouprec.ui.cards import count, group_mark, percent, plain, plural, short

if TYPE_CHECKING:  # these know the stages, and so torch: pages that only read runs do without
    from grouprec.live.replay import Replay, Step
    from grouprec.live.stream import Report, Stream
    from grouprec.live.streams import Effect

VERDICTS = {"like": "liked", "dislike": "disliked", "hide": "hidden"}


# -- replay


def replay_answer(replay: Replay) -> str:
    """Say what the events so far have changed; before the first one, how many there are."""
    total, groups = len(replay), replay.base.n_groups
    if not replay.done:
        who = plural(replay.events["user"].nunique(), "user")
        return f"The model has not seen {plural(total, 'event')} of {who}: play them and watch users and lists move."
    moved = f"{count(len(replay.moved))} of {plural(len(replay.acted), 'user')} who acted changed group"
    lists = f"{replay.changed_lists} of {plural(groups, 'list')} changed"
    return f"After {count(replay.done)} of {plural(total, 'event')}, {moved}, and {lists}."


def step_line(step: Step) -> str:
    """Say who did what in the last event, and what group they are in now."""
    moment = "" if np.isnan(step.time) else f"{datetime.fromtimestamp(step.time, UTC):%d %b %Y %H:%M} · "
    took = f"{moment}user **{plain(step.user)}** took *{plain(short(step.label, 60))}*"
    before, after = group_mark(step.group_before + 1), group_mark(step.group_after + 1)
    return f"{took}, stays in {after}" if before == after else f"{took}, moves {before} → {after}"


def milliseconds(seconds: float) -> str:
    """Return ``2.3 ms``; a dash where nothing was measured."""
    return "–" if np.isnan(seconds) else f"{1000 * seconds:.1f} ms"


# -- events sent


def stream_answer(stream: Stream) -> str:
    """Say what all events since the training have changed."""
    events, state, base = stream.ledger.length, stream.state, stream.base
    if not events:
        return untouched_answer(len(base.user_ids), base.n_groups)
    labels = np.asarray(state.labels)[: len(base.labels)]
    moved = int((labels != base.labels).sum())
    came = "has come" if events == 1 else "have come"
    change = f"{plural(moved, 'user')} {'is' if moved == 1 else 'are'} in another group than then"
    new = len(state.user_ids) - len(base.user_ids)
    return f"{plural(events, 'event')} {came} since the training: {change}, {plural(new, 'user')} joined."


def untouched_answer(users: int, groups: int) -> str:
    """Say what stands before any event has come."""
    lists = f"{plural(groups, 'list')} for {plural(users, 'user')}"
    return f"No event has come since the training: {lists} stand as they were."


def report_line(report: Report) -> str:
    """Say what became of the events that were sent."""
    names = {"duplicates": "came before", "late": "too late", "malformed": "malformed"}
    rest = [f"{count(getattr(report, name))} {word}" for name, word in names.items() if getattr(report, name)]
    said = f"**{count(report.applied)} of {plural(report.events, 'event')} applied** in {report.seconds:.2f} s"
    return f"{said}; {', '.join(rest)}." if rest else f"{said}."


def effect_line(effect: Effect) -> str:
    """Say who moved and how many lists changed."""
    new = int((effect.moved["before"] == 0).sum())
    moved, lists = len(effect.moved) - new, len(effect.changed_lists())
    parts = [f"{plural(moved, 'user')} changed group"] if moved else ["Nobody changed group"]
    parts += [f"{plural(new, 'new user')} joined"] if new else []
    return f"{', '.join(parts)}; {plural(lists, 'list') if lists else 'no list'} changed."


def recount_line(difference: float) -> str:
    """Say how far the running sums are from a recount."""
    if difference == 0:
        return "Counted again from every user, the groups' sums are exactly the same."
    return f"Counted again from every user, the groups' sums differ by {difference:.1e} of the largest at most."


# -- lists


def moves(before: Sequence[int], after: Sequence[int]) -> list[str]:
    """Return how every item of a list moved, as charts of songs do: ``▲ 3``, ``▼ 1``, ``new``, nothing."""
    places = {item: place for place, item in enumerate(before)}
    climbs = [places[item] - place if item in places else None for place, item in enumerate(after)]
    return [_move(climb) for climb in climbs]


def _move(climb: int | None) -> str:
    if climb is None:
        return "new"
    return f"▲ {climb}" if climb > 0 else f"▼ {-climb}" if climb < 0 else ""


def list_frame(before: Sequence[int], after: Sequence[int], labels: Sequence[str]) -> pd.DataFrame:
    """Return a list as it stands, with the moves marked: rank, move, label. Items are rows of ``labels``."""
    names = [labels[item] for item in after]
    return pd.DataFrame({"rank": range(1, len(after) + 1), "move": moves(before, after), "label": names})


def gone_line(before: Sequence[int], after: Sequence[int], labels: Sequence[str]) -> str:
    """Name the items that are no longer on the list; nothing where there are none."""
    gone = [plain(short(labels[item], 30)) for item in before if item not in set(after)]
    return f"Out: {', '.join(gone)}" if gone else ""


def members_line(now: int, before: int) -> str:
    """Return ``120 members (+3)``: how many there are, and how many more than before the first event."""
    change = f" ({now - before:+d})".replace("-", "−") if now != before else ""
    return f"{plural(now, 'member')}{change}"


# -- feedback


def acceptance_answer(table: pd.DataFrame, names: Mapping[int, str]) -> str:
    """Say how often people like what they are shown, and where they do so least (of groups judged at least 5 times)."""
    likes, total = int(table["likes"].sum()), int(table["verdicts"].sum())
    said = f"People like {percent(likes / total)} of what they judge ({count(likes)} of {plural(total, 'verdict')})"
    groups = table.groupby("group")[["likes", "verdicts"]].sum().query("verdicts >= 5")
    if len(groups) < 2:
        return f"{said}."
    rates = groups["likes"] / groups["verdicts"]
    worst = int(rates.index.to_numpy()[rates.argmin()])
    return f"{said}, least in **{plain(names.get(worst, str(worst)))}** ({percent(rates[worst])})."
