from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Groups
from grouprec.data.features import categories_of
from grouprec.data.synthetic import planted
from grouprec.explore.categories import column_name, telling
from grouprec.explore.kinds import kinds, kinds_of_groups
from grouprec.explore.naming import name_groups

KNOWN = planted(n_users=400, n_items=160, n_groups=8, noise=0.2, ordered=False)
GROUPS = Groups(KNOWN.labels, 8)
BLOCK = np.repeat(np.arange(8), 20)  # the taste of every item


def letters(numbers: np.ndarray, of: str) -> list[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return [f"{of} {alphabet[n // 26]}{alphabet[n % 26]}" for n in numbers]


def grocer() -> pd.DataFrame:
    """Nearly all is GROCERY, eight categories are the tastes, types are of two items each; colours say nothing."""
    return pd.DataFrame(
        {
            "department": np.where(np.arange(160) % 16 == 0, "PRODUCE", "GROCERY"),
            "colour": letters(np.arange(160) % 7, "hue"),
            "category": letters(BLOCK, "shelf"),
            "type": letters(np.arange(160) // 2, "type"),
        }
    )


def test_the_column_whose_categories_tell_groups_apart_is_chosen_wherever_it_stands() -> None:
    frame = grocer()
    for columns in (list(frame), list(frame)[::-1]):
        found = telling(frame[columns], KNOWN.data.histories, GROUPS)
        assert found is not None and found.name == "category"
        assert len(set(found.of_groups(KNOWN.data.histories, GROUPS))) == 8
    names = name_groups(
        KNOWN.data.item_labels, KNOWN.data.histories, GROUPS, telling(frame, KNOWN.data.histories, GROUPS)
    )
    assert all(name.startswith("shelf ") for name in names)


def test_nothing_is_said_where_no_column_tells_groups_apart_and_nothing_is_known_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    known, ids = KNOWN.data.histories, pd.DataFrame({"code": letters(np.arange(160), "code")})
    anybody = Groups(rng.integers(0, 8, 400).astype(np.int32), 8)

    def called(attributes: pd.DataFrame, groups: Groups) -> str | None:
        return column_name(telling(attributes, known, groups), attributes)

    assert called(grocer(), anybody) == "" and called(grocer(), GROUPS) == "category"
    assert called(ids, GROUPS) is None and called(ids.iloc[:, :0], GROUPS) is None
    names = name_groups(KNOWN.data.item_labels, known, anybody, telling(grocer(), known, anybody))
    assert not any(":" in name for name in names)


def test_portraits_and_tiles_say_the_column_that_was_chosen() -> None:
    items = grocer().assign(item=[f"i{n}" for n in range(160)], label="x")
    columns = list(grocer())
    assert set(kinds(items, columns, "department")) == {"Grocery", "Produce"}
    assert kinds(items, columns, "category")[0] == "shelf aa"
    assert kinds_of_groups(items, columns, "category")["i0"] == "shelf aa"
    assert kinds_of_groups(items, columns, "") == {}, "no column tells the groups apart"
    assert kinds(items, columns, "")[1] == kinds(items, columns)[1] == "GROCERY", "an older run knows none"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["Bread"] * 3 + ["Milk"] * 3 + ["Salt"], ["Bread", "Milk"]),
        (["Bread", "Milk", "Salt", "Tea leaves"], None),
        (["yes"] * 3 + ["no"] * 3, None),
        ([1.0, 2.0, 2.0], None),
        ([None, "Bread", "Bread"], ["Bread"]),
        (["War|Drama", "War|Crime", "Drama", "Crime", "War"] * 2, ["Crime", "Drama", "War"]),
    ],
)
def test_categories_are_what_most_items_share(values: list, expected: list[str] | None) -> None:
    found = categories_of(pd.Series(values, name="kind"))
    assert (None if found is None else sorted(found[0])) == expected
    if found is not None:
        assert sparse.issparse(found[1]) and found[1].shape == (len(values), len(found[0]))
