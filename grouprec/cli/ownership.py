"""What ``grouprec owner`` says and changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grouprec.cli.terminal import print_json, terminal
from grouprec.core import rights
from grouprec.core.types import SettingError

if TYPE_CHECKING:
    from grouprec.runs.store import Run

MOST_NAME = 320  # the longest that an e-mail address can be


def say_owner(run: Run, to: str, shared: bool | None, json: bool) -> None:
    """Give a run to somebody, share it or make it private, where asked to; then say whose it is.

    Raises:
        SettingError: it shall be shared or private, and is nobody's; or nobody can be called what ``to`` says.
    """
    if to:
        _require_name(to)
    owner, was_shared = rights.owner_of(run.path)
    name = rights.known_as(to) or owner
    if shared is not None and not name:
        raise SettingError(f"The run {run.run_id} is nobody's, so all who sign in see it; say whose it is with --to.")
    if to or shared is not None:
        rights.give(run.path, name, was_shared if shared is None else shared)
    owner, shared = rights.owner_of(run.path)
    if json:
        print_json({"run_id": run.run_id, "owner": owner, "shared": shared})
    else:
        whose = f"belongs to {owner}, {'shared with the team' if shared else 'for themselves alone'}"
        terminal.print(
            f"The run {run.run_id} {whose if owner else 'belongs to nobody'}.", markup=False, highlight=False
        )


def _require_name(said: str) -> None:
    if said != (said.strip() or None) or not said.isprintable() or len(said) > MOST_NAME:
        raise SettingError(
            f"{said[:40]!r} is nobody's name; --to takes what somebody signs in by, such as ann@example.com: one line "
            f"of at most {MOST_NAME} signs, without blanks around it."
        )
