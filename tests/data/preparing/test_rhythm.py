"""When users act: shares of events per weekday and part of the day, in UTC."""

import numpy as np
import pandas as pd
import pytest

from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.preparing.rhythm import usual_times, with_rhythm

DAY = 86_400.0
PARTS = [f"share of events: {name}" for name in ("night", "morning", "afternoon", "evening")]
WEEK = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")
DAYS = [f"share of events: {name}" for name in WEEK]


def rhythm(users, times, n_users=2, attributes=None):
    part = Interactions(
        np.array(users, np.int32), np.zeros(len(users), np.int32), np.ones(len(users), np.float32), np.array(times)
    )
    nothing = Interactions.empty(timed=True)
    ids = np.array([f"u{n}" for n in range(n_users)], object)
    frame = pd.DataFrame() if attributes is None else attributes
    data = Dataset("d", "d", ids, ids[:1], part, nothing, nothing, item_labels=ids[:1], user_attributes=frame)
    return with_rhythm(data).user_attributes


@pytest.mark.parametrize("day", range(15))
@pytest.mark.parametrize(
    ("hour", "part"), [(0, 0), (5.99, 0), (6, 1), (11.99, 1), (12, 2), (18, 3), (23 + 3599 / 3600, 3)]
)
def test_a_time_falls_into_its_weekday_and_quarter_of_the_day(day, hour, part):
    found = rhythm([0], [20_000 * 7 * DAY + day * DAY + hour * 3600], n_users=1)
    assert found.columns.tolist() == DAYS + PARTS
    assert np.flatnonzero(found[DAYS].iloc[0]).tolist() == [day % 7]
    assert np.flatnonzero(found[PARTS].iloc[0]).tolist() == [part]
    assert found[DAYS].iloc[0].max() == found[PARTS].iloc[0].max() == 1


def test_five_events_of_the_mean_rhythm_are_added_to_every_users_own():
    found = rhythm([0, 0, 0, 1], [0, 0, DAY, DAY], n_users=3)[DAYS].to_numpy()
    mean = np.array([0.5, 0.5, 0, 0, 0, 0, 0])
    own = np.array([[2, 1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0], [0] * 7])
    np.testing.assert_allclose(found, (own + 5 * mean) / (own.sum(axis=1, keepdims=True) + 5), rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert found.dtype == np.float32


def test_without_any_event_all_shares_are_zero():
    assert not rhythm([], np.zeros(0)).to_numpy().any()


def test_the_rhythm_stands_beside_what_is_known_row_by_row():
    known = pd.DataFrame({"age": [30, 40]}, index=[7, 9])
    found = rhythm([0, 1], [0, DAY], attributes=known)
    assert found.columns.tolist() == ["age", *DAYS, *PARTS] and found.index.tolist() == [0, 1]
    assert found["age"].tolist() == [30, 40]
    assert found[DAYS].to_numpy().argmax(axis=1).tolist() == [0, 1]


def test_what_is_usual_by_hand() -> None:
    hour = 3600.0
    users = np.array([0, 0, 0, 1, 1])  # 1 January 1970 was a Thursday
    times = np.array([9 * hour, DAY + 20 * hour, 8 * DAY + 19 * hour, 2 * DAY, 9 * DAY])
    found = usual_times(users, times, 3)
    assert found["usual weekday"].tolist() == ["Friday", "Saturday", "unknown"]
    assert found["usual part of the day (UTC)"].tolist() == ["evening", "night", "unknown"]
    assert list(usual_times(users, times // DAY * DAY, 3)) == ["usual weekday"], "days have no hours"
    assert usual_times(users, None, 3).shape == usual_times(users[:0], times[:0], 3).shape == (3, 0)
