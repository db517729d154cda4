import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.evaluate import fairness
from grouprec.evaluate.fairness import exposure, levels, value_by_attribute
from grouprec.evaluate.protocol import METRICS, Measured
from grouprec.ranking.metrics import gini
from grouprec.ranking.statistics import difference_interval, mean_interval
from grouprec.ranking.task import Task


def make_task(n_users, n_items=20, owned=None):
    """Everybody is judged, with one target each."""
    owned = sparse.csr_array((n_users, n_items), dtype=np.float32) if owned is None else sparse.csr_array(owned)
    targets = (np.ones(n_users, np.float32), (np.arange(n_users), np.zeros(n_users, int)))
    return Task(owned, sparse.csr_array(targets, shape=owned.shape), np.arange(n_users, dtype=np.int32), owned)


def judged(values):
    """A method with the given nDCG@10; the hit rate is 1 where that is above 0."""
    table = np.zeros((len(values), len(METRICS)))
    table[:, METRICS.index("ndcg@10")] = values
    table[:, METRICS.index("hit_rate@10")] = np.asarray(values) > 0
    return Measured("any", "strict", table, {})


def by_value(table, attribute, metric="ndcg@10"):
    return table[(table["attribute"] == attribute) & (table["metric"] == metric)].set_index("value")


RNG = np.random.default_rng(0)
SERVED = np.clip(np.repeat([0.5, 0.3, 0.3], 40) + RNG.normal(0, 0.1, 120), 0, 1)
ATTRIBUTES = pd.DataFrame(
    {
        "city": np.repeat(["Rome", "Oslo", "Bonn"], 40),
        "coin": RNG.choice(["heads", "tails"], 120),
        "age": RNG.permutation(120).astype(float),
        "note": [f"wrote letter number {n} to us" for n in range(120)],
        "planet": "Earth",
    }
)


@pytest.fixture(scope="module")
def table():
    return value_by_attribute(judged(SERVED), ATTRIBUTES, make_task(120), seed=0)


def test_a_planted_advantage_is_found_and_chance_is_not(table):
    city, coin = by_value(table, "city"), by_value(table, "coin")
    assert city.loc["Rome", "mean"] == pytest.approx(SERVED[:40].mean())
    assert city.loc["Rome", "difference"] == pytest.approx(SERVED[:40].mean() - SERVED[40:].mean())
    assert city.loc["Rome", "difference_low"] > 0 and city.loc["Rome", "p_adjusted"] < 0.05
    assert city.loc["Oslo", "difference"] < 0
    hits = by_value(table, "city", "hit_rate@10").loc["Rome", "difference"]
    assert hits == 0  # everybody has a hit
    assert (coin["p_adjusted"] > 0.05).all() and coin["difference_low"].min() < 0 < coin["difference_high"].max()
    judged_rows = table.dropna(subset=["low"])
    assert ((judged_rows["low"] <= judged_rows["mean"]) & (judged_rows["mean"] <= judged_rows["high"])).all()
    assert (table["p_adjusted"].dropna() >= table["p"].dropna()).all()


def test_numbers_fall_into_quartiles_and_free_text_is_left_out(table):
    age = by_value(table, "age")
    assert list(age.index) == ["0 to 29", "30 to 59", "60 to 89", "90 to 119"]
    assert (age["n_users"] == 30).all() and "note" not in set(table["attribute"])


def test_one_value_for_all_has_a_mean_but_nothing_to_differ_from(table):
    planet = by_value(table, "planet").loc["Earth"]
    assert planet["mean"] == pytest.approx(SERVED.mean()) and planet["low"] < planet["mean"] < planet["high"]
    assert planet[["difference", "difference_low", "difference_high", "p", "p_adjusted"]].isna().all()


def test_p_is_that_of_1999_permutations(table):
    rng, heads = np.random.default_rng(0), (ATTRIBUTES["coin"] == "heads").to_numpy()
    shuffled = [SERVED[rows] for rows in rng.permuted(np.tile(np.arange(120), (1999, 1)), axis=1)]
    difference = SERVED[heads].mean() - SERVED[~heads].mean()
    as_far = sum(abs(one[heads].mean() - one[~heads].mean()) >= abs(difference) - 1e-9 for one in shuffled)
    row = by_value(table, "coin").loc["heads"]
    assert row["difference"] == pytest.approx(difference)
    assert row["p"] == pytest.approx((as_far + 1) / 2000) and as_far > 20
    assert by_value(table, "city").loc["Rome", "p"] == 1 / 2000  # no permutation is as far


def test_values_come_in_the_order_of_attributes_with_their_metrics_side_by_side(table):
    assert table["metric"].tolist() == ["ndcg@10", "hit_rate@10"] * (len(table) // 2)
    order = [fairness.ACTIVITY, "city", "coin", "age", "planet"]
    assert table["attribute"].drop_duplicates().tolist() == order and table.index.tolist() == [*range(len(table))]


def test_an_interval_takes_thirty_users_and_that_of_a_difference_thirty_others():
    def read(n_a, n_b):
        letters = pd.DataFrame({"x": ["a"] * n_a + ["b"] * n_b})
        values = np.random.default_rng(0).random(n_a + n_b)
        known = by_value(value_by_attribute(judged(values), letters, make_task(n_a + n_b), seed=0), "x").notna()
        return known[["low", "difference_low"]].to_numpy().tolist()

    assert read(30, 30) == [[True, True], [True, True]]
    assert read(30, 29) == [[True, False], [False, False]]


def test_the_intervals_are_those_of_the_users_with_the_value_and_of_all_others(table):
    for city, rows in (("Rome", slice(0, 40)), ("Bonn", slice(80, 120))):
        row, those = by_value(table, "city").loc[city], np.zeros(120, bool)
        those[rows] = True
        own, others = mean_interval(SERVED[those]), mean_interval(SERVED[~those])
        assert row[["mean", "low", "high"]].tolist() == pytest.approx([float(part) for part in own])
        ends = row[["difference_low", "difference_high"]].tolist()
        assert ends == pytest.approx([float(end) for end in difference_interval(own, others)])


def test_where_all_are_served_alike_every_permutation_is_as_far():
    letters = pd.DataFrame({"x": ["a"] * 30 + ["b"] * 31})
    p = by_value(value_by_attribute(judged([0.1] * 61), letters, make_task(61), seed=0), "x")["p"]
    assert p.tolist() == [1, 1]


def test_the_interval_is_that_of_resampled_users(table):
    rng = np.random.default_rng(1)
    means = [rng.choice(SERVED[:40], 40).mean() for _ in range(2000)]
    rome = by_value(table, "city").loc["Rome"]
    assert [rome["low"], rome["high"]] == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.008)


def test_p_agrees_with_shuffling_users_one_permutation_at_a_time(table):
    rng, heads = np.random.default_rng(1), (ATTRIBUTES["coin"] == "heads").to_numpy()
    gap = abs(SERVED[heads].mean() - SERVED[~heads].mean())
    shuffled = [rng.permutation(SERVED) for _ in range(2000)]
    chance = np.mean([abs(one[heads].mean() - one[~heads].mean()) >= gap for one in shuffled])
    assert by_value(table, "coin").loc["heads", "p"] == pytest.approx(chance, abs=0.05)


def test_a_single_lucky_user_is_no_evidence():
    served = np.zeros(60)
    served[:3] = 1  # one of them is the only user from Atlantis
    city = pd.DataFrame({"city": ["Atlantis", *["Rome"] * 59]})
    table = by_value(value_by_attribute(judged(served), city, make_task(60), seed=0), "city")
    assert table.loc["Atlantis", ["low", "high", "difference_low", "p", "p_adjusted"]].isna().all()
    assert table.loc["Rome", "low"] < table.loc["Rome", "mean"] and np.isnan(table.loc["Rome", "p"])


@pytest.mark.parametrize(("n", "told"), [(29, False), (30, True)])
def test_below_thirty_users_a_difference_is_too_few_to_tell(n, told):
    served = np.repeat([1.0, 0.0], [n, 90 - n])  # as clear as can be
    city = pd.DataFrame({"city": np.repeat(["Rome", "Oslo"], [n, 90 - n])})
    table = by_value(value_by_attribute(judged(served), city, make_task(90), seed=0), "city")
    known = ["difference_low", "difference_high", "p", "p_adjusted"]
    assert (table[known].notna() == told).all(axis=None)
    assert not told or (table["p_adjusted"] < 0.05).all()


def test_the_interval_of_a_difference_is_newcombes():
    """The share of 56 in 70 against 48 in 80 (Newcombe 1998, table II, method 10)."""
    served, city = np.zeros(150), pd.DataFrame({"city": np.repeat(["Rome", "Oslo"], [70, 80])})
    served[:56] = served[70:118] = 1
    row = by_value(value_by_attribute(judged(served), city, make_task(150), seed=0), "city", "hit_rate@10").loc["Rome"]
    assert [row["difference_low"], row["difference_high"]] == pytest.approx([0.0524, 0.3339], abs=5e-5)


def test_activity_is_an_attribute_of_its_own():
    owned = np.triu(np.ones((20, 20), np.float32))  # user n has 20 - n items
    table = value_by_attribute(judged(np.linspace(1, 0, 20)), pd.DataFrame(), make_task(20, owned=owned), seed=0)
    assert table["attribute"].unique().tolist() == [fairness.ACTIVITY]
    activity = by_value(table, fairness.ACTIVITY)
    assert list(activity.index) == ["1 to 5", "6 to 10", "11 to 15", "16 to 20"]
    assert activity["mean"].is_monotonic_increasing and activity.loc["16 to 20", "mean"] == pytest.approx(17 / 19)


def test_only_judged_users_count():
    task = make_task(6)
    some = Task(task.seen, task.relevant, np.array([1, 4], np.int32), task.owned)
    table = value_by_attribute(judged([0.2, 0.6]), pd.DataFrame({"x": list("abcdef")}), some, seed=0)
    assert by_value(table, "x")["mean"].to_dict() == pytest.approx({"b": 0.2, "e": 0.6})


def test_of_very_many_users_some_are_drawn_and_draws_come_in_chunks(monkeypatch, table):
    monkeypatch.setattr(fairness, "rows_per_batch", lambda n_columns: 8)
    pd.testing.assert_frame_equal(value_by_attribute(judged(SERVED), ATTRIBUTES, make_task(120), seed=0), table)
    monkeypatch.setattr(fairness, "MOST_USERS", 50)
    sampled = value_by_attribute(judged(SERVED), ATTRIBUTES, make_task(120), seed=0)
    assert by_value(sampled, "planet")["n_users"].item() == 50


def test_the_drawn_users_are_different_ones_and_so_many_are_not_drawn(monkeypatch, table):
    monkeypatch.setattr(fairness, "MOST_USERS", 11)
    letters = pd.DataFrame({"x": list("abcdefghijkl")})
    found = by_value(value_by_attribute(judged(np.arange(12)), letters, make_task(12), seed=0), "x")
    assert found["n_users"].tolist() == [1] * 11 and found["mean"].is_monotonic_increasing
    monkeypatch.setattr(fairness, "MOST_USERS", 120)
    pd.testing.assert_frame_equal(value_by_attribute(judged(SERVED), ATTRIBUTES, make_task(120), seed=0), table)


def test_nobody_judged_gives_no_numbers():
    task = make_task(4)
    nobody = Task(task.seen, task.relevant, np.empty(0, np.int32), task.owned)
    table = value_by_attribute(judged([]), pd.DataFrame({"x": list("abcd")}), nobody, seed=0)
    assert table.empty and "p_adjusted" in table


def test_the_same_seed_gives_the_same_table(table):
    again = value_by_attribute(judged(SERVED), ATTRIBUTES, make_task(120), seed=0)
    pd.testing.assert_frame_equal(table, again)


def test_levels_keep_twelve_values_and_say_what_is_unknown():
    letters = pd.Series([chr(97 + n // 4) for n in range(80)])  # a to t, four of each
    found = levels(letters)
    assert found.names == [*"abcdefghijkl", "other"] and (found.codes == 12).sum() == 32
    assert levels(pd.Series(["x", None, "x"])).names == ["x", "unknown"]
    numbers = levels(pd.Series([1.0, 2.0, np.nan, 2.0]))
    assert numbers.names == ["1", "2", "unknown"] and numbers.codes.tolist() == [0, 1, 2, 1]
    assert levels(pd.Series([True, False, True])).names == ["True", "False"]
    assert levels(pd.Series([np.nan, np.nan])).names == ["unknown"]
    assert levels(pd.Series([f"word{n}" for n in range(100)])) is None


def test_levels_of_words_stand_by_count_then_by_value_and_more_than_twelve_have_others():
    assert levels(pd.Series(["b", "a", "c", "c"])).names == ["c", "a", "b"]
    letters = list("abcdefghijkl")
    assert levels(pd.Series(letters)).names == letters
    thirteen = levels(pd.Series([*"aabbccddeeffgghhiijjkkll", "m"]))
    assert thirteen.names == [*letters, "other"] and thirteen.codes[-1] == 12
    named = levels(pd.Series([*letters, *letters, *["other"] * 3]))  # thirteen values, of which one is called other
    assert named.names == ["other", *letters[:11]] and named.codes[11] == 0


def test_free_text_is_more_than_fifty_values_that_are_mostly_unique_or_long():
    words = [f"word{n}" for n in range(51)]
    assert levels(pd.Series(words[:50])) is not None and levels(pd.Series(words)) is None
    assert levels(pd.Series(words * 2)) is not None  # half as many values as rows
    assert levels(pd.Series((words * 2)[:101])) is None
    assert levels(pd.Series([f"{word} there" for word in words] * 3)) is not None
    assert levels(pd.Series([f"{word} is there" for word in words] * 3)) is None
    assert levels(pd.Series([f"{word} is there" for word in words[:50]] * 3)) is not None


def test_up_to_four_numbers_stand_for_themselves_and_more_as_quartiles():
    four = levels(pd.Series([1.0, 1, 1, 1, 1, 2, 3, 4]))
    assert four.names == ["1", "2", "3", "4"] and four.codes.tolist() == [0, 0, 0, 0, 0, 1, 2, 3]
    five = levels(pd.Series([5.0, 4, 3, 2, 1, np.inf]))
    assert five.names == ["1 to 2", "3", "4", "5", "unknown"] and five.codes.tolist() == [3, 2, 1, 0, 0, 4]
    assert levels(pd.Series([12345.6, -12345.6, 0.123456])).names == ["-12346", "0.1235", "12346"]


def shown(table, measure, value=""):
    return table[(table["measure"] == measure) & (table["value"] == value)].iloc[0]


def test_popularity_lift_by_hand():
    # Popularity: item 0 has 4 of 4 users, items 1 to 4 one each. Own items: 5/8 on average; lists: item 0 and item 1.
    histories = sparse.csr_array(np.array([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 0, 0, 1, 0], [1, 0, 0, 0, 1]]))
    lists = np.array([[0, -1], [0, -1], [0, 1], [1, -1]], np.int32)
    table = exposure(lists, histories)
    popularity = shown(table, "popularity")
    assert popularity["in_lists"] == pytest.approx((1 + 1 + 5 / 8 + 1 / 4) / 4)
    assert popularity["in_histories"] == pytest.approx(5 / 8) and popularity["lift"] == pytest.approx(0.15)
    assert shown(table, "coverage")["in_lists"] == 2 / 5 and shown(table, "coverage")["in_histories"] == 1
    assert shown(table, "gini")["in_lists"] == gini(lists, 5)
    assert shown(table, "gini")["in_histories"] == pytest.approx(
        gini(np.array([[0], [0], [0], [0], [1], [2], [3], [4]]), 5)
    )


def test_tiers_and_attributes_compare_what_is_shown_with_what_is_owned():
    histories = np.zeros((10, 10), np.float32)
    for item in range(10):
        histories[: 10 - item, item] = 2  # item 0 is the most popular; weights do not count
    items = pd.DataFrame({"colour": ["red"] * 5 + ["blue"] * 5, "id": range(10)})
    lists = np.tile(np.array([0, 1, 2, 9], np.int32), (3, 1))
    table = exposure(lists, sparse.csr_array(histories), items, users=np.array([0, 1, 9]), k=3)
    tiers = table[table["attribute"] == "popularity tier"].set_index("value")
    assert list(tiers.index) == ["head", "middle", "tail"]
    assert tiers["in_lists"].tolist() == pytest.approx([2 / 3, 1 / 3, 0])
    assert tiers["in_histories"].tolist() == pytest.approx([5 / 20, 6 / 20, 9 / 20])  # 10 + 9 + 1 items of three users
    assert shown(table, "share", "red")["in_lists"] == 1
    assert shown(table, "share", "red")["in_histories"] == pytest.approx(11 / 20)
    assert shown(table, "share", "blue")["lift"] == -1
    assert table[table["measure"] == "share"].groupby("attribute")["in_lists"].sum().to_numpy() == pytest.approx(1)


def test_no_list_and_no_history_are_unknown_not_an_error():
    table = exposure(np.empty((0, 10), np.int32), sparse.csr_array((0, 5)))
    assert shown(table, "popularity")[["in_lists", "in_histories", "lift"]].isna().all()
    assert table[table["measure"] == "share"][["in_lists", "in_histories"]].isna().all().all()


def test_who_has_or_sees_nothing_does_not_count_and_ten_places_are_seen():
    histories = sparse.csr_array(np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]]))
    lists = np.full((3, 11), -1, np.int32)
    lists[0, [0, 10]], lists[1, 0] = [0, 1], 1
    table = exposure(lists, histories)
    popularity = shown(table, "popularity")
    assert popularity["in_lists"] == pytest.approx((2 / 3 + 1 / 3) / 2)  # item 1 in the eleventh place is not seen
    assert popularity["in_histories"] == pytest.approx(((2 / 3 + 1 / 3) / 2 + 2 / 3) / 2)
    alone = exposure(np.array([[0]], np.int32), histories[[1]])
    assert shown(alone, "popularity")[["in_lists", "in_histories"]].tolist() == [1, 1]


def test_a_lift_over_nothing_is_unknown():
    items = pd.DataFrame({"colour": ["red", "blue", "blue"]})
    table = exposure(np.array([[0]], np.int32), sparse.csr_array(np.array([[0, 1, 0]])), items)
    red, blue = shown(table, "share", "red"), shown(table, "share", "blue")
    assert (red["in_lists"], red["in_histories"]) == (1, 0) and np.isnan(red["lift"]) and blue["lift"] == -1


def test_equally_popular_items_fall_into_tiers_in_the_order_of_the_catalogue():
    table = exposure(np.arange(20, dtype=np.int32)[None], sparse.csr_array(np.ones((1, 100))), k=20)
    tiers = table[table["attribute"] == "popularity tier"].set_index("value")
    assert tiers["in_lists"].tolist() == [1, 0, 0]
    assert tiers["in_histories"].tolist() == pytest.approx([0.2, 0.3, 0.5])
