"""``grouprec check``: what of a file is understood, without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grouprec.cli.terminal import print_json, print_rows, terminal
from grouprec.core.arrays import largest_first
from grouprec.core.files import storage

if TYPE_CHECKING:
    from grouprec.data.preparing.prepare import Prepared

LABELS = 5  # that are shown of the items


def check_file(
    interactions: Path,
    beside: Mapping[str, Any],
    roles: dict[str, str],
    reading: dict[str, Any],
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Prepare the files as training would and print what came of it.

    Args:
        beside: the other files by name: users, items, also, edges.
        reading: settings of the preparation that say how to read the file.
        rejects: where to write the rows that could not be read; also where the file is refused for them.
    Raises:
        DataError: the file cannot be used, or a role has to be named.
    """
    from grouprec.data.preparing.clean import Preparation
    from grouprec.data.preparing.prepare import prepare
    from grouprec.data.reading.rejects import TooManyRejectedError

    try:
        prepared = prepare(interactions, **beside, roles=roles, settings=Preparation(**reading))
    except TooManyRejectedError as error:
        if rejects is not None:
            with storage(rejects):
                error.rejects.save(rejects)
        raise
    if rejects is not None:
        with storage(rejects):
            prepared.rejects.save(rejects)
    found = summary(prepared)
    if as_json:
        print_json(found)
    else:
        _print(interactions.name, found, prepared.split_reason.rstrip("."), rejects, _described(prepared, beside))


def summary(prepared: Prepared) -> dict[str, Any]:
    """Return what was understood, as ``check --json`` prints it."""
    steps = [{"step": step, "before": before, "after": after} for step, before, after, _ in prepared.report.steps]
    n_rows = prepared.report.steps[0][1]
    return {
        "rows": n_rows,
        "read": n_rows - len(prepared.rejects),
        "rejected": len(prepared.rejects),
        "roles": prepared.roles.as_dict(),
        "users": prepared.n_users,
        "items": prepared.n_items,
        "split": prepared.split,
        "choose_users": prepared.choose_users,
        "judge_users": prepared.judge_users,
        "period": _period(prepared),
        "labels": _labels(prepared),
        "encoding": prepared.encoding,
        "doubts": doubts(prepared),
        "steps": steps,
    }


def doubts(prepared: Prepared) -> list[str]:
    """Return sentences about what was not understood or may have been taken wrongly."""
    found = [_sentence(note) for note in prepared.notes]
    rejected = len(prepared.rejects)
    if rejected:
        total = prepared.report.steps[0][1]
        found.append(f"{rejected:,} of {total:,} rows cannot be read: {prepared.rejects.reason()}.")
    if prepared.first_time is None:
        found.append("There are no times: rows that judge the result are drawn at random.")
    return list(dict.fromkeys([*found, *map(_sentence, prepared.doubts)]))


def _sentence(text: str) -> str:
    text = f"{text[0].upper()}{text[1:]}" if text else text
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _described(prepared: Prepared, files: Mapping[str, Path | None]) -> list[str]:
    """Return what the files beside the interactions say of how many, a sentence each."""
    found = {"users": prepared.users_described, "items": prepared.items_described}
    said = [one.sentence(path.name, kind) for kind, one in found.items() if one and (path := files[kind])]
    return [f"{sentence}." for sentence in (*said, *(one.sentence() for one in prepared.shared))]


def _period(prepared: Prepared) -> list[str] | None:
    if prepared.first_time is None or prepared.last_time is None:
        return None
    try:
        return [datetime.fromtimestamp(one, UTC).isoformat() for one in (prepared.first_time, prepared.last_time)]
    except (OverflowError, ValueError, OSError):
        return None  # a year that no calendar has; the doubts say so


def _labels(prepared: Prepared) -> list[str]:
    """Return the labels of the items that most people take."""
    order = largest_first(prepared.dataset.popularity)
    return [str(one) for one in prepared.dataset.item_labels[order[:LABELS]]]


def _print(name: str, found: dict[str, Any], split_reason: str, rejects: Path | None, described: Sequence[str]) -> None:
    """Print the answer for people: sentences to stderr, the steps as a table."""
    period = found["period"]
    when = f", {period[0][:10]} to {period[1][:10]}" if period else ""
    lines = [
        f"{name}: {found['read']:,} of {found['rows']:,} rows read; "
        f"{found['users']:,} users, {found['items']:,} items{when}.",
        f"Columns: {', '.join(f'{role} = {column}' for role, column in found['roles'].items())}.",
        f"Labels: {', '.join(found['labels'])}" + (f" ({found['encoding']})" if found["encoding"] else ""),
        *described,
        f"{found['choose_users']:,} users choose settings, {found['judge_users']:,} judge the result ({split_reason}).",
        *(f"- {doubt}" for doubt in found["doubts"]),
    ]
    if rejects is not None:
        lines.append(f"{rejects}: {found['rejected']:,} rows")
    for line in lines:
        terminal.print(line, markup=False, highlight=False, soft_wrap=True)
    print_rows(found["steps"], "Nothing.")
