"""What the views of personas share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from grouprec.core.language import _
from grouprec.runs.store import Run
from grouprec.ui import cards
from grouprec.ui.recommendations.personas import opened, words


class Shown(NamedTuple):
    """What a view answers: the sentence, and the groups that the map beside it lights."""

    sentence: str
    groups: tuple[int, ...]


def labels_of(run: Run, items: np.ndarray) -> list[str]:
    """Return the labels of items, given by their rows."""
    return opened.virtual_groups(run).base.item_labels[items].tolist()


def download_lists(run: Run, lists: dict[str, np.ndarray], key: str) -> None:
    """Offer the lists in view as CSV."""
    base = opened.virtual_groups(run).base
    cards.download(
        _("Download these lists") if len(lists) > 1 else _("Download this list"),
        lambda: words.lists_frame(lists, base.item_ids, base.item_labels),
        "lists.csv",
        key,
    )
