"""Broken files of every kind, others each time, are read or refused in a sentence; `benchmarks.fuzz` makes 5,000."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import watching
from benchmarks.fuzz.given import CORPUS, Input
from benchmarks.fuzz.making import make


# Two of the five ways each, and few that are made to hold up: all ways of all of them are for the 5,000.
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.sampled_from([*itertools.combinations(watching.WAYS, 2)]))
def test_whatever_is_uploaded_is_read_or_refused_in_a_sentence(seed: int, ways: tuple[watching.Way, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        watching.attempt(make(seed, share=0.02, most_rows=100), Path(folder), ways)


@pytest.mark.parametrize("broken", CORPUS, ids=lambda broken: broken.name[:20])
def test_what_broke_something_once_breaks_it_no_more(broken: Input, tmp_path: Path) -> None:
    watching.attempt(broken, tmp_path)


def test_a_traceback_a_hang_and_a_feast_of_memory_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Input("shop.csv", b"user,item\n" + b"a,b\nb,c\na,c\nb,b\n" * 20)
    found = watching.watched(good)
    assert found.said == "read" and not found.fault and found.memory < watching.MOST_MEMORY
    monkeypatch.setattr(watching, "peek", lambda path: {}["a fault of ours"])
    assert "KeyError" in watching.watched(good).fault
    monkeypatch.setattr(watching, "peek", lambda path: bytearray(b"x") * 300_000_000)
    assert watching.watched(good).memory > watching.MOST_MEMORY
