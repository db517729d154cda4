from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from grouprec.core.types import Candidates, Preference, SettingError
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.synthetic import planted
from grouprec.models.base import groupers
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.attributes import AttributesGrouper

NO_HISTORIES = sparse.csr_array((1, 1), dtype=np.float32)
ANY = Preference(
    Candidates(np.zeros((1, 1), np.int32), np.ones((1, 1), np.float32), 1), np.ones((1, 1)), np.ones((1, 1))
)


def data_of(**columns: list) -> Dataset:
    """Return data of which only the user attributes matter."""
    attributes = pd.DataFrame(columns)
    users = np.array([f"u{n}" for n in range(len(attributes))], dtype=object)
    none, item = Interactions.empty(), np.array(["i"], dtype=object)
    return Dataset("test", "test", users, item, none, none, none, item, user_attributes=attributes)


def fitted(data: Dataset, n_groups: int, **settings: str | int) -> AttributesGrouper:
    config = AttributesGrouper.Config.for_preset("quick").model_copy(update=settings)
    return AttributesGrouper(config).fit(data, ANY, n_groups, RunOptions())


def place(grouper: AttributesGrouper, **columns: list) -> list[int]:
    return grouper.place(ANY, NO_HISTORIES, pd.DataFrame(columns)).tolist()


def test_attributes_find_the_planted_region() -> None:
    data = planted(n_groups=4).data
    groups = fitted(data, 4, columns="region").groups()
    assert adjusted_rand_score(data.user_attributes["region"], groups.labels) == 1


def test_several_columns_together_correct_one_another() -> None:
    answer = planted(n_groups=2)
    spend = np.random.default_rng(0).normal(answer.labels * 4.0, 1)
    table = pd.DataFrame({"region": answer.data.user_attributes["region"], "spend": spend})
    groups = fitted(replace(answer.data, user_attributes=table), 2).groups()
    region_alone = adjusted_rand_score(answer.labels, table["region"])
    assert adjusted_rand_score(answer.labels, groups.labels) > max(region_alone, 0.85)


def test_a_category_of_few_values_gives_one_group_per_value_by_size() -> None:
    grouper = fitted(data_of(plan=["pro"] * 6 + ["free"] * 11 + ["team"] * 8), 10)
    assert grouper.groups().sizes.tolist() == [11, 8, 6]
    assert place(grouper, plan=["free", "team", "pro"]) == [0, 1, 2]


def test_a_category_of_more_values_than_groups_keeps_the_most_frequent_apart() -> None:
    values = ["a"] * 40 + ["b"] * 30 + [f"rare {n % 6}" for n in range(12)]
    grouper = fitted(data_of(plan=values), 3)
    assert grouper.groups().sizes.tolist() == [40, 30, 12]


def test_numbers_are_grouped_by_size() -> None:
    grouper = fitted(data_of(age=[20.0, 21, 22] * 4 + [60.0, 61, 62] * 2), 2)
    assert grouper.groups().sizes.tolist() == [12, 6]
    assert place(grouper, age=[18, 75]) == [0, 1]


def test_a_number_at_the_mean_is_not_taken_for_a_missing_one() -> None:
    ages = [20.0] * 8 + [40.0] * 6 + [60.0] * 8
    assert fitted(data_of(age=ages), 3).groups().sizes.tolist() == [8, 8, 6]
    with_missing = fitted(data_of(age=[*ages, np.nan, np.nan]), 3).groups()
    assert with_missing.labels[-2:].tolist() == [0, 0] and with_missing.labels[8:14].tolist() == [2] * 6


def test_place_puts_fitted_users_where_they_are_after_loading() -> None:
    data = planted(n_groups=3).data
    grouper = fitted(data, 3)
    again = AttributesGrouper(grouper.config).load(grouper.arrays())
    placed = again.place(ANY, NO_HISTORIES, data.user_attributes)
    assert placed.dtype == np.int32 and np.array_equal(placed, grouper.groups().labels)
    distances = again.distances(ANY, NO_HISTORIES, data.user_attributes)
    assert np.array_equal(distances.argmin(axis=1), placed) and distances.dtype == np.float32


@pytest.mark.parametrize(
    "columns",
    [{"plan": ["never seen", None]}, {"plan": ["never seen", "x"], "age": [np.nan, np.inf]}, {"other": ["pro", "pro"]}],
    ids=["unseen values", "unseen and missing", "missing columns"],
)
def test_users_of_whom_nothing_is_known_are_equally_far_from_all_groups(columns: dict[str, list]) -> None:
    grouper = fitted(data_of(plan=["pro"] * 9 + ["free"] * 6, age=[30.0, 40, 50] * 5), 2)
    assert not grouper.distances(ANY, NO_HISTORIES, pd.DataFrame(columns)).any()
    assert place(grouper, **columns) == [0, 0]


def test_only_the_chosen_columns_count() -> None:
    data = data_of(plan=["pro", "free"] * 10, age=[20.0] * 10 + [60.0] * 10)
    by_age = fitted(data, 2, columns="age").groups().labels
    by_plan = fitted(data, 2, columns=" plan ,plan").groups().labels
    assert adjusted_rand_score(data.user_attributes["age"], by_age) == 1
    assert adjusted_rand_score(data.user_attributes["plan"], by_plan) == 1


def test_groups_below_the_smallest_size_are_dissolved() -> None:
    data = data_of(plan=["pro"] * 9 + ["free"] * 6 + ["team"] * 2)
    assert fitted(data, 3, min_group_size=5).groups().sizes.tolist() == [11, 6]
    assert fitted(data, 3, min_group_size=50).groups().sizes.tolist() == [17]


@pytest.mark.parametrize("plans", [["pro"] * 9, [None] * 9, ["pro"]], ids=["all alike", "nothing known", "one user"])
def test_users_who_cannot_be_told_apart_form_one_group(plans: list) -> None:
    groups = fitted(data_of(plan=plans), min(3, len(plans)), min_group_size=1).groups()
    assert groups.n_groups == 1 and groups.sizes.tolist() == [len(plans)]


@pytest.mark.parametrize("n_groups", [0, 7])
def test_impossible_numbers_of_groups_are_refused(n_groups: int) -> None:
    with pytest.raises(SettingError, match="choose n_groups from 1 to 6"):
        fitted(data_of(plan=["pro"] * 6), n_groups)


@pytest.mark.parametrize("attributes", [pd.DataFrame(), pd.DataFrame(index=range(6))], ids=["empty", "no columns"])
def test_data_without_user_attributes_is_refused(attributes: pd.DataFrame) -> None:
    data = replace(data_of(plan=["pro"] * 6), user_attributes=attributes)
    with pytest.raises(SettingError, match="the data has none"):
        fitted(data, 2)


def test_a_column_that_does_not_exist_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingError, match=r"no user attribute called 'job'.*choose from: plan, age"):
        fitted(data_of(plan=["pro"] * 6, age=[1.0] * 6), 2, columns="plan,job")


def test_the_end_is_reported_with_the_number_of_groups() -> None:
    seen = []
    run = RunOptions(on_progress=lambda fraction, values: seen.append((fraction, values)))
    AttributesGrouper().fit(data_of(plan=["pro"] * 9 + ["free"] * 6), ANY, 2, run)
    assert seen == [(1.0, {"groups": 2.0})]


def test_this_grouper_reads_attributes_itself_so_no_classifier_places_for_it() -> None:
    assert groupers.get("attributes").reads_attributes
