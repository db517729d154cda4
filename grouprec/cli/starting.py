"""What a command waits for before it begins: libraries, which are most of the time of a small one."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence
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


def load(*modules: str) -> None:
    """Import modules without looking for garbage meanwhile, nor later among what they made, which stays.

    Looking takes a fifth of what a small command takes.
    """
    known = len(sys.modules)
    gc.disable()
    try:
        for name in modules:
            importlib.import_module(name)
    finally:
        if len(sys.modules) > known:
            gc.freeze()
        gc.enable()
