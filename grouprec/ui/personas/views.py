"""What a group like this would want: alternative lists, virtual members, mixtures, and personas from liked items.

Every view returns the sentence that answers it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from grouprec.core.arrays import largest_first
from grouprec.core.language import N_, _, ngettext
from grouprec.explore.virtual_groups import VirtualMembers
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, state
from grouprec.ui.address import from_url, picked
from grouprec.ui.personas import opened, words

DIAL = list(range(0, 101, 5))  # per cent of the way from safe to surprising
LISTS = [2, 3, 4, 5]
MOST_MIXED = 3  # groups in a mixture: their lists stand beside its own
MOST_LIKED = 10
MATCHES = 12  # items offered at a time
CARDS, FEWER_CARDS = 3, 2  # a row of a laptop; others are drawn by a button
HAS_SHOWN = 6  # items of a generated history on its card
SHARES = list(range(0, 101, 5))
VALUE_HELP = N_(
    "**Value**: what 512 generated members of the group are predicted to make of the list, relative to the safe list, "
    "which is the best one for all of them.\n\n"
    "**Variety**: how rarely two items of the list are had by the same users: 100 % never, 0 % always."
)
DIAL_HELP = N_(
    "**Safe**: the best list for all generated members together. Towards **surprising**, every list is made for fewer "
    "of them, down to a single one, and gives up as much as 5 % of its value for variety."
)
FRONTIER_HELP = N_(
    "Measured on held-out interactions (nDCG@10, everyone sees the same list), relative to the one list of the "
    "members' mean. **Simple random draws**: the same lists from a Gaussian per group instead of the generator. "
    "**Re-ranked**: the members' mean under maximal marginal relevance. Bars are 95 % intervals over users."
)
MEMBERS_HELP = N_(
    "Nobody real: a made-up member drawn by the generator, with the items that such a person would probably have and "
    "want. Likeness of two users is the share of items they have in common among all that either has (Jaccard index)."
)
SMALL_HELP = N_("nDCG@10 of lists that learned from one half of every group's members, on the other half, both ways")
MIXTURE_HELP = N_("Its generated members are drawn from the groups, in proportion, and what they want is averaged.")
PERSONA_HELP = N_(
    "Somebody with just these items is placed among the groups; the three nearest make the mixture, and generated "
    "members are drawn around that place, half as spread out as a group."
)


# -- alternative lists


def alternative_lists(run: Run, groups: pd.DataFrame) -> str:
    """Draw lists for a group from safe to surprising, and what they were worth on held-out interactions."""
    left, middle, right = st.columns([5, 3, 5], gap="medium")
    with left:
        group = cards.choose_group(groups, "personas_group")
    n = picked(
        middle.segmented_control(
            _("Number of lists"),
            LISTS,
            required=True,
            key="personas_lists",
            on_change=from_url("alternatives", "personas_lists", LISTS, 3),
        )
    )
    dial = right.select_slider(
        _("From safe to surprising"),
        DIAL,
        format_func=lambda at: {0: _("safe"), 100: _("surprising")}.get(at) or cards.in_percent(str(at)),
        help=_(DIAL_HELP),
        key="personas_dial",
        on_change=from_url("dial", "personas_dial", DIAL, 50),
    )
    virtual_group = opened.virtual_group(run, opened.of_groups({int(group["group"]): 1}))
    at_dial = np.random.default_rng(0)  # the same place of the dial always gives the same lists
    found = words.variants(virtual_group.lists(n, dial / 100, at_dial), n)
    lists = {}
    side_by_side, costs = st.tabs([_("The lists"), _("What variety costs")])
    with side_by_side:
        for at, (column, variant) in enumerate(zip(st.columns(n, gap="small"), found, strict=False)):
            lists["safe" if at == 0 else f"alternative {at}"] = variant.items
            with column.container(border=True, height="stretch"):
                list_card(run, at, variant)
        if len(found) < n:
            more = "" if dial == DIAL[-1] else _("; turn the dial towards surprising for more")
            st.caption(
                ngettext(
                    "Here are only {n_found} different list{more}.",
                    "Here are only {n_found} different lists{more}.",
                    len(found),
                ).format(n_found=len(found), more=more)
            )
        download_lists(run, lists, "personas_download_lists")
    with costs:
        worth(run, dial / 100)
    return words.group_answer(group["name"], group["size"], _labels(run, found[0].items))


def list_card(run: Run, at: int, variant: words.Variant) -> None:
    """Draw one list; items of the safe list bear a mark on the others."""
    labels = _labels(run, variant.items)
    if at == 0:
        st.markdown(_("**Safe list**"), help=_(VALUE_HELP))
        st.caption(
            _("Best for everyone  \nVariety {variety}  \nIts items bear a dot{dot}").format(
                variety=cards.percent(variant.variety), dot=words.DOT
            )
        )
        st.markdown(words.numbered(labels))
    else:
        st.markdown(_("**Alternative {at}**").format(at=at))
        st.caption(words.variant_words(variant))
        st.markdown(words.numbered(labels, dotted=variant.shared.tolist()))


def worth(run: Run, dial: float) -> None:
    """Draw what variety costs, and how lists for small groups generalise, where the run measured it."""
    frontier, small = state.table_or_none(run, "frontier"), state.table_or_none(run, "small_groups")
    place = None if frontier is None else words.place_on_frontier(frontier, dial)
    if frontier is None or place is None:
        st.caption(_("This run did not measure what variety costs; train it again to see it."))
    else:
        draw_frontier(frontier, place)
    if small is not None:
        cards.section(_("Small groups"), _(SMALL_HELP))
        st.markdown(words.small_groups_answer(small))
        shown = words.small_groups_table(small)
        formats = {
            name: st.column_config.NumberColumn(format="percent") for name in (_("Value kept"), _("from"), _("to"))
        }
        alt = _("Lists learned from half of a group's members, by their number, judged on the other half")
        st.dataframe(shown, hide_index=True, key="personas_small", column_config=formats, alt=alt)


def draw_frontier(frontier: pd.DataFrame, place: pd.Series) -> None:
    """Draw value against variety, rare items or catalogue, with its table; the dial's place bears a larger mark."""
    st.markdown(words.frontier_answer(place), help=_(FRONTIER_HELP))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        gain = st.segmented_control(
            _("Gained"),
            list(words.GAINS),
            format_func=words.GAINS.__getitem__,
            default="intra_list_diversity",
            required=True,
            label_visibility="collapsed",
            key="personas_gain",
        )
        with st.popover(_("Table"), type="tertiary", icon=":material/table:"):
            table = words.frontier_table(frontier)
            formats = {name: st.column_config.NumberColumn(format="percent") for name in table.columns[1:]}
            st.dataframe(
                table,
                hide_index=True,
                width=760,
                column_config=cards.titles(table, formats),
                alt=_("The chart in numbers"),
            )
    st.plotly_chart(
        words.frontier_figure(frontier, gain, place["dial"]),
        key="personas_frontier",
        config=charts.QUIET_CONFIG,
        alt=_("Value kept against {value} for four kinds of lists; the table says the same").format(
            value=words.GAINS[gain].lower()
        ),
    )


# -- virtual members


def virtual_members(run: Run, groups: pd.DataFrame) -> str:
    """Draw generated members of a group."""
    left, right = st.columns([5, 8], gap="medium", vertical_alignment="bottom")
    with left:
        group = cards.choose_group(groups, "personas_group")
    who = opened.of_groups({int(group["group"]): 1})
    with right:
        draw = draw_others()
    member_cards(run, who, CARDS, draw)
    return words.group_answer(group["name"], group["size"], _labels(run, opened.safe_list(run, who)))


def draw_others() -> int:
    """Draw the button for other members; return the number of the draw, which is in the URL."""
    asked = st.query_params.get("draw", "0")
    draw = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0

    def another() -> None:
        st.query_params["draw"] = str(draw + 1)

    st.button(_("Draw others"), icon=":material/casino:", key="personas_draw", on_click=another)
    return draw


def member_cards(run: Run, who: opened.Who, n: int, draw: int) -> None:
    """Draw generated members as cards, and how near they come to real ones."""
    members = opened.members(run, who, n, draw)
    st.markdown(words.copy_answer(opened.copy_check(run, who)), help=_(MEMBERS_HELP))
    with st.grid(min_column_width=220, border=True, gap="small") as grid:
        for at in range(n):
            with grid.cell():
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
    owned = words.bullets(_labels(run, has[:HAS_SHOWN]))
    wanted = words.numbered(_labels(run, wants))
    st.markdown(
        _("**A generated member** would have {items}{among}\n\n{owned}\n\nand want next\n\n{wanted}").format(
            items=cards.plural(len(has), "item"), among=among, owned=owned, wanted=wanted
        )
    )
    st.caption(_("The most similar real user: {value} alike").format(value=cards.percent(members.nearest[at])))


# -- mixtures


def mixture(run: Run, groups: pd.DataFrame) -> str:
    """Draw the list of a mixture of groups beside the lists of these groups."""
    names = dict(zip(groups["group"], groups["name"], strict=True))
    weights = choose_weights(names)
    if len(weights) < 2:
        return _("Choose two or three groups to mix.")
    own = opened.safe_list(run, opened.of_groups(weights))
    pure = {number: opened.safe_list(run, opened.of_groups({number: 1})) for number in weights}
    first, *others = st.columns(1 + len(pure), gap="small")
    with first.container(border=True, height="stretch"):
        st.markdown(_("**The mixture**"), help=_(MIXTURE_HELP))
        st.caption(_("Marks: groups that list it too"))
        marks = ["".join(cards.group_mark(number) for number in pure if item in pure[number]) for item in own]
        st.markdown(words.numbered(_labels(run, own), marks))
    for column, (number, items) in zip(others, pure.items(), strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"{cards.group_mark(number)} **{cards.plain(cards.short(names[number]))}**")
            shared = np.isin(items, own)
            st.caption(
                _("{shared} of {n_items} on the mixture's list{dot}").format(
                    shared=shared.sum(), n_items=len(items), dot=words.DOT
                )
            )
            st.markdown(words.numbered(_labels(run, items), dotted=shared.tolist()))
    lists = {"mixture": own} | {_("group {number}").format(number=number): items for number, items in pure.items()}
    download_lists(run, lists, "personas_download_mixture")
    return words.mixture_answer(weights, names, own, pure)


def choose_weights(names: dict[int, str]) -> dict[int, float]:
    """Draw the choice of groups and of their weights; return group -> weight. All of it is in the URL."""
    left, right = st.columns([5, 8], gap="large")
    asked = [int(text) for text in st.query_params.get_all("mix") if text.isascii() and text.isdigit()]
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
            share = _share(_("From {first} to {second}").format(first=first, second=second), "share", "{} %")
        return {chosen[0]: 100 - share, chosen[1]: share}
    weights = {}
    for at, (number, column) in enumerate(zip(chosen, right.columns(max(len(chosen), 1)), strict=False), start=1):
        with column:
            weights[number] = _share(_("Weight of {number}").format(number=number), f"weight{at}", "{}")
    return weights


def _share(label: str, name: str, form: str) -> int:
    """Draw a slider from 0 to 100, at first in the middle, whose value is in the URL."""
    return st.select_slider(
        label,
        SHARES,
        format_func=form.format,
        key=f"personas_{name}",
        on_change=from_url(name, f"personas_{name}", SHARES, 50),
    )


# -- from liked items


def from_liked(run: Run, groups: pd.DataFrame) -> str:
    """Draw whom people who like the picked items resemble, their list, and generated members of them."""
    liked = pick_items(run)
    if not len(liked):
        return _("Pick some items to see who likes them, and what else they would like.")
    who = opened.who_like(liked)
    names = dict(zip(groups["group"], groups["name"], strict=True))
    own, weights = opened.safe_list(run, who), opened.mixture(run, who)
    like = {int(row) + 1: float(weights[row]) for row in largest_first(weights) if weights[row] > 0}
    left, right = st.columns([4, 9], gap="large")
    with left:
        st.markdown(_("**Whom they resemble**"), help=_(PERSONA_HELP))
        lines = (
            f"{cards.group_mark(number)} {cards.plain(names[number])} · {cards.percent(share)}"
            for number, share in like.items()
        )
        st.markdown("\n\n".join(lines))
        st.markdown(_("**What to show them**"))
        st.markdown(words.numbered(_labels(run, own)))
        download_lists(run, {"persona": own}, "personas_download_persona")
    with right:
        draw = draw_others()
        member_cards(run, who, FEWER_CARDS, draw)
    nearest = next(iter(like))
    return words.persona_answer(_labels(run, liked), names[nearest], like[nearest], _labels(run, own))


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


# -- shared parts


def download_lists(run: Run, lists: dict[str, np.ndarray], key: str) -> None:
    """Offer the lists on the page as CSV."""
    base = opened.virtual_groups(run).base
    cards.download(
        _("Download these lists") if len(lists) > 1 else _("Download this list"),
        lambda: words.lists_frame(lists, base.item_ids, base.item_labels),
        "lists.csv",
        key,
    )


def _labels(run: Run, items: np.ndarray) -> list[str]:
    return opened.virtual_groups(run).base.item_labels[items].tolist()


VIEWS: dict[str, tuple[str, Callable[[Run, pd.DataFrame], str]]] = {
    "lists": (N_("Alternative lists"), alternative_lists),
    "members": (N_("Virtual members"), virtual_members),
    "mixture": (N_("Mixture of groups"), mixture),
    "liked": (N_("From liked items"), from_liked),
}
