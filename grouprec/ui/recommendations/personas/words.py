"""What the Personas page says and shows, from answers and tables: sentences (markdown, escaped), frames, one figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import N_, Glossary, _, decimal, full_stop, series
from grouprec.core.tables import row_at
from grouprec.core.types import Rows
from grouprec.explore.virtual_groups import CopyCheck, VirtualMembers
from grouprec.models.alternatives import Alternatives
from grouprec.report.palette import ACCENT, COLOURS, NEUTRAL
from grouprec.report.text import in_percent
from grouprec.ui.cards import percent, plain, plural, short
from grouprec.ui.charts import GRID, LEGEND_ABOVE, plain_layout

METHODS = Glossary(
    {
        "generated": "Generated lists",
        "gaussian": "Simple random draws",
        "mmr": "One list, re-ranked for variety",
        "members_mean": "The usual list, what members want together",
    }
)
GAINS = Glossary({"intra_list_diversity": "Variety", "novelty": "Rare items", "coverage": "Catalogue shown"})
REGIMES = Glossary({"strict": "Same list for everyone", "dedup": "Each member skips what they have"})
ALIKE = 0.15  # by this much shares of 100 generated and 100 real members may differ by chance (two standard errors)
DOT = "\u00a0●"  # never alone on a line
FEWEST = "1 to 10"  # members learned from, in the smallest groups


@dataclass(frozen=True, eq=False)
class Variant:
    """One list beside the safe one.

    Attributes:
        items: item rows, best first.
        value: predicted, relative to the safe list.
        variety: 0 to 1.
        shared: bool, which of the items are on the safe list.
    """

    items: np.ndarray
    value: float
    variety: float
    shared: np.ndarray


# -- lists


def variants(found: Alternatives, n: int) -> list[Variant]:
    """Return the safe list and up to ``n - 1`` lists with other items, the most valuable first."""
    lists = [(found.safe, 1.0, found.safe_diversity), *zip(found.items, found.value, found.diversity, strict=True)]
    shown = [
        Variant(row[row >= 0], float(value), float(variety), np.isin(row[row >= 0], found.safe))
        for row, value, variety in lists
    ]
    return [shown[0], *(variant for variant in shown[1:] if not variant.shared.all())][:n]


def headline(verdict: Mapping[str, float]) -> str:
    """Say what generated lists that take turns are worth and what they add; nothing where the run did not judge it."""
    kept = verdict.get("turns_ratio", math.nan)
    if not math.isfinite(kept):
        return ""
    said = _("Five generated lists that take turns are worth {kept} of the usual list").format(kept=percent(kept))
    more = (
        more_words(verdict.get("turns_diversity_change", math.nan), _("variety")),
        more_words(verdict.get("turns_coverage_change", math.nan), _("of the catalogue")),
    )
    named = series([words for words in more if words] or [""])
    return _("{said}, with {named}.").format(said=said, named=named) if named else full_stop(said)


def more_words(change: float, what: str) -> str:
    """Return ``12 % more variety`` for a change in per cent; nothing where it is unknown or rounds to none."""
    if not math.isfinite(change) or round(abs(change)) == 0:
        return ""
    more = _("{share} more {what}") if change > 0 else _("{share} less {what}")
    return more.format(share=in_percent(decimal(abs(change))), what=what)


def group_answer(name: str, size: int, labels: Sequence[str]) -> str:
    """Say what a group would like first."""
    return _("**{name}** ({users}) would like {labels} first.").format(
        name=plain(name), users=plural(size, "user"), labels=named_items(labels)
    )


def variant_words(variant: Variant) -> str:
    """Return what a list is worth, how varied it is and what it shares, against the safe list, in three lines."""
    shared = _("{shared} of {n_items} safe items{dot}").format(
        shared=variant.shared.sum(), n_items=len(variant.items), dot=DOT
    )
    return _("{value} of its value  \nVariety {variety}  \n{shared}").format(
        value=percent(variant.value), variety=percent(variant.variety), shared=shared
    )


def named_items(labels: Sequence[str]) -> str:
    """Return the first two labels as ``*A* and *B*``."""
    return series(f"*{plain(label)}*" for label in labels[:2])


def numbered(labels: Sequence[str], before: Sequence[str] = (), dotted: Sequence[bool] = ()) -> str:
    """Return a numbered list; ``before`` (markdown) goes before the labels, a dot behind those in ``dotted``."""
    marks, dots = before or [""] * len(labels), dotted if len(dotted) else [False] * len(labels)
    lines = (
        f"{mark} {plain(short(label, 60))}{DOT * bool(dot)}".strip()
        for label, mark, dot in zip(labels, marks, dots, strict=True)
    )
    return "\n".join(f"{at}. :small[{line}]" for at, line in enumerate(lines, start=1))


def bullets(labels: Sequence[str]) -> str:
    """Return a list without numbers."""
    return "\n".join(f"- :small[{plain(short(label, 60))}]" for label in labels)


def lists_frame(lists: Mapping[str, Rows], item_ids: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return lists of item rows, by name, as one frame to download: list, rank, item, label."""
    parts = []
    for name, listed in lists.items():
        rows = np.asarray(listed, np.int64)
        about = {"list": name, "rank": np.arange(1, len(rows) + 1), "item": item_ids[rows], "label": labels[rows]}
        parts.append(pd.DataFrame(about))
    return pd.concat(parts, ignore_index=True)


def distinct(rows: Sequence[int], item_ids: np.ndarray, labels: np.ndarray) -> dict[int, str]:
    """Return what every item is called: its label, with its id where others have the same. Not escaped."""
    texts = pd.Series([short(labels[row]) for row in rows], index=list(rows), dtype="str")
    ids = pd.Series([f" ({item_ids[row]})" for row in rows], index=texts.index, dtype="str")
    return dict(zip(rows, texts.where(~texts.duplicated(keep=False), texts + ids).tolist(), strict=True))


# -- virtual members


def copy_answer(found: CopyCheck) -> str:
    """Say whether generated members copy real ones, beside how alike real ones are."""
    near = _(
        "{copies} of {n} generated members are more like a real user than real users usually are "
        "like each other, against {members_copies} of real members"
    ).format(copies=percent(found.copies), n=found.n, members_copies=percent(found.members_copies))
    above = max(found.copies - found.members_copies, found.identical - found.members_identical)
    if above > ALIKE:
        verdict = _("Some come nearer to real users than real users do")
    else:
        verdict = _("They are no copies") if found.identical else _("None is a copy")
    if not found.identical:
        return full_stop(_("{title}: {value}").format(title=verdict, value=near))
    same = _("{identical} have the very items of a real user, as short histories come to have").format(
        identical=percent(found.identical)
    )
    return _("{verdict}: {near}; {same} ({members_identical} of real members).").format(
        verdict=verdict, near=near, same=same, members_identical=percent(found.members_identical)
    )


def members_frame(members: VirtualMembers, item_ids: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return virtual members as one frame to download: member, part ("has", "wants"), rank, item, label."""
    parts = []
    for part, items in (("has", members.has), ("wants", members.wants)):
        of, rank = np.nonzero(items >= 0)
        rows = items[of, rank]
        about = {"member": of + 1, "part": part, "rank": rank + 1, "item": item_ids[rows], "label": labels[rows]}
        parts.append(pd.DataFrame(about))
    frame = pd.concat(parts, ignore_index=True)
    return frame.sort_values(["member", "part", "rank"], ignore_index=True)


# -- mixtures and personas


def mixture_answer(
    weights: Mapping[int, float], names: Mapping[int, str], mixed: Rows, pure: Mapping[int, Rows]
) -> str:
    """Say how much of a mixture's list is on the lists of its groups.

    Args:
        weights: group -> its weight.
        names: group -> its name.
        mixed: item rows of the mixture's list.
        pure: group -> item rows of its list.
    """
    total = sum(weights.values())
    who = joined([f"{percent(weight / total)} **{plain(names[group])}**" for group, weight in weights.items()])
    shared = {group: int(np.isin(mixed, items).sum()) for group, items in pure.items()}
    lists = joined(
        [
            _("{count} with that of {names}").format(count=count, names=plain(names[group]))
            for group, count in shared.items()
        ]
    )
    new = int((~np.isin(mixed, np.concatenate([np.asarray(items) for items in pure.values()]))).sum())
    own = _(", and has {new} of its own").format(new=new) if new else ""
    return _("Of {items}, the list for a group that is {who} shares {lists}{own}.").format(
        items=plural(len(mixed), "item"), who=who, lists=lists, own=own
    )


def joined(parts: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, or ``a, b and c``."""
    return series(parts)


def persona_answer(liked: Sequence[str], name: str, share: float, labels: Sequence[str]) -> str:
    """Say whom people who like some items resemble, and what they would like first."""
    more = _(" and {more_items}").format(more_items=plural(len(liked) - 1, "more item")) if len(liked) > 1 else ""
    who = _("Whoever likes *{liked}*{more} is {share} like **{name}**").format(
        liked=plain(liked[0]), more=more, share=percent(share), name=plain(name)
    )
    return _("{who} and would like {labels} first.").format(who=who, labels=named_items(labels))


# -- what it is worth


def place_on_frontier(frontier: pd.DataFrame, dial: float) -> pd.Series | None:
    """Return the judged place of the generated lists' dial that is nearest to ``dial``; None without a value."""
    rows = frontier[(frontier["method"] == "generated") & frontier["ndcg@10_ratio"].notna()]
    return None if rows.empty else rows.loc[(rows["dial"] - dial).abs().idxmin()]


def frontier_answer(place: pd.Series) -> str:
    """Say what lists at a place of the dial were worth on held-out interactions, and what they added."""
    kept = percent(place["ndcg@10_ratio"])
    interval = _("{ndcg_10_low} to {ndcg_10_high}").format(
        ndcg_10_low=percent(place["ndcg@10_low"]), ndcg_10_high=percent(place["ndcg@10_high"])
    )
    gains = (
        more_words(100 * (place["intra_list_diversity_ratio"] - 1), _("variety")),
        more_words(100 * (place["coverage_ratio"] - 1), _("of the catalogue")),
    )
    said = series([words for words in gains if words] or [_("as much variety")])
    return _(
        "With the dial at {dial} %, five lists that take turns were worth {kept} ({interval}) of "
        "the usual list, with {said}."
    ).format(dial=decimal(place["dial"] * 100), kept=kept, interval=interval, said=said)


def frontier_figure(frontier: pd.DataFrame, gain: str, dial: float | None) -> go.Figure:
    """Return value against one of ``GAINS``, both relative to the members' mean: a line per method along its dial.

    Args:
        frontier: the run's table.
        gain: a key of ``GAINS``.
        dial: the place of the generated lists that gets a ring; None for no ring.
    """
    colours = {"generated": ACCENT, "gaussian": COLOURS[1], "mmr": COLOURS[2], "members_mean": NEUTRAL}
    looks = {"generated": ("solid", "circle"), "gaussian": ("dash", "square"), "mmr": ("dot", "triangle-up")}
    figure = go.Figure()
    for method, title in METHODS.items():
        rows = frontier[frontier["method"] == method].sort_values("dial")
        dash, symbol = looks.get(method, ("solid", "diamond"))
        ring = (rows["dial"] == dial).to_numpy() if method == "generated" else np.zeros(len(rows), bool)
        figure.add_trace(
            go.Scatter(
                x=rows[f"{gain}_ratio"] - 1,
                y=rows["ndcg@10_ratio"],
                name=title,
                mode="lines+markers",
                line={"color": colours[method], "width": 2, "dash": dash},
                marker={"size": np.where(ring, 16, 9), "symbol": symbol, "color": colours[method]},
                customdata=rows["dial"],
                hovertemplate=_(
                    "{title}, dial at %{{customdata:.0%}}: %{{y:.1%}} of the value, %{{x:+.1%}}<extra></extra>"
                ).format(title=title),
                **({"error_y": _interval(rows)} if method == "generated" else {}),
            )
        )
    figure.update_layout(
        **{**plain_layout(300, top=48), "showlegend": True},
        xaxis={
            "title": _("{gains} against the usual list").format(gains=GAINS[gain]),
            "tickformat": "+.0%",
            "gridcolor": GRID,
            "zeroline": False,
        },
        yaxis={"title": _("Value kept"), "tickformat": ".0%", "gridcolor": GRID, "zeroline": False},
        legend=LEGEND_ABOVE,
    )
    return figure


def _interval(rows: pd.DataFrame) -> dict[str, object]:
    """Return the 95 % intervals of values as Plotly's error bars."""
    value = rows["ndcg@10_ratio"]
    reach = {"array": rows["ndcg@10_high"] - value, "arrayminus": value - rows["ndcg@10_low"]}
    return {"type": "data", "symmetric": False, "thickness": 1, "width": 3, "color": ACCENT, **reach}


def frontier_table(frontier: pd.DataFrame) -> pd.DataFrame:
    """Return the frontier as people read it: Lists, Dial, Value kept, from, to, and a column for every gain."""
    table = pd.DataFrame({N_("Lists"): frontier["method"].map(METHODS), N_("Dial"): frontier["dial"]})
    table[[N_("Value kept"), N_("from"), N_("to")]] = frontier[["ndcg@10_ratio", "ndcg@10_low", "ndcg@10_high"]]
    table[list(GAINS.values())] = frontier[[f"{gain}_ratio" for gain in GAINS]] - 1
    return table.round(3)


def small_groups_answer(small: pd.DataFrame) -> str:
    """Say how lists learned from half of a group's members served the other half, generated against the mean."""
    strict = small[small["regime"] == "strict"].set_index("band")
    if "all" not in strict.index or pd.isna(row_at(strict, "all")["ratio"]):
        return _("No lists learned from half of a group could be judged on the other half.")
    every = row_at(strict, "all")
    said = _(
        "Learned from half of each group's members and judged on the other half, generated lists "
        "are worth {ratio} ({low} to {high}) of the usual list"
    ).format(ratio=percent(every["ratio"]), low=percent(every["low"]), high=percent(every["high"]))
    if FEWEST not in strict.index or pd.isna(row_at(strict, FEWEST)["ratio"]):
        return full_stop(said)
    return _("{said}, and {ratio} where they learned from 10 members or fewer.").format(
        said=said, ratio=percent(row_at(strict, FEWEST)["ratio"])
    )


def small_groups_table(small: pd.DataFrame) -> pd.DataFrame:
    """Return the small groups' table as people read it."""
    titles = {
        "band": _("Members learned from"),
        "regime": _("Use of the list"),
        "n_groups": _("Groups"),
        "n_users": _("Users judged"),
        "generated": _("Generated"),
        "members_mean": _("Members' mean"),
        "ratio": _("Value kept"),
        "low": _("from"),
        "high": _("to"),
    }
    return small.assign(regime=small["regime"].map(REGIMES))[list(titles)].rename(columns=titles).round(3)
