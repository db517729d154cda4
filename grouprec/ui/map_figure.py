"""The map of users as a Plotly figure: a point for everybody, and beyond 20,000 users a picture of how many are where.

Equal input gives the identical figure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import _, passage
from grouprec.report.palette import COLOURS, NEUTRAL, SCALE, group_colour, group_symbol, text_on
from grouprec.report.text import count, literal
from grouprec.ui import map_labels, map_picture
from grouprec.ui.charts import MAP_HEIGHT

MOST_POINTS = 20_000  # drawn at once; a lasso over all of them comes back to the server in less than 3 MB
MOST_CATEGORIES = 8
FADED = 0.25  # of the opacity of users who are not among the selected
OTHERS = 0.18  # opacity of users who are not lit
_Part = tuple[str, np.ndarray, dict[str, Any]]  # title, rows of users, marker


@dataclass(frozen=True, eq=False)
class UserMap:
    """A map of users, whose points bear their user row.

    Attributes:
        drawn: how many of the ``placed`` users, those with a position, are points of their own.
        cells: int64 [U], where most users are a picture: its cell that a point stands for, by its user; -1 for users
            who are a point of their own or have no position. None where nobody is in a picture.
    """

    figure: go.Figure
    drawn: int
    placed: int
    cells: np.ndarray | None = None

    @property
    def note(self) -> str:
        """Say who is not drawn as a point, "" where everybody is."""
        if self.drawn == self.placed:
            return ""
        if self.cells is None:
            return _("{drawn} of {placed} users are drawn, chosen at random.").format(
                drawn=count(self.drawn), placed=count(self.placed)
            )
        said = _(
            "A place has the colour of most users, or of their mean, the fuller the more of the {placed} are there."
        )
        points = _("Of those in view, each is a point.") if self.drawn else ""
        return passage(said.format(placed=count(self.placed)), points)


@dataclass(frozen=True, eq=False)
class _Scene:
    """Who is drawn how: the users table, their places, and which of them are lit and selected; None for no matter."""

    users: pd.DataFrame
    names: dict[int, str]
    colour: str
    x: np.ndarray
    y: np.ndarray
    lit: np.ndarray | None
    selected: np.ndarray | None

    def parts(self, rows: np.ndarray) -> list[_Part]:
        return map_parts(self.users, rows, self.names, self.colour)

    def bright(self, rows: np.ndarray) -> np.ndarray:
        """Return which of the rows are seen first, bool."""
        found = np.ones(len(rows), bool) if self.lit is None else self.lit[rows]
        return found if self.selected is None else found & self.selected[rows]

    def layers(self, rows: np.ndarray) -> list[map_picture.Layer]:
        """Return how a picture of some users is painted."""
        bright = self.bright(rows)
        seen = map_picture.Layer(self.parts(rows[bright]))
        if bright.all():
            return [seen]
        if self.lit is None:
            return [map_picture.Layer(self.parts(rows[~bright]), FADED), seen]
        return [map_picture.Layer([("", rows[~bright], {"color": NEUTRAL})], OTHERS), seen]


def user_map(
    users: pd.DataFrame,
    names: dict[int, str],
    colour: str = "group",
    lit: np.ndarray | None = None,
    view: map_labels.View | None = None,
    height: int = map_labels.HEIGHT,
    selected: np.ndarray | None = None,
) -> UserMap:
    """Return the map of users: points, or a picture with points where a view has few enough of them.

    Points are one WebGL trace per group or category, or one with a colour scale.

    Args:
        users: the run's users table; users without a position are left out.
        names: group -> what it is called.
        colour: as in :func:`map_parts`.
        lit: bool, one per user: the others are drawn in grey, without labels; None for nobody.
        view: the part of the map to show; all of it where None.
        height: of the map in pixels, by which labels keep apart.
        selected: int, rows of users who are selected when the map appears; without any, everybody looks the same.
    """
    x, y = users["x"].to_numpy(np.float32), users["y"].to_numpy(np.float32)
    placed = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    chosen = None if selected is None or not len(selected) else np.isin(np.arange(len(users)), selected)
    scene = _Scene(users, names, colour, x, y, lit, chosen)
    figure, points, cells = go.Figure(layout=_map_layout()), placed, None
    if len(placed) > MOST_POINTS:
        points, cells = _add_pictures(figure, scene, placed, view)
    if cells is None or len(points):
        _add_points(figure, scene, points)
    if colour == "group" and len(placed):
        figure.update_layout(annotations=_labels(scene, placed, view, height))
    elif not is_scale(users[colour]):
        figure.update_layout(showlegend=True)
    if view is not None:
        figure.update_layout(xaxis_range=view.x, yaxis_range=view.y)
    return UserMap(figure, len(points), len(placed), cells)


def _labels(scene: _Scene, placed: np.ndarray, view: map_labels.View | None, height: int) -> list[dict[str, Any]]:
    """Return the names of the groups, where those of their users lie who are lit."""
    shown = view or map_labels.view_of(scene.x[placed], scene.y[placed])
    labelled = placed if scene.lit is None else placed[scene.lit[placed]]
    groups = scene.users["group"].to_numpy()
    return map_labels.labels(scene.x, scene.y, groups, labelled, scene.names, shown, height)


def _add_points(figure: go.Figure, scene: _Scene, rows: np.ndarray) -> None:
    """Draw some users as points of their own, those who are not lit in grey behind the others."""
    size = 7 if len(rows) < 2_000 else 5 if len(rows) < 12_000 else 3
    parts = scene.parts(rows if scene.lit is None else rows[scene.lit[rows]])
    if scene.lit is not None:
        parts.insert(0, (_("others"), rows[~scene.lit[rows]], {"color": NEUTRAL, "opacity": OTHERS}))
    for title, part, marker in parts:
        trace = _points(scene, part, title, {"size": size, "opacity": 0.75, **marker})
        trace.update(hoverinfo="name", unselected={"marker": {"opacity": 0.12}})
        if scene.selected is not None:
            trace.update(selectedpoints=np.flatnonzero(scene.selected[part]))
        figure.add_trace(trace)


def _add_pictures(
    figure: go.Figure, scene: _Scene, placed: np.ndarray, view: map_labels.View | None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw users as a picture, those in a view as one of their own; as none, where they are few enough for points.

    Returns:
        the rows of those who are left to be points, and the cells of :class:`UserMap`.
    """
    x, y = scene.x, scene.y
    whole = map_labels.view_of(x[placed], y[placed])
    inside = np.zeros(len(placed), bool) if view is None else view.holds(x[placed], y[placed])
    parts, points = [(whole, placed[~inside])], placed[inside]
    if view is not None and len(points) > MOST_POINTS:
        parts, points = [*parts, (view, points)], points[:0]
    cells, first, images = np.full(len(x), -1, np.int64), 0, []
    for region, rows in parts:
        images.append(map_picture.image(map_picture.fine(region, len(rows)), x, y, scene.layers(rows)))
        grid = map_picture.coarse(region)
        cells[rows] = first + grid.cells(x[rows], y[rows])
        first += grid.size
        bright = scene.bright(rows)
        for some in (rows[bright], rows[~bright]):
            _add_pointed_at(figure, scene, grid, some)
    if not len(points):
        _add_legend(figure, scene, placed)
    figure.update_layout(images=images, xaxis_range=whole.x, yaxis_range=whole.y)
    return points, cells


def _add_pointed_at(figure: go.Figure, scene: _Scene, grid: map_picture.Grid, rows: np.ndarray) -> None:
    """Add points that nobody sees, one of every cell with users, to be hovered and clicked."""
    parts = scene.parts(rows) if len(rows) else []
    found = map_picture.to_point_at(grid, scene.x, scene.y, parts)
    for (title, _own, marker), (part, users) in zip(parts, found, strict=True):
        if not len(part):
            continue
        colour = marker["color"] if isinstance(marker["color"], str) else NEUTRAL
        trace = _points(scene, part, title, {"color": colour, "opacity": 0, "size": 6})
        told = "%{fullData.name}<br>" + _("Users here: {users}").format(users="%{text}") + "<extra></extra>"
        trace.update(text=[f"{one:,}" for one in users.tolist()], hovertemplate=told, showlegend=False)
        figure.add_trace(trace)


def _add_legend(figure: go.Figure, scene: _Scene, rows: np.ndarray) -> None:
    """Add what the legend, or the scale, is of: a trace with one point that is nowhere for every part."""
    if scene.colour == "group":  # whose labels stand on the map
        return
    nowhere = np.full(1, np.nan, np.float32)
    for title, own, marker in scene.parts(rows):
        if len(own):
            shown = {**marker, "color": marker["color"] if isinstance(marker["color"], str) else nowhere}
            figure.add_trace(go.Scattergl(x=nowhere, y=nowhere, name=literal(title), mode="markers", marker=shown))


def map_parts(users: pd.DataFrame, rows: np.ndarray, names: dict[int, str], colour: str) -> list[_Part]:
    """Return what the points of a map are drawn as: title, rows and marker of every trace.

    Args:
        rows: of the users who are drawn.
        colour: a column of ``users``: "group", a numeric one (a colour scale; the outer 2 % at either end share
            its end colours), or any other (its most frequent values, the rest grey).
    """
    column = users[colour]
    if colour == "group":
        members = map_labels.members_of(column.to_numpy(), rows)
        marks = {group: {"color": group_colour(group), "symbol": group_symbol(group)} for group in names}
        return [(names[group], members.get(group, rows[:0]), marker) for group, marker in marks.items()]
    if is_scale(column):
        return [(colour, rows, _scale(column.to_numpy(np.float32, na_value=np.nan), rows))]
    codes, titles = _categories(column)
    colours = [*COLOURS[: len(titles) - 1], NEUTRAL]
    return [(title, rows[codes[rows] == code], {"color": colours[code]}) for code, title in enumerate(titles)]


def is_scale(column: pd.Series) -> bool:
    """Whether a column is coloured by a scale: numbers, but not truth values."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _points(scene: _Scene, rows: np.ndarray, name: str, marker: Mapping[str, Any]) -> go.Scattergl:
    return go.Scattergl(
        x=scene.x[rows],
        y=scene.y[rows],
        customdata=rows.astype(np.int32),
        name=literal(name),
        mode="markers",
        marker=dict(marker),
        hoverlabel={"namelength": -1},
    )


def _scale(values: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [2, 98]) if len(known) else (0.0, 1.0)
    bar = {"thickness": 10, "len": 0.5, "outlinewidth": 0, "x": 1.0}
    ends = {"cmin": float(low), "cmax": float(high) if high > low else float(low) + 1}
    return {"color": values[rows], "colorscale": list(SCALE), "colorbar": bar, **ends}


def _categories(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return a code per row and the titles: the most frequent values, then one for all others and missing ones."""
    text = column.astype("str")
    frequent = text.value_counts().head(MOST_CATEGORIES).index
    codes = frequent.get_indexer(pd.Index(text))
    return np.where(codes < 0, len(frequent), codes), [*(str(value) for value in frequent), _("other or missing")]


def _map_layout() -> dict[str, Any]:
    axis = {"visible": False, "showgrid": False, "zeroline": False}
    return {
        "height": MAP_HEIGHT,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x"},
        "dragmode": "lasso",
        "hovermode": "closest",
        "showlegend": False,
        "legend": {"itemsizing": "constant", "bgcolor": "rgba(0,0,0,0)", "x": 0, "y": 1},
    }


def selected_rows(event: Any) -> np.ndarray:
    """Return the user rows behind a selection on the map, sorted int64; empty where nothing is selected."""
    points = event["selection"]["points"] if event else []
    return np.unique(np.array([point["customdata"] for point in points], dtype=np.int64))


def place_of_user(users: pd.DataFrame, row: int) -> go.Figure:
    """Return a small map with one user (row of ``users``) and their group before a sample of all others."""
    placed = users[np.isfinite(users["x"]) & np.isfinite(users["y"])]
    shown = placed.sample(min(len(placed), 1_500), random_state=0)
    user = users.iloc[row]
    colour = group_colour(int(user["group"]))
    members = shown["group"] == user["group"]
    figure = go.Figure(layout={**_map_layout(), "height": 260, "dragmode": False})
    for part, name, tone, opacity in (
        (shown[~members], _("others"), NEUTRAL, 0.25),
        (shown[members], "group", colour, 0.35),
    ):
        marker = {"size": 4, "color": tone, "opacity": opacity}
        figure.add_trace(
            go.Scatter(x=part["x"], y=part["y"], mode="markers", marker=marker, hoverinfo="skip", name=name)
        )
    star = {"size": 20, "symbol": "star", "color": colour, "line": {"width": 1.5, "color": text_on(colour)}}
    figure.add_trace(
        go.Scatter(x=[user["x"]], y=[user["y"]], mode="markers", marker=star, hoverinfo="skip", name="user")
    )
    return figure
