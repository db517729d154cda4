"""What a new run will not have to learn again: an earlier run that learned tastes from the same data."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from grouprec.data.library_files import PARTS
from grouprec.runs.config import RunConfig
from grouprec.runs.same_data import same_content
from grouprec.runs.store import Run

# What the encoders and their blend depend on; what comes after them (groups, lists, rules) may differ.
_DATA = (
    "roles",
    "preparation",
    "preset",
    "seed",
    "repeats",
    "search_minutes",
)
TASTES = ("folds", "blend")  # read back together with encoders and searches


def learned_before(config: RunConfig, runs: Iterable[Run]) -> Run | None:
    """Return the newest finished run whose tastes the new one will read back; None where it has to learn them.

    It is a forecast: a file that was changed since under the same name is learned anew.
    """
    wanted = config.model_dump(mode="json")
    tastes = _tastes(wanted, config)
    for run in runs:
        if not run.usable or run.metrics().get("versions", {}).get("grouprec-studio") != version("grouprec-studio"):
            continue
        theirs = run.choices()
        same = all(theirs.get(name) == wanted[name] for name in _DATA) and _tastes(theirs, config) == tastes
        if same and all(same_content(run, part, getattr(config, part)) for part in PARTS):
            return run
    return None


def read_back(stage: str) -> bool:
    """Return whether a stage belongs to what an earlier run learned: ``judge: encoder ease``, ``blend``."""
    name = stage.rpartition(": ")[2]
    return name in TASTES or name.startswith(("encoder ", "search "))


def _tastes(choices: dict, config: RunConfig) -> tuple:
    """Return which encoders are trained with which settings."""
    names = {name for kind, name in config.chosen() if kind == "encoder"}
    settings = choices.get("settings") or {}
    return tuple(choices.get("encoders", ())), {name: settings[name] for name in names & set(settings)}
