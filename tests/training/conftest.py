"""Tests here start runs in processes of their own."""

from tests.support.started_runs import forks, gave_way, lonely_csv, reaper, store

__all__ = ["forks", "gave_way", "lonely_csv", "reaper", "store"]
