"""Which number of lists people approved: ``approvals.json`` in a run's folder. No part of its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grouprec.core import rights
from grouprec.core.forms import VERSION, DamagedError, Form, read_kept_form, write_kept_form
from grouprec.core.locks import alone
from grouprec.core.rights import Deed
from grouprec.core.types import SettingError

FILE = "approvals.json"
APPROVALS_VERSION = 1
MOST_BY, MOST_REMARK = 80, 600  # letters


@dataclass(frozen=True)
class Approval:
    """What somebody approved.

    Attributes:
        lists: how many; 0 for a list of everyone's own.
        regime: the use of the lists, "strict" or "dedup".
        by: who, as they call themselves.
        at: when, in seconds since 1970.
        said: the sentence that the page answered with.
        remark: what they wrote beside it.
        files: SHA-256 of every file of the export, by name: so that anybody with the files can check them.
    """

    lists: int
    regime: str
    by: str
    at: float
    said: str = ""
    remark: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


def approvals(folder: Path) -> tuple[Approval, ...]:
    """Return the approvals of a run folder, the oldest first; none where nobody approved anything.

    Raises:
        DamagedError: they are not what was written.
    """
    return tuple(_approval(entry) for entry in _entries(_form(folder)))


def approve(folder: Path, approval: Approval) -> None:
    """Add an approval to those of a run folder; all earlier ones stay.

    Raises:
        RightsError: the person acting may not.
        SettingError: nobody's name is given.
        DamagedError: the approvals so far are not what was written.
        StorageError: they cannot be written, or somebody else is writing them.
    """
    rights.require(Deed.CHANGE, "approve lists", folder)
    if not approval.by.strip():
        raise SettingError("An approval needs a name: write who approves it.")
    with alone(folder / ".approvals.lock", f"Somebody else is approving lists of {folder.name}; try again."):
        form = _form(folder)
        tidy = {"by": " ".join(approval.by.split())[:MOST_BY], "remark": approval.remark.strip()[:MOST_REMARK]}
        entries = [*_entries(form), {**asdict(approval), **tidy}]
        write_kept_form(folder / FILE, {VERSION: APPROVALS_VERSION, **form, "approvals": entries})


def _entries(form: Form) -> list[Any]:
    entries = form.get("approvals", [])
    if not isinstance(entries, list):
        raise DamagedError(f"{FILE} is damaged: its approvals are no list", "restore it from a copy, or remove it")
    return entries


def _approval(entry: Any) -> Approval:
    try:
        files = {str(name): str(seal) for name, seal in entry["files"].items()}
        texts = {name: str(entry[name]) for name in ("regime", "by", "said", "remark")}
        return Approval(lists=int(entry["lists"]), at=float(entry["at"]), files=files, **texts)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        reason = f"{FILE} is damaged: an approval lacks what it needs"
        raise DamagedError(reason, "restore it from a copy, or remove it") from error


def _form(folder: Path) -> Form:
    return read_kept_form(folder / FILE, APPROVALS_VERSION, {}, "without approvals")
