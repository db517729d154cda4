"""Work beside other work: in a thread of its own with one thread for numbers, and its errors reach who waits."""

import contextvars
import os
import threading

import pytest
import torch

from grouprec.models.threads import beside, beside_where, one_thread, side_by_side

SAID = contextvars.ContextVar("said", default="nothing")


def test_work_beside_other_work_is_waited_for_and_knows_what_was_said() -> None:
    here, go_on = threading.current_thread(), threading.Event()
    SAID.set("hello")

    def work() -> tuple[str, int, bool]:
        assert go_on.wait(60)
        return SAID.get(), torch.get_num_threads(), threading.current_thread() is here

    with one_thread():
        wait = beside(work)
        go_on.set()
        assert wait() == ("hello", 1, False)
        assert torch.get_num_threads() == 1


def test_an_error_beside_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        beside(lambda: 1 // 0)()


@pytest.mark.parametrize(("worthwhile", "processors", "same"), [(True, 2, False), (True, 1, True), (False, 2, True)])
def test_work_is_done_in_turn_where_that_is_as_good(
    monkeypatch: pytest.MonkeyPatch, worthwhile: bool, processors: int, same: bool
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    here = threading.current_thread()
    assert beside_where(worthwhile, lambda: threading.current_thread() is here)() == same


def test_pieces_side_by_side_are_done_by_two_threads_and_come_back_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    both, threads = threading.Barrier(2, timeout=60), set()

    def work(piece: int) -> int:
        if piece < 2:
            both.wait()  # nobody passes it alone
        threads.add(threading.current_thread())
        return piece * piece

    assert side_by_side(work, range(7)) == [0, 1, 4, 9, 16, 25, 36]
    assert len(threads) == 2
    assert side_by_side(work, []) == []


@pytest.mark.parametrize("processors", [1, 2])
def test_an_error_in_a_piece_is_raised(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    with pytest.raises(ZeroDivisionError):
        side_by_side(lambda piece: 1 // piece, [1, 1, 0, 1])
