"""The moving pictures of the Updates page: ECharts, which moves marks from where they were to where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from grouprec.ui.palette import ACCENT, NEUTRAL, group_colour, text_on

POINTS = 1_500  # users drawn in the background
MAP_HEIGHT, CURVE_HEIGHT = 372, 120
GLIDE_MS = 400
_GRID = "rgba(128, 136, 150, 0.22)"


def travel_map(
    background: pd.DataFrame, groups: Mapping[str, int], places: tuple[np.ndarray, np.ndarray] | None
) -> dict[str, Any]:
    """Return a map of a sample of users, with one of them travelling.

    Args:
        background: x, y, group (from 1) of the sample.
        groups: role -> group (from 1) whose members stand out: "before" and "after" the last event.
        places: where the user was and is, float [2] each; None, or NaN, draws no user.
    """
    others = background[~background["group"].isin(groups.values())]
    series: list[dict[str, Any]] = [_dots("others", others, NEUTRAL, 0.22)]
    for role in ("before", "after"):
        members = background[background["group"] == groups[role]] if role in groups else background.iloc[:0]
        series.append(_dots(role, members, group_colour(groups.get(role, 1)), 0.55))
    series += _traveller(groups, places)
    axes = {name: _axis(background[name]) for name in ("x", "y")}
    return {
        "grid": {"left": 4, "right": 4, "top": 4, "bottom": 4},
        "xAxis": axes["x"],
        "yAxis": axes["y"],
        "tooltip": {"show": False},
        "legend": {"show": False},
        "animationDuration": 0,
        "animationDurationUpdate": GLIDE_MS,
        "series": series,
    }


def _dots(name: str, users: pd.DataFrame, colour: str, opacity: float) -> dict[str, Any]:
    return {
        "name": name,
        "type": "scatter",
        "data": users[["x", "y"]].astype(np.float64).round(3).to_numpy().tolist(),
        "symbolSize": 5,
        "itemStyle": {"color": colour, "opacity": opacity},
        "silent": True,
        "animation": False,
    }


def _traveller(groups: Mapping[str, int], places: tuple[np.ndarray, np.ndarray] | None) -> list[dict[str, Any]]:
    """Return the way that the user went, with an arrow, and their mark; empty series where there is nobody."""
    old, new = (
        ([place.round(3).tolist()] if np.isfinite(place).all() else [] for place in places) if places else ([], [])
    )
    colour = group_colour(groups.get("after", 1))
    way = {
        "name": "way",
        "type": "lines",
        "coordinateSystem": "cartesian2d",
        "data": [{"coords": [old[0], new[0]]}] if old and new and old != new else [],
        "symbol": ["circle", "arrow"],
        "symbolSize": [6, 13],
        "lineStyle": {"color": NEUTRAL, "width": 2, "type": "solid", "opacity": 1},
        "silent": True,
        "z": 4,
        "animation": False,
    }
    mark = {
        "name": "user",
        "type": "scatter",
        "data": new or old,
        "symbolSize": 26,
        "itemStyle": {"color": colour, "borderColor": "#ffffff", "borderWidth": 2, "opacity": 1},
        "label": {"show": True, "formatter": str(groups.get("after", "")), "color": text_on(colour), "fontWeight": 600},
        "silent": True,
        "z": 5,
    }
    return [way, mark]


def _axis(values: pd.Series) -> dict[str, Any]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = 0.06 * max(high - low, 1e-6)
    return {"type": "value", "show": False, "min": round(low - margin, 3), "max": round(high + margin, 3)}


def moved_curve(curve: pd.DataFrame) -> dict[str, Any]:
    """Return how many users had moved after how many events, as a small area; ``curve`` of :meth:`Replay.curve`."""
    axis = {"type": "value", "axisLabel": {"fontSize": 10}, "splitLine": {"lineStyle": {"color": _GRID}}}
    return {
        "grid": {"left": 4, "right": 18, "top": 8, "bottom": 0, "containLabel": True},
        "dataset": {"source": curve},
        "xAxis": {**axis, "max": "dataMax", "splitLine": {"show": False}, "minInterval": 1},
        "yAxis": {**axis, "minInterval": 1, "splitNumber": 2},
        "tooltip": {"trigger": "axis"},
        "animation": False,
        "series": [
            {
                "name": "users moved",
                "type": "line",
                "encode": {"x": "events", "y": "users"},
                "showSymbol": False,
                "lineStyle": {"color": ACCENT, "width": 2},
                "itemStyle": {"color": ACCENT},
                "areaStyle": {"color": ACCENT, "opacity": 0.15},
            }
        ],
    }
