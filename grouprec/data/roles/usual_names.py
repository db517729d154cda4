"""Names for the columns of files without a header line, by the order that public files of ratings have them in."""

from __future__ import annotations

import re
from collections.abc import Sequence

Row = Sequence[str]
NAMELESS = re.compile(r"column \d+")  # what a column without a name is called
HEADING = "heading"  # of what stands above the rows that it is about, where nothing else names it
RATINGS = ("user_id", "item_id", "rating", "timestamp")
TITLED = ("item_id", "title", "genres")
_ABOUT = ("item_id", "title", "release date", "video release date", "link")
# MovieLens 100K says by a flag each what a film is, in this order
_FLAGS = (
    *("unknown", "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama", "Fantasy"),
    *("Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_OLDEST = 120  # years


def usual_names(rows: Sequence[Row]) -> tuple[str, ...] | None:
    """Return what the columns of ratings, films or people are called; None where the rows look like none of these.

    Args:
        rows: of equal width.
    """
    if len(rows) < 3:
        return None
    columns = list(zip(*rows, strict=False))
    if len(columns) == len(RATINGS):
        return RATINGS if _rated(columns) else None
    if len(columns) == len(TITLED):
        return TITLED if _titled(columns) else None
    if len(columns) == len(_ABOUT) + len(_FLAGS):
        flags = columns[len(_ABOUT) :]
        return (*_ABOUT, *_FLAGS) if all(set(flag) <= {"0", "1"} for flag in flags) else None
    return _people(columns) if len(columns) == 5 else None


def _rated(columns: Sequence[Row]) -> bool:
    try:
        ratings, times = ([float(value) for value in column] for column in columns[2:])
    except ValueError:
        return False
    return min(ratings) >= 0 and max(ratings) <= 10 and min(times) > 6e8 and max(times) < 3e9


def _titled(columns: Sequence[Row]) -> bool:
    """Return whether the rows are an id of its own, a title, and one or several of a few words."""
    ids, titles, genres = columns
    words = {word for value in genres for word in value.split("|")}
    several = any("|" in value for value in genres)
    return (
        len(set(ids)) == len(ids)
        and not any(_whole(title) for title in titles)
        and several
        and len(words) < len(genres)
        and not any(map(_whole, words))
    )


def _people(columns: Sequence[Row]) -> tuple[str, ...] | None:
    """Return the names of id, sex, age, occupation and postal code, in either order of age and sex."""
    if len(set(columns[0])) < len(columns[0]):
        return None
    for age, sex in ((1, 2), (2, 1)):
        years = [int(value) for value in columns[age] if _whole(value)]
        if set(columns[sex]) == {"F", "M"} and len(years) == len(columns[age]) and max(years) <= _OLDEST:
            named = {0: "user_id", age: "age", sex: "gender", 3: "occupation", 4: "zip code"}
            return tuple(named[at] for at in range(5))
    return None


def _whole(value: str) -> bool:
    return value.strip().isdecimal()
