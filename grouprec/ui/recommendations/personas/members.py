"""Generated members: of a group, and of people who like some items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.arrays import largest_first
from grouprec.core.language import N_, _
from grouprec.core.whole import whole
from grouprec.explore.virtual_groups import VirtualMembers
from grouprec.report import learned
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.recommendations.personas import opened, words
from grouprec.ui.recommendations.personas.parts import Shown, download_lists, labels_of

CARDS = 2  # a row beside the map; others are drawn by a button
HAS_SHOWN = 4  # items of a generated history on its card
MOST_LIKED = 10
MATCHES = 8  # items offered at a time
MEMBERS_HELP = N_(
    "Nobody real: a made-up member drawn by the generator, with the items that such a person would probably have and "
    "want. Likeness of two users is the share of items they have in common among all that either has (Jaccard index)."
)
PERSONA_HELP = N_(
    "Somebody with just these items is placed among the groups; the three nearest make the mixture, and generated "
    "members are drawn around that place, half as spread out as a group."
)


def draw(run: Run, _groups: pd.DataFrame, group: pd.Series, controls: DeltaGenerator) -> Shown:
    """Draw generated members of a group, and what the generator adds over simple random draws."""
    number = int(group["group"])
    who = opened.of_groups({number: 1})
    with controls:
        if generator := state.metrics(run).get("generator"):
            st.caption(learned.generator_answer(generator))
        drawn = draw_others()
    member_cards(run, who, drawn, controls)
    sentence = words.group_answer(group["name"], group["size"], labels_of(run, opened.safe_list(run, who)))
    return Shown(sentence, (number,))


def draw_others() -> int:
    """Draw the button for other members; return the number of the draw, which is in the URL."""
    draw = whole(st.query_params.get("draw", "")) or 0

    def another() -> None:
        st.query_params["draw"] = str(draw + 1)

    st.button(_("Draw others"), icon=":material/casino:", key="personas_draw", on_click=another)
    return draw


def member_cards(run: Run, who: opened.Who, draw: int, note: DeltaGenerator) -> None:
    """Draw generated members as cards, and into ``note`` how near they come to real ones."""
    members = opened.members(run, who, CARDS, draw)
    note.caption(words.copy_answer(opened.copy_check(run, who)), help=_(MEMBERS_HELP))
    for at, column in enumerate(st.columns(CARDS, gap="small")):
        with column.container(border=True, height="stretch"):
            member_card(run, members, at)
    base = opened.virtual_groups(run).base
    cards.download(
        _("Download these members"),
        lambda: words.members_frame(members, base.item_ids, base.item_labels),
        "generated_members.csv",
        "personas_download_members",
    )


def member_card(run: Run, members: VirtualMembers, at: int) -> None:
    """Draw one generated member: what they would have, what they would want next, how near the nearest user is."""
    has, wants = (items[at][items[at] >= 0] for items in (members.has, members.wants))
    among = _(", among them") if len(has) > HAS_SHOWN else ""
    owned = words.bullets(labels_of(run, has[:HAS_SHOWN]))
    wanted = words.numbered(labels_of(run, wants))
    st.markdown(
        _("**A generated member** would have {items}{among}\n\n{owned}\n\nand want next\n\n{wanted}").format(
            items=cards.plural(len(has), "item"), among=among, owned=owned, wanted=wanted
        )
    )
    st.caption(_("The most similar real user: {value} alike").format(value=cards.percent(members.nearest[at])))


# -- from liked items


def from_liked(run: Run, groups: pd.DataFrame, _group: pd.Series, controls: DeltaGenerator) -> Shown:
    """Draw whom people who like the picked items resemble, their list, and generated members of them."""
    with controls:
        liked = pick_items(run)
    if not len(liked):
        return Shown(_("Pick some items to see who likes them, and what else they would like."), ())
    who = opened.who_like(liked)
    names = dict(zip(groups["group"], groups["name"], strict=True))
    own, weights = opened.safe_list(run, who), opened.mixture(run, who)
    like = {int(row) + 1: float(weights[row]) for row in largest_first(weights) if weights[row] > 0}
    theirs, generated = st.tabs([_("What to show them"), _("Virtual members")])
    with theirs:
        their_list(run, own, names, like)
    with generated:
        member_cards(run, who, draw_others(), generated)
    nearest = next(iter(like))
    sentence = words.persona_answer(labels_of(run, liked), names[nearest], like[nearest], labels_of(run, own))
    return Shown(sentence, tuple(like))


def their_list(run: Run, own: np.ndarray, names: dict[int, str], like: dict[int, float]) -> None:
    """Draw the list of people who like the picked items beside the groups that they resemble (group -> share)."""
    left, right = st.columns([3, 2], gap="medium")
    left.markdown(words.numbered(labels_of(run, own)))
    with right:
        st.markdown(_("**Whom they resemble**"), help=_(PERSONA_HELP))
        lines = (
            f"{cards.group_mark(number)} {cards.plain(names[number])} · {cards.percent(share)}"
            for number, share in like.items()
        )
        st.markdown("\n\n".join(lines))
    download_lists(run, {"persona": own}, "personas_download_persona")


def pick_items(run: Run) -> np.ndarray:
    """Draw the search and what it finds; return the rows of the picked items, which are in the URL by their ids."""
    ours = opened.virtual_groups(run)
    picked = ours.rows_of(st.query_params.get_all("liked"))[:MOST_LIKED]
    text = st.text_input(
        _("Search items"),
        placeholder=_("Words of the label, or an id"),
        type="search",
        live=True,
        max_chars=100,
        key="personas_search",
        width=420,
    )
    found = ours.find_items(text or "", MATCHES)
    offered = [*picked.tolist(), *found[~np.isin(found, picked)].tolist()]
    titles = words.distinct(offered, ours.base.item_ids, ours.base.item_labels)
    st.session_state["personas_liked"] = picked.tolist()

    def write() -> None:
        rows = st.session_state["personas_liked"][:MOST_LIKED]
        st.query_params["liked"] = [str(ours.base.item_ids[row]) for row in rows]

    st.pills(
        _("Liked items, up to {most_liked}").format(most_liked=MOST_LIKED),
        offered,
        selection_mode="multi",
        format_func=lambda row: cards.plain(titles[row]),
        key="personas_liked",
        on_change=write,
    )
    if text and not len(found):
        st.caption(_("No item has “{text}” in its label or id.").format(text=cards.plain(text)))
    return picked
