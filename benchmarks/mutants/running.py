"""Mutants against their tests: forks of one process that has imported everything else, each in a copy of the tree."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.mutants.finding import Mutant

MOST_MEMORY = 8 << 30  # bytes that a run may write to: a mutant may ask for an array of any size
PATIENCE, AT_LEAST = 6, 15.0  # a run may take so many times the clean run, and seconds more
POLL_SECONDS = 0.02
# Tests that know a file though they stand elsewhere than its mirror.
ELSEWHERE = {
    "grouprec/data/preparing/rhythm.py": ("tests/models/encoders/test_dnn.py",),
    "grouprec/live/rows.py": ("tests/runs/test_snapshot.py",),
    "grouprec/live/state.py": ("tests/runs/test_snapshot.py",),
    "grouprec/live/users.py": ("tests/runs/test_snapshot.py",),
    "grouprec/runs/progress.py": ("tests/training/test_search.py",),
    "grouprec/runs/stages.py": ("tests/live/test_stream.py",),
}


@dataclass(frozen=True)
class Verdict:
    """``how``: "failed", "time-out" or "survived"."""

    mutant: Mutant
    how: str
    seconds: float
    output: str

    @property
    def killed(self) -> bool:
        return self.how != "survived"


class BrokenTests(Exception):
    """Tests fail though nothing was changed."""


def related_tests(root: Path, file: str, near: bool = False) -> tuple[str, ...]:
    """Return the test files of a file: its mirror, those here and in the folders above that import it, the rest here.

    Args:
        near: leave out the rest, where there are others.
    """
    below = Path(*Path(file).parts[1:])
    here, *above = [root / "tests" / folder for folder in below.parents]
    module = ".".join(Path(file).with_suffix("").parts)
    package, _, name = module.rpartition(".")
    imports = re.compile(rf"from {re.escape(module)} import|from {re.escape(package)} import [^\n]*\b{name}\b")

    def rank(path: Path) -> tuple[bool, bool, str]:
        return path.name != f"test_{name}.py", not imports.search(path.read_text()), path.name

    found = sorted(here.glob("test_*.py"), key=rank)
    importing = [path for folder in above for path in sorted(folder.glob("test_*.py")) if not rank(path)[1]]
    found = [*found[:1], *importing, *found[1:]]
    nearest = [path for path in found if not all(rank(path)[:2])] if near else []
    return (*(str(path.relative_to(root)) for path in nearest or found), *ELSEWHERE.get(file, ()))


class Runner:
    """Runs mutants side by side, each slot in its own copy of the tree; the checkout itself is never changed.

    The process that makes it must have no other threads: it forks.
    """

    def __init__(self, root: Path, files: Sequence[str], jobs: int, near: bool = False) -> None:
        self.root, self.jobs, self.near = root, jobs, near
        self.folder = Path(tempfile.mkdtemp(prefix="mutants-"))
        self.trees = [self.folder / str(slot) for slot in range(jobs)]
        self.packages = {"benchmarks", *(path.parent.name for path in root.glob("*/__init__.py"))}
        self.tests: dict[str, tuple[str, ...]] = {}  # of every file that was checked
        self.clean_seconds: dict[frozenset[str], float] = {}
        sys.path.insert(0, str(root))
        for module in ["tests.conftest", *(".".join(Path(file).with_suffix("").parts) for file in files)]:
            with contextlib.suppress(ImportError):  # the clean run will tell
                importlib.import_module(module)
        gc.freeze()  # forks need not walk, and so copy, what is imported

    def __enter__(self) -> Runner:
        self.trees[0].mkdir()
        for path in self.root.iterdir():
            if path.name in self.packages:
                shutil.copytree(path, self.trees[0] / path.name, ignore=shutil.ignore_patterns("__pycache__"))
            elif path.name not in (".git", ".venv"):
                (self.trees[0] / path.name).symlink_to(path)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def check(self, files: Sequence[str]) -> None:
        """Run the related tests of the files without a mutation, and copy the tree with its bytecode for every slot.

        Raises:
            BrokenTests: a test fails already.
        """
        for file in files:
            tests = self.tests[file] = related_tests(self.trees[0], file, self.near)
            if not tests:
                raise BrokenTests(f"No test stands where those of {file} belong.")
            if frozenset(tests) in self.clean_seconds:
                continue
            begun = time.monotonic()
            code = os.waitstatus_to_exitcode(os.waitpid(self._start(self.trees[0], tests, clean=True), 0)[1])
            if code:
                raise BrokenTests(f"{' '.join(tests)}\n{_output(self.trees[0]).read_text()}")
            self.clean_seconds[frozenset(tests)] = seconds = time.monotonic() - begun
            print(f"{Path(tests[0]).parent} as it is: {seconds:.1f} s", file=sys.stderr, flush=True)
        for tree in self.trees[1:]:
            shutil.copytree(self.trees[0], tree, symlinks=True, ignore=shutil.ignore_patterns("scratch"))

    def judge(self, mutants: Sequence[Mutant]) -> Iterator[Verdict]:
        """Yield the verdict on every mutant as it is known; their files must have been checked."""
        waiting, free = list(mutants)[::-1], list(self.trees)
        running: dict[int, tuple[Mutant, Path, float, float]] = {}
        try:
            while waiting or running:
                while waiting and free:
                    mutant, tree = waiting.pop(), free.pop()
                    tests = self.tests[mutant.file]
                    limit = AT_LEAST + PATIENCE * self.clean_seconds[frozenset(tests)]
                    _write(tree / mutant.file, mutant.source)
                    running[self._start(tree, tests)] = mutant, tree, time.monotonic(), limit
                for pid, (mutant, tree, begun, limit) in list(running.items()):
                    seconds = time.monotonic() - begun
                    how = _state(pid, late=seconds > limit)
                    if how:
                        del running[pid]
                        _write(tree / mutant.file, mutant.original)
                        free.append(tree)
                        yield Verdict(mutant, how, seconds, _output(tree).read_text(errors="replace"))
                time.sleep(POLL_SECONDS)
        finally:
            for pid in running:
                _state(pid, late=True)

    def _start(self, tree: Path, tests: Sequence[str], clean: bool = False) -> int:
        """Fork a process that runs the tests in a tree, and return its id."""
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                self._enter(tree, clean)
                code = _run_tests(tree, tests)
            except BaseException:  # this copy of the process must end here, whatever a mutant does
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        return pid

    def _enter(self, tree: Path, clean: bool) -> None:
        """Make this process one that lives in the tree and has imported nothing of it yet."""
        os.setsid()
        output = os.open(_output(tree), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))
        os.chdir(tree)
        scratch = tree / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        tempfile.tempdir = str(scratch)
        os.environ |= {"TMPDIR": str(scratch), "PYTHONPATH": str(tree)}
        # Only the clean run writes bytecode: its stamp, whole seconds and a size, cannot tell mutants apart.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "" if clean else "1"
        sys.dont_write_bytecode = not clean
        sys.path[:] = [str(tree), *(entry for entry in sys.path if entry not in ("", str(self.root)))]
        for name in [name for name in sys.modules if name.split(".")[0] in self.packages]:
            del sys.modules[name]
        importlib.invalidate_caches()


def _run_tests(tree: Path, tests: Sequence[str]) -> int:
    import hypothesis

    # A failing example is enough: without shrinking, and the same examples for every mutant.
    hypothesis.settings.register_profile(
        "mutants",
        database=None,
        derandomize=True,
        deadline=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )
    hypothesis.settings.load_profile("mutants")
    options = ["-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
    options += ["--basetemp", str(tree / "scratch" / "pytest")]
    return int(pytest.main([*options, *tests]))


def _state(pid: int, late: bool) -> str | None:
    """Return what has become of a process, None where it still runs; a late one ends here, with all it started."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended and not late:
        return None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if not ended:
        os.waitpid(pid, 0)
        return "time-out"
    return "failed" if os.waitstatus_to_exitcode(status) else "survived"


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)


def _output(tree: Path) -> Path:
    return tree.with_suffix(".txt")
