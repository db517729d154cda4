"""A small finished run that lists can be remade from and that keeps its reasons: real encoders beside fake_live.py."""

from __future__ import annotations

from grouprec.core.files import read_json, write_json
from grouprec.models.blend import ItemFacts
from grouprec.models.encoders.als import AlsEncoder
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.runs.stages import save_facts
from grouprec.runs.store import Run, RunStore
from tests.ui.fake_live import DATA, build_live_run

BLEND = {
    "encoders": {"ease": 0.6, "als": 0.3},
    "half_life": 14.0,
    "trend": 0.5,
    "popularity": 0.2,
    "activity": 0.1,
    "repeats": None,
    "intercept": -3.0,
    "ndcg": {},
}


def build_reasoned_run(store: RunStore) -> Run:
    """Return the run of fake_live.py with an EASE and an ALS encoder, the weights of a blend, and items' facts."""
    run = build_live_run(store)
    stages = read_json(run.path / "fitted.json") or {}
    keys = {}
    for encoder in (EaseEncoder(), AlsEncoder(AlsEncoder.Config(factors=6))):
        encoder.fit(DATA, RunOptions())
        keys[encoder.name] = f"{encoder.name} of {DATA.key}"
        settings = encoder.config.model_dump(mode="json")
        run.save_stage(keys[encoder.name], "encoder", encoder.name, settings, encoder.arrays(), {})
    stages["final"]["encoders"] = keys
    write_json(run.path / "fitted.json", stages)
    save_facts(ItemFacts.of(DATA), run.item_facts)
    run.save_metrics(run.metrics() | {"blend": BLEND, "refit": False})
    config = run.config().model_copy(update={"refit": False})
    write_json(run.path / "config.json", config.model_dump(mode="json"))
    return run
