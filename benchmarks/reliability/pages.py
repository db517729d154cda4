"""Every file of a run is flipped, cut, emptied, replaced and deleted, and every view of every page opened after each.

What a view shows rests on the files that it opens, and on which files there are: of those that it does not open each is
deleted, which tells whether it asks for them.
"""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from grouprec.runs.store import Run, RunStore
from tests.support.damage import DAMAGES, OPENED, damaged, files_of, lived_in
from tests.support.damaged_pages import VIEWS, look


def measure(run: Run, folder: Path, seed: int = 0) -> Counter[str]:
    """Damage a copy of a trained run again and again; return how many views there were of every kind.

    "same" is what the whole run shows, "refused" names the run and what is damaged; "different" and "crashed" must not
    be.
    """
    logging.disable(logging.WARNING)  # Streamlit's, of a script without a server
    base = RunStore(folder / "base")
    base.root.mkdir(parents=True)
    used = lived_in(run, base)
    os.environ["GROUPREC_RUNS"] = str(base.root)
    rng, counts, files = np.random.default_rng(seed), Counter[str](), files_of(used)
    for view in VIEWS:
        with OPENED.under(used.path) as names:
            whole = look(used, view)
        opened = set(names) & set(files)
        print(f"{view}: opens {len(opened)} of {len(files)} files", file=sys.stderr, flush=True)
        for file in files:
            for damage in DAMAGES if file in opened else ["delete"]:
                with damaged(used, file, damage, rng):
                    seen = look(used, view)
                kind = seen.kind(whole, used.run_id)
                counts[kind] += 1
                if kind not in ("same", "refused"):
                    print(f"{kind}: {view} after {damage} of {file}: {seen.crash[:600]}", flush=True)
    counts["files"] = len(files)
    counts["views"] = len(VIEWS)
    return counts
