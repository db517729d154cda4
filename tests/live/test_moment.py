"""The moment of the held-out part that people are shown: the first at which a list has moved enough, else the most."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from grouprec.live import moment as module
from grouprec.live.moment import moment
from grouprec.runs.store import Run

BEFORE = list(range(10))


class Told:
    """A replay of one group whose list after every event is given."""

    def __init__(self, *lists: list[int]) -> None:
        self.told, self.done, self.last = lists, 0, None
        ids = [f"i{item}" for item in range(20)]
        self.state = SimpleNamespace(item_ids=ids, item_labels=[one.upper() for one in ids], sizes=[7])

    def __len__(self) -> int:
        return len(self.told)

    def step(self) -> int:
        self.done, self.last = self.done + 1, SimpleNamespace(group_after=0)
        return 1

    def lists(self, group: int) -> tuple[list[int], list[int]]:
        return BEFORE, self.told[self.done - 1]


SWAPPED, MIXED, OTHERS = [1, 0, *BEFORE[2:]], [2, 1, 0, *BEFORE[3:]], [11, 12, 13, *BEFORE[:7]]


def test_it_is_the_first_event_after_which_enough_has_moved() -> None:
    found = moment(Told(BEFORE, SWAPPED, OTHERS, BEFORE))
    assert set(found["events"]) == {3} and set(found["group"]) == {1} and set(found["size"]) == {7}
    assert found["item"].tolist() == [f"i{item}" for item in (*OTHERS, 7, 8, 9)]
    assert found["now"].tolist() == [*range(1, 11), 0, 0, 0] and found["before"].tolist()[:4] == [0, 0, 0, 1]


def test_where_little_moves_it_is_what_moved_most_and_nothing_where_nothing_does() -> None:
    assert set(moment(Told(SWAPPED, MIXED, SWAPPED))["events"]) == {2}
    assert moment(Told(BEFORE, BEFORE)).empty


def test_it_looks_at_so_many_events_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 1)
    assert set(moment(Told(SWAPPED, OTHERS))["events"]) == {1}


def test_a_trained_run_keeps_its_moment(small_run: Run) -> None:
    kept = small_run.table("live_moment")
    assert len(kept) >= 10 and kept["events"].nunique() == 1 and (kept["before"] != kept["now"]).any()
