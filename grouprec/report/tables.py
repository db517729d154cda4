"""Run tables to the tables that pages show: plain functions on frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.errors import StorageError
from grouprec.core.language import N_, _
from grouprec.report import gain, sentences
from grouprec.report.text import NOTHING, difference, interval, percent
from grouprec.runs import schemas
from grouprec.runs.store import Run

VISIBLE_LIFT = 1.2  # a share 1.2 times that of all users is worth a line on a card
METRIC_TITLES = {
    "ndcg": N_("Order of hits (nDCG)"),
    "hit_rate": N_("Users with a hit"),
    "precision": N_("Precision"),
    "recall": N_("Recall"),
    "f1": "F1",
    "coverage": N_("Catalogue shown"),
}
RANK_METRIC = {"mrr": N_("First hit (MRR)")}


def attribute_columns(users: pd.DataFrame) -> list[str]:
    """Return the names of the users' own attributes, in order."""
    return schemas.named("users").more_names(users)


def group_names(groups: pd.DataFrame) -> dict[int, str]:
    """Return group -> its name."""
    return dict(zip(groups["group"].tolist(), groups["name"].astype(str).tolist(), strict=True))


def composition(users: pd.DataFrame, rows: np.ndarray, groups: pd.DataFrame) -> pd.DataFrame:
    """Return which groups the users in ``rows`` belong to: group, name, users, share, share_of_group; most first."""
    counted = users["group"].iloc[rows].value_counts().rename_axis("group").rename("users").reset_index()
    frame = counted.merge(groups[["group", "name", "size"]], on="group", how="left")
    frame["share"] = frame["users"] / len(rows)
    frame["share_of_group"] = (frame["users"] / frame["size"]).clip(upper=1)
    ordered = frame.sort_values(["users", "group"], ascending=[False, True], ignore_index=True)
    return ordered[["group", "name", "users", "share", "share_of_group"]]


def telling_attributes(attributes: pd.DataFrame) -> pd.DataFrame:
    """Return the attributes in which groups differ visibly from all users, the most certain first.

    Where the run tested them, only those that are more than chance.
    """
    telling = ~attributes["lift"].between(1 / VISIBLE_LIFT, VISIBLE_LIFT)
    if "significant" in attributes:
        telling &= attributes["significant"].astype(bool)
    return attributes[telling].sort_values("rank", kind="stable")


def lift_intervals(items: pd.DataFrame, group: int) -> pd.DataFrame:
    """Return a group's distinguishing items by rank, with the intervals of their lifts; of no width in older runs."""
    own = items[items["group"] == group].sort_values("rank", ignore_index=True)
    return own if "lift_low" in own else own.assign(lift_low=own["lift"], lift_high=own["lift"])


def activity_per_head(activity: pd.DataFrame, groups: pd.DataFrame, group: int) -> pd.DataFrame:
    """Return a group's activity over time: period, members and everybody (events per head), share of all events."""
    sizes = groups.set_index("group")["size"]
    own = activity[activity["group"] == group].sort_values("period", ignore_index=True)
    everybody = own["period"].map(activity.groupby("period")["events"].sum()) / sizes.sum()
    return pd.DataFrame(
        {
            "period": own["period"],
            "members": own["events"] / sizes[group],
            "everybody": everybody,
            "share": own["share"].round(3),
        }
    )


def members_of(members: pd.DataFrame, users: pd.DataFrame, group: int, kind: str, n_attributes: int) -> pd.DataFrame:
    """Return the typical or borderline members of a group by rank, with the first of the users' attributes."""
    own = members[(members["group"] == group) & (members["kind"] == kind)].sort_values("rank")
    columns = ["user", "distance"] if kind == "typical" else ["user", "other", "margin"]
    about = users.loc[
        users["user"].isin(own["user"]), ["user", "interactions", *attribute_columns(users)[:n_attributes]]
    ]
    return own[columns].merge(about.round(1), on="user", how="left")


def find_users(users: pd.DataFrame, text: str, most: int = 20) -> np.ndarray:
    """Return rows of users whose id is, or begins with, the text: the exact one first, at most ``most``."""
    text = text.strip()
    if not text:
        return np.empty(0, dtype=np.int64)
    ids = users["user"].astype("str")
    exact = np.flatnonzero(ids == text)
    beginning = np.flatnonzero(ids.str.casefold().str.startswith(text.casefold()))
    return np.concatenate([exact, beginning[~np.isin(beginning, exact)]])[:most]


def personal_list(run: Run, user: str) -> pd.DataFrame:
    """Return one user's own list by rank, without holding everybody's in memory.

    Raises:
        StorageError: the run has no readable personal lists.
    """
    path = run.table_file("user_lists")
    try:
        return pd.read_parquet(path, filters=[("user", "==", user)]).sort_values("rank", ignore_index=True)
    except (OSError, ValueError) as error:
        raise StorageError(f"The run {run.run_id} has no readable table 'user_lists'; train it again.") from error


def group_list(lists: pd.DataFrame, group: int, method: str, regime: str) -> pd.DataFrame:
    """Return one list of a group by rank; empty where there is none."""
    match = (lists["group"] == group) & (lists["method"] == method) & (lists["regime"] == regime)
    return lists[match].sort_values("rank", ignore_index=True)


def kinds_of_lists(lists: pd.DataFrame, first: str) -> list[str]:
    """Return the methods that the groups have lists of: ``first``, then generated, the others, the most popular."""
    order = {first: 0, "generated": 1, "popularity": 3}
    return sorted(lists["method"].unique(), key=lambda method: order.get(method, 2))


def with_lift(chosen: pd.DataFrame, items: pd.DataFrame, n_users: int) -> pd.DataFrame:
    """Return the list with ``lift``: the share of members who have the item against the share of all users.

    NaN where nobody has it.
    """
    overall = chosen["item"].map(items.set_index("item")["users"]) / max(n_users, 1)
    return chosen.assign(lift=(chosen["owned"] / overall).where(overall > 0))


def lists_to_export(lists: pd.DataFrame, names: Mapping[int, str], group: int | None = None) -> pd.DataFrame:
    """Return the lists of one group or of all, every method in both regimes, with the groups' names."""
    chosen = lists if group is None else lists[lists["group"] == group]
    frame = chosen[schemas.named("group_lists").names].copy()
    frame.insert(1, "group_name", frame["group"].map(names))
    return frame.sort_values(
        ["group", "method", "regime", "rank"], ascending=[True, True, False, True], ignore_index=True
    )


# -- Compare


def cutoffs(evaluation: pd.DataFrame) -> list[int]:
    """Return the list lengths that were evaluated, ascending."""
    lengths = evaluation["metric"].str.extract(r"^ndcg@(\d+)$")[0].dropna()
    return sorted({int(length) for length in lengths})


def list_method(metrics: Mapping[str, Any], regime: str) -> str:
    """Return how a run's shared lists are made: the kind that exports take."""
    return (metrics.get("list_method") or {}).get(regime, "generated")


def methods_of(evaluation: pd.DataFrame, regime: str, metric: str, ours: str = "generated") -> pd.DataFrame:
    """Return the methods of a regime and, as what is possible, personal lists; best by ``metric`` first.

    ``ours`` in the result marks the method of that name.
    """
    match = evaluation["regime"].isin([regime, "individual"]) & (evaluation["metric"] == metric)
    rows = evaluation[match & evaluation["value"].notna()].sort_values("value", ascending=False, ignore_index=True)
    titles = [sentences.method_title(*pair) for pair in zip(rows["method"], rows["regime"], strict=True)]
    return rows.assign(title=titles, ours=rows["method"] == ours)


def method_table(evaluation: pd.DataFrame, comparisons: pd.DataFrame, regime: str, length: int) -> pd.DataFrame:
    """Return methods in rows and metrics in columns, every cell with its interval, best nDCG first.

    ``Against ...`` is the paired difference in nDCG to the run's own lists of the same regime, where it was tested;
    a star marks those that are more than chance.
    """
    order = methods_of(evaluation, regime, f"ndcg@{length}")
    table = pd.DataFrame({N_("Method"): order["title"]})
    shown = evaluation[evaluation["regime"].isin([regime, "individual"])]
    for metric, title in ({f"{name}@{length}": title for name, title in METRIC_TITLES.items()} | RANK_METRIC).items():
        rows = shown[shown["metric"] == metric].set_index(["method", "regime"])
        if rows.empty:
            continue
        rows = rows.reindex(pd.MultiIndex.from_frame(order[["method", "regime"]]))
        table[title] = [interval(*row) for row in rows[["value", "low", "high"]].itertuples(index=False)]
    table.insert(1, N_("Share of possible gain"), order["share_of_gain"].round(3) + 0.0)  # never -0
    tested = differences(comparisons, regime, f"ndcg@{length}")
    if len(tested):
        own = order["method"].where(order["regime"] == regime)
        table.insert(3, against_title(comparisons, regime), own.map(tested).fillna(""))
    return table


def against_title(comparisons: pd.DataFrame, regime: str) -> str:
    """Return the title of the column of differences: what the methods of a regime were compared with."""
    references = comparisons.loc[comparisons["regime"] == regime, "against"]
    method = references.iloc[0] if len(references) else "generated"
    return _("Against: {method}").format(method=sentences.method_title(method).lower())


def differences(comparisons: pd.DataFrame, regime: str, metric: str) -> pd.Series:
    """Return, by method, the paired difference to the regime's reference as text.

    A star marks what is significant after the correction for the number of comparisons; older runs have no marks.
    """
    tested = comparisons[(comparisons["regime"] == regime) & (comparisons["metric"] == metric)].set_index("method")
    words = [difference(*row) for row in tested[["difference", "low", "high"]].itertuples(index=False)]
    stars = tested.get("significant", pd.Series(False, tested.index))
    return pd.Series(
        [word + " ★" * bool(star) for word, star in zip(words, stars, strict=True)], tested.index, dtype=str
    )


# -- the evidence


def of(frame: pd.DataFrame, metric: str = sentences.METRIC, **values: str) -> pd.DataFrame:
    """Return the rows of one metric whose columns have the given values."""
    match = frame["metric"] == metric
    for column, value in values.items():
        match &= frame[column] == value
    return frame[match].reset_index(drop=True)


def curve_method(value: pd.DataFrame, metrics: Mapping[str, Any], regime: str) -> str:
    """Return which method of a table of numbers of groups is the run's own: the kind of list that it exports.

    Runs that judged another kind for every number did so for the members' mean.
    """
    own = list_method(metrics, regime)
    return own if own in set(value.loc[value["regime"] == regime, "method"]) else "members_mean"


def value_curves(
    value: pd.DataFrame, regime: str, ours: str = "members_mean", metric: str = sentences.METRIC
) -> dict[str, pd.DataFrame]:
    """Return the value by number of groups in one use of the lists: method -> curve, ascending; ``ours`` first."""
    rows = of(value, metric, regime=regime).dropna(subset="value").sort_values("n_groups")
    curves = {str(method): curve.reset_index(drop=True) for method, curve in rows.groupby("method", sort=False)}
    return {method: curves[method] for method in sorted(curves, key=lambda method: method != ours)}


def value_table(value: pd.DataFrame, regime: str, ours: str = "members_mean") -> pd.DataFrame:
    """Return the numbers of lists in rows and every method's value and share of possible gain in columns."""
    curves = value_curves(value, regime, ours)
    own = next(iter(curves.values())).set_index("n_groups")
    table = pd.DataFrame({N_("Lists"): own.index})
    for method, curve in curves.items():
        rows = curve.set_index("n_groups").reindex(own.index)
        title = sentences.method_title(method)
        table[title] = [interval(*row) for row in rows[["value", "low", "high"]].itertuples(index=False)]
        table[_("{title}, share of gain").format(title=title)] = rows["share_of_gain"].round(3).to_numpy()
    about = {
        "smallest": N_("Smallest group"),
        "largest": N_("Largest group"),
        "silhouette": N_("Apart"),
        "stability": N_("Stability"),
    }
    for column, title in about.items():
        if column in own and own[column].notna().any():
            table[title] = own[column].to_numpy()
    return table


def served_groups(served: pd.DataFrame, split: pd.DataFrame) -> pd.DataFrame:
    """Return the evaluated groups with what splitting each would gain, the worst served first.

    Args:
        served: group_evaluation in one use of the lists.
        split: left_behind in the same; empty where the run did not measure it.
    """
    columns = ["group", "name", "n_test_users", "zero_hit_share", "ndcg@10"]
    frame = served[columns].sort_values("zero_hit_share", ascending=False, ignore_index=True)
    if split.empty:
        return frame
    measured = f"measured_{sentences.METRIC}"
    new = [
        "worst_decile",
        "share_lost",
        f"predicted_{sentences.METRIC}",
        measured,
        f"{measured}_low",
        f"{measured}_high",
    ]
    return frame.merge(split[["group", *new]], on="group", how="left")


def gain_kept(lost: pd.Series) -> list[str]:
    """Return what is kept of a possible gain, from the share of it that is lost; beyond its ends it is all or none.

    A group whose own list is worse than one list for all has lost more than there was to gain.
    """
    return [
        NOTHING if pd.isna(one) else _("none") if one > 1 else _("all") if one < 0 else percent(1 - one) for one in lost
    ]


def popularity_table(exposure: pd.DataFrame) -> pd.DataFrame:
    """Return what lists show against what people have: kinds of lists in rows, popularity measures in columns."""
    titles = {"individual": _("Personal lists"), **sentences.REGIMES}
    measures = exposure[exposure["attribute"].isin(["", "popularity tier"])]
    measures = measures.assign(key=measures["value"].where(measures["value"] != "", measures["measure"]))
    shown = measures.set_index(["regime", "key"])["in_lists"].unstack()  # noqa: PD010  # nothing to aggregate
    owned = measures.drop_duplicates("key").set_index("key")["in_histories"].to_frame(_("What people have")).T
    frame = pd.concat([owned, shown.reindex(list(titles)).rename(titles).dropna(how="all")])
    columns = {"popularity": N_("Mean popularity"), "head": N_("Head"), "middle": N_("Middle"), "tail": N_("Tail")}
    columns |= {"coverage": N_("Catalogue shown"), "gini": N_("Gini")}
    known = {name: title for name, title in columns.items() if name in frame}
    return frame[list(known)].rename(columns=known).rename_axis(N_("Lists")).reset_index().round(3)


def blend_table(blend: Mapping[str, Any], comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the encoders of a blend in rows: weight, validation nDCG@10, difference to the blend on the test part."""
    weights, alone = blend.get("encoders") or {}, blend.get("ndcg") or {}
    names = sorted(weights, key=lambda name: -weights[name])
    tested = differences(comparisons, "individual", sentences.METRIC)
    return pd.DataFrame(
        {
            N_("Encoder"): [sentences.encoder_title(name) for name in names],
            N_("Weight"): [round(weights[name], 3) for name in names],
            N_("Alone, validation"): [round(alone.get(name, np.nan), 3) for name in names],
            N_("Alone against the blend, test"): [tested.get(name, "") for name in names],
        }
    )


def with_interval(
    frame: pd.DataFrame, columns: Mapping[str, str], title: str = N_("nDCG@10 (95 % interval)")
) -> pd.DataFrame:
    """Return the columns under new titles, and value, low and high as one text."""
    table = frame[list(columns)].rename(columns=dict(columns))
    return table.assign(**{title: [interval(*row) for row in frame[["value", "low", "high"]].itertuples(index=False)]})


def run_row(title: str, metrics: Mapping[str, Any], evaluation: pd.DataFrame, length: int = 10) -> dict[str, Any]:
    """Return one run as a row of the table of runs."""
    metric = f"ndcg@{length}"
    row: dict[str, Any] = {
        N_("Run"): title,
        N_("Data"): metrics.get("dataset", ""),
        N_("Users"): metrics.get("n_users"),
        N_("Tested on"): metrics.get("n_test_users"),
        N_("Groups"): metrics.get("n_groups"),
        N_("Preset"): metrics.get("preset", ""),
        N_("Encoder"): sentences.encoder_title(str(metrics.get("encoder", ""))),
    }
    personal = sentences.evaluated(evaluation, "individual", "individual", metric)
    row[N_("Personal lists")] = np.nan if personal is None else personal["value"]
    for regime, short_title in (("strict", "same list"), ("dedup", "skips owned")):
        shared = sentences.evaluated(evaluation, list_method(metrics, regime), regime, metric)
        for column, source in (("", "value"), (", share of gain", "share_of_gain")):
            row[f"Shared, {short_title}{column}"] = np.nan if shared is None else round(shared[source], 3)
    row[N_("Seconds")] = metrics.get("seconds")
    return row


def five_bars(evaluation: pd.DataFrame, split: gain.Split, regime: str, lists: str) -> pd.DataFrame:
    """Return what today's practice, one good list, the run's lists, personal lists and the best possible do.

    Returns:
        title, value, low, high (people of 100; the ends NaN where not known), ours. Rows without a value are left out.
    """
    floor = split.floor_method or gain.POPULARITY
    good = _("One good list for all")
    known = {
        _("Today: the most popular, for all"): (gain.POPULARITY, regime),
        good: (floor, regime),
        _("This list") if split.n_lists == 1 else _("These {n} lists").format(n=split.n_lists): (lists, regime),
        _("A list for everyone"): ("individual", "individual"),
    }
    rows, oracle = [], np.nan
    for title, (method, use) in known.items():
        found = sentences.evaluated(evaluation, method, use, gain.HITS)
        if title == good and floor == gain.POPULARITY:
            continue
        if found is None:
            rows.append((title, split.floor if method == floor else np.nan, np.nan, np.nan, False))
            continue
        ours = method == lists
        by = split.reached - found["value"] if ours else 0.0  # as the split was moved, where a curve was smoothed
        rows.append((title, found["value"] + by, found["low"] + by, found["high"] + by, ours))
        oracle = found["oracle"] if ours else oracle
    rows.append((_("Best possible for these groups"), oracle, np.nan, np.nan, False))
    frame = pd.DataFrame(rows, columns=["title", "value", "low", "high", "ours"]).dropna(subset="value")
    return frame.assign(**{name: 100 * frame[name] for name in ("value", "low", "high")}).reset_index(drop=True)
