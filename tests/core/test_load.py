"""What else the machine does, and how much longer that makes things."""

from __future__ import annotations

import psutil
import pytest

from grouprec.core import load
from grouprec.core.load import Load, at_work, pace


def loaded(monkeypatch: pytest.MonkeyPatch, *loads: float) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda: 2)
    monkeypatch.setattr(psutil, "getloadavg", lambda: loads)


def test_work_lasts_where_it_has_been_there_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(monkeypatch, 6.0, 4.0, 3.0)
    assert at_work() == Load(6.0, 3.0, 2) and at_work().slower(6.0) == 4.0
    loaded(monkeypatch, 6.0, 2.0, 0.1)
    assert at_work() == Load(6.0, 0.0, 2)
    loaded(monkeypatch, 0.3, 2.0, 4.0)
    assert at_work() == Load(0.0, 0.0, 2)


def test_own_work_does_not_slow_itself_down(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(monkeypatch, 7.0, 0.0, 0.0)
    times = iter([(0.0, 0.0), (10.0, 10.0)])
    monkeypatch.setattr(load, "monotonic", lambda: now[0])
    monkeypatch.setattr(load, "process_time", lambda: now[1])
    now = next(times)
    with pace() as found:
        now = next(times)
    assert found.slower == 4.0  # six others' beside one's own, on two processors
