"""Commands about people: forget one, tell their pseudonym."""

from __future__ import annotations

from typing import Annotated

import typer

from grouprec.cli.options import AsJson, Runs
from grouprec.cli.terminal import print_json, terminal


def forget(
    user: Annotated[str, typer.Argument(help="The id, as in the file")], runs: Runs = None, json: AsJson = False
) -> None:
    """Remove a user from all runs and uploaded datasets: rows, lists, events; for good."""
    from grouprec.data.preparing.pseudonyms import known_as
    from grouprec.runs.store import RunStore
    from grouprec.training.forgetting import forget

    answer = forget(RunStore(runs), *known_as(user))
    for sentence in answer.sentences():
        terminal.print(sentence, markup=False, highlight=False, soft_wrap=True)
    if json:
        print_json(answer.as_dict())


def pseudonym(user: Annotated[str, typer.Argument(help="The id, as in the file")], json: AsJson = False) -> None:
    """Tell the pseudonym of a user, by the key in GROUPREC_ID_KEY."""
    from grouprec.data.preparing.pseudonyms import pseudonym

    told = pseudonym(user)
    if json:
        print_json({"pseudonym": told})
    else:
        typer.echo(told)
