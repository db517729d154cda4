from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import hypergeom
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from grouprec.core.types import Groups
from grouprec.data.synthetic import planted
from grouprec.explore import naming as naming_rules
from grouprec.explore.categories import telling
from grouprec.explore.naming import (
    distinguishing_attributes,
    distinguishing_items,
    distinguishing_words,
    group_names,
    lift_interval,
    name_groups,
)
from grouprec.explore.tables import group_attributes_table

KNOWN = planted(n_users=120, n_items=40, n_groups=4)
GROUPS = Groups(KNOWN.labels, 4)


def test_items_that_distinguish_a_group_are_its_favourites():
    table = distinguishing_items(KNOWN.data.histories, GROUPS, n=5)
    assert table.groupby("group").size().tolist() == [5] * 4
    assert all(row.item_row in KNOWN.favourites[row.group] for row in table.itertuples())
    assert (table["lift"] > 1).all() and table["share_in_group"].between(0, 1).all()
    assert table["lift"].to_numpy() == pytest.approx(table["share_in_group"] / table["share_overall"])


@pytest.mark.parametrize(("inside", "outside"), [(0.5, 0.1), (0.05, 0.01), (0.9, 0.8)])
def test_the_interval_of_a_lift_holds_the_truth_in_95_of_100_samples(inside: float, outside: float):
    rng, size, others = np.random.default_rng(0), 120, 1880
    members, rest = rng.binomial(size, inside, 4_000), rng.binomial(others, outside, 4_000)
    kept = members > 0
    found, overall = members[kept].astype(float), (members + rest)[kept].astype(float)
    low, high = lift_interval(found, np.full(len(found), float(size)), overall, float(size + others))
    truth = inside / ((size * inside + others * outside) / (size + others))
    assert 0.93 <= ((low <= truth) & (truth <= high)).mean() <= 0.98


def test_the_interval_holds_its_lift_and_narrows_with_the_group():
    table = distinguishing_items(KNOWN.data.histories, GROUPS)
    assert (table["lift_low"] < table["lift"]).all() and (table["lift"] < table["lift_high"]).all()
    sizes, owners = np.array([20.0, 200.0]), np.array([10.0, 100.0])
    low, high = lift_interval(owners, sizes, owners * 2, 2_000)
    assert (high / low)[0] > (high / low)[1] > 1
    exclusive = lift_interval(np.array([3.0]), np.array([50.0]), np.array([3.0]), 1_000)  # nobody else has it
    assert exclusive[0][0] < 20 < exclusive[1][0]


def test_the_order_follows_evidence_and_not_lift_alone():
    owned = np.zeros((200, 3), np.float32)
    owned[:80, 0], owned[100:110, 0] = 1, 1  # 80 of 100 members, 10 of 100 others
    owned[:3, 1] = 1  # three members and nobody else: the highest lift
    owned[0, 2] = 1  # a single member says nothing
    table = distinguishing_items(sparse.csr_array(owned), Groups(np.repeat([0, 1], 100).astype(np.int32), 2))
    assert table[table["group"] == 0]["item_row"].tolist() == [0, 1]
    assert table["lift"].iloc[0] == pytest.approx(0.8 / 0.45)
    assert table[table["group"] == 1].empty


def test_words_come_from_the_group_and_pairs_hide_their_parts():
    labels = np.array(["RED LUNCH BAG", "BLUE LUNCH BAG 12", "GARDEN SPADE", "GARDEN HOSE"], dtype=object)
    histories = sparse.csr_array(np.repeat([[1, 1, 0, 0], [0, 0, 1, 1]], 5, axis=0).astype(np.float32))
    words = distinguishing_words(labels, histories, Groups(np.repeat([0, 1], 5).astype(np.int32), 2))
    assert words[0][0] == "lunch bag" and "bag" not in words[0] and "garden" not in words[0]
    assert any("garden" in term for term in words[1]) and not any("bag" in term for term in words[1])
    assert not any(character.isdigit() for terms in words for term in terms for character in term)


def test_labels_without_words_give_no_words_and_numbered_names():
    words = distinguishing_words(np.array(["22423", "71053"] * 20, dtype=object), KNOWN.data.histories, GROUPS)
    assert words == [[]] * 4
    assert group_names(words) == ["Group 1", "Group 2", "Group 3", "Group 4"]


def test_one_group_of_everybody_has_nothing_that_distinguishes_it():
    everybody = Groups(np.zeros(120, np.int32), 1)
    assert distinguishing_items(KNOWN.data.histories, everybody).empty
    assert distinguishing_words(KNOWN.data.item_labels, KNOWN.data.histories, everybody) == [[]]
    assert distinguishing_attributes(KNOWN.data.user_attributes, everybody).empty


def test_attributes_find_the_planted_region_and_leave_noise_out():
    attributes = KNOWN.data.user_attributes.assign(spend=10.0 + 5 * KNOWN.labels, missing=np.nan)
    table = distinguishing_attributes(attributes, GROUPS, n=3)
    regions = table[table["attribute"] == "region"]
    assert [f"region {g}" for g in range(4)] == regions.groupby("group")["value"].first().tolist()
    assert (regions["lift"] > 2).all()
    last = table[(table["group"] == 3) & (table["attribute"] == "spend")].iloc[0]
    assert last["in_group"] == 25 and last["lift"] == pytest.approx(25 / last["overall"]) and last["z"] > 2
    assert "missing" not in set(table["attribute"])
    assert table.groupby("group")["rank"].max().max() <= 3


@pytest.mark.parametrize("ties", [False, True])
def test_median_z_agrees_with_mann_whitney(ties: bool):
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=60), np.repeat([0, 1], 30).astype(np.int32)
    values = values.round() if ties else values
    values[:30] += 1
    table = distinguishing_attributes(pd.DataFrame({"x": values}), Groups(labels, 2))
    from scipy.stats import mannwhitneyu, norm

    p = mannwhitneyu(values[:30], values[30:], use_continuity=False, method="asymptotic").pvalue
    assert 2 * norm.sf(abs(table["z"].iloc[0])) == pytest.approx(p, rel=1e-6)
    assert table["p"].tolist() == pytest.approx([p, p], rel=1e-6)


@pytest.mark.parametrize(("inside", "overall", "size"), [(3, 4, 30), (10, 40, 60), (60, 200, 150), (90, 900, 40)])
def test_the_chance_of_a_share_is_near_fishers_exact_one_and_never_much_below(inside: int, overall: int, size: int):
    total = 1_000
    labels = (np.arange(total) >= size).astype(np.int32)
    has = np.zeros(total, bool)
    inside = min(inside, size)
    has[:inside] = True
    has[size : size + overall - inside] = True
    table = distinguishing_attributes(pd.DataFrame({"has": np.where(has, "yes", "no")}), Groups(labels, 2), n=None)
    row = table[(table["group"] == 0) & (table["value"] == "yes")]
    exact = hypergeom.sf(inside - 1, total, overall, size)
    if len(row):
        assert 0.7 * exact <= row["p"].iloc[0] <= 6 * exact
    else:  # not over-represented by two standard errors
        assert exact > 0.01


def test_attributes_of_pure_chance_are_not_significant_and_planted_ones_are():
    rng = np.random.default_rng(0)
    chance = {f"chance {n}": rng.choice(list("abcdefgh"), 120) for n in range(40)}
    data = replace(KNOWN.data, user_attributes=KNOWN.data.user_attributes[["region"]].assign(**chance))
    table = group_attributes_table(data, GROUPS, depth=100)
    assert table["tests"].unique().tolist() == [4 * 4 + 40 * 4 * 8]
    assert (table[table["attribute"] == "region"].groupby("group")["significant"].first()).all()
    noise = table[table["attribute"] != "region"]
    assert (noise["p"] < 0.05).sum() > 5 and not noise["significant"].any()
    assert (table["p_adjusted"] >= table["p"]).all()
    smallest = table.loc[table["p"].idxmin()]
    assert smallest["p_adjusted"] == pytest.approx(smallest["p"] * smallest["tests"])


def test_the_correction_counts_attributes_that_are_not_listed():
    full, short = (group_attributes_table(KNOWN.data, GROUPS, depth=depth) for depth in (9, 1))
    first = full[full["rank"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(first, short)
    assert group_attributes_table(KNOWN.data, Groups(np.zeros(120, np.int32), 1)).empty


def test_no_attributes_give_an_empty_table():
    table = distinguishing_attributes(pd.DataFrame(index=range(120)), GROUPS)
    assert table.empty and {"group", "rank", "attribute", "lift"} <= set(table.columns)


def test_names_are_never_two_alike():
    words = [["vintage", "lunch bag", "tea"]] * 5 + [["lunch bag", "vintage"], ["vintage"], [], []]
    names = group_names(words)
    assert names[:3] == ["Vintage · Lunch bag", "Vintage · Tea", "Vintage"]
    assert names[3:5] == ["Lunch bag · Tea", "Lunch bag"]
    assert names[5:7] == ["Lunch bag · Vintage (2)", "Vintage (2)"]  # the first name again, in another order
    assert names[7:] == ["Group 8", "Group 9"]


def test_names_of_terms_are_short():
    long = "scottie dog hot water bottle"
    names = group_names([["lunch bag", long, "garden"], ["lunch bag", long]])
    assert names == ["Lunch bag · Garden", "Lunch bag"]


def test_groups_without_words_are_called_by_a_telling_item():
    long = "WHITE HANGING HEART T-LIGHT HOLDER"
    names = group_names(
        [[], [], [], ["tea"], []], [["85123A", long], [long, "Toy Story"], [long], ["Alien"], ["x" * 40]]
    )
    assert names == [
        "White hanging heart t-light…",
        "Toy Story",
        "White hanging heart t-light… (2)",
        "Tea",
        "x" * 31 + "…",
    ]


def test_a_label_that_looks_like_a_number_of_a_group_is_no_danger():
    assert group_names([[], [], []], [["Group 2"], [], []]) == ["Group 2", "Group 2 (2)", "Group 3"]


@settings(max_examples=50)
@given(st.lists(st.lists(st.sampled_from(["tea", "bag", "red bag", "Tea", "2"]), max_size=4), max_size=12))
def test_any_words_and_items_give_names_of_their_own(words):
    names = group_names(words, words[::-1])
    assert len({name.casefold() for name in names}) == len(names) == len(words)
    assert all(name.strip() for name in names) and names == group_names(words, words[::-1])


def test_a_word_on_every_label_names_no_group():
    words = distinguishing_words(KNOWN.data.item_labels, KNOWN.data.histories, GROUPS)  # "Item 0", "Item 1", ...
    assert words == [[]] * 4
    names = name_groups(KNOWN.data.item_labels, KNOWN.data.histories, GROUPS)
    assert len(set(names)) == 4
    assert all(int(name.removeprefix("Item ")) in KNOWN.favourites[group] for group, name in enumerate(names))


def test_words_that_labels_share_name_no_group_by_themselves():
    """Half of the labels begin with SET, a third end with BAG: alone both say nothing, LUNCH BAG says something."""
    kinds = ["lunch bag", "garden spade", "tea cup", "candle"]
    block = np.repeat(np.arange(4), 40)
    labels = np.array([f"{'SET ' * (n % 2)}{kinds[one]} {'bag' if n % 3 == 0 else ''}" for n, one in enumerate(block)])
    owned = np.repeat(np.eye(4)[:, block] * (np.arange(160) % 2 > 0), 10, axis=0)
    groups = Groups(np.repeat(np.arange(4), 10).astype(np.int32), 4)
    words = distinguishing_words(labels.astype(object), sparse.csr_array(owned.astype(np.float32)), groups)
    assert words[0][0] == "lunch bag" and words[1][0] == "garden spade"
    assert not any({"set", "bag"} & set(terms) for terms in words[1:])


def test_names_begin_with_the_category_that_is_typical():
    known = KNOWN.data
    frame = pd.DataFrame(
        {
            "genre": [f"{'Abcd'[n // 10]}rama|{'Crime' if n % 3 else 'War'}" for n in range(40)],
            "new": ["yes", "no"] * 20,
        }
    )
    names = name_groups(known.item_labels, known.histories, GROUPS, telling(frame, known.histories, GROUPS))
    assert [name.partition(":")[0] for name in names] == ["Arama", "brama", "crama", "drama"]
    loud = telling(frame.apply(lambda column: column.str.upper()), known.histories, GROUPS)
    shouted = name_groups(known.item_labels, known.histories, GROUPS, loud)
    assert [name.partition(":")[0] for name in shouted] == ["Arama", "Brama", "Crama", "Drama"]
    assert group_names([["air force", "star trek"]], None, ["War"]) == ["War: Air force · Star trek"]
    assert group_names([[], []], None, ["War", "War"]) == ["War", "War (2)"]


def test_a_colon_stands_before_things_of_the_category_only():
    """Members of the first group have textiles and a colouring book, which is none."""
    said = group_names(
        [["colouring book", "scarf"], ["scarf", "hat"]], None, ["Textiles"] * 2, [{"colouring book"}, set()]
    )
    assert said == ["Textiles · Colouring book · Scarf", "Textiles: Scarf · Hat"]
    labels = np.array(["red scarf", "silk scarf", "colouring book", "puzzle book"], object)
    owned = np.repeat([[1, 1, 1, 0], [0, 0, 0, 1]], 6, axis=0).astype(np.float32)
    groups = Groups(np.repeat([0, 1], 6).astype(np.int32), 2)
    kinds = telling(pd.DataFrame({"kind": ["cloth", "cloth", "toy", "toy"]}), sparse.csr_array(owned), groups)
    assert kinds is not None and kinds.holders("cloth").tolist() == [True, True, False, False]
    assert not kinds.holders("").any()
    names = name_groups(labels, sparse.csr_array(owned), groups, kinds)
    assert names == ["cloth · Colouring book · Red scarf", "toy: Puzzle book"]


def told_by_name(names, texts, histories, groups):
    """Return the share of users whose own items' words are nearest to the name of their group, ties shared."""
    reader = TfidfVectorizer(token_pattern=r"(?u)\b[^\W\d_]{2,}\b")
    words = reader.fit_transform(texts)
    own, called = (histories != 0).astype(float) @ words, reader.transform(names)
    alike = (normalize(own) @ normalize(called).T).toarray()
    best = alike >= alike.max(axis=1, keepdims=True) - 1e-12
    return (best[np.arange(len(best)), groups.labels] / best.sum(axis=1)).mean()


def test_held_out_members_are_told_by_the_name_alone_better_than_by_words_of_titles(monkeypatch):
    """Titles are of four words of their own, and SET or BAG; a category says what half of them have in common."""
    answer = planted(n_users=400, n_items=200, n_groups=8, noise=0.3, ordered=False)
    data, groups, rng = answer.data, Groups(answer.labels, 8), np.random.default_rng(0)
    block = np.repeat(np.arange(8), 25)
    made = ["".join(rng.choice(list("abcdefghijklmnop"), 6)) for _ in range(300)]
    labels = np.array([f"{rng.choice(['SET', 'BAG'])} {' '.join(rng.choice(made, 2))}" for _ in range(200)], object)
    kinds = pd.DataFrame({"kind": [f"{'abcdefgh'[one]}things" for one in block]})
    naming, told = np.arange(400) % 2 == 0, np.arange(400) % 2 == 1
    parts = [Groups(groups.labels[rows], 8) for rows in (naming, told)]
    texts = [f"{label} {kind}" for label, kind in zip(labels, kinds["kind"], strict=True)]
    found = {}
    owned = sparse.csr_array(data.histories[naming])
    for rule, column, shared in (("before", None, 1.0), ("now", telling(kinds, owned, parts[0]), naming_rules.SHARED)):
        monkeypatch.setattr(naming_rules, "SHARED", shared)
        names = name_groups(labels, owned, parts[0], column)
        found[rule] = told_by_name(names, texts, sparse.csr_array(data.histories[told]), parts[1])
    assert found["now"] > found["before"] + 0.1 and found["now"] > 0.7


def test_a_single_members_item_gives_no_word():
    labels = np.array(["garden spade", "lunch bag", "rare orchid"], dtype=object)
    owned = np.repeat([[1, 0, 0], [0, 1, 0]], 10, axis=0).astype(np.float32)
    owned[0, 2] = 1
    words = distinguishing_words(labels, sparse.csr_array(owned), Groups(np.repeat([0, 1], 10).astype(np.int32), 2))
    assert words[0][0] == "garden spade" and not any("orchid" in term for terms in words for term in terms)


def test_words_survive_when_no_other_group_has_any():
    owned = sparse.csr_array(np.repeat([[1], [0]], 5, axis=0).astype(np.float32))
    groups = Groups(np.repeat([0, 1], 5).astype(np.int32), 2)
    assert name_groups(np.array(["lunch bag"], dtype=object), owned, groups) == ["Lunch bag", "Group 2"]
