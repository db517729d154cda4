"""The list of a mixture of groups beside that of one of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, _
from grouprec.core.whole import whole
from grouprec.report.text import in_percent
from grouprec.runs.store import Run
from grouprec.ui import cards
from grouprec.ui.address import from_url, picked
from grouprec.ui.recommendations.personas import opened, words
from grouprec.ui.recommendations.personas.parts import Shown, download_lists, labels_of

MOST_MIXED = 3  # groups in a mixture
SHARES = list(range(0, 101, 5))
MIXTURE_HELP = N_("Its generated members are drawn from the groups, in proportion, and what they want is averaged.")


def draw(run: Run, groups: pd.DataFrame, _group: pd.Series, controls: DeltaGenerator) -> Shown:
    """Draw the list of a mixture of groups beside the list of one of these groups."""
    names = dict(zip(groups["group"], groups["name"], strict=True))
    with controls:
        weights = choose_weights(names)
    if len(weights) < 2:
        return Shown(_("Choose two or three groups to mix."), tuple(weights))
    own = opened.safe_list(run, opened.of_groups(weights))
    pure = {number: opened.safe_list(run, opened.of_groups({number: 1})) for number in weights}
    numbers = list(pure)
    beside = controls.segmented_control(
        _("Beside it"),
        numbers,
        required=True,
        format_func=lambda number: cards.group_label(number, cards.short(names[number], 24)),
        key="personas_beside",
        on_change=from_url("beside", "personas_beside", numbers, numbers[0]),
        wrap=True,
    )
    first, other = st.columns(2, gap="small")
    with first.container(border=True, height="stretch"):
        st.markdown(_("**The mixture**"), help=_(MIXTURE_HELP))
        st.caption(_("Marks: groups that list it too"))
        marks = ["".join(cards.group_mark(number) for number in pure if item in pure[number]) for item in own]
        st.markdown(words.numbered(labels_of(run, own), marks))
    with other.container(border=True, height="stretch"):
        group_card(run, picked(beside), names, pure, own)
    lists = {"mixture": own} | {_("group {number}").format(number=number): items for number, items in pure.items()}
    download_lists(run, lists, "personas_download_mixture")
    return Shown(words.mixture_answer(weights, names, own, pure), tuple(numbers))


def group_card(run: Run, number: int, names: dict[int, str], pure: dict[int, np.ndarray], own: np.ndarray) -> None:
    """Draw the list of one group of a mixture; items of the mixture's list bear a dot."""
    st.markdown(f"{cards.group_mark(number)} **{cards.plain(cards.short(names[number]))}**")
    shared = np.isin(pure[number], own)
    st.caption(
        _("{shared} of {n_items} on the mixture's list{dot}").format(
            shared=shared.sum(), n_items=len(shared), dot=words.DOT
        )
    )
    st.markdown(words.numbered(labels_of(run, pure[number]), dotted=shared.tolist()))


def choose_weights(names: dict[int, str]) -> dict[int, float]:
    """Draw the choice of groups and of their weights; return group -> weight. All of it is in the URL."""
    left, right = st.columns(2, gap="medium")
    asked = map(whole, st.query_params.get_all("mix"))
    known = [number for number in dict.fromkeys(asked) if number in names][:MOST_MIXED]
    st.session_state["personas_mix"] = known or list(names)[:2]

    def write() -> None:
        st.query_params["mix"] = [str(number) for number in st.session_state["personas_mix"]]

    chosen = left.multiselect(
        _("Groups"),
        list(names),
        format_func=lambda number: cards.group_label(number, names[number]),
        max_selections=MOST_MIXED,
        key="personas_mix",
        on_change=write,
        wrap=True,
    )
    if len(chosen) == 2:
        first, second = (cards.plain(cards.short(names[number], 30)) for number in chosen)
        with right:
            share = _share(_("From {first} to {second}").format(first=first, second=second), "share", in_percent)
        return {chosen[0]: 100 - share, chosen[1]: share}
    weights = {}
    for at, (number, column) in enumerate(zip(chosen, right.columns(max(len(chosen), 1)), strict=False), start=1):
        with column:
            weights[number] = _share(_("Weight of {number}").format(number=number), f"weight{at}", str)
    return weights


def _share(label: str, name: str, form: Callable[[str], str]) -> int:
    """Draw a slider from 0 to 100, at first in the middle, whose value is in the URL."""
    return st.select_slider(
        label,
        SHARES,
        format_func=lambda share: form(str(share)),
        key=f"personas_{name}",
        on_change=from_url(name, f"personas_{name}", SHARES, 50),
    )
