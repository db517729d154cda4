"""EASE beside other libraries: all learn from the same cells, and are judged by later ones that are new."""

from __future__ import annotations

from benchmarks.linear import parts_of, section
from grouprec.data.synthetic import planted


def test_what_judges_is_new_to_the_user() -> None:
    train, aside = parts_of(planted(n_users=40, n_items=30).data)
    assert aside.nnz and not train.multiply(aside).nnz
    assert set(train.data) == set(aside.data) == {1}


def test_seconds_stand_beside_those_of_ease() -> None:
    found = {3000: [("ease", {"l2": 300.0}, 2.0, 0.25), ("irspack_ials", {"reg": 0.1}, 5.0, 0.2)]}
    assert "| 3,000 | irspack_ials | reg 0.1 | 5.0 | 2.5 | 0.2000 |" in section(7, found)
