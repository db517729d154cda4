"""A small finished run that takes events: planted data, really fitted, with the tables that pages read beside it."""

from __future__ import annotations

from benchmarks.crash import build_run
from grouprec.core.files import write_json
from grouprec.data.synthetic import planted
from grouprec.explore.tables import held_out_table
from grouprec.runs.store import Run, RunStore
from tests.ui.fake_run import _comparisons, _evaluation, _groups, _metrics

DATA = planted(n_users=60, n_items=40, events_per_user=20).data
N_GROUPS = 3


def build_live_run(store: RunStore) -> Run:
    """Return the run; its groups bear the names of fake_run.py, its held-out part is that of the data."""
    run = build_run(store, DATA, N_GROUPS)
    users = run.table("users")
    run.save_table("groups", _groups(users, N_GROUPS))
    run.save_table("held_out", held_out_table(DATA))
    evaluation = _evaluation()
    run.save_table("evaluation", evaluation)
    run.save_table("comparisons", _comparisons(evaluation))
    metrics = _metrics(len(users), N_GROUPS, int(users["interactions"].sum()))
    run.save_metrics(metrics | {"list_method": {"strict": "members_mean", "dedup": "members_mean"}})
    config = run.config().model_copy(update={"title": "Planted shop"})
    write_json(run.path / "config.json", config.model_dump(mode="json"))
    return run
