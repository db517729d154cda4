"""What live updates changed, as sentences and tables. Markdown, names already escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from grouprec.core.language import Glossary, _, commas, decimal, full_stop, minute, ngettext, semicolons
from grouprec.ui.cards import count, group_mark, percent, plain, plural, short

if TYPE_CHECKING:  # these know the stages, and so torch: pages that only read runs do without
    from grouprec.live.replay import Replay, Step
    from grouprec.live.stream import Report, Stream
    from grouprec.live.streams import Effect

VERDICTS = Glossary({"like": "liked", "dislike": "disliked", "hide": "hidden"})


# -- replay


def replay_answer(replay: Replay) -> str:
    """Say what the events so far have changed; before the first one, how many there are."""
    total, groups = len(replay), replay.base.n_groups
    if not replay.done:
        who = plural(replay.events["user"].nunique(), "user")
        return _("The model has not seen {events} of {who}: play them and watch users and lists move.").format(
            events=plural(total, "event"), who=who
        )
    moved = acted_words(len(replay.moved), len(replay.acted))
    lists = _("{changed_lists} of {lists} changed").format(
        changed_lists=replay.changed_lists, lists=plural(groups, "list")
    )
    return _("After {done} of {events}, {moved}, and {lists}.").format(
        done=count(replay.done), events=plural(total, "event"), moved=moved, lists=lists
    )


def acted_words(moved: int, acted: int) -> str:
    """Say how many of those who acted are in another group now."""
    if acted == 1:
        return _("the one user who acted changed group") if moved else _("the one user who acted stays in their group")
    return _("{n_moved} of {users} who acted changed group").format(n_moved=count(moved), users=plural(acted, "user"))


def step_line(step: Step) -> str:
    """Say who did what in the last event, and what group they are in now."""
    moment = "" if np.isnan(step.time) else f"{minute(datetime.fromtimestamp(step.time, UTC))} · "
    took = _("User **{user}** took *{label}*").format(user=plain(step.user), label=plain(short(step.label, 60)))
    before, after = group_mark(step.group_before + 1), group_mark(step.group_after + 1)
    said = (
        _("{took}, stays in {after}").format(took=took, after=after)
        if before == after
        else _("{took}, moves {before} → {after}").format(took=took, before=before, after=after)
    )
    return f"{moment}{said}"


def milliseconds(seconds: float) -> str:
    """Return ``2.3 ms``; a dash where nothing was measured."""
    return "–" if np.isnan(seconds) else _("{seconds} ms").format(seconds=decimal(1000 * seconds, 1))


# -- events sent


def stream_answer(stream: Stream) -> str:
    """Say what all events since the training have changed."""
    events, state, base = stream.ledger.length, stream.state, stream.base
    if not events:
        return untouched_answer(len(base.user_ids), base.n_groups)
    labels = np.asarray(state.labels)[: len(base.labels)]
    moved = int((labels != base.labels).sum())
    change = ngettext("{users} is in another group than then", "{users} are in another group than then", moved).format(
        users=plural(moved, "user")
    )
    new = len(state.user_ids) - len(base.user_ids)
    return ngettext(
        "{events} has come since the training: {change}, {users} joined.",
        "{events} have come since the training: {change}, {users} joined.",
        events,
    ).format(events=plural(events, "event"), change=change, users=plural(new, "user"))


def untouched_answer(users: int, groups: int) -> str:
    """Say what stands before any event has come."""
    lists = _("{lists} for {users}").format(lists=plural(groups, "list"), users=plural(users, "user"))
    return _("No event has come since the training: {lists} stand as they were.").format(lists=lists)


def report_line(report: Report) -> str:
    """Say what became of the events that were sent."""
    names = {"duplicates": _("came before"), "late": _("too late"), "malformed": _("malformed")}
    rest = [f"{count(getattr(report, name))} {word}" for name, word in names.items() if getattr(report, name)]
    said = _("**{applied} of {events} applied** in {seconds} s").format(
        applied=count(report.applied), events=plural(report.events, "event"), seconds=decimal(report.seconds, 2)
    )
    return full_stop(semicolons([said, commas(rest)] if rest else [said]))


def effect_line(effect: Effect) -> str:
    """Say who moved and how many lists changed."""
    new = int((effect.moved["before"] == 0).sum())
    moved, lists = len(effect.moved) - new, len(effect.changed_lists())
    parts = [_("{users} changed group").format(users=plural(moved, "user"))] if moved else [_("Nobody changed group")]
    parts += [_("{new_users} joined").format(new_users=plural(new, "new user"))] if new else []
    return _("{parts}; {lists} changed.").format(
        parts=commas(parts), lists=plural(lists, "list") if lists else _("no list")
    )


def recount_line(difference: float) -> str:
    """Say how far the running sums are from a recount."""
    if difference == 0:
        return _("Counted again from every user, the groups' sums are exactly the same.")
    return _("Counted again from every user, the groups' sums differ by {difference} of the largest at most.").format(
        difference=f"{difference:.1e}"
    )


# -- lists


def gone_line(before: Sequence[int], after: Sequence[int], labels: Sequence[str]) -> str:
    """Name the items that are no longer on the list; nothing where there are none."""
    gone = [plain(short(labels[item], 30)) for item in before if item not in set(after)]
    return _("Out: {gone}").format(gone=commas(gone)) if gone else ""


def members_line(now: int, before: int) -> str:
    """Return ``120 members (+3)``: how many there are, and how many more than before the first event."""
    change = f" ({now - before:+d})".replace("-", "−") if now != before else ""
    return f"{plural(now, 'member')}{change}"


# -- feedback


def acceptance_answer(table: pd.DataFrame, names: Mapping[int, str]) -> str:
    """Say how often people like what they are shown, and where they do so least (of groups judged at least 5 times)."""
    likes, total = int(table["likes"].sum()), int(table["verdicts"].sum())
    said = _("People like {likes} of what they judge ({n_likes} of {verdicts})").format(
        likes=percent(likes / total), n_likes=count(likes), verdicts=plural(total, "verdict")
    )
    groups = table.groupby("group")[["likes", "verdicts"]].sum().query("verdicts >= 5")
    if len(groups) < 2:
        return full_stop(said)
    rates = groups["likes"] / groups["verdicts"]
    worst = int(rates.index.to_numpy()[rates.argmin()])
    return _("{said}, least in **{names}** ({rates}).").format(
        said=said, names=plain(names.get(worst, str(worst))), rates=percent(rates[worst])
    )
