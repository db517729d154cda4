"""How the preparation parts the rows: by time, per user, or not at all, and who is new in the later parts."""

import pandas as pd
import pytest

from grouprec.core.types import SettingError
from grouprec.data.preparing.clean import Preparation
from tests.data.preparing.test_prepare import LOOSE, events, prepared

BY_TIME = LOOSE.model_copy(update={"split": "time"})


def test_the_split_by_time_lets_no_future_into_training(tmp_path):
    data = prepared(tmp_path, events(), BY_TIME.model_copy(update={"test_share": 0.2})).dataset
    assert data.train.times.max() < data.validation.times.min()
    assert data.validation.times.max() < data.test.times.min()
    start = pd.Timestamp("2024-01-01", tz="UTC").timestamp()
    assert data.train.times.min() >= start


def test_without_times_the_split_is_per_user_and_all_users_stay(tmp_path):
    result = prepared(tmp_path, events(per_user=8).drop(columns="date"))
    assert (result.split, result.dataset.timed, result.first_time) == ("user", False, None)
    assert result.dataset.n_users == 12
    assert len(result.dataset.test) > 0


def test_refit_puts_all_rows_into_training(tmp_path):
    data = prepared(tmp_path, events(), hold_out=False).dataset
    assert (len(data.train), len(data.validation), len(data.test)) == (72, 0, 0)


def test_new_users_are_counted_and_not_in_the_dataset(tmp_path):
    table = events()
    table.loc[table["date"].idxmax(), "user"] = "newcomer"
    result = prepared(tmp_path, table, BY_TIME)
    assert (result.new_users_validation, result.new_users_test) == (0, 1)
    assert "newcomer" not in result.dataset.user_ids
    assert "newcomer" not in result.dataset.left_out.user_ids


def test_a_split_of_every_users_own_time_keeps_their_last_rows_apart(tmp_path):
    result = prepared(tmp_path, events(per_user=8), Preparation(split="user_time", min_item_users=1))
    data = result.dataset
    assert result.split == "user_time" and data.timed and min(len(data.validation), len(data.test)) > 0
    for user in range(data.n_users):
        train, test = (part.times[part.user_rows == user] for part in (data.train, data.test))
        assert not len(test) or train.max() < test.min()
    assert data.test.times.min() < data.train.times.max(), "users' times overlap"
    with pytest.raises(SettingError, match="needs a time column"):
        prepared(tmp_path, events().drop(columns="date"), Preparation(split="user_time", min_item_users=1))


def test_a_split_by_time_needs_times(tmp_path):
    with pytest.raises(SettingError, match="--map time=COLUMN"):
        prepared(tmp_path, events().drop(columns="date"), Preparation(split="time", min_item_users=1))


def test_equal_times_everywhere_fall_back_to_a_split_per_user(tmp_path):
    assert prepared(tmp_path, events(per_user=8).assign(date="2024-01-01")).split == "user"


def test_new_users_of_both_parts_are_counted_apart(tmp_path):
    table = events().sort_values("date", ignore_index=True)
    table.loc[60, "user"], table.loc[61, "user"] = "n1", "n2"
    table.loc[70, "user"] = "n3"
    result = prepared(tmp_path, table, BY_TIME)
    assert (result.new_users_validation, result.new_users_test) == (2, 1)


@pytest.mark.parametrize(
    ("shares", "setting", "timed", "split"),
    [
        ((0.1, 0.1), "auto", True, "user_time"),
        ((0.1, 0.1), "auto", False, "user"),
        ((0.0, 0.0), "auto", True, "none"),
        ((0.5, 0.0), "auto", True, "user_time"),
        ((0.1, 0.1), "time", True, "time"),
        ((0.1, 0.1), "user", True, "user"),
        ((0.1, 0.1), "user", False, "user"),
        ((0.1, 0.1), "user_time", True, "user_time"),
        ((0.0, 0.0), "time", False, "none"),
    ],
)
def test_how_rows_are_parted_follows_setting_shares_and_times(tmp_path, shares, setting, timed, split):
    table = events(per_user=8) if timed else events(per_user=8).drop(columns="date")
    settings = Preparation(split=setting, test_share=shares[0], validation_share=shares[1], min_item_users=1)
    result = prepared(tmp_path, table, settings)
    assert result.split == split
    assert (len(result.dataset.test) > 0) == (split != "none")


def test_a_split_by_time_of_one_moment_trains_all_where_it_was_asked_for(tmp_path):
    result = prepared(tmp_path, events(per_user=8).assign(date="2024-01-01"), BY_TIME)
    assert result.split == "time" and len(result.dataset.train) == 96
