"""What a group is like, on planted groups whose answer is known."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Candidates, GroupLatents, Groups, Preference
from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.explore import portrait
from grouprec.ranking.candidates import make_preference, taste
from grouprec.ranking.group_lists import group_popularity

KNOWN = planted(n_users=90, n_items=60, n_groups=3)
GROUPS = Groups(KNOWN.labels, 3)
CENTRES = np.array([[0, 0, 0], [4, 0, 0], [40, 0, 0]], np.float32)


def latents_around(centres: np.ndarray, groups: Groups, spread: float = 1.0) -> GroupLatents:
    """Return users scattered around their group's centre."""
    rng = np.random.default_rng(0)
    users = (centres[groups.labels] + spread * rng.normal(size=(len(groups.labels), centres.shape[1]))).astype(
        "float32"
    )
    rows = [users[groups.labels == g] for g in range(groups.n_groups)]
    return GroupLatents(users, np.stack([r.mean(0) for r in rows]), np.stack([r.std(0) + 1e-3 for r in rows]))


def wishes_of(labels: np.ndarray, n_items: int = 60, depth: int = 12) -> Preference:
    """Return preferences whose best items are those of the group's own block, in an order of the user's own."""
    rng = np.random.default_rng(1)
    starts = labels[:, None] * 20 % n_items
    items = (starts + rng.permuted(np.tile(np.arange(depth), (len(labels), 1)), axis=1)).astype(np.int32)
    scores = np.tile(np.linspace(2, 1, depth, dtype=np.float32), (len(labels), 1))
    return make_preference(Candidates(items, scores, n_items), size=8)


LATENTS = latents_around(CENTRES, GROUPS)
WISHES = wishes_of(KNOWN.labels)
DISTANCES = np.linalg.norm(LATENTS.users[:, None] - CENTRES, axis=2).astype(np.float32)
STRICT = group_popularity(KNOWN.data.histories, GROUPS, seed=0).strict


def all_tables(**changes) -> dict[str, pd.DataFrame]:
    given = {
        "data": KNOWN.data,
        "groups": GROUPS,
        "latents": LATENTS,
        "distances": DISTANCES,
        "preference": WISHES,
        "strict": STRICT,
    }
    return portrait.tables(**{**given, **changes})


def test_the_nearest_group_is_the_planted_neighbour():
    near = all_tables()["group_neighbours"]
    assert len(near) == 6 and (near["group"] != near["other"]).all()
    assert near.groupby("group")["other"].first().tolist() == [2, 1, 2]
    pairs = near.set_index(["group", "other"])["distance"]
    assert pairs[1, 3] == pairs[3, 1] > 5 * pairs[1, 2]
    pooled = np.sqrt(GROUPS.sizes @ LATENTS.std.astype(float) ** 2 / GROUPS.sizes.sum())
    assert pairs[1, 2] == pytest.approx(np.linalg.norm((LATENTS.mean[0] - LATENTS.mean[1]) / pooled), rel=1e-5)


def test_the_overlap_of_lists_is_the_jaccard_index_of_their_first_ten():
    lists = np.tile(np.arange(12, dtype=np.int32), (3, 1))
    lists[1, :10] += 5  # shares 5 of 15
    lists[2] = -1  # an empty list shares nothing
    pairs = all_tables(strict=lists)["group_neighbours"].set_index(["group", "other"])["overlap"]
    assert pairs[1, 2] == pairs[2, 1] == pytest.approx(5 / 15)
    assert pairs[1, 3] == 0


def test_margins_say_by_how_much_the_next_group_is_farther():
    distances = np.array([[0, 2, 4], [0, 1, 5], [3, 0, 3], [2, 2, 2]], np.float32)
    other, margin = portrait.borders(Groups(np.array([0, 1, 1, 2], np.int32), 3), distances)
    # the average other group is farther by 3, 1.5 and 3: by 2.5 on average; of the last user nothing is known
    assert other[:2].tolist() == [1, 0]
    assert margin[:3] == pytest.approx([2 / 2.5, -1 / 2.5, 3 / 2.5]) and np.isnan(margin[3])


def test_margins_do_not_depend_on_the_unit_of_distance():
    other, margin = portrait.borders(GROUPS, DISTANCES)
    rescaled, again = portrait.borders(GROUPS, DISTANCES * 1000)
    assert (other == rescaled).all() and margin == pytest.approx(again, rel=1e-4)


def test_borderline_members_lie_between_the_groups_and_are_counted():
    made = all_tables()
    profile, near = made["group_profiles"].set_index("group"), made["group_neighbours"]
    assert profile["borderline"].to_numpy() == pytest.approx(near.groupby("group")["borderline"].sum().to_numpy())
    assert profile.loc[1, "borderline"] > 0 and profile.loc[3, "borderline"] == 0
    edge = made["group_members"].query("kind == 'borderline'")
    assert set(edge["group"]) <= {1, 2} and (edge["margin"] < portrait.BORDER).all()
    assert (edge["other"] == 3 - edge["group"]).all()
    assert edge.groupby("group")["margin"].is_monotonic_increasing.all()


def test_typical_members_are_those_nearest_to_the_latent_mean():
    typical = all_tables()["group_members"].query("kind == 'typical'")
    assert typical.groupby("group").size().tolist() == [10, 10, 10]
    rows = np.flatnonzero(KNOWN.labels == 1)
    distance = np.linalg.norm(LATENTS.users[rows] - LATENTS.mean[1], axis=1)
    expected = KNOWN.data.user_ids[rows[np.argsort(distance)[:10]]]
    assert typical[typical["group"] == 2]["user"].tolist() == expected.tolist()
    assert typical[typical["group"] == 2]["rank"].tolist() == list(range(1, 11))


def test_a_wider_group_has_the_larger_spread():
    users = LATENTS.users.copy()
    users[KNOWN.labels == 1] = LATENTS.mean[1] + 5 * (users[KNOWN.labels == 1] - LATENTS.mean[1])
    before = all_tables()["group_profiles"]["spread"]
    after = all_tables(latents=replace(LATENTS, users=users))["group_profiles"]["spread"]
    assert after[1] > 3 * before[1]
    overall = np.linalg.norm(LATENTS.users - LATENTS.users.mean(0), axis=1).mean()
    own = np.linalg.norm(LATENTS.users - LATENTS.mean[KNOWN.labels], axis=1)[KNOWN.labels == 0].mean()
    assert before[0] == pytest.approx(own / overall, rel=1e-5)


def test_inner_diversity_equals_the_mean_over_all_pairs_of_members():
    profile = all_tables()["group_profiles"]
    dense = taste(WISHES.candidates).toarray().astype(float)
    for group in range(3):
        cosines = dense[KNOWN.labels == group] @ dense[KNOWN.labels == group].T
        n = len(cosines)
        mean = (cosines.sum() - np.trace(cosines)) / (n * (n - 1))
        assert profile["diversity"][group] == pytest.approx(1 - mean, abs=1e-5)
    assert (profile["diversity"] < profile["diversity_overall"]).all()


def test_a_single_member_has_no_diversity_and_unknown_tastes_do_not_count():
    groups = Groups(np.where(np.arange(90) == 0, 1, 0).astype(np.int32), 2)
    blank = replace(WISHES.candidates, scores=np.where(np.arange(90)[:, None] < 80, WISHES.candidates.scores, 0))
    latents = latents_around(CENTRES[:2], groups)
    made = all_tables(groups=groups, latents=latents, distances=DISTANCES[:, :2], strict=STRICT[:2])
    assert np.isnan(made["group_profiles"]["diversity"][1])
    preference = replace(WISHES, candidates=blank)
    one = Groups(np.zeros(90, np.int32), 1)
    flat = latents_around(CENTRES[:1], one)
    made = all_tables(groups=one, latents=flat, distances=DISTANCES[:, :1], preference=preference, strict=STRICT[:1])
    dense = taste(blank).toarray()[:80].astype(float)
    assert made["group_profiles"]["diversity"][0] == pytest.approx(
        1 - ((dense @ dense.T).sum() - 80) / (80 * 79), abs=1e-5
    )


def test_one_group_of_everybody_has_no_neighbours_and_no_borders():
    everybody = Groups(np.zeros(90, np.int32), 1)
    latents = latents_around(CENTRES[:1], everybody)
    made = all_tables(groups=everybody, latents=latents, distances=DISTANCES[:, :1], strict=STRICT[:1])
    profile = made["group_profiles"].iloc[0]
    assert made["group_neighbours"].empty and profile["borderline"] == 0 and pd.isna(profile["nearest"])
    assert profile["diversity"] == pytest.approx(profile["diversity_overall"])
    assert set(made["group_members"]["kind"]) == {"typical"} and made["group_members"]["other"].isna().all()


def test_activity_counts_every_event_of_every_group_once():
    table = portrait.activity(KNOWN.data, GROUPS)
    starts = table["period"].drop_duplicates()
    assert 2 < len(starts) <= portrait.MOST_PERIODS and len(table) == 3 * len(starts)
    events = np.bincount(KNOWN.labels[KNOWN.data.train.user_rows])
    assert table.groupby("group")["events"].sum().tolist() == events.tolist()
    assert table.groupby("period")["share"].sum().to_numpy() == pytest.approx(1)
    assert (table["users"] <= table["events"]).all() and table["users"].max() <= GROUPS.sizes.max()
    days = pd.to_datetime(KNOWN.data.train.times, unit="s").floor("D")  # the planted data span 20 days
    first = (days == starts.iloc[0]) & (KNOWN.labels[KNOWN.data.train.user_rows] == 0)
    assert table["events"].iloc[0] == first.sum()


@pytest.mark.parametrize(
    ("days", "expected"), [(0.4, "h"), (20, "D"), (150, "W"), (700, "M"), (1800, "Q"), (9000, "Y")]
)
def test_periods_are_calendar_ones_and_few(days: float, expected: str):
    first = pd.Timestamp("2020-03-05 10:30")
    starts = portrait._periods(first.timestamp(), first.timestamp() + days * 86400)
    assert 2 <= len(starts) <= portrait.MOST_PERIODS
    assert starts[0] == first.to_period(expected).start_time and starts[1] == (first.to_period(expected) + 1).start_time


def test_data_without_times_have_no_activity():
    train = KNOWN.data.train
    untimed = replace(KNOWN.data, train=Interactions(train.user_rows, train.item_rows, train.weights))
    assert "group_activity" not in all_tables(data=untimed)
    assert portrait.activity(untimed, GROUPS).empty


def test_ten_thousand_users_are_portrayed_without_a_table_of_every_two():
    known = planted(n_users=10_000, n_items=500, n_groups=20, events_per_user=10)
    groups = Groups(known.labels, 20)
    rng = np.random.default_rng(0)
    latents = latents_around(rng.normal(size=(20, 16)).astype(np.float32), groups)
    distances = rng.random((10_000, 20), dtype=np.float32)
    items = rng.integers(0, 500, (10_000, 50)).astype(np.int32)
    scores = np.sort(rng.random((10_000, 50), dtype=np.float32))[:, ::-1]
    preference = Preference(Candidates(items, scores, 500), latents.users, np.zeros((500, 16), np.float32))
    tracemalloc.start()
    made = portrait.tables(known.data, groups, latents, distances, preference, known.favourites[:, :10])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000**2  # bytes: a table of bits would have as many
    assert len(made["group_neighbours"]) == 380
