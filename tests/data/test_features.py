"""Attributes as a matrix: numbers, categories, text, and all that can be missing."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from grouprec.data.beside import with_matrices
from grouprec.data.features import AttributeEncoder, AttributeFeatures, categories_of, item_frame
from grouprec.data.synthetic import planted


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    words = [f"red mug number{n % 30} large" if n % 2 else f"blue plate number{n % 30} small" for n in range(200)]
    return pd.DataFrame(
        {
            "age": rng.normal(40, 9, 200),
            "spend": np.exp(rng.normal(3, 2, 200)),
            "seen": pd.date_range("2024-01-01", periods=200, tz="UTC"),
            "country": rng.choice(["France", "Spain", "Peru"], 200, p=[0.6, 0.3, 0.1]),
            "text": [f"{text} {n}" for n, text in enumerate(words)],
        }
    )


def test_numbers_are_standardised_and_clipped(frame):
    features = AttributeEncoder().fit(frame[["age", "spend", "seen"]]).transform(frame)
    assert features.shape == (200, 3) and features.dtype == np.float32
    assert np.allclose(features.mean(axis=0), 0, atol=0.05) and np.allclose(features.std(axis=0), 1, atol=0.05)
    outlier = AttributeEncoder().fit(frame[["age"]]).transform(pd.DataFrame({"age": [1e9, -np.inf, None]}))
    assert outlier[:, 0].tolist() == [5.0, 0.0, 0.0]


def test_very_skewed_numbers_are_read_as_logarithms(frame):
    features = AttributeEncoder().fit(frame[["spend"]]).transform(frame)[:, 0]
    logs = np.log1p(frame["spend"])
    assert np.allclose(features, (logs - logs.mean()) / logs.std(ddof=0), atol=1e-4)


def test_categories_are_one_hot_and_unseen_values_zero(frame):
    encoder = AttributeEncoder().fit(frame[["country"]])
    features = encoder.transform(pd.DataFrame({"country": ["Spain", "France", "Atlantis", None]}))
    assert features.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_only_the_most_frequent_categories_get_a_column():
    values = [f"c{n}" for n in range(120) for _ in range(120 - n)]
    features = AttributeEncoder().fit(pd.DataFrame({"c": values})).transform(pd.DataFrame({"c": ["c0", "c49", "c50"]}))
    assert features.shape == (3, 50) and features.sum(axis=1).tolist() == [1, 1, 0]


def test_similar_texts_get_similar_features(frame):
    features = AttributeEncoder(n_text=8).fit(frame[["text"]]).transform(frame)
    assert features.shape == (200, 8)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    likeness = unit @ unit.T
    odd = np.arange(200) % 2 == 1
    assert likeness[odd][:, odd].mean() > likeness[odd][:, ~odd].mean() + 0.3


def test_missing_columns_read_as_missing_values(frame):
    encoder = AttributeEncoder().fit(frame)
    features = encoder.transform(pd.DataFrame({"country": ["France"] * 2}))
    assert features.shape == (2, encoder.n_features) and features.sum() == 2.0


def test_no_columns_give_a_matrix_of_width_zero():
    encoder = AttributeEncoder().fit(pd.DataFrame(index=range(4)))
    assert encoder.transform(pd.DataFrame(index=range(7))).shape == (7, 0) and encoder.n_features == 0


def test_texts_without_a_word_take_no_columns():
    frame = pd.DataFrame({"text": ["!" * n for n in range(1, 80)]})
    assert AttributeEncoder().fit(frame).transform(frame).shape == (79, 0)


def test_arrays_bring_the_same_features_back(frame):
    encoder = AttributeEncoder().fit(frame.assign(country=frame["country"] + " é😀"))
    arrays = encoder.arrays()
    assert all(array.dtype.kind in "fiu" for array in arrays.values())
    assert (AttributeEncoder().load(arrays).transform(frame) == encoder.transform(frame)).all()


def test_item_labels_count_as_text_unless_they_are_the_ids():
    data = planted().data
    assert "item_label" in item_frame(data)
    object.__setattr__(data, "item_labels", data.item_ids)
    assert "item_label" not in item_frame(data)


def feature(values, new=None, **encoder):
    fitted = AttributeEncoder(**encoder).fit(pd.DataFrame({"x": values}))
    return fitted.transform(pd.DataFrame({"x": values if new is None else new}))


def kind(values):
    """Return what a column is read as: "number", "log", "category" or "text"."""
    encoder = AttributeEncoder().fit(pd.DataFrame({"x": values}))
    column = json.loads(encoder.arrays()["vocabulary"].tobytes())["columns"][0]
    return "log" if column.get("log") else column["kind"]


SKEWED = [0.0] * 9 + [1000.0]


def test_dates_of_items_are_days_and_no_categories_also_where_they_are_text():
    dates = pd.DataFrame({"release date": ["01-Jan-1995", "03-Jan-1995", "01-Jan-1995", "03-Jan-1995"] * 3})
    assert categories_of(dates["release date"]) is None
    encoder = AttributeEncoder(of_items=True).fit(dates)
    assert encoder.kinds.tolist() == ["number"]
    assert encoder.transform(dates)[:2, 0].tolist() == [-1, 1]
    again = AttributeEncoder(of_items=True).load(encoder.arrays())
    assert again.transform(dates.iloc[:1].assign(**{"release date": "05-Jan-1995"})).tolist() == [[3]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (SKEWED, "log"),
        ([0.5] * 9 + [1000.0], "log"),
        ([-1.0, *SKEWED], "number"),
        ([-2000.0] + [1.0] * 9, "number"),
        ([1.0, 2.0, 3.0], "number"),
        ([0.0, 1000.0], "number"),
        ([0.0, 0.0, 1000.0], "number"),  # its skewness is 1.73
        ([*[0.0] * 4, 1000.0], "log"),  # 2.24
        ([0.0] * 7 + [1.0] * 2, "number"),  # 1.6
        ([np.nan, np.inf, *SKEWED], "log"),
    ],
)
def test_numbers_are_logarithms_where_none_is_negative_and_skewness_exceeds_two(values, expected):
    assert kind(values) == expected


def test_numbers_are_standardised_by_mean_and_deviation():
    assert feature([1.0, 3.0], [3.0, 2.0, 5.0, np.nan, np.inf])[:, 0].tolist() == [1, 0, 3, 0, 0]
    assert feature([7.0, 7.0], [7.0, 9.0])[:, 0].tolist() == [0, 2], "without any spread differences stay"
    assert feature([np.nan], [2.0, np.nan])[:, 0].tolist() == [2, 0], "nothing known: as they are"
    assert feature([1.0, 3.0], [6.9, 7.1, -99])[:, 0].tolist() == pytest.approx([4.9, 5, -5])
    logs = np.log1p(SKEWED)
    expected = (np.log1p([0, 0.5, 0, 0]) - logs.mean()) / logs.std()
    np.testing.assert_allclose(feature(SKEWED, [0.0, 0.5, -7.0, -0.5])[:, 0], expected, rtol=1e-5)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_dates_are_days_since_1970(zone):
    days = pd.Series(pd.to_datetime(["1970-01-02", "1970-01-04"])).dt.tz_localize(zone)
    encoder = AttributeEncoder().fit(pd.DataFrame({"x": days}))
    column = json.loads(encoder.arrays()["vocabulary"].tobytes())["columns"][0]
    shift = 1 / 24 if zone else 0
    assert (column["mean"], column["std"]) == pytest.approx((2 - shift, 1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([f"w{n}" for n in range(50)], "category"),
        ([f"w{n}" for n in range(51)], "text"),  # all different
        ([f"w{n}" for n in range(51)] * 2, "category"),  # half of them: not mostly unique
        ([f"w{n}" for n in range(51)] * 2 + [f"x{n}" for n in range(2)], "text"),
        ([f"w{n} w" for n in range(51)] * 3, "category"),  # two words each
        ([f"w{n} w w" for n in range(51)] * 3, "text"),
        ([f"w{n} w w" for n in range(50)] * 3, "category"),
        ([None] * 3, "category"),
    ],
)
def test_many_values_of_several_words_or_mostly_unique_are_text(values, expected):
    assert kind(pd.Series(values, dtype="str")) == expected


def test_categories_come_by_frequency_then_by_name():
    features = feature(["b", "a", "c", "c"], ["a", "b", "c"])
    assert features.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    tied = [f"c{n:02d}" for n in range(51)] * 2
    assert feature(tied, ["c49", "c50"]).sum(axis=1).tolist() == [1, 0]


def test_the_width_is_that_of_the_matrix(frame):
    for columns in (["age"], ["country"], ["text"], ["age", "country", "text"], []):
        encoder = AttributeEncoder().fit(frame[columns])
        assert encoder.transform(frame).shape[1] == encoder.n_features
    assert AttributeEncoder().fit(frame[["text"]]).n_features == 32
    assert AttributeEncoder().fit(pd.DataFrame({"text": [f"only{n}" for n in range(60)]})).n_features == 32


def test_missing_columns_and_rows_without_text_are_zeros(frame):
    encoder = AttributeEncoder().fit(frame[["age", "country", "text"]])
    nothing = encoder.transform(pd.DataFrame(index=range(3)))
    assert nothing.shape == (3, encoder.n_features) and not nothing.any()
    some = encoder.transform(pd.DataFrame({"text": [None, "red mug", "unheard"]}))
    assert some.any(axis=1).tolist() == [False, True, False]


def test_text_is_tf_idf_reduced_and_scaled_to_unit_variance(frame):
    documents = [*frame["text"][:-1], None]
    table = pd.DataFrame({"text": documents})
    found = AttributeEncoder(n_text=6).fit(table, seed=3).transform(table)
    vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b")
    matrix = vectorizer.fit_transform([*documents[:-1], ""])
    reduced = TruncatedSVD(6, random_state=3).fit_transform(matrix)
    np.testing.assert_allclose(found, np.clip(reduced / reduced.std(), -5, 5), atol=1e-4)
    repeated = pd.DataFrame({"text": ["red red red mug", "red mug"]})
    features = AttributeEncoder(n_text=6).fit(table).transform(repeated)
    assert not np.allclose(features[0], features[1]), "how often a word comes counts, damped"


def test_texts_of_several_columns_are_one():
    both = pd.DataFrame({"a": [f"a{n} p q" for n in range(60)], "b": [f"b{n} r s" for n in range(60)]})
    joined = pd.DataFrame({"a": both["a"] + " " + both["b"]})
    one, two = (AttributeEncoder(n_text=4).fit(table).transform(table) for table in (joined, both))
    np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.parametrize(("n_words", "width"), [(1, 0), (2, 1), (3, 2)])
def test_text_takes_at_most_a_column_less_than_it_has_words(n_words, width):
    texts = pd.DataFrame({"text": [" ".join(f"w{n % n_words}" for n in range(i + 1)) for i in range(60)]})
    assert AttributeEncoder().fit(texts).n_features == width


def test_the_seed_is_that_of_the_svd(frame):
    text = pd.DataFrame({"text": [f"{n % 97} {n % 89} {n % 83} {n}" for n in range(300)]})
    default, zero, one = (AttributeEncoder().fit(text, *seed).transform(text) for seed in ((), (0,), (1,)))
    assert (default == zero).all() and not np.allclose(default, one)
    features = AttributeFeatures()
    assert (features.fit(text).transform(text)[0] == default).all()
    assert np.allclose(features.fit(text, 1).transform(text)[0], one)


def test_names_of_any_script_are_kept_as_they_are():
    encoder = AttributeEncoder().fit(pd.DataFrame({"größe": [1.0, 2.0]}))
    assert "größe".encode() in encoder.arrays()["vocabulary"].tobytes()
    assert set(encoder.arrays()) == {"vocabulary", "idf", "components"}
    features = AttributeFeatures().fit(pd.DataFrame({"größe": [1.0, 2.0]}))
    assert features.arrays()["numbers"].tobytes().decode() == '["größe"]'


def test_a_row_is_known_by_any_number_or_category_of_it():
    fitted = AttributeFeatures().fit(pd.DataFrame({"age": [1.0, 3.0], "town": ["Rome", "Oslo"]}))
    new = pd.DataFrame({"age": [2.0, None, None, "x", np.inf], "town": [None, "Rome", "Atlantis", None, None]})
    again = AttributeFeatures().load(fitted.arrays())
    for features, known in (fitted.transform(new), again.transform(new)):
        assert known.tolist() == [True, True, False, False, False]
        assert features[0].tolist() == [0, 0, 0], "a number at its mean"
    assert fitted.transform(new[["town"]])[1].tolist() == [False, True, False, False, False]


def test_item_labels_are_left_out_only_where_all_are_ids():
    data = planted(n_users=8, n_items=6, n_groups=2).data
    labels = data.item_ids.copy()
    labels[0] = "a name"
    some = item_frame(dataclasses.replace(data, item_labels=labels))
    assert some["item_label"].tolist() == labels.tolist() and "category" in some
    plain = dataclasses.replace(data, item_labels=data.item_ids, item_attributes=pd.DataFrame())
    assert item_frame(plain).shape == (6, 0)
    assert item_frame(dataclasses.replace(plain, item_labels=labels)).shape == (6, 1)


def test_twenty_thousand_words_are_learned_at_most():
    texts = pd.DataFrame({"text": [" ".join(f"w{n}" for n in range(i, i + 400)) for i in range(0, 20_800, 400)]})
    assert len(AttributeEncoder(n_text=1).fit(texts).arrays()["idf"]) == 20_000


def test_without_text_no_words_are_learned():
    arrays = AttributeEncoder().fit(pd.DataFrame({"x": [1.0, 2.0]})).arrays()
    assert (arrays["idf"].shape, arrays["components"].shape) == ((0,), (0, 0))


@pytest.mark.parametrize("between", ["|", "; ", ", ", " / ", " "])
def test_several_categories_of_an_item_count_each(between):
    genres = ["Drama", "Crime", "War", "Comedy"]
    rows = [[one for at, one in enumerate(genres) if n % 16 & (1 << at)] for n in range(1, 80)]
    frame = pd.DataFrame({"genres": [between.join(row) or None for row in rows]})
    features = AttributeEncoder(of_items=True).fit(frame).transform(frame)
    found = {tuple(map(int, row)) for row in features}
    assert features.shape == (79, 4) and len(found) == 16
    assert features.sum() == sum(map(len, rows))
    listed = pd.DataFrame({"genres": ['["Crime", "Drama"]', "Opera"]})
    assert (AttributeEncoder(of_items=True).fit(frame).transform(listed)[1] == 0).all()


@pytest.mark.parametrize(
    ("alike", "other"),
    [
        (("红色陶瓷马克杯", "蓝色陶瓷马克杯大号"), "羊毛针织围巾"),
        (("木製の椅子", "折りたたみ木製椅子"), "陶器のマグカップ"),
    ],
)
def test_texts_without_spaces_are_told_apart(alike, other):
    texts = [f"{text}{n}" for n in range(20) for text in (*alike, other)]
    frame = pd.DataFrame({"text": texts})
    encoder = AttributeEncoder(8, of_items=True).fit(frame)
    first, second, third = encoder.transform(pd.DataFrame({"text": [*alike, other]}))
    assert first @ second > first @ third
    assert set(encoder.kinds) == {"text"} and encoder.n_features == 8
    again = AttributeEncoder(8).load(encoder.arrays())
    assert np.array_equal(again.transform(frame), encoder.transform(frame))


def test_users_texts_are_still_read_by_words(frame):
    assert "of_items" not in bytes(AttributeEncoder().fit(frame).arrays()["vocabulary"]).decode()


def vectors(rows: np.ndarray) -> pd.DataFrame:
    """Return a frame of users with vectors of them beside one attribute."""
    return with_matrices(pd.DataFrame({"age": np.arange(len(rows))}), {"vectors": sparse.csr_array(rows)})


def test_vectors_of_users_are_reduced_to_where_they_lie_apart():
    rng = np.random.default_rng(0)
    side = np.repeat([-1.0, 1.0], 30)
    rows = (3 + np.outer(side, rng.normal(size=100)) + 0.01 * rng.normal(size=(60, 100))).astype(np.float32)
    rows[7] = 0
    frame = vectors(rows)
    encoder = AttributeEncoder().fit(frame)
    made = encoder.transform(frame)
    assert made.shape == (60, encoder.n_features) and (encoder.kinds == "vector").sum() == 59
    first = made[:, 1]  # the age comes before
    there = np.delete(np.arange(60), 7)
    assert abs(np.corrcoef(first[there], side[there])[0, 1]) > 0.99
    assert not made[7, 1:].any(), "nothing is said of who has none"
    some = [50, 3]
    again = AttributeEncoder().load(encoder.arrays()).transform(frame.iloc[some])
    assert np.allclose(again, made[some], atol=1e-5)
    assert not encoder.transform(pd.DataFrame({"age": [1]}))[0, 1:].any()


def test_vectors_make_somebody_known():
    rows = np.zeros((20, 3), np.float32)
    rows[:10, 0], rows[10:19, 1] = 1, 1
    frame = vectors(rows)[["\0vectors"]]
    _, known = AttributeFeatures().fit(frame).transform(frame)
    assert known.tolist() == [True] * 19 + [False]
