"""The moving pictures of the Updates page: ECharts, which moves marks from where they were to where they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.language import _
from grouprec.report.palette import ACCENT, NEUTRAL, group_colour, text_on

POINTS = 1_500  # users drawn in the background
MAP_HEIGHT, CURVE_HEIGHT = 330, 90
MARK_SIZE = 26
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
        series.append(_dots(role, members, group_colour(groups.get(role, 1)), 0.7, 7))
    axes = {name: _axis(background[name]) for name in ("x", "y")}
    series += _traveller(groups, places, axes)
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


def _dots(name: str, users: pd.DataFrame, colour: str, opacity: float, size: int = 5) -> dict[str, Any]:
    return {
        "name": name,
        "type": "scatter",
        "data": users[["x", "y"]].astype(np.float64).round(3).to_numpy().tolist(),
        "symbolSize": size,
        "itemStyle": {"color": colour, "opacity": opacity},
        "silent": True,
        "animation": False,
    }


def _traveller(
    groups: Mapping[str, int], places: tuple[np.ndarray, np.ndarray] | None, axes: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the way that the user went, with an arrow, and their mark; empty series where there is nobody."""
    old, new = (
        ([place.round(3).tolist()] if np.isfinite(place).all() else [] for place in places) if places else ([], [])
    )
    went = bool(old and new and old != new)
    colour = group_colour(groups.get("after", 1))
    way = {
        "name": "way",
        "type": "lines",
        "coordinateSystem": "cartesian2d",
        "data": [{"coords": [old[0], _short_of(old[0], new[0], axes)]}] if went else [],
        "symbol": ["circle", "arrow"],
        "symbolSize": [6, 12],
        "lineStyle": {"color": NEUTRAL, "width": 2, "type": "solid", "opacity": 1},
        "silent": True,
        "z": 4,
        "animation": False,
    }
    mark = {
        "name": "user",
        "type": "scatter",
        "data": new or old,
        "symbolSize": MARK_SIZE,
        "itemStyle": {"color": colour, "borderColor": "#ffffff", "borderWidth": 2, "opacity": 1},
        "label": {"show": True, "formatter": str(groups.get("after", "")), "color": text_on(colour), "fontWeight": 600},
        "silent": True,
        "z": 5,
    }
    return [way, mark]


def _short_of(old: list[float], new: list[float], axes: Mapping[str, dict[str, Any]]) -> list[float]:
    """Return the end of an arrow that stops where the mark at its target begins, on a map about as wide as high."""
    sizes = np.array([axes[name]["max"] - axes[name]["min"] for name in ("x", "y")]) / MAP_HEIGHT
    way = np.subtract(new, old)
    length = float(np.linalg.norm(way / sizes))
    return (np.array(old) + way * max(0.0, 1 - MARK_SIZE / 2 / length)).round(3).tolist()


def _axis(values: pd.Series) -> dict[str, Any]:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    margin = 0.06 * max(high - low, 1e-6)
    return {"type": "value", "show": False, "min": round(low - margin, 3), "max": round(high + margin, 3)}


def moved_curve(curve: pd.DataFrame) -> dict[str, Any]:
    """Return how many users had moved after how many events, as a small area; ``curve`` of :meth:`Replay.curve`."""
    axis = {"type": "value", "axisLabel": {"fontSize": 12}, "splitLine": {"lineStyle": {"color": _GRID}}}
    return {
        "grid": {"left": 4, "right": 18, "top": 8, "bottom": 0, "containLabel": True},
        "dataset": {"source": curve},
        "xAxis": {**axis, "max": "dataMax", "splitLine": {"show": False}, "minInterval": 1},
        "yAxis": {**axis, "minInterval": 1, "splitNumber": 2},
        "tooltip": {"trigger": "axis"},
        "animation": False,
        "series": [
            {
                "name": _("users moved"),
                "type": "line",
                "encode": {"x": "events", "y": "users"},
                "showSymbol": False,
                "lineStyle": {"color": ACCENT, "width": 2},
                "itemStyle": {"color": ACCENT},
                "areaStyle": {"color": ACCENT, "opacity": 0.15},
            }
        ],
    }
