"""``python -m benchmarks.parts [--part NAME,...] [--preset quick]``: is a default run ever below a simple method?

Files that nothing was tuned on: households at a grocer's, planted news and films, the kinds of
:mod:`benchmarks.kinds`, and parts of the other benchmarks' files: few people, one season, small countries, dear items,
a long tail, no times, only what was liked. Judged from outside as in ``benchmarks.outside`` (runs are refitted), one
seed; a row of its table per part and regime, in docs/benchmarks.md, where the rows of parts that are not run stay.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.measure import machine
from benchmarks.outside import REGIMES, Judged, Outside, judged
from benchmarks.quality import PAGE, write


def some_users(column: str, n_users: int) -> Callable[[pd.DataFrame], pd.Series]:
    """Choose the rows of so many users at random."""
    return lambda table: table[column].isin(table[column].drop_duplicates().dropna().sample(n_users, random_state=0))


def above(column: str, least: float) -> Callable[[pd.DataFrame], pd.Series]:
    """Choose the rows with more than that in a column of numbers."""
    return lambda table: pd.to_numeric(table[column]) > least


def busy(column: str, n_rows: int) -> Callable[[pd.DataFrame], pd.Series]:
    """Choose the rows of users with at least so many."""
    return lambda table: table.groupby(column)[column].transform("size") >= n_rows


def rare(column: str, n_rows: int) -> Callable[[pd.DataFrame], pd.Series]:
    """Choose the rows of items with at most so many."""
    return lambda table: table.groupby(column)[column].transform("size") <= n_rows


def common(n_users: int, user: str, item: str, least: int) -> Callable[[pd.DataFrame], pd.Series]:
    """Choose the rows of so many users at random, with the items that at least so many of all users have."""

    def chosen(table: pd.DataFrame) -> pd.Series:
        users_of = table[[user, item]].drop_duplicates().groupby(item).size()
        return some_users(user, n_users)(table) & (table[item].map(users_of) >= least)

    return chosen


SHOP_TIME = ("InvoiceDate",)
MOVIE_TIME = ("timestamp:float",)
PARTS = {
    "small-countries": Outside(
        "sample, all countries but the first", "sample", "time", rows=lambda table: table["Country"] != "United Kingdom"
    ),
    "autumn": Outside(
        "sample, from September on", "sample", "time", rows=lambda table: table["InvoiceDate"] >= "2011-09-01"
    ),
    "300-customers": Outside("sample, 300 customers", "sample", "time", rows=some_users("CustomerID", 300)),
    "busy-customers": Outside(
        "sample, customers with at least 100 rows", "sample", "time", rows=busy("CustomerID", 100)
    ),
    "no-times": Outside(
        "sample, 1,500 customers without times",
        "sample",
        "user",
        rows=some_users("CustomerID", 1500),
        without=SHOP_TIME,
    ),
    "dear-items": Outside("2009, items above 5 pounds", "retail-2009", "time", rows=above("Price", 5)),
    "spring": Outside(
        "2009, until the end of May", "retail-2009", "time", rows=lambda table: table["InvoiceDate"] < "2010-06-01"
    ),
    "200-people": Outside("MovieLens, 200 people", "ml-100k", "user_time", rows=some_users("user_id:token", 200)),
    "liked": Outside("MovieLens, ratings of 4 and 5", "ml-100k", "user_time", rows=above("rating:float", 3.9)),
    "long-tail": Outside(
        "MovieLens, films with at most 100 ratings", "ml-100k", "user_time", rows=rare("item_id:token", 100)
    ),
    "grocer": Outside("grocer, 600 households", "journey", "time", rows=common(600, "household_id", "product_id", 60)),
    "news": Outside("planted news of nine days", "news", "time"),
    "films": Outside("planted films of eleven years", "films", "time"),
    "chains": Outside("planted chains", "chains", "user_time"),
    "seasons": Outside("planted seasons of two years", "seasons", "time"),
    "imports": Outside("planted import and eight weeks", "imports", "time"),
    "club": Outside("planted club of 70", "club", "time"),
    "catalogue": Outside("planted catalogue of 5,000 for 200 people", "catalogue", "time"),
    "passers": Outside("planted passers-by", "passers", "time"),
    "adverts": Outside("planted adverts", "adverts", "time"),
    "subscriptions": Outside("planted subscriptions", "subscriptions", "time"),
    "saturated": Outside("planted items that everybody has", "saturated", "time"),
    "two-towns": Outside("planted two towns", "two-towns", "time"),
    "days": Outside("planted baskets with dates", "days", "time"),
    "disliked": Outside("planted dislikes", "disliked", "time"),
    "heavy": Outside("planted quantities", "heavy", "time"),
    "wholesale": Outside("planted wholesale", "wholesale", "time"),
    "app": Outside("planted app of 30 items", "app", "time"),
    "courses": Outside("planted courses in order", "courses", "time"),
    "mixed": Outside("planted views and stars", "mixed", "time"),
    "music": Outside("planted plays of songs", "music", "time"),
    "jobs": Outside("planted vacancies", "jobs", "time"),
    "library": Outside("planted library of small histories", "library", "time"),
    "films-no-times": Outside("MovieLens without times", "ml-100k", "user", without=MOVIE_TIME),
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--part", default=",".join(PARTS))
    arguments.add_argument("--preset", default="quick")
    given = arguments.parse_args()
    found: dict[str, Judged] = {}
    for name in given.part.split(","):
        if name not in PARTS:
            sys.exit(f"There is no part '{name}'; choose from {', '.join(PARTS)}.")
        with tempfile.TemporaryDirectory() as folder:
            found[name] = judged(PARTS[name], 1, given.preset, Path(folder))
        print("\n".join(rows(PARTS[name], found[name])), flush=True)
        write("parts", section(found, given.preset, written()))


def written(page: Path = PAGE) -> dict[str, list[str]]:
    """Return the rows that the page has, by the title of their part."""
    kept: dict[str, list[str]] = {}
    text = page.read_text(encoding="utf-8")
    inside = text.partition("<!-- parts -->")[2].partition("<!-- end of parts -->")[0]
    titles = {part.title for part in PARTS.values()}
    for line in inside.splitlines():
        title = line.removeprefix("| ").split(" | ")[0]
        if title in titles:
            kept.setdefault(title, []).append(line)
    return kept


def section(found: dict[str, Judged], preset: str, kept: dict[str, list[str]]) -> str:
    """Return the Markdown of all parts: of those that were judged now, else what the page has."""
    lines = [
        "## From outside: parts that nothing was tuned on",
        "",
        f"`python -m benchmarks.parts --preset {preset}` (runs with `--refit`) · one seed · a row stays as the version "
        f"that ran its part had it · {machine()}",
        "",
        "| part | judged | lists | ours | best simple method | ours / best simple | difference |",
        "| --- | ---: | --- | ---: | --- | ---: | --- |",
    ]
    below, missing = [], []
    for name, part in PARTS.items():
        own = rows(part, found[name]) if name in found else kept.get(part.title, [])
        lines += own
        missing += [] if own else [part.title]
        if any(_is_below(row) for row in own):
            below.append(part.title)
    last = f"Below a simple method by more than the interval: {', '.join(below) or 'none'}."
    return "\n".join([*lines, "", last, "", f"Not run yet: {', '.join(missing) or 'none'}."])


def _is_below(row: str) -> bool:
    """Whether the interval at the end of a row lies below zero."""
    return row.rstrip(" |]").rpartition(", ")[2].startswith("-")


def rows(part: Outside, found: Judged) -> list[str]:
    """Return a row per regime."""
    lines = []
    for regime in REGIMES:
        best = found.best_simple(regime)
        ratio, difference, low, high = found.against(regime)
        ours, theirs = found.ours[regime][0].mean(), found.simple[regime][best].mean()
        cells = (
            part.title,
            f"{len(found.judge.users):,}",
            regime,
            f"{ours:.4f}",
            f"{best} {theirs:.4f}",
            f"{ratio:.2f}",
            f"{difference:+.4f} [{low:+.4f}, {high:+.4f}]",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
