"""Tests here use a finished run that events can be sent to."""

from tests.support.fitted_run import built, data, run, store

__all__ = ["built", "data", "run", "store"]
