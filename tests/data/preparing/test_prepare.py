from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from grouprec.core.types import DataError
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.core_users import find_robots
from grouprec.data.preparing.prepare import prepare

SAMPLE = Path(__file__).parents[3] / "sample_data" / "online_retail.parquet"
LOOSE = Preparation(min_item_users=1, weighting="none", winsorise=1)


def events(n_users=12, n_items=8, per_user=6, seed=0):
    """Return a table of text like that of a CSV file; times are distinct."""
    rng = np.random.default_rng(seed)
    n = n_users * per_user
    items = np.concatenate([rng.permutation(n_items)[:per_user] for _ in range(n_users)])
    return pd.DataFrame(
        {
            "user": [f"u{i // per_user:02d}" for i in range(n)],
            "item": [f"i{item}" for item in items],
            "qty": rng.integers(1, 9, n),
            "date": pd.date_range("2024-01-01", periods=n, freq="h")[rng.permutation(n)].astype(str),
        }
    )


def prepared(tmp_path, table, settings=LOOSE, **more):
    path = tmp_path / "events.csv"
    table.to_csv(path, index=False)
    return prepare(path, settings=settings, **more)


def steps(result):
    return result.report.table().set_index("step")


def test_the_report_adds_up_and_ends_with_the_rows_of_the_dataset(tmp_path):
    table = events()
    table.loc[0, "user"] = None
    table.loc[1, "qty"] = 0
    table = pd.concat([table, table.iloc[[5, 6]]])
    result = prepared(tmp_path, table)
    report = result.report.table()
    assert list(report.columns) == ["step", "rows_before", "rows_after", "dropped", "note"]
    assert report["rows_before"].tolist()[1:] == report["rows_after"].tolist()[:-1]
    assert (report["dropped"] == report["rows_before"] - report["rows_after"]).all()
    data = result.dataset
    assert report["rows_after"].iloc[-1] == len(data.train) + len(data.validation) + len(data.test)
    dropped = steps(result)["dropped"]
    assert dropped["missing ids"] == 1
    assert dropped["cancellations and non-positive quantities"] == 1
    assert dropped["exact duplicates"] == 2


def test_the_statistics_of_training_ignore_later_rows(tmp_path):
    table = events(30, 8, 6).sort_values("date", ignore_index=True)
    settings = Preparation(min_item_users=2, split="time")
    before = prepared(tmp_path, table, settings)
    table.loc[len(table) - 5 :, "qty"] = 10**6
    table.loc[len(table) - 3 :, "item"] = "only in the test part"
    after = prepared(tmp_path, table, settings)
    assert after.dataset.item_ids.tolist() == before.dataset.item_ids.tolist()
    np.testing.assert_array_equal(after.dataset.train.weights, before.dataset.train.weights)
    pd.testing.assert_frame_equal(after.dataset.user_attributes, before.dataset.user_attributes)
    assert after.dataset.test.weights.max() <= before.dataset.train.weights.max()


def test_ids_stay_the_text_of_the_file(tmp_path):
    odd = {"u00": "00123", "u01": "Anne Marie", "u02": 'the "boss", really', "u03": "😀", "u04": "123"}
    table = events()
    table["user"] = table["user"].replace(odd)
    users = prepared(tmp_path, table, hold_out=False).dataset.user_ids
    assert set(odd.values()) <= set(users)
    assert users.tolist() == sorted(users)


def test_equal_files_and_settings_give_equal_data_and_key(tmp_path):
    table = events().drop(columns="date")
    first, again, other = (prepared(tmp_path, table, seed=seed).dataset for seed in (0, 0, 1))
    assert first.key == again.key != other.key
    np.testing.assert_array_equal(first.train.item_rows, again.train.item_rows)
    assert first.key != prepared(tmp_path, table, hold_out=False).dataset.key
    assert first.key != prepared(tmp_path, table, roles={"weight": ""}).dataset.key


def test_duplicates_are_added_for_quantities_and_the_last_kept_for_ratings(tmp_path):
    table = events()
    twice = pd.concat([table, table.iloc[[0]].assign(qty=100)])
    total = prepared(tmp_path, twice, hold_out=False).dataset
    expected = table["qty"].sum() + 100
    assert total.train.weights.sum() == expected
    ratings = prepared(tmp_path, twice.rename(columns={"qty": "rating"}), hold_out=False).dataset
    assert ratings.merge == "last"
    assert ratings.train.weights.sum() == expected - table["qty"][0]


def test_behaviours_weigh_and_multiply_quantities(tmp_path):
    table = events(3, 6, 4).assign(qty=2, behaviour=["view", "Add to cart", "purchase", "sneeze"] * 3)
    settings = LOOSE.model_copy(update={"weighting": "none"})
    data = prepared(tmp_path, table, settings, hold_out=False).dataset
    assert np.unique(data.train.weights).tolist() == [2, 4, 6]
    chosen = Preparation(behaviour_weights={"purchase": 5, "view": 0}, min_item_users=1, weighting="none")
    only = prepared(tmp_path, table, chosen, hold_out=False).dataset
    assert np.unique(only.train.weights).tolist() == [2, 10]


def test_ratings_below_the_threshold_are_dropped(tmp_path):
    table = events().rename(columns={"qty": "rating"})
    settings = LOOSE.model_copy(update={"rating": "threshold", "rating_threshold": 5})
    data = prepared(tmp_path, table, settings, hold_out=False).dataset
    assert len(data.train) == (table["rating"] >= 5).sum()
    assert (data.train.weights == 1).all()


def test_bad_weights_are_dropped_and_counted(tmp_path):
    table = events().astype({"qty": object})
    table.loc[:4, "qty"] = ["NaN", "inf", "-3", "many", "-inf"]
    dropped = steps(prepared(tmp_path, table, hold_out=False))["dropped"]
    assert dropped["weights that are not numbers"] == 4  # an endless one, too
    assert dropped["cancellations and non-positive quantities"] == 1


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_numbers_too_large_to_reckon_with_are_no_numbers(tmp_path):
    table = events().assign(behaviour="purchase", price=1e19).astype({"qty": float})
    table.loc[:4, ["qty", "price"]] = 1e308
    found = prepared(tmp_path, table, LOOSE.model_copy(update={"weighting": "none"}), hold_out=False)
    assert steps(found)["dropped"]["weights that are not numbers"] == 5
    assert np.isfinite(found.dataset.train.weights).all()


def test_cancelled_orders_are_dropped_only_where_other_orders_are_numbers(tmp_path):
    table = events().assign(InvoiceNo=[str(536365 + n) for n in range(72)])
    table.loc[:2, "InvoiceNo"] = "C536379"
    assert steps(prepared(tmp_path, table))["dropped"]["cancellations and non-positive quantities"] == 3
    table["InvoiceNo"] = "C" + table["InvoiceNo"].str.strip("C")
    assert steps(prepared(tmp_path, table))["dropped"]["cancellations and non-positive quantities"] == 0


def test_times_of_mixed_zones_are_utc_and_few_bad_ones_are_dropped(tmp_path):
    table = events()
    table.loc[:2, "date"] = ["2023-12-31T23:30:00-01:00", "soon", None]
    result = prepared(tmp_path, table, hold_out=False)
    assert steps(result)["dropped"]["times that cannot be read"] == 2
    assert pd.Timestamp("2024-01-01 00:30", tz="UTC").timestamp() in result.dataset.train.times


def test_robots_are_kept_out_of_training_but_not_forgotten(tmp_path):
    table = events(40, 20, 5)
    robot = pd.DataFrame({"user": "robot", "item": [f"i{n % 20}" for n in range(2000)], "qty": 1})
    robot["date"] = pd.date_range("2024-01-01", periods=2000, freq="min").astype(str)
    data = prepared(tmp_path, pd.concat([table, robot]), hold_out=False).dataset
    assert "robot" not in data.user_ids
    assert data.left_out.user_ids.tolist() == ["robot"]
    assert data.left_out.histories.shape == (1, data.n_items)
    assert data.left_out.histories.sum() == 2000


def test_busy_users_among_quiet_ones_are_no_robots_below_a_hundred_rows():
    users = np.concatenate([np.arange(100), np.full(90, 100), np.full(300, 101)])
    assert find_robots(users, 4.0).tolist() == [101]


def test_the_core_is_found_by_repeating(tmp_path):
    pairs = [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "y"), ("c", "z"), ("d", "z")]
    table = pd.DataFrame(pairs, columns=["user", "item"])
    settings = Preparation(min_item_users=2, min_user_items=2)
    data = prepared(tmp_path, table, settings, hold_out=False).dataset
    assert data.user_ids.tolist() == ["a", "b"]  # z goes with d, and then c has one item only
    assert data.item_ids.tolist() == ["x", "y"]
    assert data.left_out.user_ids.tolist() == ["c", "d"]
    assert data.left_out.histories.toarray().tolist() == [[0, 1], [0, 0]]


def test_log_weights_have_mean_one_and_outliers_are_cut(tmp_path):
    table = events()
    table.loc[0, "qty"] = 10**9
    data = prepared(tmp_path, table, Preparation(min_item_users=1, winsorise=0.9)).dataset
    assert data.train.weights.mean() == pytest.approx(1, abs=1e-5)
    assert data.train.weights.max() < 3
    assert (data.train.weights > 0).all()


def test_attributes_come_from_the_files_and_from_training_rows(tmp_path):
    table = events().assign(price="2.5", town=lambda t: "town " + t["user"].str[-1], order=lambda t: t["date"].str[:10])
    ids = [f"i{n}" for n in range(7, -1, -1)]
    items = pd.DataFrame(
        {"item": ids, "title": [f"Item {i}" for i in ids], "category": ["a", None] * 4, "size": range(8)}
    )
    items.to_csv(tmp_path / "items.csv", index=False)
    pd.DataFrame({"user": ["u00", "zz"], "age": ["31", "5"]}).to_csv(tmp_path / "users.csv", index=False)
    files = {"users": tmp_path / "users.csv", "items": tmp_path / "items.csv"}
    result = prepared(tmp_path, table, hold_out=False, **files)
    data, users = result.dataset, result.dataset.user_attributes
    assert data.item_labels.tolist() == [f"Item i{n}" for n in range(8)]
    assert list(data.item_attributes.columns) == ["category", "size", "price"]
    assert data.item_attributes["size"].tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert data.item_attributes["category"].tolist() == ["unknown", "a"] * 4
    assert users["town"].tolist() == [f"town {i % 10}" for i in range(12)]
    assert users["age"].tolist()[0] == 31
    assert users["age"].isna().sum() == 11
    own = table[table["user"] == "u00"]
    assert users["spend"][0] == pytest.approx(2.5 * own["qty"].sum())
    assert users["frequency"][0] == own["order"].nunique()
    last = pd.to_datetime(table["date"]).max() - pd.to_datetime(own["date"]).max()
    assert users["recency_days"][0] == pytest.approx(last / pd.Timedelta(days=1))


def test_items_get_their_most_frequent_description(tmp_path):
    table = events().assign(description=lambda t: "name of " + t["item"])
    table.loc[table["item"] == "i0", "description"] = ["rare"] + ["usual"] * ((table["item"] == "i0").sum() - 1)
    data = prepared(tmp_path, table, hold_out=False).dataset
    assert data.item_labels.tolist() == ["usual"] + [f"name of i{n}" for n in range(1, 8)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(user=None), "'user' was not taken: it is empty"),
        (lambda t: t.assign(qty=0), "All rows were dropped by the step 'cancellations and non-positive quantities'"),
        (lambda t: t.assign(user="me"), "only one user, 'me'"),
        (lambda t: t.assign(user="4.02E+12"), "a spreadsheet has shortened the ids"),
        (lambda t: t.assign(item="it"), "only one item, 'it'"),
        (lambda t: t.head(1), "only one user, 'u00'"),
        (lambda t: t.assign(date="soon"), "times in column 'date' cannot be read .such as 'soon'"),
        (lambda t: t.assign(date=[*["soon"] * 40, *t["date"][40:]]), "40 of 72 times in column 'date'"),
        (lambda t: t.rename(columns={"user": "foo", "qty": "bar"}), "--map user=COLUMN"),
    ],
)
def test_bad_content_is_refused_with_what_to_do(tmp_path, change, words):
    with pytest.raises(DataError, match=words):
        prepared(tmp_path, change(events()))


def test_too_strict_settings_name_their_step(tmp_path):
    with pytest.raises(DataError, match=r"step 'k-core'.*lower min_item_users"):
        prepared(tmp_path, events(), Preparation(min_item_users=50))
    with pytest.raises(DataError, match="step 'low ratings'"):
        strict = Preparation(rating="threshold", rating_threshold=99)
        prepared(tmp_path, events().rename(columns={"qty": "rating"}), strict)
    with pytest.raises(DataError, match="Only one item is left"):
        pairs = [("a", "x"), ("b", "x"), ("b", "y"), ("c", "x")]
        prepared(tmp_path, pd.DataFrame(pairs, columns=["user", "item"]), hold_out=False, settings=Preparation())


@pytest.mark.parametrize("values", [{"colour": 1}, {"test_share": 2}, {"behaviour_weights": {"view": -1}}])
def test_unknown_settings_and_values_out_of_bounds_are_refused(values):
    with pytest.raises(ValidationError):
        Preparation(**values)


def test_the_settings_all_have_descriptions():
    assert all(setting.description for setting in Preparation.model_fields.values())


def test_progress_ends_at_one(tmp_path):
    seen = []
    prepared(tmp_path, events(), on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1


def test_the_sample_is_read_without_help():
    result = prepare(SAMPLE)
    assert result.roles.as_dict() == {
        "user": "CustomerID",
        "item": "StockCode",
        "weight": "Quantity",
        "time": "InvoiceDate",
        "order": "InvoiceNo",
        "price": "UnitPrice",
        "label": "Description",
    }
    assert result.roles.user_attributes == ("Country",)
    dropped = steps(result)["dropped"]
    assert dropped["missing ids"] == 135_080
    assert dropped["service lines"] == 1_916
    assert dropped["cancellations and non-positive quantities"] == 8_539
    assert (result.n_users, result.n_items) == (4335, 3660)
    assert [doubt.setting for doubt in result.report.doubts] == ["drop_services"]
    # 4,339 customers buy 3,665 items in valid rows; the known figures of this data set.
    kept = prepare(SAMPLE, settings=Preparation(drop_services=False))
    assert (kept.n_users, kept.n_items, kept.report.doubts) == (4339, 3665, [])
    usual = ["usual weekday", "usual part of the day (UTC)"]
    assert list(result.dataset.user_attributes.columns) == ["Country", "recency_days", "frequency", "spend", *usual]
    label = dict(zip(result.dataset.item_ids, result.dataset.item_labels, strict=True))
    assert label["85123A"] == "WHITE HANGING HEART T-LIGHT HOLDER"


def test_progress_is_told_after_reading_cleaning_and_forming(tmp_path):
    seen = []
    prepared(tmp_path, events(), on_progress=seen.append)
    assert seen == [0.4, 0.7, 0.8, 1.0]


def test_the_first_step_is_reading_and_the_split_is_noted(tmp_path):
    result = prepared(tmp_path, events(), LOOSE.model_copy(update={"split": "time"}))
    assert result.report.steps[0] == ("read", 72, 72, "'events.csv'")
    counts = [len(part) for part in (result.dataset.train, result.dataset.validation, result.dataset.test)]
    assert steps(result).loc["split", "note"] == (
        "by time: training 58, validation 7, test 7; users to choose by 6, to judge by 7. "
        "Split at two moments for everybody, as the settings say."
    )
    assert counts[0] == 58
    later = prepared(tmp_path, events(), hold_out=False)
    assert steps(later).loc["split", "note"] == "all rows train: training 72, validation 0, test 0"


def test_what_was_found_in_the_file_is_told(tmp_path):
    table = events()
    result = prepared(tmp_path, table)
    times = pd.to_datetime(table["date"], utc=True)
    assert (result.n_rows, result.n_users, result.n_items) == (72, 12, 8)
    assert (result.first_time, result.last_time) == (times.min().timestamp(), times.max().timestamp())
    assert (result.user_roles, result.item_roles) == (None, None)
    assert (result.dataset.name, result.split, result.dataset.merge) == ("events", "user_time", "sum")
    pd.DataFrame({"user": ["u00", "u01"], "age": [1, 2]}).to_csv(tmp_path / "u.csv", index=False)
    pd.DataFrame({"item": ["i0", "i1"], "title": ["A", "B"]}).to_csv(tmp_path / "i.csv", index=False)
    result = prepared(tmp_path, table, users=tmp_path / "u.csv", items=tmp_path / "i.csv")
    assert (result.user_roles.id, result.user_roles.attributes) == ("user", ("age",))
    assert (result.item_roles.id, result.item_roles.label) == ("item", "title")


def test_a_seed_is_zero_unless_given(tmp_path):
    table = events(per_user=8).drop(columns="date")
    assert prepared(tmp_path, table).dataset.key == prepared(tmp_path, table, seed=0).dataset.key


def test_files_and_choices_are_in_the_key_and_their_order_is_not(tmp_path):
    table = events()
    (tmp_path / "more.csv").write_text("user,item,age\nu00,i0,7\nu01,i1,8\n")
    more = tmp_path / "more.csv"
    weights = {"view": 1.0, "buy": 2.0}
    keys = [
        prepared(tmp_path, table, **files).dataset.key
        for files in (
            {},
            {"users": more},
            {"items": more},
            {"settings": LOOSE.model_copy(update={"robot_z": 5.0})},
            {"settings": LOOSE.model_copy(update={"behaviour_weights": weights})},
        )
    ]
    assert len(set(keys)) == 5 and all(len(key) == 64 for key in keys)
    turned = LOOSE.model_copy(update={"behaviour_weights": dict(reversed(weights.items()))})
    assert prepared(tmp_path, table, turned).dataset.key == keys[-1]
    table.loc[0, "qty"] += 1
    assert prepared(tmp_path, table).dataset.key != keys[0]


def test_few_unreadable_first_times_and_numbers_are_no_reason_to_refuse(tmp_path):
    table = events().assign(rating="3")
    table.loc[:5, "date"] = "soon"
    table.loc[:5, "rating"] = "good"
    assert prepared(tmp_path, table, hold_out=False).n_rows == 66
    empty = events().assign(date=None, qty=None)
    with pytest.raises(DataError, match=r"72 of 72 times in column 'date' cannot be read \(it is empty\)"):
        prepared(tmp_path, empty, roles={"time": "date", "weight": ""})
    with pytest.raises(DataError, match="All rows were dropped by the step 'weights that are not numbers'"):
        prepared(tmp_path, empty, roles={"time": "", "weight": "qty"})
    words = prepared(tmp_path, events().assign(rating="good"))
    assert words.roles.rating is None
    told = " ".join(words.doubts)
    assert "column 'rating' is called like a rating but holds no numbers (such as 'good') and is not used" in told
    with pytest.raises(DataError, match=r"column 'rating' holds no numbers .such as 'good'"):
        prepared(tmp_path, events().assign(rating="good"), roles={"rating": "rating"})


def test_of_two_attributes_with_one_name_the_first_stays(tmp_path):
    table = events().assign(town=lambda t: "town " + t["user"].str[-1])
    pd.DataFrame({"user": ["u00", "u01"], "town": ["Rome", "Oslo"]}).to_csv(tmp_path / "u.csv", index=False)
    result = prepared(tmp_path, table, users=tmp_path / "u.csv", hold_out=False)
    users = result.dataset.user_attributes
    assert list(users.columns)[:3] == ["town", "recency_days", "frequency"]
    assert users["town"][1] == "town 1"


def test_users_left_out_have_their_attributes_and_histories(tmp_path):
    table = events()
    few = pd.DataFrame({"user": ["v2", "v1"], "item": ["i3", "i5"], "qty": [4, 2], "date": ["2024-01-01"] * 2})
    pd.DataFrame({"user": ["v1", "u00"], "age": [7, 8]}).to_csv(tmp_path / "u.csv", index=False)
    settings = LOOSE.model_copy(update={"min_user_items": 2})
    data = prepared(tmp_path, pd.concat([table, few]), settings, users=tmp_path / "u.csv", hold_out=False).dataset
    assert data.left_out.user_ids.tolist() == ["v1", "v2"]
    dense = data.left_out.histories.toarray()
    assert dense[0].tolist() == [0, 0, 0, 0, 0, 2, 0, 0] and dense[1].tolist() == [0, 0, 0, 4, 0, 0, 0, 0]
    np.testing.assert_array_equal(data.left_out.attributes["age"], [7, np.nan])
    assert data.user_attributes["age"][0] == 8
