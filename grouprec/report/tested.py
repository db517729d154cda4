"""On how many users a run's figures rest: what stands beside every headline. Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouprec.core.language import _, full_stop, passage
from grouprec.data.split_words import CAUTIONS
from grouprec.report.sentences import too_few
from grouprec.report.text import TOO_FEW, count, plural


def unknown_rows(metrics: Mapping[str, Any]) -> int:
    """Return the number of rows that a run's lists do not know, because it was judged on them and not refitted."""
    split = metrics.get("split") or {}
    return 0 if metrics.get("refit", True) or split.get("kind") == "none" else int(split.get("test", 0))


def rests_on(metrics: Mapping[str, Any], chosen: bool = True) -> str:
    """Say on how many users a run was tested and by how many its settings were chosen; nothing where that is unknown.

    Args:
        metrics: of the run; of an older one only the first number is known.
        chosen: whether the second number is said, too.
    """
    tested, split = metrics.get("n_test_users"), metrics.get("split") or {}
    if tested is None:
        return ""
    if not tested:
        return _("No user could be tested.")
    said = _("Tested on {users}{words}").format(
        users=plural(tested, "user"), words=_(": {too_few}").format(too_few=_(TOO_FEW)) if too_few(tested) else ""
    )
    by = split.get("choose_users") if chosen else None
    said = full_stop(said) if by is None else said + _("; settings chosen by {chosen}.").format(chosen=count(by))
    return passage(said, CAUTIONS.get(str(split.get("kind")), ""))
