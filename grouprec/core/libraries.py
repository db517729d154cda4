"""Loading libraries, which is most of what a small command waits for, and seconds of a training."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

# SciPy takes all that NumPy offers (`from numpy import *`), and with it a translator from Fortran and what tests use:
# a tenth of a second for what no command calls. They load when something of theirs is asked for.
_LATER = {"numpy.f2py", "numpy.testing"}


class _Later(MetaPathFinder):
    """Finds what is loaded only when it is used; all else is left to the other finders."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target) if fullname in _LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


_LATER_FINDER = _Later()


def spare_unused() -> None:
    """Have what no command uses loaded only where it is asked for."""
    if _LATER_FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _LATER_FINDER)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage in the block, nor later among what it imports, which stays.

    Looking takes a fifth of what a small command takes, and a tenth of what a training takes to begin.
    """
    known = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        gc.enable()


def load(*modules: str) -> None:
    """Import modules, as :func:`uncollected` does."""
    with uncollected():
        for name in modules:
            importlib.import_module(name)
