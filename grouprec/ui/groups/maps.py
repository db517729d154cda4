"""What the map of users bears beyond its points, the map in three dimensions, and who is inside an outline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.ndimage import gaussian_filter

from grouprec.core.language import _
from grouprec.core.tables import named_rows
from grouprec.explore.users import Space
from grouprec.report.palette import NEUTRAL, group_colour, text_on
from grouprec.report.text import literal, percent
from grouprec.ui import map_labels
from grouprec.ui.charts import GRID, MAP_HEIGHT
from grouprec.ui.map_figure import UserMap, map_parts

MOST_IN_SPACE = 10_000  # points in three dimensions that a laptop still turns smoothly
NUMBERS_APART = 0.075  # of the longest side of the picture in space, as it is seen at first
CELLS = 90  # along either side of the grid that density is counted on
SMOOTH = 2.0  # cells, the standard deviation of what a user is smeared over
LINES = 8
CAMERA = {"eye": {"x": 1.25, "y": 1.25, "z": 0.75}, "center": {"x": 0, "y": 0, "z": -0.08}}


def add_density(figure: go.Figure, users: pd.DataFrame) -> None:
    """Draw lines of equal density of all users who have a position, behind the points."""
    placed = users[["x", "y"]].dropna().to_numpy(np.float64)
    if len(placed) < 2:
        return
    margin = 0.08 * np.maximum(np.ptp(placed, axis=0), 1e-6)
    ends = np.stack([placed.min(axis=0) - margin, placed.max(axis=0) + margin], axis=1)
    counts, x, y = np.histogram2d(*placed.T, bins=CELLS, range=ends)
    density = np.sqrt(gaussian_filter(counts, SMOOTH)).T.astype(np.float32)  # the root shows thin regions, too
    step = float(density.max()) / (LINES + 1)
    figure.add_trace(
        go.Contour(
            x=((x[:-1] + x[1:]) / 2).astype(np.float32),
            y=((y[:-1] + y[1:]) / 2).astype(np.float32),
            z=density,
            contours={"coloring": "none", "start": step, "end": step * LINES, "size": step},
            line={"color": NEUTRAL, "width": 1},
            showscale=False,
            showlegend=False,
            hoverinfo="skip",
        )
    )


def add_user(figure: go.Figure, users: pd.DataFrame, row: int, near: np.ndarray) -> None:
    """Mark a user by a star and those who are most like them by rings; who has no position is not marked.

    Args:
        near: int, rows of the others.
    """
    user, others = users.iloc[row], users.iloc[near].dropna(subset=["x", "y"])
    ring = {"size": 13, "symbol": "circle-open", "line": {"width": 2.5}, "color": NEUTRAL}
    quiet = {"mode": "markers", "showlegend": False, "hoverinfo": "skip"}
    figure.add_trace(go.Scatter(x=others["x"], y=others["y"], marker=ring, **quiet))
    if np.isfinite(user["x"]) and np.isfinite(user["y"]):
        colour = group_colour(int(user["group"]))
        star = {"size": 22, "symbol": "star", "color": colour, "line": {"width": 2, "color": text_on(colour)}}
        figure.add_trace(go.Scatter(x=[user["x"]], y=[user["y"]], marker=star, **quiet))


def spatial_map(
    users: pd.DataFrame, space: Space, names: dict[int, str], colour: str, lit: np.ndarray | None, marked: int | None
) -> UserMap:
    """Return the users in three dimensions; those beyond ``MOST_IN_SPACE`` are left out by chance, always the same.

    Args:
        users: the U users of the fit, a beginning of the run's users table or all of it.
        colour, lit: as in :func:`~grouprec.ui.map_figure.user_map`.
        marked: row of a user who gets a mark.
    """
    n = len(space.positions)
    rows = np.arange(n)
    if n > MOST_IN_SPACE:
        rows = np.sort(np.random.default_rng(0).choice(n, MOST_IN_SPACE, replace=False))
    parts = map_parts(users, rows if lit is None else rows[lit[rows]], names, colour)
    if lit is not None:
        parts.insert(0, (_("others"), rows[~lit[rows]], {"color": NEUTRAL, "opacity": 0.12}))
    figure = go.Figure([_points(space.positions, part, title, marker) for title, part, marker in parts])
    if marked is not None and marked < n:
        star = {"size": 9, "symbol": "diamond", "color": group_colour(int(users["group"].iloc[marked]))}
        figure.add_trace(
            _points(space.positions, np.array([marked]), _("found"), {**star, "line": {"width": 3, "color": NEUTRAL}})
        )
    axis = {
        "showticklabels": False,
        "showspikes": False,
        "backgroundcolor": "rgba(0,0,0,0)",
        "gridcolor": GRID,
        "zerolinecolor": GRID,
    }
    titles = [
        _("direction {at} ({share})").format(at=at, share=percent(share))
        for at, share in enumerate(space.shares, start=1)
    ]
    scene: dict[str, object] = {
        f"{name}axis": {**axis, "title": title} for name, title in zip("xyz", titles, strict=True)
    }
    if colour == "group":
        scene["annotations"] = _numbers(
            space.positions, users["group"].to_numpy()[:n], rows if lit is None else np.flatnonzero(lit[:n])
        )
    by_legend = colour != "group" and len(parts) > 1
    figure.update_layout(
        height=MAP_HEIGHT,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        scene={**scene, "aspectmode": "data", "camera": CAMERA},
        showlegend=by_legend,
        legend={"itemsizing": "constant", "bgcolor": "rgba(0,0,0,0)", "x": 0, "y": 1},
    )
    return UserMap(figure, len(rows), n)


def _numbers(positions: np.ndarray, groups: np.ndarray, rows: np.ndarray) -> list[dict[str, Any]]:
    """Return the number of every group at the median of its members in space; ``rows`` are those who count.

    One that would cover that of a larger group, as the picture is seen at first, is left out.
    """
    members = pd.DataFrame(positions[rows], columns=["x", "y", "z"]).groupby(groups[rows])
    places = members.median().loc[members.size().sort_values(ascending=False, kind="stable").index]
    seen, least = places.to_numpy() @ _screen(), NUMBERS_APART * float(np.ptp(positions, axis=0).max())
    apart = np.zeros(len(places), bool)
    for at, place in enumerate(seen):
        apart[at] = (np.abs(seen[apart] - place).max(axis=1) >= least).all()
    shown = places[apart].sort_index()
    return [
        {**map_labels.mark(int(group)), "x": float(place.x), "y": float(place.y), "z": float(place.z)}
        for group, place in zip(shown.index, named_rows(shown), strict=True)
    ]


def _screen() -> np.ndarray:
    """Return the directions in space that go to the right and up as the picture is seen at first, float [3, 2]."""
    ahead = np.array([CAMERA["eye"][axis] - CAMERA["center"][axis] for axis in "xyz"])
    right = np.cross([0.0, 0.0, 1.0], ahead)
    up = np.cross(ahead, right)
    return np.stack([right / np.linalg.norm(right), up / np.linalg.norm(up)], axis=1)


def _points(positions: np.ndarray, rows: np.ndarray, name: str, marker: Mapping[str, Any]) -> go.Scatter3d:
    x, y, z = positions[rows].T
    look = {"size": 2.6, "opacity": 0.8, **marker}
    if look.get("symbol") not in ("circle", "diamond", "square", "cross"):  # all that are drawn in space
        look["symbol"] = "circle"
    return go.Scatter3d(x=x, y=y, z=z, mode="markers", name=literal(name), marker=look, hoverinfo="name")


def inside(event: Any, users: pd.DataFrame) -> np.ndarray:
    """Return all users within the outlines and boxes of a selection, also those who are not drawn: rows, int64."""
    selection = event["selection"] if event else {}
    x, y = users["x"].to_numpy(np.float64), users["y"].to_numpy(np.float64)
    found = np.zeros(len(users), bool)
    for box in selection.get("box", []):
        (left, right), (bottom, top) = sorted(box["x"]), sorted(box["y"])
        found |= (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
    for outline in selection.get("lasso", []):
        found |= _within(x, y, np.array(outline["x"], np.float64), np.array(outline["y"], np.float64))
    return np.flatnonzero(found)


def _within(x: np.ndarray, y: np.ndarray, corners_x: np.ndarray, corners_y: np.ndarray) -> np.ndarray:
    """Return which points a closed outline holds (a ray to the right crosses it an odd number of times), bool [n].

    A side is asked only of the points that are as high as it: an outline by hand has hundreds of sides.
    """
    near = np.flatnonzero((y >= corners_y.min()) & (y <= corners_y.max()) & (x <= corners_x.max()))
    near = near[np.argsort(y[near])]
    x, y, odd, found = x[near], y[near], np.zeros(len(near), bool), np.zeros(len(x), bool)
    ends = zip(np.roll(corners_x, 1), np.roll(corners_y, 1), corners_x, corners_y, strict=True)
    for from_x, from_y, to_x, to_y in ends:
        if from_y == to_y:
            continue
        first, last = np.searchsorted(y, sorted((from_y, to_y)))
        odd[first:last] ^= x[first:last] < from_x + (y[first:last] - from_y) * (to_x - from_x) / (to_y - from_y)
    found[near] = odd
    return found
