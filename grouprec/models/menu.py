"""The menu: importing this module registers every model file in the folders of the five kinds."""

import importlib
import pkgutil

from grouprec.models import encoders, generators, groupers, profiles, updaters

for _kind in (encoders, groupers, profiles, generators, updaters):
    for _module in pkgutil.iter_modules(_kind.__path__):
        importlib.import_module(f"{_kind.__name__}.{_module.name}")
