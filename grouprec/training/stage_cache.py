"""One run in progress: its stages are read back where any run has them, else fitted and saved."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from scipy import sparse

from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset
from grouprec.live.feedback import factors
from grouprec.models import together
from grouprec.models.base import REGISTRIES, Encoder
from grouprec.models.blend import ItemFacts, Weights, repeat_terms
from grouprec.models.fitting import RunOptions
from grouprec.models.threads import beside_where
from grouprec.ranking.candidates import scaled
from grouprec.runs.config import RunConfig
from grouprec.runs.progress import Progress, StageReport
from grouprec.runs.store import Run, RunStore
from grouprec.training.encoded import Encoded
from grouprec.training.fits import Fits
from grouprec.training.groups_and_lists import excluded_everywhere

STAGE_FORMAT = 12  # raise it when a stage's arrays or the meaning of its settings change
TOGETHER = ("encoder", "profile", "updater")  # a generator's steps are too small to share
_SHOWN = {"grouper": "groups", "profile": "profile", "generator": "generator", "updater": "updater"}


@dataclass(frozen=True)
class StageCache:
    """One run in progress: where it writes, what it was asked for, and how it reports."""

    store: RunStore
    run: Run
    config: RunConfig
    progress: Progress
    device: str

    def stage(
        self,
        kind: str,
        name: str,
        depends: list[Any],
        inputs: tuple[Any, ...],
        decided: dict[str, Any],
        find: Callable[[Any], Any] = lambda stage: None,
        **more: Any,
    ) -> tuple[Any, str]:
        """Return a fitted stage and its key: read back where any run has that key, else fitted and saved.

        Args:
            depends: what its result depends on beside its own settings and the seed.
            inputs: what it is fitted to; it gets the run options after them.
            decided: settings fixed by an earlier fit or a search, on top of the configuration.
            find: takes the stage as it is before it is fitted to one that has been fitted alike already, or None.
            more: what else its ``fit`` takes by name.
        Raises:
            WorkerLostError: of several processes that fit it together one is gone.
        """
        stage, key, shared = self._asked(kind, name, depends, decided)
        settings = stage.config
        with self.progress.stage(f"{kind} {name}" if kind == "encoder" else _SHOWN[kind]) as report:
            saved = self.store.find_stage(key, self.run)
            if saved is not None:
                report.reused = True
                stage.load(saved[0])
                stage.decided = saved[1]["decided"]
                return stage, key
            options = RunOptions(self.config.seed, self.device, report, self.progress.note)
            if (found := find(stage)) is not None:
                stage = found
            elif shared:
                together.fit(stage, inputs, options)
            else:
                stage.fit(*inputs, options, **more)
            if stage.history and "epochs" in type(settings).model_fields:
                stage.decided |= {"epochs": stage.history.best_epoch}
            meta = {"decided": stage.decided, "history": asdict(stage.history) if stage.history else None}
            self.run.save_stage(key, kind, name, settings.model_dump(mode="json"), stage.arrays(), meta)
        return stage, key

    def ahead(self, kind: str, name: str, depends: list[Any], inputs: tuple[Any, ...]) -> Callable[[Any], Any]:
        """Begin to fit a stage beside what comes next, and return what :meth:`stage` is to find it by.

        On a GPU, by several processes, and where the stage is there already, nothing is begun.
        """
        stage, key, shared = self._asked(kind, name, depends, {})
        if shared or self.device != "cpu" or self.store.find_stage(key, self.run) is not None:
            return lambda stage: None
        options = RunOptions(self.config.seed, self.device, on_note=self.progress.note)
        wait = beside_where(True, lambda: stage.fit(*inputs, options))
        return lambda stage: wait()

    def _asked(self, kind: str, name: str, depends: list[Any], decided: dict[str, Any]) -> tuple[Any, str, bool]:
        """Return a stage as it is before it is fitted, its key, and whether several processes fit it together."""
        settings = self.config.stage_config(kind, name).model_copy(update=decided)
        # What several processes fit together has sums of another order, and so results of another key.
        shared = kind in TOGETHER and "epochs" in type(settings).model_fields and together.size() > 1
        depends = [*depends, f"{together.size()} processes"] if shared else depends
        key = key_of(kind, name, settings.model_dump(mode="json"), self.config.seed, *depends)
        return REGISTRIES[kind].get(name)(settings), key, shared

    def once(self, name: str, depends: list[Any], decide: Callable[[], Any], report: StageReport | None = None) -> Any:
        """Return a decision, which JSON can hold: read back where any run took it from the same, else taken now."""
        key = key_of(name, self.config.seed, *depends)
        saved = self.store.find_stage(key, self.run)
        if saved is not None:
            if report is not None:
                report.reused = True
            return saved[1]["decision"]
        decision = decide()
        self.run.save_stage(key, "decision", name, {}, {}, {"decision": decision})
        return decision

    def feedback(self, data: Dataset) -> sparse.csr_array | None:
        """Return what the feedback of the run named makes of these users' predictions; None without one."""
        if not self.config.feedback:
            return None
        return factors(self.store, self.store.get(self.config.feedback), data.user_ids, data.item_ids)

    @property
    def options(self) -> RunOptions:
        return RunOptions(self.config.seed, self.device)

    def encode(
        self, data: Dataset, names: tuple[str, ...], decided: Mapping[str, Any], fits: Fits | None = None
    ) -> Encoded:
        """Fit encoders on the training part of a dataset; ``fits`` may hold some of them."""
        encoders: dict[str, Encoder] = {}
        keys = []
        for name in names:
            find = (lambda encoder: fits.find(encoder, data)) if fits else (lambda encoder: None)
            settings = dict(decided.get(name, {}))
            encoders[name], key = self.stage("encoder", name, [data.key], (data,), settings, find)
            keys.append(key)
        return Encoded(encoders, ItemFacts.of(data), tuple(keys))

    def candidates(self, encoded: Encoded, data: Dataset, weights: Weights) -> Candidates:
        """Return the users' best items by a blend, as feedback judged them, without those that the rules exclude."""
        config = self.config
        predictor = encoded.predictor(weights, data, repeat_terms(data) if config.repeats else ())
        found = predictor.candidates(seed=config.seed, excluded=excluded_everywhere(data, config))
        factors = self.feedback(data)
        return found if factors is None else scaled(found, factors)


def key_of(*parts: Any) -> str:
    """Return the hash of what a stage's result depends on."""
    text = json.dumps([STAGE_FORMAT, version("grouprec-studio"), *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
