"""Spoiled files: nearly all are read, nearly all rows of them rightly, and nothing is lost without a word."""

from __future__ import annotations

from benchmarks.pollution import measure, sources, spoiled_files


def test_of_spoiled_files_nothing_is_lost_without_a_word() -> None:
    together, by_fault = measure(60, seed=5)
    assert together.files == 60 and len(by_fault) > 20
    assert together.loaded >= 0.99 * together.files, together.failed
    assert together.f1 >= 0.98, together.failed
    assert together.silent == 0, together.failed


def test_sound_files_are_twelve_and_the_faults_are_the_same_in_every_run() -> None:
    assert len(sources()) == 12
    first, second = ([file.content for file in spoiled_files(80, seed=1)] for _ in range(2))
    assert first == second
