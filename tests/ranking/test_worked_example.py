"""The worked example of docs/evaluation.md: five users, eight items, two groups, and every number worked by hand."""

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Candidates, GroupLists, Groups
from grouprec.data.dataset import Dataset, Interactions
from grouprec.evaluate import protocol
from grouprec.evaluate.value import choose_n_groups
from grouprec.ranking.statistics import holm, sign_flip_p
from grouprec.ranking.task import dedup_lists, individual_lists, test_task

ITEMS = "ABCDEFGH"
USERS = ("Ann", "Ben", "Cem", "Dora", "Eve")
HISTORIES = ("AB", "AC", "DE", "DF", "EG")
TEST = ("CH", "B", "F", "EG", "DG")
PERSONAL = ("CHDEFG", "BHDEFG", "GFHABC", "EGHABC", "DFHABC")
GROUPS = Groups(np.array([0, 0, 1, 1, 1], np.int32), 2)


def rows(words: tuple[str, ...]) -> np.ndarray:
    return np.array([[ITEMS.index(letter) for letter in word] for word in words], np.int32)


def part(words: tuple[str, ...]) -> Interactions:
    users = np.repeat(np.arange(len(words), dtype=np.int32), [len(word) for word in words])
    items = rows(("".join(words),))[0]
    return Interactions(users, items, np.ones(len(items), np.float32))


def shared(*words: str) -> GroupLists:
    """Return groups whose strict list is the beginning of their ranking."""
    ranking = rows(words)
    scores = np.zeros(ranking.shape, np.float32)
    return GroupLists(ranking[:, :5], scores[:, :5], ranking, scores)


DATA = Dataset(
    "example",
    "example",
    np.array(USERS, object),
    np.array(list(ITEMS), object),
    part(HISTORIES),
    Interactions.empty(),
    part(TEST),
    np.array(list(ITEMS), object),
)
TASK = test_task(DATA)
EVERYBODY = Groups(np.zeros(5, np.int32), 1)
FLOOR = dict(zip(("strict", "dedup"), protocol.measure_both("floor", shared("DAEBCFGH"), EVERYBODY, TASK), strict=True))
LISTS = dict(
    zip(
        ("strict", "dedup"),
        protocol.measure_both("lists", shared("CHBADEFG", "EDGFHABC"), GROUPS, TASK),
        strict=True,
    )
)


@pytest.fixture(scope="module")
def personal() -> protocol.Measured:
    candidates = Candidates(rows(PERSONAL), np.zeros((5, 6), np.float32), len(ITEMS))
    return protocol.measure("individual", "individual", individual_lists(candidates, TASK), TASK)


def close(values: list[float]) -> object:
    return pytest.approx(values, abs=6e-4)  # the page gives three digits


def test_targets_are_what_is_new_to_the_user_unless_repeats_count() -> None:
    assert TASK.n_relevant.tolist() == [2, 1, 1, 2, 1]  # Eve has G already
    assert test_task(DATA, repeats=True).n_relevant.tolist() == [2, 1, 1, 2, 2]


def test_everybody_is_judged_by_the_list_as_it_is() -> None:
    assert FLOOR["strict"].of("ndcg@5") == close([0.237, 0.431, 0.0, 0.307, 1.0])
    assert LISTS["strict"].of("ndcg@5") == close([1.0, 0.5, 0.431, 0.920, 0.631])
    assert FLOOR["strict"].of("ndcg@5").mean() == close(0.395)
    assert LISTS["strict"].of("ndcg@5").mean() == close(0.696)
    assert LISTS["strict"].of("precision@5") == close([0.4, 0.2, 0.2, 0.4, 0.2])


def test_or_by_the_ranking_without_what_they_have() -> None:
    shown = dedup_lists(rows(("CHBADEFG", "EDGFHABC")), GROUPS.labels, TASK, depth=5)
    assert ["".join(ITEMS[item] for item in one) for one in shown] == ["CHDEF", "HBDEF", "GFHAB", "EGHAB", "DFHAB"]
    assert FLOOR["dedup"].of("ndcg@5") == close([0.307, 0.5, 0.431, 0.624, 1.0])
    assert LISTS["dedup"].of("ndcg@5") == close([1.0, 0.631, 0.631, 1.0, 1.0])


def test_personal_lists_are_the_ceiling(personal: protocol.Measured) -> None:
    assert personal.of("ndcg@5") == close([1.0, 1.0, 0.631, 1.0, 1.0])
    assert personal.of("ndcg@5").mean() == close(0.926)


def test_the_share_of_possible_gain(personal: protocol.Measured) -> None:
    ceiling = personal.of("ndcg@5").mean()
    shares = [
        protocol.share_of_gain(LISTS[regime].of("ndcg@5").mean(), FLOOR[regime].of("ndcg@5").mean(), ceiling)
        for regime in ("strict", "dedup")
    ]
    assert shares == close([0.567, 0.791])


def test_the_exact_oracle_knows_the_targets() -> None:
    best = protocol.strict_oracle(GROUPS.labels, TASK, 5)
    assert best["ndcg@5"] == close(0.779)
    assert best["precision@5"] == pytest.approx(7 / 25)
    assert best["hit_rate@5"] == 1.0


def test_who_is_left_behind() -> None:
    one_list = protocol.group_table(FLOOR["strict"], EVERYBODY, TASK)
    assert one_list["zero_hit_share"].tolist() == close([0.2])
    table = protocol.group_table(LISTS["strict"], GROUPS, TASK)
    assert table["ndcg@10"].tolist() == close([0.75, 0.660])  # lists of five, so the same as at 5
    assert table["zero_hit_share"].tolist() == [0, 0]


def test_five_users_prove_nothing() -> None:
    difference = LISTS["strict"].of("ndcg@5") - FLOOR["strict"].of("ndcg@5")
    assert difference == close([0.763, 0.069, 0.431, 0.613, -0.369])
    assert sign_flip_p(difference[:, None], seed=0)[0] == pytest.approx(6 / 32, abs=0.015)


def test_holms_correction_of_three_comparisons() -> None:
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])


def test_the_smallest_number_within_one_standard_error() -> None:
    values = {1: 0.10, 5: 0.15, 10: 0.19, 20: 0.20}
    table = pd.DataFrame({"n_groups": list(values), "value": list(values.values())})
    table = table.assign(regime="strict", metric="ndcg@10")
    table = table.assign(low=table["value"] - 1.96 * 0.012, high=table["value"] + 1.96 * 0.012)
    assert choose_n_groups(table, "strict")[0] == 10
