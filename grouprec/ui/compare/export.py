"""A table for a document: Markdown and LaTeX whose every cell is text, and the buttons that hand them out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial

import pandas as pd
import streamlit as st

from grouprec.report import spreadsheet
from grouprec.report.text import NOTHING
from grouprec.ui import state

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~$&!])")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "−": "$-$",
    "–": "--",
    "×": r"$\times$",
    "★": r"$^{\star}$",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}
_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))


def to_markdown(table: pd.DataFrame) -> bytes:
    """Return a table of Markdown (GitHub's kind) in UTF-8; cells are shown letter by letter."""

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(_MARKDOWN.sub(r"\\\1", cell) for cell in cells) + " |"

    sides = ["---:" if pd.api.types.is_numeric_dtype(dtype) else "---" for dtype in table.dtypes]
    rule = "| " + " | ".join(sides) + " |"
    return "\n".join([line(map(_one_line, table.columns)), rule, *map(line, _cells(table)), ""]).encode()


def to_latex(table: pd.DataFrame) -> bytes:
    r"""Return a LaTeX table of booktabs (``\usepackage{booktabs}``) in UTF-8; cells are shown letter by letter."""

    def line(cells: Iterable[str]) -> str:
        return " & ".join(_SPECIAL.sub(lambda match: _LATEX[match[0]], cell) for cell in cells) + r" \\"

    sides = "".join("r" if pd.api.types.is_numeric_dtype(dtype) else "l" for dtype in table.dtypes)
    lines = [
        f"\\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        line(map(_one_line, table.columns)),
        r"\midrule",
    ]
    lines += [*map(line, _cells(table)), r"\bottomrule", r"\end{tabular}", ""]
    return "\n".join(lines).encode()


def _cells(table: pd.DataFrame) -> list[list[str]]:
    """Return the cells as one line of text each: whole numbers as they are, others with three decimals."""
    columns = [_column(table.iloc[:, at]) for at in range(table.shape[1])]
    return [list(row) for row in zip(*columns, strict=True)]


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def _column(column: pd.Series) -> list[str]:
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return [_one_line(value) for value in column.fillna("")]
    whole = (column.dropna() % 1 == 0).all()
    return [NOTHING if pd.isna(value) else f"{value:.0f}" if whole else f"{value:.3f}" for value in column]


def buttons(table: pd.DataFrame, name: str, key: str, help: str | None = None) -> None:
    """Draw the downloads of the table that is shown: CSV, Markdown and LaTeX, made when they are asked for."""
    kinds: dict[str, tuple[str, str, Callable[[pd.DataFrame], bytes]]] = {
        "CSV": ("csv", "text/csv", spreadsheet.download),
        "Markdown": ("md", "text/markdown", to_markdown),
        "LaTeX": ("tex", "application/x-tex", to_latex),
    }
    with st.container(horizontal=True):
        for title, (ending, kind, make) in kinds.items():
            st.download_button(
                title,
                data=state.later(partial(make, table)),
                file_name=f"{name}.{ending}",
                mime=kind,
                key=f"{key}_{ending}",
                on_click="ignore",
                icon=":material/download:",
                help=help,
            )
