"""A run's events, status and metrics in the shapes that the Train page draws. No widgets here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from grouprec.core.language import N_, Glossary, _, commas, decimal, passage, semicolons
from grouprec.report.sentences import encoder_title
from grouprec.runs.store import FINISHED, State, Status
from grouprec.training.cost import Estimate
from grouprec.training.memory import NO_MEMORY
from grouprec.ui.cards import percent, plural
from grouprec.ui.place_words import on_page
from grouprec.ui.steps import Step, title_of

PRESETS = Glossary({"quick": "Quick", "standard": "Standard", "thorough": "Thorough"})
PRESET_MEANING = Glossary(
    {
        "quick": "A first look: simple methods, small networks, the lists of the evaluation.",
        "standard": "For real decisions: deeper methods beside the simple ones, final lists learned from all rows.",
        "thorough": "For the last few percent: every method, longer training, and a search for better settings.",
    }
)
STATE_WORDS = Glossary(
    {
        State.QUEUED: "waiting",
        State.RUNNING: "training",
        State.DONE: "finished",
        State.FAILED: "failed",
        State.CANCELLED: "cancelled",
        State.LOST: "interrupted",
        State.DAMAGED: "damaged",
        State.UNKNOWN: "of a newer version",
    }
)
STAGE_MARKS = Glossary(
    {
        "done": "✓ done",
        "re-used": "✓ re-used",
        "running": "● running",
        "stopped": "✕ stopped",
        "waiting": "waiting",
    }
)
STAGE_TITLES = Glossary(
    {
        "prepare": "Data",
        "texts": "Texts",
        "item texts": "Item texts",
        "folds": "Settings tried on earlier moments",
        "blend": "Blend of encoders",
        "lists": "Which lists to export",
        "live weight": "Weight of events",
        "number of groups": "Number of groups",
        "candidates": "Everybody's best items",
        "groups": "Groups",
        "profile": "Profile",
        "generator": "Generator",
        "updater": "Live updates",
        "evaluation": "Evaluation",
        "map": "Map",
        "save": "Saving",
    }
)
PASS_TITLES = Glossary({"judge": "Judge", "without groups": "Without groups", "refit": "Final"})
PASSES_HELP = N_(
    "Stages run up to three times: first without the validation part, to choose settings, blend and number of groups; "
    "then, as **Judge**, on all but the test part, to be evaluated on it; last, as **Final**, on all rows."
)


def duration(seconds: float) -> str:
    """Return a length of time for people: ``41 s``, ``3 min``, ``1 h 05 min``, ``14 h``, ``3 days``."""
    if seconds < 90:
        return _("{seconds} s").format(seconds=decimal(max(seconds, 1)))
    minutes = round(seconds / 60)
    if minutes >= 600:
        hours = round(seconds / 3600)
        return _("{hours} h").format(hours=hours) if hours < 48 else _("{hours} days").format(hours=round(hours / 24))
    return (
        _("{minutes} min").format(minutes=minutes)
        if minutes < 90
        else _("{minutes} h {rest} min").format(minutes=minutes // 60, rest=f"{minutes % 60:02d}")
    )


# -- the list of stages


def stage_title(stage: str) -> str:
    """Return what people call a stage: ``Judge: EASE`` for "judge: encoder ease"."""
    fit, _colon, name = stage.rpartition(": ")
    if name.startswith("encoder "):
        title = _encoder(name.removeprefix("encoder "))
    elif name.startswith("search "):
        title = _("Search: {name}").format(name=_encoder(name.removeprefix("search ")))
    else:
        title = STAGE_TITLES.get(name, name.capitalize())
    return _("{title}: {value}").format(title=PASS_TITLES.get(fit, fit.capitalize()), value=title) if fit else title


def _encoder(name: str) -> str:
    title = encoder_title(name)
    return f"{title[0].upper()}{title[1:]}"


def stages(planned: Sequence[str], events: Iterable[Mapping[str, Any]], status: Status) -> pd.DataFrame:
    """Return one row a stage: stage, state (``done``, ``re-used``, ``running``, ``stopped``, ``waiting``), seconds.

    Stages that the events know but the plan does not stand behind the stage that was done before them. What one part of
    the run reads back from another is done, not re-used.
    """
    made: set[str] = set()
    seconds: dict[str, float] = {}
    states: dict[str, str] = {}
    for event in events:
        stage = event.get("stage", "")
        if event.get("event") == "stage_done":
            seconds[stage] = float(event.get("seconds", 0.0))
            what = stage.rpartition(": ")[2]
            states[stage] = "re-used" if event.get("reused") and what not in made else "done"
            made |= set() if event.get("reused") else {what}
    if status.stage and status.state not in (State.DONE, State.QUEUED) and states.get(status.stage) is None:
        states[status.stage] = "stopped" if status.state in FINISHED else "running"
    names = list(dict.fromkeys(planned))
    for before, stage in zip(["", *states], states, strict=False):
        if stage not in names:
            names.insert(names.index(before) + 1 if before else 0, stage)
    rows = [(name, states.get(name, "waiting"), seconds.get(name)) for name in names]
    return pd.DataFrame(rows, columns=["stage", "state", "seconds"]).astype({"seconds": "float64"})


# -- sentences


def running_sentence(status: Status) -> str:
    """Return how an active run is going."""
    if status.state is State.QUEUED or not status.stage:
        return _("The training process is starting.")
    left = (
        _(", about {seconds_left} left").format(seconds_left=duration(status.seconds_left))
        if status.seconds_left is not None
        else ""
    )
    return _("{fraction} done{left}. Now: {stage}.").format(
        fraction=percent(status.fraction), left=left, stage=title_of(status.stage).lower()
    )


def reused_sentence(found: Iterable[Step]) -> str:
    """Return what was read back from earlier runs, "" for nothing."""
    names = dict.fromkeys(stage_title(stage).rpartition(": ")[2] for step in found for stage in step.reused)
    if not names:
        return ""
    more = _(" and {n} more").format(n=len(names) - 5) if len(names) > 5 else ""
    return _("Re-used from earlier runs: {value}{more}.").format(value=commas(list(names)[:5]), more=more)


def ended_sentence(title: str, status: Status, seconds: float | None) -> str:
    """Return how a run ended."""
    took = _(" in {seconds}").format(seconds=duration(seconds)) if seconds else ""
    if status.state is State.DONE:
        return _("“{title}” finished{took}.").format(title=title, took=took)
    if status.state is State.DAMAGED:
        return on_page(status.message)
    where = _where(status)
    reason = f": {on_page(status.message)}" if status.message and status.state is not State.CANCELLED else "."
    return _("“{title}” {state} at {fraction}{where}{reason}").format(
        title=title, state=STATE_WORDS[status.state], fraction=percent(status.fraction), where=where, reason=reason
    )


def stopped_headline(title: str, status: Status) -> str:
    """Return that a run came to nothing against anybody's will, "" of any other."""
    said = {
        State.FAILED: _("“{title}” failed{where}."),
        State.LOST: _("“{title}” was interrupted{where}."),
        State.DAMAGED: _("“{title}” is damaged."),
    }
    return said.get(status.state, "").format(title=title, where=_where(status))


def _where(status: Status) -> str:
    return _(" while {stage}").format(stage=title_of(status.stage).lower()) if status.stage else ""


def what_to_do(status: Status) -> str:
    """Return what somebody can do about a run that did not finish, "" about one that did."""
    if status.state in (State.LOST, State.CANCELLED):
        return _(GOES_ON)
    if status.state is not State.FAILED:
        return ""
    if about_data(status):
        return _("Mend the file, or how it is read, on the Data page; then train again.")
    if status.message.startswith("Unexpected error"):
        return _("That is a fault of this program; the log below says where. {goes_on}").format(goes_on=_(GOES_ON))
    return _("Once that is mended: {goes_on}").format(goes_on=f"{_(GOES_ON)[0].lower()}{_(GOES_ON)[1:]}")


MOST_RANGE = 5  # times its lower end that an estimate's upper end may be to say more than "it depends"
GOES_ON = N_("Resume goes on after the last finished stage.")


def about_data(status: Status) -> bool:
    """Return whether a run failed while the data was read, which the Data page mends."""
    failed = status.state is State.FAILED and status.stage.rpartition(": ")[2] == "prepare"
    return failed and not status.message.startswith(("Unexpected error", NO_MEMORY))


def cost_sentence(preset: str, dataset: str, cost: Estimate) -> str:
    """Return what a run will cost, or that it will not fit and what would."""
    if cost.advice:
        needs = _("needs about {memory} of memory and {free} are free").format(
            memory=size(cost.memory), free=size(cost.free)
        )
        return _("A {preset} run on {dataset} will not fit: it {needs}. {advice}").format(
            preset=_(preset.capitalize()).lower(), dataset=dataset, needs=needs, advice=cost.advice
        )
    said = (
        _("A {preset} run on {dataset} takes {low} or more: this machine is busy.").format
        if vague(cost)
        else _("A {preset} run on {dataset} takes {low} on this machine.").format
    )
    low = duration(cost.low) if vague(cost) else time_range(cost.low, cost.high)
    return said(preset=_(preset.capitalize()).lower(), dataset=dataset, low=low)


def vague(cost: Estimate) -> bool:
    """Return whether other work makes the range of an estimate so wide that only its lower end tells something."""
    return cost.busy > 0 and cost.high > MOST_RANGE * cost.low


def time_range(low: float, high: float) -> str:
    """Return ``2 to 5 min``, ``50 s to 3 min``."""
    first, last = duration(low), duration(high)
    number, _space, unit = first.partition(" ")
    same = last.partition(" ")[2] == unit and unit in ("s", "min", "h", "days")  # not of 2 h 05 min
    return (
        last
        if first == last
        else _("{number} to {last}").format(number=number, last=last)
        if same
        else _("{first} to {last}").format(first=first, last=last)
    )


def basis_sentence(cost: Estimate, counted: bool, timed: bool = False) -> str:
    """Return where an estimate comes from, what will be re-used, and what makes it wrong.

    Args:
        timed: whether to say how long it takes, too: where the page's first line says something else.
    """
    source = _("earlier runs on this machine") if cost.measured else _("a short test of this machine, so a rough guess")
    said = []
    if timed and vague(cost):
        said.append(_("It takes {low} or more once it begins.").format(low=duration(cost.low)))
    elif timed:
        said.append(_("It takes {low} once it begins.").format(low=time_range(cost.low, cost.high)))
    if vague(cost):
        said.append(_("It may take up to {high}.").format(high=duration(cost.high)))
    said.append(_("From {source}.").format(source=source))
    if cost.before:
        said.append(_("What “{before}” has learned of tastes is re-used.").format(before=cost.before))
    if cost.busy:
        busy = max(min(round(cost.busy), cost.processors), 1)
        sentence = (
            _("{busy} of {processors} have been at work for long, which is counted in.")
            if cost.lasting
            else _("{busy} of {processors} are at work now, so it may take longer.")
        )
        said.append(sentence.format(busy=busy, processors=plural(cost.processors, "processor")))
    said.append(
        _("It needs about {memory} of memory; {free} are free.").format(memory=size(cost.memory), free=size(cost.free))
    )
    if not counted:
        said.append(_("Checking the file on the Data page makes this better."))
    return passage(*said)


def size(n_bytes: float) -> str:
    """Return bytes for people: ``850 MB``, ``1.4 GB``, ``16 GB``."""
    if n_bytes < 950e6:
        return f"{max(n_bytes, 0) / 1e6:.0f} MB"
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes < 9.95e9 else f"{n_bytes / 1e9:.0f} GB"


def elapsed(status: Status, metrics: Mapping[str, Any]) -> float | None:
    """Return how long a run took, in seconds; None while it has not ended."""
    if metrics.get("seconds"):
        return float(metrics["seconds"])
    return status.ended - status.started if status.ended and status.started else None


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return what differs between two configurations (as JSON gives them): name, before, after."""
    ignored = {"title", "dataset", "format"}  # what things are called changes nothing
    names = [name for name in after if name not in ignored]
    flat_before, flat_after = _flat({n: before.get(n) for n in names}), _flat({n: after[n] for n in names})
    every = dict.fromkeys([*flat_after, *flat_before])
    return [(n, flat_before.get(n), flat_after.get(n)) for n in every if flat_before.get(n) != flat_after.get(n)]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level: ``rules.diversity``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        whole = f"{prefix}{name}"
        flat |= _flat(value, f"{whole}.") if isinstance(value, Mapping) else {whole: value}
    return flat


def changes_sentence(found: Sequence[tuple[str, Any, Any]]) -> str:
    """Return up to three differences in words."""
    if not found:
        return _("Nothing is changed yet: this would be the same run again.")
    words = [f"{name.replace('_', ' ').replace('.', ', ')} {_value(old)} → {_value(new)}" for name, old, new in found]
    more = _(" and {n} more").format(n=len(words) - 3) if len(words) > 3 else ""
    return _("Changed: {words}{more}.").format(words=semicolons(words[:3]), more=more)


def _value(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return _("none")
    return commas(map(str, value)) if isinstance(value, list | tuple) else str(value)
