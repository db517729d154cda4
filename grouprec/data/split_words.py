"""How rows were held out, in words. Of its own, since `grouprec show` says it and loads nothing that reads files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grouprec.core.language import ENGLISH, Glossary, _, current, decimal, full_stop, passage

SPLITS = Glossary(
    {
        "time": "by time",
        "user": "per user at random",
        "user_time": "per user by time",
        "none": "all rows train",
    }
)
# Where rows of other users that come later in time than what is judged have trained, too.
CAUTIONS = Glossary(
    {
        "user_time": (
            "Rows that other users add later train, too, so figures are a little better than a forecast would be."
        ),
        "user": "Rows that come later in time may train, too, so figures may be better than a forecast would be.",
    }
)
WAYS = Glossary(
    {
        "time": "Split at two moments for everybody",
        "user": "Split at random within every user",
        "user_time": "Split along every user's own time",
    }
)


def split_words(split: Mapping[str, Any]) -> str:
    """Say how rows were held out and why, how many users that leaves, and what it does to the figures.

    Args:
        split: of :meth:`~grouprec.data.prepare.Prepared.split_facts`; without a reason (runs of old) nothing is said.
    """
    kind, reason = str(split.get("kind", "")), split.get("reason", "")
    if not reason or kind == "none":
        return reason
    if split.get("language", ENGLISH) != current():
        reason = full_stop(WAYS.get(kind, kind))  # a run keeps the whole reason in English only
    left = _("Users to choose settings by: {choose_users}, to judge by: {judge_users}.").format(
        choose_users=decimal(split["choose_users"]), judge_users=decimal(split["judge_users"])
    )
    return passage(reason, left, CAUTIONS.get(kind, ""))
