"""What every stage on the menu promises, whatever it is: one test per promise, over all registries."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic.fields import FieldInfo
from scipy import sparse

import grouprec.models.menu  # noqa: F401  (fills the registries)
from grouprec.core.types import Candidates, Groups, Preference
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.models.base import PRESETS, REGISTRIES, Generator, Grouper, Profile, Stage
from grouprec.models.fitting import RunOptions

N_GROUPS = 3
ALL = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]
ENCODERS = [name for kind, name in ALL if kind == "encoder"]
GROUPERS = [name for kind, name in ALL if kind == "grouper"]
PROFILES = [name for kind, name in ALL if kind == "profile"]
GENERATORS = [name for kind, name in ALL if kind == "generator"]
UPDATERS = [name for kind, name in ALL if kind == "updater"]
SETTINGS = [
    pytest.param(field, id=f"{kind}-{name}-{field_name}")
    for kind, name in ALL
    for field_name, field in REGISTRIES[kind].get(name).Config.model_fields.items()
]


@cache
def the_data() -> Dataset:
    return planted(n_users=40, n_items=24, n_groups=N_GROUPS, events_per_user=12).data.without_test()


@cache
def the_groups() -> Groups:
    return Groups(planted(n_users=40, n_items=24, n_groups=N_GROUPS, events_per_user=12).labels, N_GROUPS)


@cache
def the_preference() -> Preference:
    """Two directions per group, so that any grouper has something to find."""
    data, rng = the_data(), np.random.default_rng(0)
    scores = rng.random((data.n_users, data.n_items), np.float32) + (the_groups().labels[:, None] == 0)
    items = np.argsort(-scores, axis=1)[:, :10].astype(np.int32)
    space = rng.normal(size=(data.n_users, 4)).astype(np.float32) + the_groups().labels[:, None] * 8
    components = rng.normal(size=(data.n_items, 4)).astype(np.float32)
    candidates = Candidates(items, np.take_along_axis(scores, items, axis=1).astype(np.float32), data.n_items)
    return Preference(candidates, space.astype(np.float32), components)


@cache
def the_profile() -> Profile:
    return fit(*next((kind, name) for kind, name in ALL if kind == "profile"))


def settings(kind: str, name: str) -> Any:
    """Return the quick preset, with as little training as the stage allows."""
    config = REGISTRIES[kind].get(name).Config
    short = {field: 2 for field in config.model_fields if field == "epochs"}
    return config.for_preset("quick").model_copy(update=short)


def fit(kind: str, name: str, seed: int = 0) -> Stage:
    stage, run = REGISTRIES[kind].get(name)(settings(kind, name)), RunOptions(seed=seed)
    data = the_data()
    inputs = {
        "encoder": (data,),
        "grouper": (data, the_preference(), N_GROUPS),
        "profile": (data, the_groups(), the_preference().candidates),
        "generator": (the_groups(), the_profile() if kind == "generator" else None, the_preference().candidates),
        "updater": (data,),
    }
    return stage.fit(*inputs[kind], run)  # type: ignore[attr-defined]


@cache
def fitted(kind: str, name: str) -> Stage:
    return fit(kind, name)


def outputs(stage: Any) -> dict[str, np.ndarray]:
    """Return all that a fitted stage answers on the shared inputs, as arrays."""
    data, run = the_data(), RunOptions()
    if stage.kind == "encoder":
        vectors = stage.encode(data.histories, data.user_attributes, data.recent())
        return {"users": _dense(vectors), "items": _dense(stage.items())}
    if stage.kind == "grouper":
        who = the_preference(), data.histories, data.user_attributes
        return {"labels": stage.groups().labels, "placed": stage.place(*who), "distances": stage.distances(*who)}
    if stage.kind == "profile":
        latents = stage.latents()
        encoded = stage.encode(data.histories)
        wanted = stage.predict(encoded, np.array([0.5, 0.5, 0], np.float32))
        return {**vars(latents), "encoded": encoded, "decoded": stage.decode(encoded), "wanted": wanted}
    if stage.kind == "generator":
        drawn = stage.sample(1, 5, np.random.default_rng(0))
        lists = stage.lists(data, the_groups(), the_profile(), run)
        return {"drawn": drawn, **vars(lists)}
    states = stage.start(data, run)
    moved = stage.update(states, np.arange(data.n_users) % data.n_items)
    return {"states": states, "moved": moved, "chances": stage.chances(moved)}


def _dense(values: Any) -> np.ndarray:
    return values.toarray() if sparse.issparse(values) else values


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def snapshot() -> list[np.ndarray]:
    """Return copies of the shared inputs that a stage could change."""
    data, preference = the_data(), the_preference()
    parts = [data.train.user_rows, data.train.item_rows, data.train.weights, data.histories.data]
    parts += [data.histories.indices, preference.space, preference.candidates.scores, the_groups().labels]
    return [part.copy() for part in parts]


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_stage_says_what_it_is_and_where_it_comes_from(kind, name):
    stage = REGISTRIES[kind].get(name)
    assert (stage.kind, stage.name) == (kind, name)
    assert stage.title.strip() and stage.cite.strip() and stage.__doc__


@pytest.mark.parametrize("field", SETTINGS)
def test_every_setting_is_described_and_bounded(field: FieldInfo):
    assert field.description and not field.is_required()
    if field.annotation in (int, float):
        bounds = {type(rule).__name__ for rule in field.metadata}
        assert bounds & {"Ge", "Gt"} and bounds & {"Le", "Lt"}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(("kind", "name"), ALL)
def test_every_preset_gives_valid_settings_that_survive_json(kind, name, preset):
    config = REGISTRIES[kind].get(name).Config
    values = config.for_preset(preset)
    assert config.model_validate_json(values.model_dump_json()) == values


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_same_seed_gives_the_same_result_bit_for_bit(kind, name):
    assert equal(outputs(fitted(kind, name)), outputs(fit(kind, name)))


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_saved_arrays_bring_the_same_stage_back(kind, name):
    stage = fitted(kind, name)
    arrays = stage.arrays()
    assert all(isinstance(array, np.ndarray) and array.dtype.kind in "fiub" for array in arrays.values())
    copies = {key: array.copy() for key, array in arrays.items()}
    assert equal(outputs(REGISTRIES[kind].get(name)(stage.config).load(copies)), outputs(stage))


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_all_answers_are_finite(kind, name):
    assert all(np.isfinite(values).all() for values in outputs(fitted(kind, name)).values())


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_fitting_and_asking_change_no_input(kind, name):
    before = snapshot()
    outputs(fit(kind, name))
    assert all(np.array_equal(one, other) for one, other in zip(before, snapshot(), strict=True))


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_fitting_leaves_the_global_random_generators_alone(kind, name):
    def draw() -> tuple[Any, ...]:
        return tuple(torch.random.get_rng_state().tolist()), tuple(np.random.get_state()[1])  # noqa: NPY002

    before = draw()
    fit(kind, name)
    assert draw() == before


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_gives_float32_vectors_of_one_width(name):
    encoder: Any = fitted("encoder", name)
    data = the_data()
    vectors, items = encoder.encode(data.histories, data.user_attributes, data.recent()), encoder.items()
    assert vectors.dtype == items.dtype == np.float32
    assert vectors.shape == (data.n_users, items.shape[1]) and items.shape[0] == data.n_items
    scores = encoder.embeddings(data).scores(slice(0, 3))
    assert scores.shape == (3, data.n_items) and scores.dtype == np.float32


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize(
    "attributes",
    [
        pd.DataFrame(index=range(2)),
        pd.DataFrame({"region": ["Atlantis", None], "age": [np.nan, np.inf]}),
        pd.DataFrame({"age": ["forty", "1e400"], "other": [1, 2]}),
    ],
    ids=["no columns", "unseen and missing values", "other types"],
)
def test_an_encoder_takes_users_it_knows_nothing_about(name, attributes):
    vectors: Any = fitted("encoder", name).encode(sparse.csr_array((2, 24), dtype=np.float32), attributes)  # type: ignore[attr-defined]
    assert _dense(vectors).shape[0] == 2 and np.isfinite(_dense(vectors)).all()


@pytest.mark.parametrize("name", ENCODERS)
def test_a_user_is_encoded_the_same_alone_and_among_others(name):
    encoder: Any = fitted("encoder", name)
    data = the_data()
    every = encoder.embeddings(data).users[[7]]
    alone = encoder.encode(data.histories[[7]], data.user_attributes.iloc[[7]], data.recent()[[7]])
    difference = abs(every - alone)
    assert difference.max() < 1e-4


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_reads_the_order_of_items_where_it_says_so(name):
    encoder: Any = fitted("encoder", name)
    data = the_data()
    recent = data.recent()
    assert (recent >= 0).sum(axis=1).min() > 2
    turned = recent[:, ::-1].copy()
    one, other = (encoder.encode(data.histories, data.user_attributes, order) for order in (recent, turned))
    assert (abs(one - other).max() > 0) == encoder.reads_order


@pytest.mark.parametrize("name", GROUPERS)
def test_a_grouper_fills_every_group_and_places_by_the_same_rule(name):
    grouper: Grouper = fitted("grouper", name)  # type: ignore[assignment]
    groups = grouper.groups()
    assert groups.labels.dtype == np.int32 and groups.labels.shape == (the_data().n_users,)
    assert 1 <= groups.n_groups <= N_GROUPS and (groups.sizes > 0).all() and len(groups.sizes) == groups.n_groups
    assert (np.diff(groups.sizes) <= 0).all()
    who = the_preference(), the_data().histories, the_data().user_attributes
    placed, distances = grouper.place(*who), grouper.distances(*who)
    assert placed.dtype == np.int32 and np.isin(placed, np.arange(groups.n_groups)).all()
    assert distances.dtype == np.float32 and distances.shape == (the_data().n_users, groups.n_groups)
    assert (distances >= 0).all() and np.array_equal(placed, distances.argmin(axis=1))


@pytest.mark.parametrize("name", GROUPERS)
def test_a_grouper_places_users_it_knows_nothing_about_in_the_largest_group(name):
    grouper: Grouper = fitted("grouper", name)  # type: ignore[assignment]
    n_items, size = the_preference().components.shape
    nobody = Candidates(np.full((2, 10), -1, np.int32), np.zeros((2, 10), np.float32), n_items)
    preference = Preference(nobody, np.zeros((2, size), np.float32), the_preference().components)
    placed = grouper.place(preference, sparse.csr_array((2, n_items), dtype=np.float32), pd.DataFrame(index=range(2)))
    assert placed.tolist() == [0, 0]


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_gives_every_group_a_distribution(name):
    profile: Profile = fitted("profile", name)  # type: ignore[assignment]
    latents, data = profile.latents(), the_data()
    size = latents.users.shape[1]
    assert latents.users.shape == (data.n_users, size)
    assert latents.mean.shape == latents.std.shape == (N_GROUPS, size)
    assert (latents.std > 0).all()
    assert {latents.users.dtype, latents.mean.dtype, latents.std.dtype} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_decodes_and_predicts_shares_of_the_catalogue(name):
    profile: Profile = fitted("profile", name)  # type: ignore[assignment]
    latents = profile.encode(sparse.csr_array((2, 24), dtype=np.float32))
    for shares in (profile.decode(latents), profile.predict(latents, np.array([0.2, 0.8, 0], np.float32))):
        assert shares.shape == (2, 24) and shares.dtype == np.float32
        assert (shares >= 0).all() and np.allclose(shares.sum(axis=1), 1, atol=1e-4)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_draws_different_members_of_the_right_size(name):
    generator: Generator = fitted("generator", name)  # type: ignore[assignment]
    drawn = generator.sample(0, 6, np.random.default_rng(0))
    assert drawn.shape == (6, the_profile().latents().mean.shape[1]) and drawn.dtype == np.float32
    assert len(np.unique(drawn, axis=0)) == 6
    other: Callable[[int], np.ndarray] = lambda seed: generator.sample(0, 6, np.random.default_rng(seed))  # noqa: E731
    assert not np.array_equal(drawn, other(1)) and np.array_equal(drawn, other(0))


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_lists_known_items_once_best_first(name):
    generator: Generator = fitted("generator", name)  # type: ignore[assignment]
    lists = generator.lists(the_data(), the_groups(), the_profile(), RunOptions())
    for items, scores in ((lists.strict, lists.strict_scores), (lists.ranking, lists.ranking_scores)):
        assert len(items) == N_GROUPS and items.shape == scores.shape
        for row, values in zip(items, scores, strict=True):
            real = row[row >= 0]
            assert len(np.unique(real)) == len(real) > 0 and real.max() < the_data().n_items
            assert (np.diff(values[row >= 0]) <= 0).all()


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_reports_finite_numbers(name):
    generator: Generator = fitted("generator", name)  # type: ignore[assignment]
    report = generator.report(the_groups(), the_profile())
    assert report and all(np.isfinite(value) for value in report.values())


@pytest.mark.parametrize("name", UPDATERS)
def test_an_updater_moves_only_the_users_it_is_given(name):
    updater: Any = fitted("updater", name)
    data = the_data()
    states = updater.start(data, RunOptions())
    before = states.copy()
    moved = updater.update(states[:3], np.array([0, 1, 2]))
    assert states.dtype == moved.dtype == np.float32 and moved.shape == (3, states.shape[1])
    assert len(states) == data.n_users and np.array_equal(states, before)
    assert not np.array_equal(moved, states[:3])
    chances = updater.chances(moved)
    assert chances.shape == (3, data.n_items) and chances.dtype == np.float32
    assert (chances > 0).all() and np.allclose(chances.sum(axis=1), 1)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_a_stage_can_do_without_one_of_its_users(kind: str, name: str) -> None:
    """Whatever has a row per user loses it, and the stage still loads and answers."""
    stage, n_users = fitted(kind, name), the_data().n_users
    arrays, kept = stage.arrays(), np.arange(n_users) != 7
    left = stage.keep_users(arrays, kept)
    longer = {name for name, values in arrays.items() if values.shape[:1] in ((n_users,), (n_users + 1,))}
    if left is None:
        assert not longer
        return
    assert longer and all(len(left[name]) == len(arrays[name]) - 1 for name in longer)
    again = type(stage)(stage.config).load(left)
    if isinstance(again, Grouper):
        assert isinstance(stage, Grouper) and np.array_equal(again.groups().labels, stage.groups().labels[kept])
    if isinstance(again, Profile):
        assert isinstance(stage, Profile) and np.array_equal(again.latents().users, stage.latents().users[kept])
