"""Files as MovieLens 100K has them, with nothing of its content: ``u.data``, ``u.item`` and ``u.user``, no header line.

People of four tastes; a film is of one genre, and people of one occupation mostly take the films of one.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from grouprec.data.synthetic import planted

GENRES = ("Comedy", "Drama", "Sci-Fi", "Western")
OCCUPATIONS = ("artist", "doctor", "student", "writer")
_FLAGS = 19
_PLACES = {"Comedy": 5, "Drama": 8, "Sci-Fi": 15, "Western": 18}  # of the genres among the flags of a film
_FIRST_MOMENT = 874_724_710


class Films(NamedTuple):
    """The three files, and what was planted: film id -> genre, and the ids of people and films that occur."""

    ratings: Path
    films: Path
    people: Path
    genre_of: dict[str, str]
    users: set[str]


def write_films(folder: Path, n_people: int = 80, n_films: int = 120) -> Films:
    """Write the three files of people who rate 20 films each."""
    made = planted(n_users=n_people, n_items=n_films, events_per_user=20)
    parts = (made.data.train, made.data.validation, made.data.test)
    users, films = (np.concatenate([getattr(part, name) for part in parts]) for name in ("user_rows", "item_rows"))
    moments = np.concatenate([part.times for part in parts if part.times is not None])
    moments = (moments - moments.min()).astype(int) + _FIRST_MOMENT
    genres = [GENRES[int(name.rpartition(" ")[2])] for name in made.data.item_attributes["category"]]
    stars = 3 + (np.array(genres)[films] == np.array(GENRES)[made.labels[users]]) + films % 2
    order = np.random.default_rng(0).permutation(len(users))
    rated = zip(users[order] + 1, films[order] + 1, stars[order], moments[order], strict=True)
    ratings = _write(folder / "u.data", ["\t".join(map(str, row)) for row in rated])
    told = _write(folder / "u.item", [_film(number, genre) for number, genre in enumerate(genres, 1)])
    jobs = [OCCUPATIONS[taste] for taste in made.labels]
    people = [f"{at}|{20 + at % 50}|{'FM'[at % 2]}|{job}|{10000 + at}" for at, job in enumerate(jobs, 1)]
    genre_of = {str(at): genre for at, genre in enumerate(genres, 1)}
    return Films(ratings, told, _write(folder / "u.user", people), genre_of, {str(user + 1) for user in set(users)})


def _film(number: int, genre: str) -> str:
    flags = ["1" if at == _PLACES[genre] else "0" for at in range(_FLAGS)]
    year = 1980 + number % 20
    about = (str(number), f"Café No. {number} ({year})", f"01-Jan-{year}", "", f"http://films.example/{number}")
    return "|".join((*about, *flags))


def _write(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="latin-1")
    return path
