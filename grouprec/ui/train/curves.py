"""Losses and trials of a run in the shapes that the Train page draws, from its events. No widgets here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import _, commas
from grouprec.report.palette import ACCENT
from grouprec.ui.cards import plain, plural, score
from grouprec.ui.train.watch import stage_title

_NOT_A_LOSS = {"time", "event", "stage", "fraction", "epoch"}
_LINE_COLORS = (ACCENT, "#d08a3c", "#4f9d8f", "#b0639a")


def losses(events: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Return, for every stage with epochs, a frame with ``epoch`` and one column a reported value.

    A stage that was started again (a resumed run, the final fit) shows its latest attempt.
    """
    attempts: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event.get("event") != "progress" or "epoch" not in event:
            continue
        rows = attempts.setdefault(str(event.get("stage", "")), [])
        if rows and event["epoch"] <= rows[-1]["epoch"]:
            rows.clear()
        values = {name: value for name, value in event.items() if name not in _NOT_A_LOSS}
        rows.append({"epoch": event["epoch"], **values})
    frames = {stage: pd.DataFrame(rows) for stage, rows in attempts.items()}
    return {stage: frame for stage, frame in frames.items() if len(frame.columns) > 1}


def trials(events: Iterable[Mapping[str, Any]]) -> dict[str, pd.DataFrame]:
    """Return, by stage, the trials of a search for better settings: ``trial``, ``validation``, then the settings.

    A search that was started again (a resumed run) shows its latest attempt.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event.get("event") != "progress" or "trial" not in event:
            continue
        rows = found.setdefault(str(event.get("stage", "")), [])
        if rows and event["trial"] <= rows[-1]["trial"]:
            rows.clear()
        rows.append({name: value for name, value in event.items() if name not in _NOT_A_LOSS})
    return {stage: pd.DataFrame(rows).astype({"trial": int}) for stage, rows in found.items()}


def trials_sentence(stage: str, frame: pd.DataFrame) -> str:
    """Return the caption of a search: how many settings were tried, and what the best reach against the preset."""
    best, preset = frame["validation"].max(), frame["validation"].iloc[0]
    against = (
        _("the preset is still the best")
        if best <= preset
        else _("the preset reaches {preset}").format(preset=score(preset))
    )
    return _("**{stage}** {trials}; best nDCG@10 {best}, {against}.").format(
        stage=plain(stage_title(stage)), trials=plural(len(frame), "trial"), best=score(best), against=against
    )


def trials_figure(frame: pd.DataFrame) -> go.Figure:
    """Return a small chart: a dot per trial, and the best so far as a line."""
    figure = go.Figure()
    figure.add_scatter(
        x=frame["trial"], y=frame["validation"], mode="markers", marker={"color": _LINE_COLORS[1], "size": 6}
    )
    best = {"color": ACCENT, "width": 2, "shape": "hv"}
    figure.add_scatter(x=frame["trial"], y=frame["validation"].cummax(), mode="lines", line=best)
    small = {"title": None, "nticks": 4, "automargin": True}
    figure.update_layout(
        height=180,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={**small, "showgrid": False},
        yaxis=small,
        hovermode="closest",
        showlegend=False,
    )
    return figure


def line_colors(frame: pd.DataFrame) -> dict[str, str]:
    """Return the colour of every value of a stage's frame."""
    names = [name for name in frame.columns if name != "epoch"]
    return {name: _LINE_COLORS[at % len(_LINE_COLORS)] for at, name in enumerate(names)}


def legend(stage: str, frame: pd.DataFrame) -> str:
    """Return the caption of a stage's chart as markdown: its name, then every value in its colour."""
    names = [
        f':color[{plain(name)}]{{foreground="{color}"}}' + (_(" (dotted, right)") if name == "validation" else "")
        for name, color in line_colors(frame).items()
    ]
    return f"**{plain(stage_title(stage))}** {commas(names)}"


def loss_figure(frame: pd.DataFrame) -> go.Figure:
    """Return a small line chart: losses on the left axis, the validation value (higher is better) on the right."""
    figure = go.Figure()
    colors = line_colors(frame)
    for name, color in colors.items():
        validation = name == "validation"
        figure.add_scatter(
            x=frame["epoch"],
            y=frame[name],
            name=name,
            mode="lines+markers" if len(frame) < 3 else "lines",  # one epoch makes no line
            line={"color": color, "width": 2, "dash": "dot" if validation else "solid"},
            yaxis="y2" if validation else "y",
        )
    small = {"title": None, "nticks": 4, "automargin": True}
    figure.update_layout(
        height=180,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={
            "title": None,
            "tick0": 1,
            "dtick": max(1, round(len(frame) / 5)),
            "showgrid": False,
            "automargin": True,
        },
        yaxis=small,
        yaxis2={**small, "overlaying": "y", "side": "right", "showgrid": False, "visible": "validation" in colors},
        hovermode="x unified",
        showlegend=False,
    )
    return figure


def pairs(values: Sequence[Any]) -> list[Sequence[Any]]:
    """Return the values two by two, for two charts a row."""
    return [values[at : at + 2] for at in range(0, len(values), 2)]
