"""What is popular lately, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from grouprec.core.types import Groups
from grouprec.data.dataset import Interactions
from grouprec.ranking.recency import (
    DAY,
    LADDER,
    YEAR,
    days_spanned,
    decay,
    for_every_group,
    group_recent,
    half_lives,
    half_lives_of,
    has_evidence,
    moves,
    one_list,
    recent_popularity,
    seasonal_popularity,
)


def part(items: list[int], days: list[float], users: list[int] | None = None) -> Interactions:
    n = len(items)
    owners = np.array(users or [0] * n, np.int32)
    return Interactions(owners, np.array(items, np.int32), np.ones(n, np.float32), np.array(days) * DAY)


def test_a_row_counts_half_after_every_half_life_whenever_time_begins() -> None:
    for begin in (0.0, 20_000.0):
        rows = part([0, 1, 2], [begin, begin + 7, begin + 14])
        assert decay(rows, 7.0) == pytest.approx([0.25, 0.5, 1])
    assert recent_popularity(rows, 4, 7.0) == pytest.approx([1 / 7, 2 / 7, 4 / 7, 0])


def test_popularity_moves_where_it_does_so_by_more_than_chance() -> None:
    rng = np.random.default_rng(0)
    days = rng.uniform(0, 100, 2_000)
    still, moving = rng.integers(0, 50, 2_000), (days / 4 + rng.uniform(0, 25, 2_000)).astype(int)
    for half_life in (1.0, 3.0, 10.0):
        assert not moves(part(list(still), list(days)), 50, half_life)
        assert moves(part(list(moving), list(days)), 50, half_life)
    assert not moves(part([], []), 50, 1.0)


def test_half_lives_follow_the_time_that_the_rows_span() -> None:
    assert half_lives(366) == (1, 3, 7, 14, 28, 56)
    assert half_lives(9) == pytest.approx((1 / 24, 1 / 8, 1 / 3, 1))
    assert half_lives(12 * 365) == (14, 28, 56, 112, 224, 448, 896)
    assert half_lives(0.0) == LADDER[:1] and half_lives(1e9) == LADDER[-1:], "never none"
    for span in np.geomspace(1e-3, 1e7, 300):
        tried = half_lives(span)
        assert set(tried) <= set(LADDER) and len(tried) <= 7 and (len(tried) > 2 or not 2 < span < 4_000)


def test_one_row_of_another_age_does_not_stretch_the_time() -> None:
    days = [-20_000.0, *np.linspace(0, 100, 500), 9_000.0]
    assert days_spanned(part([0] * 502, days)) == pytest.approx(98, abs=1)
    crowd = part([0] * 40_000, list(np.linspace(0, 100, 40_000)))
    assert half_lives_of([part([0, 0], [0.0, 1.0]), crowd]) == half_lives(98)
    assert half_lives_of([]) == half_lives_of([Interactions.empty(timed=False)]) == ()
    assert days_spanned(Interactions.empty(timed=False)) == days_spanned(Interactions.empty(timed=True)) == 0


def test_what_too_few_rows_say_is_not_asked() -> None:
    daily = part([0] * 3_000, list(np.linspace(0, 100, 3_000)))  # 30 a day
    assert half_lives_of([daily]) == (7.0, 14.0) and not has_evidence([daily], 3.0)
    assert half_lives_of([part([0] * 20, list(np.linspace(0, 100, 20)))]) == (14.0,), "never none"


def test_the_season_is_what_came_next_a_year_ago() -> None:
    now = YEAR / DAY + 10
    rows = part([0, 1, 1, 2, 3, 0], [0, 10, 12, 19.9, 20.1, now])
    assert seasonal_popularity(rows, 4, 10 * DAY) == pytest.approx([0, 2 / 3, 1 / 3, 0])
    assert seasonal_popularity(part([0, 1], [11, now]), 4, 10 * DAY) is None, "it does not reach back a year"
    assert seasonal_popularity(part([0, 1], [0, now]), 4, 10 * DAY) is None, "nothing came next then"


def test_a_group_gets_its_own_drawn_half_way_to_everybodys() -> None:
    rows = part([0, 0, 1, 2], [0, 0, 0, 0], users=[0, 0, 1, 1])
    found = group_recent(rows, (2, 4), Groups(np.array([0, 1], np.int32), 2), 7.0, seed=0)
    assert found.strict[0, 0] == 0 and found.strict_scores[0, 0] == pytest.approx(0.5 * 1 + 0.5 * 0.5)
    assert found.strict_scores[1, :2] == pytest.approx([0.5 * 0.5 + 0.5 * 0.25] * 2)
    assert (found.strict[:, :4] == found.ranking[:, :4]).all()


def test_one_list_is_the_list_of_every_group() -> None:
    lists = one_list(np.array([0.1, 0.4, 0.2]), seed=0)
    assert lists.strict[0, :3].tolist() == [1, 2, 0]
    many = for_every_group(lists, 3)
    assert many.strict.shape[0] == many.ranking.shape[0] == 3 and (many.strict == lists.strict).all()
