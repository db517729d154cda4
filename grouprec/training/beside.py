"""What the files beside the interactions added to a run, on its test part."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from grouprec.core.tables import named_rows
from grouprec.core.types import Candidates
from grouprec.data.preparing.beside_files import Shared
from grouprec.evaluate.beside import added, sentence, share_of, weights_without
from grouprec.models.base import encoders
from grouprec.models.blend import Weights, repeat_terms
from grouprec.ranking.task import Task
from grouprec.runs import schemas
from grouprec.training.fit import Choices, Fitted
from grouprec.training.stage_cache import StageCache


def what_is_added(
    cache: StageCache, judged: Fitted, task: Task, choices: Choices, shared: Sequence[Shared]
) -> dict[str, pd.DataFrame]:
    """Return the table "beside", a row per file; nothing where there is no such file. Says it in the run's log, too.

    Args:
        task: of the judged users.
        shared: what the files tell of the users who train.
    """
    if not shared:
        return {}
    repeats = cache.config.repeats
    terms = repeat_terms(judged.data) if repeats else ()
    instead = choices.simple.encoder if choices.simple else ""

    def lists(weights: Weights) -> Candidates:
        predictor = judged.encoded.predictor(weights, judged.data, terms)
        return predictor.candidates(seed=cache.config.seed, users=task.users)

    own, rows = choices.weights, []
    for file in shared:
        names = [name for name, encoder in encoders.items() if encoder.needs == file.kind]
        name = max(names, key=lambda one: own.encoders.get(one, 0.0))
        share = share_of(own, name)
        before = lists(weights_without(own, name, instead)) if share else None
        with_it = lists(own)
        measured = added(with_it, with_it if before is None else before, task)
        about = {"file": file.name, "kind": file.kind, "encoder": name, "users": file.users, "of": file.of}
        rows.append({**about, "rows": file.rows, "items": file.items, "share": share, **measured})
    table = pd.DataFrame(rows)[schemas.named("beside").names]
    for row in named_rows(table):
        cache.progress.note(sentence(row))
    return {"beside": table}
