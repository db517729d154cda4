"""One thread for all that makes numbers: several add parts up in an order of their own, and sums end differently.

It costs little: most layers and blocks here are too small to share, and threads that wait for one another take twice
the processor time (docs/decisions/0017-same-everywhere.md).
"""

from __future__ import annotations

import contextlib
import contextvars
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

import scipy.linalg  # noqa: F401  # brings its own BLAS, as the next its own OpenMP: they are to be found below
import sklearn.cluster  # noqa: F401
import torch
from threadpoolctl import ThreadpoolController

Given = TypeVar("Given")
Result = TypeVar("Result")

FREE_THREADS = torch.get_num_threads()  # of this process, for work whose parts change no result

_libraries = ThreadpoolController()  # to look for them takes 20 ms, more than an event has
_lock = threading.Lock()
_blocks = 0  # being run, in all threads of this process
_blas = contextlib.ExitStack()  # puts the limit of BLAS back


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep BLAS, OpenMP and torch on one thread inside the block, whatever machine and environment ask for.

    Blocks may lie in one another and run side by side: the limit of BLAS belongs to the process and goes with the
    last of them, the others belong to the calling thread.
    """
    global _blocks
    before = torch.get_num_threads()
    with _lock:
        if not _blocks:
            _blas.enter_context(_libraries.limit(limits=1, user_api="blas"))
        _blocks += 1
    try:
        with _libraries.limit(limits=1, user_api="openmp"):
            torch.set_num_threads(1)  # also that of torch's own MKL, which nobody else reaches
            yield
    finally:
        torch.set_num_threads(before)
        with _lock:
            _blocks -= 1
            if not _blocks:
                _blas.close()


def beside_where(worthwhile: bool, work: Callable[[], Result]) -> Callable[[], Result]:
    """Return :func:`beside` where that is worthwhile and there are processors for it, else what does the work."""
    return beside(work) if worthwhile and (os.cpu_count() or 1) > 1 else work


def side_by_side(work: Callable[[Given], Result], given: Iterable[Given], worthwhile: bool = True) -> list[Result]:
    """Return what some work makes of each thing given, in that order: two at a time, one here and one :func:`beside`.

    For what lets go of the interpreter for most of its time, each piece by itself.

    Args:
        worthwhile: as of :func:`beside_where`: else in turn, as what is fitted on a GPU has to be, for its memory.
    """
    pieces = list(given)
    made: dict[int, Result] = {}
    left = iter(range(len(pieces)))

    def take() -> None:
        for at in left:
            made[at] = work(pieces[at])

    rest = beside_where(worthwhile and len(pieces) > 1, take)
    take()
    rest()
    return [made[at] for at in range(len(pieces))]


def beside(work: Callable[[], Result]) -> Callable[[], Result]:
    """Do some work in a thread of its own, and return what waits for its result, or raises what it has raised.

    It is for use inside :func:`one_thread`: the thread, too, makes numbers by itself alone. One that nobody waits for
    ends with the process. Of work side by side one at a time draws from torch's generator, which the process has one of
    (:meth:`~grouprec.models.fitting.RunOptions.torch_seed`): whoever waits for a result must not hold it.
    """
    made: Future[Result] = Future()

    def do() -> None:
        try:
            torch.set_num_threads(1)  # for good: to put it back would reach MKL in all threads
            with _libraries.limit(limits=1, user_api="openmp"):
                made.set_result(work())
        except BaseException as error:  # raised again where it is waited for
            made.set_exception(error)

    threading.Thread(target=contextvars.copy_context().run, args=(do,), daemon=True).start()
    return made.result
