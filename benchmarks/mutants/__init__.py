"""Small faults put into the package one at a time, to see whether the related tests notice them."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before numpy comes: a process that forks has no threads of its own
