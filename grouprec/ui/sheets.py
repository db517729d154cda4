"""Groups on pages of paper, one each: the Recommendations page gives one away, the Decide page all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from grouprec.core.forms import DamagedError
from grouprec.core.language import _, commas, long_day
from grouprec.core.types import GrouprecError, Regime
from grouprec.explore.remake import ListMembers
from grouprec.report import sentences, small_groups, tables
from grouprec.report.sheet import LENGTH, document, listed, sheet_body
from grouprec.runs.store import Run
from grouprec.ui import cards, list_words, opened, state


def of_group(run: Run, group: pd.Series, regime: Regime, members: ListMembers, trained: np.ndarray, day: str) -> str:
    """Return the page of one group's trained list as an HTML document.

    Args:
        group: its row of the groups table.
        trained: int, its list as rows of the base, best first.
        day: :func:`day_of` the run, which only a page's script knows.
    """
    title = cards.group_label(int(group["group"]), str(group["name"]))
    groups = state.table(run, "groups")
    at = int((groups["group"] == group["group"]).to_numpy().argmax())
    return document(title, [_body(run, group, regime, members, trained, day, small_groups.of_run(run, groups), at)])


def of_all(run: Run, regime: Regime, day: str) -> str:
    """Return the pages of all groups whose members the run knows, as one HTML document."""
    groups, users, lists = (state.table(run, name) for name in ("groups", "users", "group_lists"))
    told = small_groups.of_run(run, groups)
    method = tables.list_method(state.metrics(run), regime)
    pages = []
    for at, (_row, group) in enumerate(groups.iterrows()):
        members = opened.members(run, users, int(group["group"]))
        if len(members.rows):
            head = tables.group_list(lists, int(group["group"]), method, regime)
            rows = opened.item_rows(run, head["item"])
            pages.append(_body(run, group, regime, members, rows[rows >= 0], day, told, at))
    return document(run.title(), pages)


def _body(
    run: Run,
    group: pd.Series,
    regime: Regime,
    members: ListMembers,
    trained: np.ndarray,
    day: str,
    told: small_groups.Told,
    at: int,
) -> str:
    """Return the page of a group, the ``at``-th; of few people it tells the list and no more."""
    hide = bool(told.rest[at])
    metrics = state.metrics(run)
    method = (metrics.get("list_method") or {}).get(regime, "generated")
    why = None if hide else _reasons(run, members)
    items = listed(members, trained[:LENGTH], opened.places_for_all(run), why)
    items = [replace(item, takers=None, owned=None) for item in items] if hide else items
    size = int(told.sizes[at])
    full = _("{users}, {value} of all").format(users=cards.plural(size, "user"), value=cards.percent(told.shares[at]))
    people = small_groups.people(size, bool(told.few[at]), full)
    about = "" if people == _(small_groups.NOT_TOLD) else f"{people} · "
    takes = None if hide else members.takes
    worth = sentences.worth_answer(state.table(run, "evaluation"), regime, method)
    return sheet_body(
        cards.group_label(int(group["group"]), str(group["name"])),
        about + sentences.REGIMES[regime],
        "" if hide else portrait(run, group),
        items,
        ["" if hide else found_words(run, group, regime), worth, told.words],
        _("From the run {title}, {day}").format(title=run.title(), day=day),
        "" if takes is None else takes.horizon.words,
    )


def _reasons(run: Run, members: ListMembers) -> Callable[[int], str] | None:
    """Return what says why an item is on the list, as the page has it; None for older runs, which kept no reasons."""
    try:
        explainer = opened.explainer(run, members.rows)
    except DamagedError:
        raise
    except GrouprecError:
        return None
    labels, kinds = members.base.item_labels, opened.kinds_of_base(run)

    def why(item: int) -> str:
        frame = list_words.reasons_frame(explainer.why(item), labels)
        return list_words.reasons_words(list_words.by_kind(frame, kinds), "members")

    return why


def day_of(run: Run) -> str:
    """Return the day on which a run was made, in the reader's time zone."""
    status = run.status()
    return long_day(state.when(status.ended or status.created))


def portrait(run: Run, group: pd.Series) -> str:
    """Return the group in one plain sentence: what its members' items have in common, and in what users differ."""
    items = state.table_or_none(run, "group_items")
    first = [] if items is None else items[items["group"] == group["group"]].sort_values("rank")["label"].head(3)
    typical = _("Typical of it: {first}.").format(first=commas(map(str, first))) if len(first) else ""
    words = str(group.get("words", "") or "")
    return _("{typical} Words that tell it apart: {words}.").format(typical=typical, words=words) if words else typical


def found_words(run: Run, group: pd.Series, regime: str) -> str:
    """Say how many of the tested members found something in their first ten; nothing where that was not measured."""
    table = state.table_or_none(run, "group_evaluation")
    if table is None or state.run_choices(run).get("refit"):  # then the groups that were judged are other ones
        return ""
    own = table[(table["group"] == group["group"]) & (table["regime"] == regime)]
    if own.empty or pd.isna(own["zero_hit_share"].iloc[0]):
        return ""
    row = own.iloc[0]
    if row["n_test_users"] < small_groups.fewest():
        return ""
    found = cards.percent(1 - row["zero_hit_share"])
    tested = cards.plural(int(row["n_test_users"]), "member")
    return _("Of {tested} who were tested, {found} took at least one of the ten.").format(tested=tested, found=found)
