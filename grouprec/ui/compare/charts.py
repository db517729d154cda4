"""Plotly figures of the comparison of groups and of what training costs. Equal input gives the identical figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import _
from grouprec.report.palette import ACCENT, COLOURS, NEUTRAL, text_on
from grouprec.report.text import count, group_label, score, short
from grouprec.ui.charts import GRID, literal, plain_layout, whiskers

SHADES = [[0, "#e8ebfb"], [1, "#4150b5"]]  # of the accent; opaque, so that numbers read on either background
SPECIAL = "diamond"  # what stands for all encoders of a run together


def group_heat(grid: pd.DataFrame, metric: str, most: float) -> go.Figure:
    """Return groups in rows and methods in columns, the darker the better.

    Args:
        grid: group, name, n_test_users, then a column of values each.
        metric: what a value is.
        most: the value that is darkest, the same for all pictures of a run.
    """
    rows = [group_label(group, short(name, 32)) for group, name in zip(grid["group"], grid["name"], strict=True)]
    titles = list(grid.columns[3:])
    values = grid[titles].to_numpy(dtype=float)
    tested = np.broadcast_to(grid["n_test_users"].map(count).to_numpy()[:, None], values.shape)
    heat = go.Heatmap(
        z=values,
        zmin=0,
        zmax=most,
        x=[literal(title) for title in titles],
        y=[literal(row) for row in rows],
        text=[[score(value) for value in row] for row in values],
        texttemplate="%{text}",
        customdata=tested,
        colorscale=SHADES,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate=_("%{{y}}<br>%{{x}}: %{{text}} {metric}<br>%{{customdata}} tested users<extra></extra>").format(
            metric=metric
        ),
    )
    figure = go.Figure(heat)
    figure.update_layout(
        **plain_layout(130 + 20 * len(rows), top=8),
        xaxis={"side": "top", "showgrid": False, "tickangle": -30 if len(titles) > 3 else 0},
        yaxis={"autorange": "reversed", "showgrid": False},
    )
    return figure


def _positions(seconds: pd.Series) -> list[str]:
    """Return where the names of points go: above and below by turns, as neighbours would cover one another."""
    return ["top right" if place % 2 else "bottom right" for place in seconds.rank(method="first").astype(int)]


def _ticks(seconds: pd.Series) -> dict[str, list]:
    """Return ticks at powers of ten, with 2 and 5 between them where there are few; Plotly's own are too small."""
    low, high = np.log10(seconds.clip(lower=0.01).agg(["min", "max"]))
    powers = 10.0 ** np.arange(np.floor(low), np.ceil(high) + 1)
    values = np.outer(powers, [1, 2, 5] if high - low < 2 else [1]).ravel().tolist()
    return {"tickvals": values, "ticktext": [f"{value:,g}" for value in values]}


def cost_against_quality(rows: pd.DataFrame, metric: str) -> go.Figure:
    """Return what training takes (seconds, each tick ten times the one before) against what it reaches.

    Args:
        rows: run, title, seconds, value, low, high, whole (bool: all encoders of the run together).
        metric: the title of the axis.
    """
    figure = go.Figure()
    named = rows["run"].iloc[0]  # encoders have their names at the first run only: more would cover one another
    for (run, part), colour in zip(rows.groupby("run", sort=False), [*COLOURS] * 8, strict=False):
        error = {"array": part["high"] - part["value"], "arrayminus": part["value"] - part["low"]}
        figure.add_trace(
            go.Scatter(
                x=part["seconds"].clip(lower=0.01),
                y=part["value"],
                error_y={"type": "data", "symmetric": False, "thickness": 1.5, "width": 0, **error},
                name=literal(run),
                mode="markers+text",
                text=part["title"].map(literal),
                textfont={"color": NEUTRAL if run == named else "rgba(0, 0, 0, 0)"},
                textposition=_positions(part["seconds"]),
                marker={
                    "size": 11,
                    "color": colour,
                    "symbol": [SPECIAL if whole else "circle" for whole in part["whole"]],
                    "line": {"width": 1, "color": NEUTRAL},
                },
                hovertemplate=_("%{text}: %{y:.3f} after %{x:.3g} s<extra>") + literal(run) + "</extra>",
                cliponaxis=False,
            )
        )
    figure.update_layout(
        **{
            **plain_layout(380),
            "showlegend": len([*figure.select_traces()]) > 1,
            "margin": {"l": 0, "r": 110, "t": 8, "b": 0},
        },
        xaxis={
            "title": _("seconds of training"),
            "type": "log",
            **_ticks(rows["seconds"]),
            "gridcolor": GRID,
            "zeroline": False,
        },
        yaxis={"title": metric, "gridcolor": GRID, "zeroline": False},
        legend={"orientation": "h", "y": -0.25},
    )
    return figure


def people_bars(rows: pd.DataFrame) -> go.Figure:
    """Return a bar per kind of list with its interval, the run's own in the accent.

    Args:
        rows: title, value, low, high (people of 100), ours.
    """
    bar = go.Bar(
        orientation="h",
        y=rows["title"],
        x=rows["value"],
        width=0.6,
        marker={"color": [ACCENT if ours else NEUTRAL for ours in rows["ours"]]},
        text=[f"{value:.0f}" for value in rows["value"]],
        textposition="inside",
        insidetextanchor="start",
        insidetextfont={"color": [text_on(ACCENT if ours else NEUTRAL) for ours in rows["ours"]], "size": 13},
        hovertemplate=_("%{y}: %{x:.1f} of 100<extra></extra>"),
    )
    layout = {
        **plain_layout(70 + 46 * len(rows), top=8),
        "xaxis": {"title": {"text": _("people of 100")}, "gridcolor": GRID, "zeroline": False, "rangemode": "tozero"},
        "yaxis": {"autorange": "reversed", "showgrid": False},
    }
    return go.Figure([bar, *whiskers(rows["value"], rows["title"], rows["low"], rows["high"])], layout)
