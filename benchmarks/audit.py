"""``make audit``: known vulnerabilities and the licences of the pinned dependencies.

Ends with 0 where everything was looked up and nothing is wrong, with 1 where something is, and with 3 where something
could not be looked up: that is no clean bill.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"
# Words of licences under which a dependency may be used and passed on beside MIT code; what it says in their terms.
ALLOWED = ("MIT", "BSD", "APACHE", "PSF", "PYTHON SOFTWARE FOUNDATION", "ISC", "MPL", "MOZILLA", "ZLIB", "HPND", "CC0")
ALLOWED += ("UNLICENSE", "0BSD", "DUAL LICENSE", "EXPAT", "BOOST", "BSL-1.0", "LLVM")
# What says its licence in a file only; read there.
READ = {"axe-playwright-python": "MIT, with axe-core under MPL-2.0", "umap-learn": "BSD-3-Clause"}
WRONG, UNKNOWN = 1, 3


def pinned() -> list[str]:
    """Return the names of the pinned dependencies."""
    lines = CONSTRAINTS.read_text(encoding="utf-8").split()
    return [line.partition("==")[0] for line in lines]


def licence(found: Distribution) -> str:
    """Return what a distribution says of its licence, "" where it says nothing."""
    told = found.metadata
    classifiers = [line.rpartition(" :: ")[2] for line in told.get_all("Classifier") or [] if "License ::" in line]
    text = (told.get("License-Expression") or "; ".join(classifiers) or told.get("License") or "").strip()
    return text.splitlines()[0][:80] if text else ""


def allowed(text: str) -> bool:
    """Return whether a licence, of which one of several may be chosen, is among those we use."""
    choices = re.split(r"\s+OR\s+", text, flags=re.IGNORECASE)
    return any(word in choice.upper() for choice in choices for word in ALLOWED)


def licences() -> int:
    """Print the licences that nobody has looked at; return the status."""
    wrong, missing = [], []
    for name in pinned():
        try:
            text = READ.get(name) or licence(distribution(name))
        except PackageNotFoundError:
            missing.append(name)
            continue
        if not allowed(text):
            wrong.append(f"  {name}: {text or 'says nothing'}")
    print(f"Licences: {len(pinned())} pinned dependencies, {len(wrong)} to look at, {len(missing)} not installed")
    print("\n".join([*wrong, *(f"  {name}: not installed, so not looked at" for name in missing)]))
    return WRONG if wrong else UNKNOWN if missing else 0


def vulnerabilities(pip_audit: str) -> int:
    """Print what is known against the pinned versions; return the status."""
    command = [pip_audit, "--requirement", str(CONSTRAINTS), "--no-deps", "--disable-pip", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        print(f"Vulnerabilities: NOT LOOKED UP; pip-audit ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return UNKNOWN
    return report(found)


def report(found: Iterable[dict]) -> int:
    """Print what pip-audit found of every dependency; return the status."""
    found = list(found)
    skipped = [one["name"] for one in found if "skip_reason" in one]
    known = [(one, vulnerability) for one in found for vulnerability in one.get("vulns", ())]
    for one, vulnerability in known:
        fixed = ", ".join(vulnerability.get("fix_versions", ())) or "no version"
        print(f"  {one['name']} {one['version']}: {vulnerability['id']}, mended in {fixed}")
    print(f"Vulnerabilities: {len(found) - len(skipped)} of {len(found)} dependencies looked up, {len(known)} known")
    if skipped:
        print(
            f"NOT LOOKED UP: {len(skipped)} ({', '.join(skipped[:5])}, ...). The advisory service cannot be reached "
            "from here, or does not know them; this says nothing about whether they are safe. Run it where it can."
        )
    return WRONG if known else UNKNOWN if skipped or not found else 0


def main() -> int:
    results = [licences(), vulnerabilities(sys.argv[1])]
    return WRONG if WRONG in results else max(results)


if __name__ == "__main__":
    sys.exit(main())
