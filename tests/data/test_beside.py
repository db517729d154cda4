"""Files beside the interactions: whom they tell of, what lies in the future, and what travels with attributes."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.beside import plant
from grouprec.core.types import DataError
from grouprec.data.beside import ELSEWHERE, FRIENDS, Beside, matrices, matrix_of, with_matrices
from grouprec.data.folds import make_folds
from grouprec.data.interactions import Interactions
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.preparing.pseudonyms import KEY, pseudonyms_of

SMALL = {"n_users": 60, "n_items": 40, "n_groups": 4, "events_per_user": 12}
EVERYTHING = Preparation(min_item_users=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return plant(tmp_path_factory.mktemp("beside"), told=True, **SMALL)


def rows(file: Path) -> pd.DataFrame:
    return pd.read_csv(file, dtype=str)


def test_what_users_take_elsewhere_is_what_the_file_says(files):
    data = prepare(files["interactions"], also=files["also"], settings=EVERYTHING).dataset
    told = matrix_of(data.known_of_users, ELSEWHERE, data.beside.n_elsewhere)
    other = rows(files["also"]).drop_duplicates()
    other = other[other["user"].isin(data.user_ids)]
    items = np.sort(other["item"].unique())
    expected = pd.crosstab(other["user"], other["item"]).reindex(index=data.user_ids, columns=items, fill_value=0)
    assert (told.toarray() == expected.to_numpy()).all() and not set(data.item_ids) & set(items)


def test_items_elsewhere_that_few_users_have_count_nothing(files):
    found = {
        least: prepare(files["interactions"], also=files["also"], settings=Preparation(min_item_users=least))
        for least in (1, 8)
    }
    counts = {least: one.dataset.beside.n_elsewhere for least, one in found.items()}
    other = rows(files["also"])
    users = found[8].dataset.user_ids
    per_item = other[other["user"].isin(users)].groupby("item")["user"].nunique()
    assert counts[8] == (per_item >= 8).sum() < counts[1]


def test_friends_are_both_ends_of_an_edge_and_tell_of_training_rows_only(files):
    data = prepare(files["interactions"], edges=files["edges"], settings=EVERYTHING).dataset
    edges = rows(files["edges"])
    know = pd.crosstab(edges["user"], edges["friend"]).reindex(index=data.user_ids, columns=data.user_ids, fill_value=0)
    knows = ((know.to_numpy() + know.to_numpy().T) > 0) & ~np.eye(data.n_users, dtype=bool)
    counts = knows.astype(int) @ (data.histories.toarray() > 0)
    expected = counts / np.sqrt(np.maximum(knows.sum(axis=1), 1))[:, None]
    assert np.allclose(matrix_of(data.known_of_users, FRIENDS, data.n_items).toarray(), expected)


def timed(split: str) -> Beside:
    """User 0 takes something elsewhere on days 5 and 15, user 1 on day 5."""
    elsewhere = Interactions(
        np.array([0, 0, 1], np.int32), np.array([0, 1, 0], np.int32), np.ones(3, np.float32), np.array([5.0, 15.0, 5.0])
    )
    return Beside(elsewhere=elsewhere, n_elsewhere=2, split=split)


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("time", [[1, 0], [1, 0]]),
        ("user_time", [[1, 0], [0, 0]]),
        ("user", [[1, 1], [1, 0]]),
        ("none", [[1, 1], [1, 0]]),
    ],
)
def test_what_lies_in_the_future_is_not_known(split, expected):
    """Training ends on day 10 for everybody, on day 3 for user 1."""
    train = Interactions(np.array([0, 1], np.int32), np.zeros(2, np.int32), np.ones(2, np.float32), np.array([10.0, 3]))
    frame = timed(split).frame(2, train, train.matrix((2, 1)))
    assert matrix_of(frame, ELSEWHERE, 2).toarray().tolist() == expected


def test_a_fold_knows_no_more_than_its_training_part(tmp_path):
    """The other file ends with the whole period; a fold of an earlier moment must not see what came after."""
    rng, n = np.random.default_rng(0), 3000
    frame = pd.DataFrame({"user": rng.integers(0, 100, n), "item": rng.integers(0, 30, n)})
    frame["time"] = pd.date_range("2024-01-01", periods=n, freq="h")
    for name in ("rows", "also"):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    found = prepare(tmp_path / "rows.csv", also=tmp_path / "also.csv", settings=Preparation(split="time"))
    data = found.dataset.before_test()
    (fold, *_) = make_folds(data, "time", 86400.0 * 10, 1, 0)
    seen = [matrix_of(one.known_of_users, ELSEWHERE, one.beside.n_elsewhere).nnz for one in (data, fold)]
    assert 0 < seen[1] < seen[0]


def test_users_left_out_of_training_are_told_of_too(files, tmp_path):
    """A user of one row is left out where two items are asked for; the other files know them."""
    whole, other = rows(files["interactions"]), rows(files["also"])
    new = pd.DataFrame({"user": ["newcomer"], "item": [whole["item"].iloc[0]]})
    pd.concat([whole, new]).to_csv(tmp_path / "rows.csv", index=False)
    taken = other["item"].value_counts().index[:2]
    pd.concat([other, pd.DataFrame({"user": "newcomer", "item": taken})]).to_csv(tmp_path / "also.csv", index=False)
    friend = pd.DataFrame({"user": [whole["user"].iloc[0]], "friend": ["newcomer"]})
    pd.concat([rows(files["edges"]), friend]).to_csv(tmp_path / "edges.csv", index=False)
    names = {name: tmp_path / f"{name}.csv" for name in ("also", "edges")}
    data = prepare(tmp_path / "rows.csv", **names, settings=Preparation(min_item_users=1, min_user_items=2)).dataset
    assert data.left_out is not None
    row = data.left_out.user_ids.tolist().index("newcomer")
    known = data.known_of_left_out().iloc[[row]]
    assert matrix_of(known, ELSEWHERE, data.beside.n_elsewhere).nnz == 2
    assert matrix_of(known, FRIENDS, data.n_items).nnz > 0


def test_pseudonyms_meet_in_all_files(files, monkeypatch):
    monkeypatch.setenv(KEY, "a secret of some length")
    plain = prepare(files["interactions"], also=files["also"], edges=files["edges"], settings=EVERYTHING)
    hidden = prepare(
        files["interactions"],
        also=files["also"],
        edges=files["edges"],
        settings=Preparation(min_item_users=1, pseudonyms=True),
    )
    assert [one.sentence() for one in hidden.shared] == [one.sentence() for one in plain.shared]
    order = pd.Index(hidden.dataset.user_ids).get_indexer(pseudonyms_of(plain.dataset.user_ids))
    one, other = (found.dataset for found in (plain, hidden))
    width = one.beside.n_elsewhere
    told = [matrix_of(data.known_of_users, ELSEWHERE, width).toarray() for data in (one, other)]
    assert np.array_equal(told[0], told[1][order])
    know = [data.beside.friends.toarray() for data in (one, other)]
    assert np.array_equal(know[0], know[1][np.ix_(order, order)])


def test_the_sentences_count(files):
    found = prepare(files["interactions"], also=files["also"], edges=files["edges"], settings=EVERYTHING)
    also, edges = found.shared
    assert also.sentence().startswith("also.csv tells of 60 of 60 users what they take elsewhere: ")
    assert edges.sentence().startswith("edges.csv connects 60 of 60 users by ")
    assert edges.rows * 2 == found.dataset.beside.friends.nnz


def test_a_file_of_other_people_is_refused(files, tmp_path):
    pd.DataFrame({"user": ["x", "y"], "item": [1, 2]}).to_csv(tmp_path / "other.csv", index=False)
    with pytest.raises(DataError, match=r"No user of 'other.csv' \(column 'user', such as 'x'\) is in"):
        prepare(files["interactions"], also=tmp_path / "other.csv")
    with pytest.raises(DataError, match="connects no two users"):
        prepare(files["interactions"], edges=tmp_path / "other.csv")


def test_facts_survive_choosing_rows_and_being_kept(files):
    data = prepare(files["interactions"], also=files["also"], edges=files["edges"], settings=EVERYTHING).dataset
    frame, some = data.known_of_users, np.array([5, 2, 2])
    kept = matrices(frame)
    again = with_matrices(pd.DataFrame(index=range(3)), {name: matrix[some] for name, matrix in kept.items()})
    for column, width in ((ELSEWHERE, data.beside.n_elsewhere), (FRIENDS, data.n_items)):
        expected = matrix_of(frame, column, width).toarray()[some]
        assert np.array_equal(matrix_of(frame.iloc[some], column, width).toarray(), expected)
        assert np.array_equal(matrix_of(again, column, width).toarray(), expected)
    nobody = pd.DataFrame(index=range(4))
    assert matrix_of(nobody, ELSEWHERE, 7).shape == (4, 7) and not matrix_of(nobody, ELSEWHERE, 7).nnz
