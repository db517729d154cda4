"""The first fit of a run: the validation part decides settings, blend, number of groups and the weight of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset
from grouprec.evaluate import baselines
from grouprec.evaluate.value import choose_n_groups, default_grid, value_of_groups
from grouprec.live.replay_value import choose_weight
from grouprec.live.state import LiveState
from grouprec.models.base import REGISTRIES, Encoder, Updater, encoders
from grouprec.models.blend import REPEAT_TERMS, ItemFacts, Weights, repeat_terms
from grouprec.models.blending import Window, calibrated, choose_mix, settled, with_repeats
from grouprec.models.threads import side_by_side
from grouprec.ranking.candidates import make_preference
from grouprec.ranking.task import nothing, validation_task
from grouprec.runs.config import RunConfig, auto_encoders
from grouprec.runs.progress import StageReport
from grouprec.runs.snapshot import FitSnapshot
from grouprec.training import search
from grouprec.training.encoded import Encoded
from grouprec.training.fit import Choices
from grouprec.training.fits import Fits
from grouprec.training.groups_and_lists import GroupMaker
from grouprec.training.list_choice import OWN, ListChoice, choose_lists, own_lists, singles
from grouprec.training.simple import Judged, Simple, challenged, choose_simple
from grouprec.training.stage_cache import StageCache
from grouprec.training.takes import foretell

BESIDE_ROWS = 50_000  # beyond so many, the updater takes seconds, and is fitted beside what chooses
LIVE_USERS = 400  # of the validation part, who decide how far events count
USUAL = baselines.PREDICTOR


def choose(
    cache: StageCache,
    data: Dataset,
    folds: Sequence[Dataset] = (),
    length: float = 0.0,
    known: Judged | None = None,
) -> Choices:
    """Let held-out users decide settings, blend and number of groups.

    Args:
        data: with its validation part, without the test part.
        folds: of everything known before the test part (:func:`grouprec.data.folds.make_folds`).
        length: of the part that judges, in seconds; 0 where it has none.
        known: what was judged on folds, kept for :func:`choose_once_more`.
    """
    config, progress = cache.config, cache.progress
    names = encoder_names(config, data)
    if not len(validation_task(data, config.repeats).users):
        progress.note("There is no validation part: the simplest encoder and presets decide.")
        mix = settled(names, {USUAL: 1.0})
        weights = {False: mix.weights(names), True: with_repeats((), mix, names, config.seed)}
        n_groups, reason, tried = decide_n_groups(config, data, None, None)
        return Choices(names, weights[config.repeats], weights[not config.repeats], n_groups, reason, tried)
    fits = Fits(cache.options)
    with progress.stage("folds") as report:
        simple = _simple(cache, data.n_items, folds, length, report, known, fits)
    begun = begun_updater(cache, data)
    settings = [config.stage_config("encoder", name).model_dump(mode="json") for name in names]
    searched = [names, data.key, config.search_minutes, settings, sorted(config.settings)]
    left = [name for name in names if name != simple.encoder or not simple.settings]
    found = cache.once("search", searched, lambda: search.search(left, data, config, cache.device, progress))
    found = {**found, simple.encoder: simple.settings} if simple.settings else found
    encoded = cache.encode(data, names, found, fits)
    decided = {name: {**found.get(name, {}), **stage.decided} for name, stage in encoded.encoders.items()}
    with progress.stage("blend") as report:
        folded = Folded(cache, folds, decided, fits, (encoded, data))
        simple = _challenged(folded, simple, length)
        weights = _blends(cache, encoded, data, folded, simple, report)
    with progress.stage("lists") as report:
        lists = _lists(cache, encoded, folded, weights[config.repeats], length, report)
    updater, updater_key = cache.stage("updater", config.updater, [data.key], (data,), {}, begun)
    n_groups, reason, tried = config.n_groups, "", None
    if n_groups == "auto":
        with progress.stage("number of groups"):
            candidates = cache.candidates(encoded, data, weights[config.repeats])
            maker = GroupMaker(data, candidates, config, cache.options)
            n_groups, reason, tried = decide_n_groups(config, data, candidates, maker, lists)
    own, other = weights[config.repeats], weights.get(not config.repeats)
    with progress.stage("live weight") as report:
        weighed = [data.key, encoded.keys, updater_key, own.as_dict(), config.repeats]
        weigh = partial(_live_weight, cache, encoded, data, own, updater)
        live_weight = cache.once("live_weight", weighed, weigh, report)
        foretold = foretell(cache, encoded, data, own)
    return Choices(names, own, other, n_groups, reason, tried, decided, live_weight, simple, lists, foretold)


def begun_updater(cache: StageCache, data: Dataset) -> Callable[[Any], Any]:
    """Begin to fit the updater, which waits for nothing, beside the encoders, where it takes long."""
    if len(data.train) <= BESIDE_ROWS:
        return lambda stage: None
    return cache.ahead("updater", cache.config.updater, [data.key], (data,))


def choose_once_more(
    cache: StageCache, choices: Choices, folds: Sequence[Dataset], judged: Dataset, known: Judged | None = None
) -> Choices:
    """Return the choices for the final fit: the test part has been judged, so it, too, speaks for the simple scorer.

    It is the latest of all windows. Strength, fading and trend are chosen on the folds and on it; what is in the blend
    stays.

    Args:
        judged: everything known before the test part, with the test part in the place of the validation part.
        known: of :func:`choose`.
    """
    before = choices.simple
    if before is None or not before.n_users or not len(judged.validation):
        return choices
    with cache.progress.stage("folds") as report:
        length = choices.lists.length
        windows, fits, name = [*folds, judged], Fits(cache.options), before.encoder
        if before.settings:
            simple = _simple(cache, judged.n_items, windows, length, report, known, fits)
        else:  # another encoder than the linear one: its settings are no question here
            settled = choices.decided.get(name, {})
            simple = choose_simple(windows, name, cache.config, report, None, fits, length, settled)
    weights, other = (
        one and one.with_trend(simple.half_life, simple.trend, simple.season, simple.season_days)
        for one in (choices.weights, choices.other_weights)
    )
    assert weights is not None
    decided = dict(choices.decided)
    if simple.encoder in choices.encoders:
        decided[simple.encoder] = {**decided.get(simple.encoder, {}), **simple.settings}
    return replace(choices, simple=simple, weights=weights, other_weights=other, decided=decided)


def _simple(
    cache: StageCache,
    n_items: int,
    folds: Sequence[Dataset],
    length: float,
    report: StageReport,
    known: Judged | None,
    fits: Fits,
) -> Simple:
    """Return the simple scorer that everything is measured against, as the folds choose it."""
    config = cache.config
    most = getattr(config.stage_config("encoder", USUAL), "max_items", n_items)
    name = USUAL if n_items <= most else encoders.get(USUAL).auto.instead
    settings = config.stage_config("encoder", name).model_dump(mode="json")
    depends = ["simple", name, settings, [fold.key for fold in folds], length, sorted(config.settings.get(name, {}))]
    make = lambda: asdict(choose_simple(folds, name, config, report, known, fits, length))  # noqa: E731
    found = cache.once("simple", depends, make, report)
    return Simple(**found)


def _challenged(folded: Folded, simple: Simple, length: float) -> Simple:
    """Return the simple scorer, or another encoder in its place (:func:`~grouprec.training.simple.challenged`)."""
    cache, settled = folded.cache, {simple.encoder: simple.settings} | folded.settled

    def make() -> dict[str, Any]:
        folds = [fold for _, fold in folded.fitted]
        return asdict(challenged(simple, settled, folds, cache.config, folded.fits, length))

    return Simple(**cache.once("challenged", [asdict(simple), settled, folded.keys, length], make))


@dataclass(frozen=True, eq=False)
class Folded:
    """What is chosen by beside the validation part.

    Attributes:
        decided: settings by encoder, as the validation part decided them.
        fits: holds encoders that were fitted on the folds before.
        whole: the dataset whose validation part chooses, and the encoders that were fitted on its training part.
    """

    cache: StageCache
    folds: Sequence[Dataset]
    decided: Mapping[str, dict[str, Any]]
    fits: Fits
    whole: tuple[Encoded, Dataset]

    @cached_property
    def fitted(self) -> list[tuple[Encoded, Dataset]]:
        """Return the folds with the encoders that are fitted quickly; all of them where the fold is the whole."""
        return side_by_side(lambda fold: (self._fitted_on(fold), fold), self.folds, self.fits.on_cpu)

    def _fitted_on(self, fold: Dataset) -> Encoded:
        alone = fold.without_validation()
        if fold.key == self.whole[1].key:
            for name, encoder in self.whole[0].encoders.items():
                self.fits.put(self._stage(name), alone, encoder)
            return self.whole[0]
        stages = {name: self._stage(name) for name in self.decided if self._knows(fold, name)}
        made = {name: self.fits.get(stage, alone) for name, stage in stages.items()}
        return Encoded(made, ItemFacts.of(alone), ())

    def _knows(self, fold: Dataset, name: str) -> bool:
        """Whether an encoder is fitted on a fold."""
        return fold.key == self.whole[1].key or len(fold.train) <= encoders.get(name).fold_rows

    def _stage(self, name: str) -> Encoder:
        """Return an encoder that is to be fitted with the settings decided."""
        settings = self.cache.config.stage_config("encoder", name).model_copy(update=self.decided[name])
        return REGISTRIES["encoder"].get(name)(settings)

    @property
    def settled(self) -> dict[str, dict[str, Any]]:
        """Return the settings of the encoders that every fold knows, and that rest on no further file."""
        known = [name for name in self.decided if all(self._knows(fold, name) for fold in self.folds)]
        return {name: self.decided[name] for name in known if not encoders.get(name).needs}

    @property
    def windows(self) -> list[tuple[Encoded, Dataset]]:
        """Return the folds and, where it is none of them, the whole: all moments at which somebody could choose."""
        return self.fitted if self.whole[1].key in self.keys else [*self.fitted, self.whole]

    @property
    def keys(self) -> list[str]:
        return [fold.key for fold in self.folds]


def _lists(
    cache: StageCache, encoded: Encoded, folded: Folded, weights: Weights, length: float, report: StageReport
) -> ListChoice:
    """Return the floor and the kinds of lists that the folds prefer."""
    config = cache.config
    grouper = config.stage_config("grouper", config.grouper).model_dump(mode="json")
    rules = config.rules.model_dump(mode="json", exclude={"new_items"})
    depends = [encoded.keys, folded.keys, weights.as_dict(), config.grouper, grouper, rules, config.repeats, length]

    def choose_now() -> dict[str, Any]:
        make = lambda data, candidates: GroupMaker(data, candidates, config, cache.options)  # noqa: E731
        return asdict(choose_lists(folded.fitted, weights, make, length))

    return ListChoice(**cache.once("lists", depends, choose_now, report))


def _window(encoded: Encoded, data: Dataset, repeats: bool) -> Window:
    """Return what encoders say of the users of a dataset, and what its validation part holds."""
    weights = Weights.equal(tuple(encoded.encoders) or ("",), repeats)
    terms = repeat_terms(data) if repeats else ()
    return Window(encoded.predictor(weights, data.without_validation(), terms), validation_task(data, repeats))


def _blends(
    cache: StageCache, encoded: Encoded, data: Dataset, folded: Folded, simple: Simple, report: StageReport
) -> dict[bool, Weights]:
    """Return the blend for new items (False) and with repeats (True); in preset quick that of the run's task alone."""
    tasks = (cache.config.repeats,) if cache.config.preset == "quick" else (False, True)
    weigh = lambda: [one.as_dict() for one in _weigh(cache, encoded, data, folded, simple, tasks)]  # noqa: E731
    depends = [data.key, encoded.keys, folded.keys, asdict(simple), REPEAT_TERMS, tasks]
    found = cache.once("blend", depends, weigh, report)
    # JSON knows no tuples
    weights = (Weights(**{**blend, "repeats": blend["repeats"] and tuple(blend["repeats"])}) for blend in found)
    return dict(zip(tasks, weights, strict=True))


def _weigh(
    cache: StageCache, encoded: Encoded, data: Dataset, folded: Folded, simple: Simple, tasks: Sequence[bool]
) -> Iterator[Weights]:
    """Yield the blends that held-out users prefer: for new items (False), with repeats (True)."""
    names, seed = tuple(encoded.encoders), cache.config.seed
    start = simple.mix(simple.encoder)
    mix = choose_mix([_window(*one, repeats=False) for one in folded.windows], start, seed)
    for repeats in tasks:
        if repeats:
            yield with_repeats([_window(*one, repeats=True) for one in folded.windows], mix, names, seed)
        else:
            yield calibrated(_window(encoded, data, repeats=False), mix, names, seed)


def _live_weight(cache: StageCache, encoded: Encoded, data: Dataset, weights: Weights, updater: Updater) -> float:
    """Return how far the updater's change of opinion counts beside the blend, as some validation users' events say."""
    config, options = cache.config, cache.options
    users = np.unique(data.validation.user_rows)
    rows = np.sort(options.rng("live users").choice(users, min(LIVE_USERS, len(users)), replace=False))
    predictor = encoded.predictor(weights, data, repeat_terms(data) if config.repeats else ())
    seen = nothing(data.shape) if config.repeats else data.histories
    candidates = predictor.best_of(rows, seen[rows], config.seed)
    preference = make_preference(candidates, seed=config.seed)
    grouper = REGISTRIES["grouper"].get(baselines.GROUPER)().fit(data, preference, 1, options)
    base = FitSnapshot(
        user_ids=data.user_ids[rows],
        item_ids=data.item_ids,
        item_labels=data.item_labels,
        histories=data.histories[rows],
        candidates=candidates,
        labels=grouper.groups().labels,
        n_groups=1,
        states=updater.start(data, options)[rows],
        last_times=np.full(len(rows), -np.inf),
        components=preference.components,
        weight=1.0,
        repeats=config.repeats,
        seed=config.seed,
    )
    part = data.validation.take(np.isin(data.validation.user_rows, rows))
    part = replace(part, user_rows=np.searchsorted(rows, part.user_rows).astype(np.int32))
    return choose_weight(lambda weight: LiveState(replace(base, weight=weight), updater, grouper), part, config.seed)[0]


def encoder_names(config: RunConfig, data: Dataset) -> tuple[str, ...]:
    """Return the encoders to train: those named, or what the preset and the data allow where ``auto`` is named."""
    if config.encoders != ("auto",):
        return config.encoders
    names = (_or_sibling(name, config, data.n_items) for name in auto_encoders(config.preset, config.given))
    return tuple(dict.fromkeys(name for name in names if name and _allowed(name, config.preset, data)))


def _or_sibling(name: str, config: RunConfig, n_items: int) -> str:
    """Return the encoder, or where its setting ``max_items`` is less the one that takes its place, "" if none does."""
    most = getattr(config.stage_config("encoder", name), "max_items", n_items)
    return name if n_items <= most else encoders.get(name).auto.instead


def with_room(choices: Choices, config: RunConfig, n_items: int) -> Choices:
    """Return the choices for a fit on all rows, which may have more items than ``max_items`` of an encoder.

    That limit says what is chosen; what was chosen on a part of the rows takes the few items more.
    """
    most = {name: getattr(config.stage_config("encoder", name), "max_items", n_items) for name in choices.encoders}
    room = {name: {**choices.decided.get(name, {}), "max_items": n_items} for name in most if most[name] < n_items}
    return replace(choices, decided={**choices.decided, **room})


def _allowed(name: str, preset: str, data: Dataset) -> bool:
    """Whether ``auto`` trains an encoder on such data."""
    encoder = encoders.get(name)
    if encoder.reads_order and not data.timed:
        return False
    most_rows, most_users = encoder.auto.most_rows.get(preset), encoder.auto.most_users
    return (most_rows is None or len(data.train) <= most_rows) and (not most_users or data.n_users <= most_users)


def decide_n_groups(
    config: RunConfig,
    data: Dataset,
    candidates: Candidates | None,
    maker: GroupMaker | None,
    lists: ListChoice | None = None,
) -> tuple[int, str, pd.DataFrame | None]:
    """Return the number of groups, why, and the table it was chosen from.

    Args:
        data: its validation part judges.
        candidates, maker: of the encoders fitted on the training part; None where there is no validation part.
        lists: says what the floor is.
    """
    if config.n_groups != "auto":
        return config.n_groups, "", None
    grid = default_grid(data.n_users, 2 * smallest_group(config))
    lists = lists or ListChoice()
    if candidates is None or maker is None:
        middle = grid[len(grid) // 2]
        return middle, f"{middle} groups: there is no validation part to choose by.", None
    task = validation_task(data, config.repeats)
    kind = config.list_method[config.regime]
    kind = lists.exported[config.regime] if kind == OWN else kind
    methods = {kind: partial(own_lists, maker, lists, kind)}
    single = singles(lists, maker, (config.regime,))
    table = value_of_groups(task, candidates, methods, grid, config.seed, single, {config.regime: kind}).table
    n_groups, reason = choose_n_groups(table, config.regime)
    return n_groups, reason, table


def smallest_group(config: RunConfig) -> int:
    """Return the smallest size that the run's grouper allows a group."""
    return getattr(config.stage_config("grouper", config.grouper), "min_group_size", 1)
