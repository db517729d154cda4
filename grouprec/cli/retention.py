"""Commands about what goes and comes back: what nobody uses, and the trash."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from grouprec.cli.options import AsJson, Runs
from grouprec.cli.terminal import print_json, print_rows, terminal


def expire(
    days: Annotated[int | None, typer.Option(min=1, help="As if GROUPREC_KEEP_DAYS said this")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Announce and put away, as a server does every hour")] = False,
    runs: Runs = None,
    json: AsJson = False,
) -> None:
    """Show which runs and datasets nobody uses, and when they go to the trash (GROUPREC_KEEP_DAYS); change nothing."""
    from grouprec.core.errors import SettingError
    from grouprec.runs.store import RunStore
    from grouprec.training import retention

    keep = days or retention.keep_days()
    if keep is None:
        raise SettingError(
            f"Nothing goes: {retention.KEEP_DAYS} says no number of days; --days 90 shows what would go."
        )
    store = RunStore(runs)
    gone = retention.sweep(store, keep) if apply else []
    rows = [
        {
            "kind": one.kind,
            "id": one.path.name,
            "name": retention.name_of(one),
            "used": _day(one.used),
            "goes": _day(one.goes),
        }
        for one in retention.leaving(store, keep)
    ]
    if json:
        print_json({"days": keep, "leaving": rows, "put_away": [one.path.name for one in gone]})
        return
    print_rows(rows, f"Nothing goes within {retention.NOTICE_DAYS} days.")
    if gone:
        terminal.print(f"In the trash now: {', '.join(one.path.name for one in gone)}", markup=False, soft_wrap=True)


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(seconds))


def restore(
    name: Annotated[str, typer.Argument(help="Id of a run or key of a dataset; without, what the trash holds")] = "",
    runs: Runs = None,
    json: AsJson = False,
) -> None:
    """Take a run or dataset back from the trash, which keeps it for 14 days."""
    from grouprec.runs.store import RunStore
    from grouprec.training import retention

    store = RunStore(runs)
    names = [retention.take_back(store, name).name] if name else retention.in_trash(store)
    if json:
        print_json({"runs": names})
    else:
        print_rows([{"run_id": name} for name in names], "The trash is empty.")
