"""A map of very many users as a picture: a cell of a grid has the colour of most of its users, the fuller the deeper.

As ``datashader`` does it, with numpy alone: a million users are a PNG of some 200 kB, made in less than a second. What
is hovered and clicked are a few thousand points that nobody sees, one of every coarse cell with users.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grouprec.report.palette import NEUTRAL, SCALE
from grouprec.ui.map_labels import View

Part = tuple[str, np.ndarray, Mapping[str, Any]]  # title, rows of users, marker: of map_figure.map_parts
FEWEST_CELLS, MOST_CELLS = 200, 600  # along the longer side; a cell of the latter is about a pixel
CELLS_TO_POINT_AT = 72  # along the longer side, 10 pixels each
FAINTEST = 0.35  # opacity of a cell with one user
FULL = 99.5  # percentile of users in a cell from which on it is opaque
STEPS = 15  # of opacity; fewer make a smaller picture


@dataclass(frozen=True)
class Grid:
    """Cells over a part of a map, ``across`` x ``down``, numbered by rows from the top left."""

    view: View
    across: int
    down: int

    @classmethod
    def over(cls, view: View, cells: int) -> Grid:
        """Return a grid of square cells, so many along the longer side."""
        width, height = view.x[1] - view.x[0], view.y[1] - view.y[0]
        longer = max(width, height)
        return cls(view, max(1, round(cells * width / longer)), max(1, round(cells * height / longer)))

    @property
    def size(self) -> int:
        return self.across * self.down

    def cells(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the cells of places within the view, int64 [n]; what is outside counts to the nearest edge."""
        (left, right), (low, high) = self.view.x, self.view.y
        column = ((x - left) * (self.across / (right - left))).astype(np.int64)
        row = ((high - y) * (self.down / (high - low))).astype(np.int64)
        return row.clip(0, self.down - 1) * self.across + column.clip(0, self.across - 1)


@dataclass(frozen=True, eq=False)
class Layer:
    """Users who are painted together, over those of the layers before; ``strength`` weakens their opacity."""

    parts: Sequence[Part]
    strength: float = 1.0


def fine(view: View, n: int) -> Grid:
    """Return the grid that a picture of ``n`` users is painted on: with few in it, a cell is larger than a pixel."""
    return Grid.over(view, int(np.clip(math.isqrt(n), FEWEST_CELLS, MOST_CELLS)))


def coarse(view: View) -> Grid:
    """Return the grid whose cells are pointed at."""
    return Grid.over(view, CELLS_TO_POINT_AT)


def image(grid: Grid, x: np.ndarray, y: np.ndarray, layers: Sequence[Layer]) -> dict[str, Any]:
    """Return the picture as Plotly's layout has it, below all points.

    Args:
        x, y: float [U], the places of all users.
    """
    (left, right), (low, high) = grid.view.x, grid.view.y
    source = "data:image/png;base64," + base64.b64encode(png(paint(grid, x, y, layers))).decode()
    place = {"x": left, "y": high, "sizex": right - left, "sizey": high - low, "xanchor": "left", "yanchor": "top"}
    return {"source": source, "xref": "x", "yref": "y", "sizing": "stretch", "layer": "below", **place}


def paint(grid: Grid, x: np.ndarray, y: np.ndarray, layers: Sequence[Layer]) -> np.ndarray:
    """Return red, green, blue and opacity of every cell, uint8 [down, across, 4]."""
    painted = np.zeros((grid.size, 4), np.uint8)
    for layer in layers:
        users, colours = _colours(grid, x, y, layer.parts)
        taken = users > 0
        if not taken.any():
            continue
        most = max(float(np.percentile(users[taken], FULL)), 2.0)
        depth = np.minimum(np.log(users[taken]) / math.log(most), 1.0)
        opacity = layer.strength * (FAINTEST + (1 - FAINTEST) * np.round(depth * STEPS) / STEPS)
        painted[taken, :3] = colours[taken]
        painted[taken, 3] = np.round(255 * opacity)
    return painted.reshape(grid.down, grid.across, 4)


def _colours(grid: Grid, x: np.ndarray, y: np.ndarray, parts: Sequence[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Return the users of every cell, int64 [cells], and the colour of its largest part, uint8 [cells, 3]."""
    users, most = np.zeros(grid.size, np.int64), np.zeros(grid.size, np.int64)
    colours = np.zeros((grid.size, 3), np.uint8)
    for _, rows, marker in parts:
        if not len(rows):
            continue
        cells = grid.cells(x[rows], y[rows])
        counts = np.bincount(cells, minlength=grid.size)
        larger = counts > most
        if isinstance(marker["color"], str):
            colours[larger] = _rgb(marker["color"])
        else:
            colours[larger] = _on_scale(cells, grid.size, marker)[larger]
        most = np.maximum(most, counts)
        users += counts
    return users, colours


def _on_scale(cells: np.ndarray, n_cells: int, marker: Mapping[str, Any]) -> np.ndarray:
    """Return the colour of the mean of the known numbers in every cell, grey where none is known, uint8 [cells, 3]."""
    values = np.asarray(marker["color"], np.float64)
    known = np.isfinite(values)
    sums, users = np.bincount(cells[known], values[known], n_cells), np.bincount(cells[known], minlength=n_cells)
    place = (sums / np.maximum(users, 1) - marker["cmin"]) / (marker["cmax"] - marker["cmin"])
    stops, at = np.array([_rgb(colour) for colour in SCALE], np.float64), np.linspace(0, 1, len(SCALE))
    colours = np.stack([np.interp(place, at, stops[:, channel]) for channel in range(3)], axis=1).astype(np.uint8)
    colours[users == 0] = _rgb(NEUTRAL)
    return colours


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def png(pixels: np.ndarray) -> bytes:
    """Return red, green, blue and opacity (uint8 [height, width, 4]) as a PNG file."""
    height, width, _ = pixels.shape
    lines = np.zeros((height, 1 + 4 * width), np.uint8)  # the first byte of a line: it is not filtered
    lines[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">2I5B", width, height, 8, 6, 0, 0, 0)  # 8 bits a channel, of which there are four
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(lines.tobytes(), 6), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks.items())


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def to_point_at(grid: Grid, x: np.ndarray, y: np.ndarray, parts: Sequence[Part]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return of every part a user of each cell where it is the largest, int64 [n], and how many users the cell has."""
    in_cell = [grid.cells(x[rows], y[rows]) for _, rows, _ in parts]
    most, users = np.zeros(grid.size, np.int64), np.zeros(grid.size, np.int64)
    largest, one = np.full(grid.size, -1), np.zeros(grid.size, np.int64)
    for at, (cells, (_, rows, _)) in enumerate(zip(in_cell, parts, strict=True)):
        counts = np.bincount(cells, minlength=grid.size)
        larger = counts > most
        largest[larger] = at
        mine = larger[cells]
        one[cells[mine]] = rows[mine]
        most = np.maximum(most, counts)
        users += counts
    return [(one[largest == at], users[largest == at]) for at in range(len(parts))]
