"""Tables to Plotly figures. Nothing here reads a run or draws on a page; equal input gives the identical figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import _
from grouprec.report.gain import floor_of, floor_title
from grouprec.report.palette import ACCENT, COLOURS, NEUTRAL
from grouprec.report.text import literal

MAP_HEIGHT = 500
WHISKER, RIM = "#2b3140", "rgba(255, 255, 255, 0.7)"
GRID = "rgba(128, 136, 150, 0.22)"
CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]}
QUIET_CONFIG = {"displayModeBar": False}
LEGEND_ABOVE = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}  # beside, it takes half of a phone
DASHES = {"floor": "dot", "individual": "dash", "oracle": "dashdot"}  # of what a value is measured against


def method_dots(rows: pd.DataFrame, marks: dict[str, float], metric: str) -> go.Figure:
    """Return one dot with its interval per method, and vertical lines at the reference values.

    Args:
        rows: title, regime, value, low, high, ours (bool: drawn in the accent), best first; personal lists
            (regime "individual") get an open dot.
        marks: what the line is -> its value; lines without a value are left out.
        metric: the title of the axis.
    """
    ordered = rows.iloc[::-1]
    figure = go.Figure()
    for ours, colour in ((False, NEUTRAL), (True, ACCENT)):
        part = ordered[ordered["ours"] == ours]
        error = {
            "array": part["high"] - part["value"],
            "arrayminus": part["value"] - part["low"],
            "thickness": 2,
            "width": 0,
        }
        figure.add_trace(
            go.Scatter(
                x=part["value"],
                y=part["title"].map(literal),
                error_x={"type": "data", "symmetric": False, **error},
                mode="markers",
                marker={
                    "size": 10,
                    "color": colour,
                    "symbol": ["circle-open" if regime == "individual" else "circle" for regime in part["regime"]],
                },
                hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            )
        )
    known = sorted((value, name) for name, value in marks.items() if np.isfinite(value))
    for level, (value, name) in enumerate(known):
        figure.add_vline(x=value, line={"width": 1, "dash": "dot", "color": NEUTRAL})
        label = {"text": literal(name), "x": value, "y": 1.0, "xref": "x", "yref": "paper", "showarrow": False}
        figure.add_annotation(**label, yanchor="bottom", yshift=2 + 16 * level, font={"size": 12, "color": NEUTRAL})
    figure.update_layout(
        **plain_layout(126 + 20 * len(rows), top=60),
        xaxis={"title": metric, "rangemode": "tozero", "gridcolor": GRID, "zeroline": False},
        yaxis={"categoryorder": "array", "categoryarray": ordered["title"].map(literal).tolist(), "showgrid": False},
    )
    return figure


def reference_titles(rows: pd.DataFrame) -> dict[str, str]:
    """Return what the columns that a value is measured against are called; the floor's name is the run's."""
    return {"floor": floor_title(floor_of(rows)), "individual": _("Personal lists"), "oracle": _("Best possible")}


def value_lines(
    curves: Mapping[str, pd.DataFrame], references: pd.DataFrame, chosen: int, metric: str, ours: str
) -> go.Figure:
    """Return the value of the lists against their number, one line with its band per method.

    Args:
        curves: title -> n_groups, value, low, high, ascending.
        references: n_groups, floor, individual, oracle, ascending; those that are NaN throughout are left out.
        chosen: the run's number of groups, marked by a vertical line.
        metric: the title of the axis.
        ours: the title of the run's own method, drawn in the accent.
    """
    figure = go.Figure()
    others = iter(COLOURS[1:])
    for title, curve in curves.items():
        colour = ACCENT if title == ours else next(others)
        x = curve["n_groups"].to_numpy()
        band = {"x": np.concatenate([x, x[::-1]]), "y": np.concatenate([curve["high"], curve["low"][::-1]])}
        hidden = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_trace(go.Scatter(**band, fill="toself", fillcolor=_faint(colour), **hidden))
        line = {"color": colour, "width": 2}
        text = _("%{x} lists: %{y:.3f}<extra></extra>")
        figure.add_trace(
            go.Scatter(x=x, y=curve["value"], name=literal(title), mode="lines+markers", line=line, hovertemplate=text)
        )
    for column, title in reference_titles(references).items():
        if references[column].notna().any():
            line = {"color": NEUTRAL, "width": 1.5, "dash": DASHES[column]}
            x, y = references["n_groups"], references[column]
            text = title + ": %{y:.3f}<extra></extra>"
            figure.add_trace(go.Scatter(x=x, y=y, name=title, mode="lines", line=line, hovertemplate=text))
    figure.add_vline(x=chosen, line={"width": 1, "dash": "dot", "color": NEUTRAL})
    figure.add_annotation(
        x=chosen, y=0, yref="paper", yanchor="bottom", xanchor="left", text=_(" this run"), showarrow=False
    )
    figure.update_layout(
        **{**plain_layout(400, top=64), "showlegend": True},
        xaxis={"title": _("number of lists"), "gridcolor": GRID, "zeroline": False},
        yaxis={"title": metric, "rangemode": "tozero", "gridcolor": GRID, "zeroline": False},
        legend=LEGEND_ABOVE,
    )
    return figure


def steps(rows: pd.DataFrame, metric: str) -> go.Figure:
    """Return a waterfall: what every step adds to the one before, with its 95 % interval.

    Args:
        rows: title, value, added, low, high, in the order of the steps; the first one's ``added`` is NaN.
        metric: the title of the axis.
    """
    added, start = rows["added"].fillna(rows["value"]), (rows["value"] - rows["added"]).fillna(0)
    colours = [_verdict_colour(low, high) for low, high in zip(rows["low"], rows["high"], strict=True)]
    titles = rows["title"].map(literal)
    bar = go.Bar(
        orientation="h",
        y=titles,
        base=start,
        x=added,
        marker={"color": colours},
        width=0.5,
        customdata=rows[["value"]].to_numpy(),
        hovertemplate="%{y}: %{customdata[0]:.3f}<extra></extra>",
    )
    figure = go.Figure([bar, *whiskers(start + added, titles, start + rows["low"], start + rows["high"])])
    figure.update_layout(
        **plain_layout(56 + 23 * len(rows), top=8),
        xaxis={"title": metric, "gridcolor": GRID, "zeroline": False},
        yaxis={"autorange": "reversed", "showgrid": False},
    )
    return figure


def whiskers(x: pd.Series, y: pd.Series, low: pd.Series, high: pd.Series) -> list[go.Scatter]:
    """Return intervals that are seen on a bar of any colour and beside it, on either background: dark in a light rim.

    Args:
        x, y: where every interval belongs.
        low, high: its ends along x.
    """
    ends = {"type": "data", "symmetric": False, "array": high - x, "arrayminus": x - low}
    looks = ({"color": RIM, "thickness": 4, "width": 5}, {"color": WHISKER, "thickness": 2, "width": 4})
    nothing = {"mode": "markers", "marker": {"size": 0.1, "opacity": 0}, "hoverinfo": "skip", "showlegend": False}
    return [go.Scatter(x=x, y=y, error_x={**ends, **look}, **nothing) for look in looks]


def _verdict_colour(low: float, high: float) -> str:
    """Accent where the whole interval is a gain, orange where it is a loss, grey where it spans 0."""
    return ACCENT if low > 0 else COLOURS[4] if high < 0 else NEUTRAL


def by_count(curves: Mapping[str, pd.DataFrame], axis: str, metric: str, ours: str) -> go.Figure:
    """Return one line per method over a few counts, which stand at equal distances, with intervals.

    Args:
        curves: title -> count, value, low, high, ascending.
        axis, metric: the titles of the axes.
        ours: the title that is drawn in the accent.
    """
    figure = go.Figure()
    others = iter(COLOURS[1:])
    for title, curve in curves.items():
        colour = ACCENT if title == ours else next(others)
        error = {"array": curve["high"] - curve["value"], "arrayminus": curve["value"] - curve["low"]}
        figure.add_trace(
            go.Scatter(
                x=curve["count"].astype(str),
                y=curve["value"],
                error_y={"type": "data", "symmetric": False, "thickness": 2, "width": 0, **error},
                name=literal(title),
                mode="lines+markers",
                line={"color": colour, "width": 2},
                hovertemplate=_("%{x} known: %{y:.3f}<extra></extra>"),
            )
        )
    figure.update_layout(
        **{**plain_layout(236, top=48), "showlegend": True},
        xaxis={"title": axis, "type": "category", "showgrid": False},
        yaxis={"title": metric, "rangemode": "tozero", "gridcolor": GRID, "zeroline": False},
        legend=LEGEND_ABOVE,
    )
    return figure


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.13)"


def plain_layout(height: int, top: int = 44) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 0, "r": 16, "t": top, "b": 0},
        "showlegend": False,
        "hovermode": "closest",
    }
