"""The pictures of the Decide page: value, moves and money by number of lists. Equal input gives the same figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import _
from grouprec.core.tables import highest
from grouprec.report import enough_lists
from grouprec.report.palette import ACCENT, NEUTRAL, group_colour
from grouprec.report.text import literal, plural
from grouprec.ui.charts import DASHES, GRID, plain_layout, reference_titles

LEAST_FLOW = 0.01  # of the users: smaller bands cannot be told apart
LEAST_NAMED = 0.03  # of the users that are drawn: lower groups would cover one another's numbers
FLOWS_HEIGHT = 360
MONEY_HEIGHT = 280
REACH_HEIGHT = 220
MARK, OTHER = "circle", "circle-open"
FAR = 0.6  # of the numbers of lists


def reach_curve(hits: pd.DataFrame, chosen: int | None, enough: int | None) -> go.Figure:
    """Return how many people find something by the number of lists, between one good list and personal lists.

    Args:
        hits: n_groups, value (smoothed), low, high, floor, individual of people with a hit, ascending.
        chosen: the chosen number; None for personal lists.
        enough: the number that is enough, named by a line; None where none is.
    """
    x, shares = hits["n_groups"], 100 * hits[["value", "low", "high", "floor", "individual"]]
    titles = reference_titles(hits)
    traces = [_band(x, shares["low"], shares["high"])]
    for column in ("floor", "individual"):
        width = 3 if chosen is None and column == "individual" else 1.5
        line = {"color": ACCENT if width == 3 else NEUTRAL, "width": width, "dash": DASHES[column]}
        text = _("{titles}: %{{y:.0f}} of 100<extra></extra>").format(titles=titles[column])
        traces.append({"x": x, "y": shares[column], "mode": "lines", "line": line, "hovertemplate": text})
    traces.append(_line(x, shares["value"], _("Lists"), None, _("%{x} lists: %{y:.0f} of 100<extra></extra>")))
    if chosen is not None:
        traces.append(_mark(shares.assign(n_groups=x), "value", chosen, MARK))
    at_end: dict[str, Any] = {"x": 1, "xref": "paper", "xanchor": "right", "showarrow": False}
    if enough is not None and enough > FAR * x.max():  # the line there would cross what is written at the end
        at_end |= {"x": enough, "xref": "x"}
    layout = {
        **plain_layout(REACH_HEIGHT, top=8),
        "xaxis": {"title": {"text": _("number of lists")}, "gridcolor": GRID, "zeroline": False},
        "yaxis": {"title": {"text": _("people of 100")}, "rangemode": "tozero", "gridcolor": GRID, "zeroline": False},
        "annotations": [
            {"y": float(shares[column].iloc[0]), "text": titles[column], "yanchor": anchor, **at_end}
            for column, anchor in (("floor", "top"), ("individual", "bottom"))
        ],
    }
    figure = go.Figure(traces, layout)
    if enough is None:
        return figure
    figure.add_vline(x=enough, line={"width": 1, "dash": "dot", "color": NEUTRAL})
    where = {"x": enough, "y": 0, "yref": "paper", "yanchor": "bottom", "xanchor": "left", "showarrow": False}
    figure.add_annotation(text=f" {enough_lists.mark(enough, hits)}", **where)
    return figure


def money_curve(table: pd.DataFrame, n: int) -> go.Figure:
    """Return what the lists bring after their costs by their number, with the best number named.

    Args:
        table: n_groups, net, net_low, net_high, ascending.
        n: the chosen number.
    """
    x = table["n_groups"]
    text = _("%{x} lists: %{y:,.0f} after costs<extra></extra>")
    best = int(highest(table, "net")["n_groups"])
    said = {"text": _("<b>best: {best}</b>").format(best=best), "showarrow": False, "yshift": 20, "font": {"size": 12}}
    traces = [_band(x, table["net_low"], table["net_high"]), _line(x, table["net"], _("After costs"), None, text)]
    traces += [_mark(table, "net", at, symbol) for at, symbol in ((n, OTHER), (best, "star"))]
    zero = {"zeroline": True, "zerolinecolor": GRID}
    layout = {
        **plain_layout(MONEY_HEIGHT, top=28),
        "annotations": [{"x": best, "y": float(table["net"].max()), **said}],
        "xaxis": {"title": {"text": _("number of lists")}, "gridcolor": GRID, "zeroline": False},
        "yaxis": {"title": {"text": _("after costs")}, "tickformat": ",.0f", "gridcolor": GRID, **zero},
    }
    return go.Figure(traces, layout)


def small_flows(table: pd.DataFrame) -> pd.Series:
    """Return which flows are too small to be told apart: below a share of all users, and no group's largest.

    Args:
        table: before, after, users.
    """
    users = table["users"]
    largest = [users == table.groupby(side)["users"].transform("max") for side in ("before", "after")]
    return (users < LEAST_FLOW * users.sum()) & ~largest[0] & ~largest[1]


def flows(table: pd.DataFrame, before: int, after: int) -> go.Figure:
    """Return who goes from which group to which between two settings; small flows of all groups end in one grey place.

    Args:
        table: before, after, users.
        before, after: the numbers of lists.
    """
    left, right = np.unique(table["before"]), np.unique(table["after"])
    sizes = [table.groupby(side)["users"].sum() for side in ("before", "after")]  # also of what ends in the grey place
    small = small_flows(table)
    together = table[small].groupby("before", as_index=False)["users"].sum().assign(after=0)
    drawn = pd.concat([table[~small], together])
    source = np.searchsorted(left, drawn["before"])
    target = len(left) + np.where(drawn["after"] > 0, np.searchsorted(right, drawn["after"]), len(right))
    stays = (drawn["before"] == drawn["after"]).to_numpy()
    links = [
        _faint(_colour(group if other else 0), 0.45 if stay else 0.22)
        for group, other, stay in zip(drawn["before"], drawn["after"], stays, strict=True)
    ]
    nodes = [node for side in sizes for node in zip(side.index.tolist(), side.tolist(), strict=True)]
    nodes += [(0, int(together["users"].sum()))] if small.any() else []
    least = LEAST_NAMED * table["users"].sum()
    sankey = {
        "type": "sankey",
        "arrangement": "snap",
        "node": {
            "label": [(str(group) if group else _("small moves")) if n >= least else "" for group, n in nodes],
            "customdata": [f"{_node(group)}: {plural(n, 'user')}" for group, n in nodes],
            "color": [_colour(group) for group, _n in nodes],
            "pad": max(4, 60 // max(len(left), len(right))),
            "thickness": 14,
            "line": {"width": 0},
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "link": {
            "source": source,
            "target": target,
            "value": drawn["users"],
            "color": links,
            "customdata": [
                _("{users} from {first} to {second}").format(
                    users=plural(n, "user"), first=_node(first), second=_node(second)
                )
                for first, second, n in drawn[["before", "after", "users"]].to_numpy().tolist()
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        "textfont": {"size": 13},
    }
    above = {"y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
    titles = [
        {"x": x, "xanchor": anchor, "text": literal(plural(n, "list")), **above}
        for x, n, anchor in ((0, before, "left"), (1, after, "right"))
    ]
    return go.Figure([sankey], {**plain_layout(FLOWS_HEIGHT, top=28), "annotations": titles})


def _node(group: int) -> str:
    """Return what a place of the flows is called: 0 is where small ones end."""
    return _("group {group}").format(group=group) if group else _("small moves")


def _colour(group: int) -> str:
    return group_colour(group) if group else NEUTRAL


# Traces are plain: a figure checks them once, where traces of Plotly's classes, added one by one, take twice the time.


def _band(x: pd.Series, low: pd.Series, high: pd.Series) -> dict[str, Any]:
    ends = {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([high, low[::-1]])}
    hidden = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    return {**ends, "fill": "toself", "fillcolor": "rgba(100, 116, 216, 0.14)", **hidden}


def _line(x: pd.Series, y: pd.Series, name: str, custom: Any, text: str) -> dict[str, Any]:
    style = {"mode": "lines+markers", "line": {"color": ACCENT, "width": 2}, "marker": {"size": 5}}
    return {"x": x, "y": y, "name": name, "customdata": custom, "hovertemplate": text, **style}


def _mark(table: pd.DataFrame, column: str, at: int, symbol: str) -> dict[str, Any]:
    """Mark one number of lists on the line, where it was measured."""
    own = table[table["n_groups"] == at]
    marker = {"size": 15, "symbol": symbol, "color": ACCENT, "line": {"width": 2, "color": ACCENT}}
    ends = {"x": own["n_groups"], "y": own[column]}
    return {**ends, "mode": "markers", "marker": marker, "hoverinfo": "skip", "showlegend": False}


def _faint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
