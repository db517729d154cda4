"""Of very many columns those with known headers are looked at, and the first ones that tell something."""

from __future__ import annotations

import pandas as pd

from grouprec.data.roles.looked_at import MOST_LOOKED_AT, columns_looked_at


def test_columns_that_always_say_the_same_take_no_place_from_those_that_tell_something() -> None:
    same = {f"same{i}": ["a", "a"] for i in range(MOST_LOOKED_AT)}
    tell = {f"tell{i}": ["a", "b"] for i in range(MOST_LOOKED_AT + 3)}
    found = columns_looked_at(pd.DataFrame({**same, **tell, "user_id": ["u", "u"]}))
    assert found == [*list(tell)[:MOST_LOOKED_AT], "user_id"]


def test_of_few_columns_all_are_looked_at() -> None:
    assert columns_looked_at(pd.DataFrame({"a": [1, 1], "b": [2, 3]})) == ["a", "b"]
