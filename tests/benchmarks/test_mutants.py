"""The mutation script: its rules on short sources, and its verdicts on a package of one function."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.mutants.finding import Equivalent, KnownEquivalent, find_mutants, sample
from benchmarks.mutants.running import Verdict, _state

REPOSITORY = Path(__file__).parents[2]


def mutants_of(tmp_path: Path, source: str) -> set[tuple[str, str]]:
    (tmp_path / "some.py").write_text(source)
    return {(mutant.rule, mutant.after) for mutant in find_mutants(tmp_path, "some.py")}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {("compare", "a <= b")}),
        ("a is not b", {("compare", "a is b")}),
        ("a < b == c", {("compare", "a <= b == c"), ("compare", "a < b != c")}),
        ("é = (a) * (b)", {("arithmetic", "é = (a) / (b)")}),
        ("a += b", {("arithmetic", "a -= b"), ("drop", "pass")}),
        ("(a  # a < b\n < b)", {("compare", "<= b)")}),
        ('a + "text"', set()),
        ("a = 3", {("number", "a = 4")}),
        ("a = 0.95", {("number", "a = 0.9")}),
        ("a = 0.5", {("number", "a = 1.0")}),
        ("a = 1e-9", set()),
        ("CELLS = 1 << 20", set()),
        ("size = rows_per_batch(n, 1 << 20)", set()),
        ("def f(n=1, batch_size=2): a", {("number", "def f(n=2, batch_size=2): a")}),
        ("a = b.shape[1]", {("number", "a = b.shape[0]")}),
        ("a if b else c", {("negate", "a if (not (b)) else c")}),
        ("a if not b else c", {("not", "a if (b) else c")}),
        ("a and b", {("logic", "a or b")}),
        ("def f() -> list[int]: return a", {("return", "def f() -> list[int]: return []")}),
        ("def f() -> int | None: return None", set()),
        ("def f() -> bool: return a", {("return", "def f() -> bool: return not (a)")}),
        ("a.argmax()", {("swap", "a.argmin()"), ("drop", "pass")}),
        ("a = np.maximum.at(b, c)", {("swap", "a = np.minimum.at(b, c)")}),
        ("a = -b", {("order", "a = b")}),
        ("a = b[::-1]", {("order", "a = b[::1]")}),
        ("for a in b: break", {("loop", "for a in b: pass")}),
        ("a = f(b, axis=1)", {("axis", "a = f(b, axis=0)")}),
        ("a = f(b, sure=True, copy=False)", {("flag", "a = f(b, sure=False, copy=False)")}),
        ('a = f(b, kind="stable")', {("stable", 'a = f(b, kind="quicksort")')}),
        ("a = re.escape(b)", {("escape", "a = (b)")}),
        ("a = b[c:d]", {("slice", "a = b[(c) + 1:d]"), ("slice", "a = b[c:(d) + 1]")}),
        ('raise ValueError(f"{1 + 1} {a < b}")', set()),
        ('def f(a: "x[1]") -> int | None:\n    """1 < 2"""', set()),
        ("@lru_cache(maxsize=3)\ndef f(): a", set()),
        ("a: int = Field(3, ge=1)", set()),
        ("if TYPE_CHECKING: a = 1", set()),
    ],
)
def test_a_rule_changes_one_thing_and_leaves_text_types_and_declarations(
    tmp_path: Path, source: str, expected: set[tuple[str, str]]
) -> None:
    assert mutants_of(tmp_path, source + "\n") == expected


def test_a_sample_repeats_and_code_elsewhere_leaves_it_alone(tmp_path: Path) -> None:
    lines = [f"a{number} = b < {number}" for number in range(20)]
    (tmp_path / "some.py").write_text("\n".join(lines))
    chosen = sample(find_mutants(tmp_path, "some.py"), 10, seed=1)
    (tmp_path / "some.py").write_text("\n".join(["", "c", *lines]))
    again = sample(find_mutants(tmp_path, "some.py"), 10, seed=1)
    assert [mutant.after for mutant in again] == [mutant.after for mutant in chosen]
    assert [mutant.line for mutant in again] == [mutant.line + 2 for mutant in chosen]
    assert chosen != sample(find_mutants(tmp_path, "some.py"), 10, seed=2)


def test_an_equivalent_mutant_is_known_by_its_line_and_not_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("\n\na = 1 < b\na = 2 < b\n")
    known = KnownEquivalent(tmp_path / "none.toml")
    known.entries = [Equivalent("some.py", "a = 1 < b", "compare", "as said"), *known.entries]
    left = known.without(find_mutants(tmp_path, "some.py"))
    assert [mutant.id for mutant in left] == ["some.py:3:number", "some.py:4:number", "some.py:4:compare"]


def test_every_known_equivalent_is_still_a_mutant() -> None:
    known = KnownEquivalent()
    for file, entries in known.by_file.items():
        mutants = find_mutants(REPOSITORY, file)
        for entry in entries:
            assert any(entry.covers(mutant) for mutant in mutants), entry


@pytest.mark.parametrize(("asserted", "status"), [("larger(2, 1) == 2 and larger(3, 3) == 3", 0), ("larger", 1)])
def test_a_good_test_kills_and_a_toothless_one_does_not(tmp_path: Path, asserted: str, status: int) -> None:
    source = "def larger(a, b):\n    return max(a, b)\n"
    for path, text in {
        "tiny/__init__.py": "",
        "tiny/large.py": source,
        "tests/__init__.py": "",
        "tests/test_large.py": f"from tiny.large import larger\n\n\ndef test_it():\n    assert {asserted}\n",
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    command = [sys.executable, "-m", "benchmarks.mutants", "--root", str(tmp_path), "--files", "tiny/large.py"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == status, done.stdout + done.stderr
    assert f"| tiny | 1 | {1 - status} | 0 | {status} |" in done.stdout
    assert ("return min(a, b)" in done.stdout) == bool(status)
    assert (tmp_path / "tiny" / "large.py").read_text() == source


def test_a_run_that_is_late_is_ended_and_counts_as_killed(tmp_path: Path) -> None:
    (tmp_path / "some.py").write_text("a = 1 < b\n")
    waiting = subprocess.Popen(["sleep", "600"], start_new_session=True)
    assert _state(waiting.pid, late=False) is None
    how = _state(waiting.pid, late=True)
    assert how == "time-out" and Verdict(find_mutants(tmp_path, "some.py")[0], how, 600.0, "").killed
    with pytest.raises(ProcessLookupError):
        os.kill(waiting.pid, 0)
