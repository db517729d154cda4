"""What reading and preparing costs, against pyarrow and numpy doing the least that anybody needs.

``python -m benchmarks.data`` plants files of a million and ten million rows, CSV and Parquet, and prepares each in a
process of its own. Beside it the same file goes through :func:`least`: ids by dictionary, times, duplicates, a split by
time, the k-core; with nothing checked and nothing explained. Processor seconds and peak memory are those of the
processes, without the start of Python and its libraries (a file of a hundred rows, taken off).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from grouprec.data.values.common import compute

ROWS_EACH = 1_000_000  # written at a time
FEW = 100


def plant(path: Path, n: int, seed: int = 0) -> None:
    """Write a file of ``n`` rows: user, item, time, quantity; a user has about 40 rows, items are taken unevenly."""
    rng = np.random.default_rng(seed)
    n_users, n_items = max(n // 40, 5), int(min(max(n // 50, 5), 50_000))
    writer = None
    for start in range(0, n, ROWS_EACH):
        size = min(ROWS_EACH, n - start)
        users = rng.integers(0, n_users, size)
        items = np.minimum((n_items * rng.random(size) ** 2.5).astype(np.int64), n_items - 1)
        times = 1_600_000_000 + ((start + np.arange(size)) * (100_000_000 / n)).astype(np.int64)
        columns = {
            "user_id": compute.binary_join_element_wise("u", pa.array(users).cast(pa.string()), ""),
            "item_id": compute.binary_join_element_wise("A", pa.array(items).cast(pa.string()), ""),
            "timestamp": compute.strftime(pa.array(times, pa.timestamp("s")), format="%Y-%m-%d %H:%M:%S"),
            "quantity": pa.array(rng.integers(1, 5, size)),
        }
        if path.suffix == ".parquet":
            columns["timestamp"] = pa.array(times, pa.timestamp("s"))
        table = pa.table(columns)
        if writer is None:
            kind = pyarrow.parquet.ParquetWriter if path.suffix == ".parquet" else pyarrow.csv.CSVWriter
            writer = kind(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def least(path: Path) -> int:
    """Do the least with a file and return how many rows are left."""
    names = ["user_id", "item_id"]
    if path.suffix == ".parquet":
        table = pyarrow.parquet.read_table(path, read_dictionary=names)
    else:
        kinds = dict.fromkeys(names, pa.dictionary(pa.int32(), pa.string())) | {"timestamp": pa.timestamp("s")}
        table = pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(column_types=kinds))
    chunks = [table[name].unify_dictionaries().chunks for name in names]
    users, items = (np.concatenate([np.asarray(chunk.indices) for chunk in one]) for one in chunks)
    times = np.asarray(table["timestamp"].cast(pa.timestamp("s")).cast(pa.int64()))
    n_items, n_users = int(items.max()) + 1, int(users.max()) + 1
    keys = (users.astype(np.int64) * n_items + items).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    keys ^= times.astype(np.uint64)
    _, first = np.unique(keys, return_index=True)
    users, items, times = users[first], items[first], times[first]
    train = times < np.quantile(times, 0.8)
    pairs = np.unique(users[train].astype(np.int64) * n_items + items[train])
    users, items = pairs // n_items, pairs % n_items
    while True:
        keep = (np.bincount(users, minlength=n_users) >= 1)[users] & (np.bincount(items, minlength=n_items) >= 3)[items]
        if keep.all():
            return len(users)
        users, items = users[keep], items[keep]


def ours(path: Path) -> int:
    """Read and prepare a file as a training does and return how many rows are left."""
    from grouprec.data.preparing.prepare import prepare

    return len(prepare(path).dataset.train)


def once(how: str, path: Path) -> None:
    """Do one of both and print what it cost, as JSON."""
    begun = time.perf_counter()
    left = {"ours": ours, "least": least}[how](path)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024, "wall": time.perf_counter() - begun}
    print(json.dumps({"left": left, **cost}))


def measure(how: str, path: Path) -> dict[str, float]:
    """Return what one of both costs in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.data", "--once", how, str(path)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--formats", nargs="+", default=["csv", "parquet"])
    parser.add_argument("--alone", action="store_true", help="only ours, where the machine has no room for the least")
    parser.add_argument("--once", nargs=2, metavar=("HOW", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        once(asked.once[0], Path(asked.once[1]))
        return
    print("| rows | format | CPU s, ours | CPU s, least | times | MB, ours | MB, least | times |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|")
    for suffix in asked.formats:
        costs = []
        for n in asked.rows:
            with tempfile.TemporaryDirectory() as folder:
                costs.append(compare(Path(folder), n, suffix, asked.alone))
        first, last = costs[0], costs[-1]
        if len(costs) > 1:
            factor = np.log(asked.rows[-1] / asked.rows[0])
            print(f"\n{suffix}: CPU grows with rows^{np.log(last[0] / first[0]) / factor:.2f}, "
                  f"memory with rows^{np.log(last[1] / first[1]) / factor:.2f}\n")  # fmt: skip


def compare(folder: Path, n: int, suffix: str, alone: bool) -> tuple[float, float]:
    """Print the row of one file and return our CPU seconds and bytes, without those of a file of a hundred rows."""
    few, path = folder / f"few.{suffix}", folder / f"planted.{suffix}"
    plant(few, FEW)
    plant(path, n)
    spent = {}
    for how in ("ours",) if alone else ("ours", "least"):
        start, whole = measure(how, few), measure(how, path)
        spent[how] = whole["cpu"] - start["cpu"], whole["peak"] - start["peak"]
    cpu, peak = spent["ours"]
    least_cpu, least_peak = spent.get("least", (np.nan, np.nan))
    print(
        f"| {n:,} | {suffix} | {cpu:.1f} | {least_cpu:.1f} | {cpu / least_cpu:.1f} | {peak / 1e6:,.0f} | "
        f"{least_peak / 1e6:,.0f} | {peak / least_peak:.1f} |",
        flush=True,
    )
    return cpu, peak


if __name__ == "__main__":
    main()
