"""grouprec: from an interactions file to user groups, a generated list for every group, and the evidence.

The Python API::

    from pathlib import Path
    from grouprec import RunStore, make_config, train

    store = RunStore()
    run = store.create(make_config(interactions=Path("shop.csv"), preset="quick"))
    metrics = train(store, run)
    lists = run.table("group_lists")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grouprec.core.errors import GrouprecError
    from grouprec.data.preparing.prepare import prepare
    from grouprec.report.csv import export_run
    from grouprec.runs.config import make_config
    from grouprec.runs.store import RunStore
    from grouprec.training.jobs import train_here as train

# Imported when first used: the names bring torch along, which the command's help and most pages do without.
_HOMES = {
    "GrouprecError": "grouprec.core.errors",
    "RunStore": "grouprec.runs.store",
    "export_run": "grouprec.report.csv",
    "make_config": "grouprec.runs.config",
    "prepare": "grouprec.data.preparing.prepare",
    "train": "grouprec.training.jobs",  # train_here: status, cancel and errors included
}
__all__ = ["GrouprecError", "RunStore", "export_run", "make_config", "prepare", "train"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'grouprec' has no attribute '{name}'")
    module = importlib.import_module(_HOMES[name])
    return getattr(module, "train_here" if name == "train" else name)
