"""Planted files of kinds that the benchmarks' other files lack, such as chains, seasons, or an import on one date.

What a kind plants is said by its function. Tastes are as in :mod:`benchmarks.ages`: everybody likes a few topics.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

N_TOPICS = 8
YEAR = 365
NEXT = (0.4, 0.2, 0.15, 0.1, 0.1, 0.05)  # chances of the items that follow one
FOLLOWED = 0.6  # of the events of a chain

Events = tuple[np.ndarray, np.ndarray, np.ndarray]  # users, items, times in days
Described = tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]  # and other columns


def write_kind(name: str, path: Path, seed: int = 0) -> None:
    """Write the interactions (user_id, item_id, timestamp) of one kind as CSV."""
    users, items, days, *more = KINDS[name](np.random.default_rng(seed))
    when = pd.Timestamp("2023-01-02") + pd.to_timedelta(days, unit="D")
    table = pd.DataFrame({"user_id": users, "item_id": np.char.mod("a%d", items), "timestamp": when.floor("s")})
    for columns in more:
        table = table.assign(**columns)
    table.sort_values("timestamp", kind="stable").to_csv(path, index=False)


def chains(rng: np.random.Generator, n_users: int = 1_500, n_items: int = 500) -> Events:
    """Visits of minutes in which six events of ten follow from the item just before, and from nothing else.

    Users come once each, so that they are judged along their own time.
    """
    topics, pull = _catalogue(rng, n_items)
    following = np.stack([rng.choice(n_items, len(NEXT), replace=False) for _ in range(n_items)])
    chances = np.stack([_of_topic(topics, pull, topic) for topic in range(N_TOPICS)])
    lengths = rng.integers(10, 40, n_users)
    users = np.repeat(np.arange(n_users), lengths)
    items = _drawn(rng, chances, _wanted(rng, users, n_users))
    first = np.append(0, lengths.cumsum()[:-1])
    follows, rank = rng.random(len(users)) < FOLLOWED, rng.choice(len(NEXT), len(users), p=NEXT)
    follows[first] = False
    for event in np.flatnonzero(follows):  # in order: what follows an item may be followed
        items[event] = following[items[event - 1], rank[event]]
    begin = rng.uniform(0, 180, n_users)
    return users, items, begin[users] + (np.arange(len(users)) - first[users]) * 0.01


def seasons(rng: np.random.Generator, n_users: int = 1_500, n_items: int = 600, n_years: float = 2.2) -> Events:
    """Two years of items that are taken around a day of the year (by a bell of 30 days) and return the next year."""
    topics, pull = _catalogue(rng, n_items)
    peak = rng.uniform(0, YEAR, n_items)
    users = np.repeat(np.arange(n_users), rng.integers(10, 50, n_users))
    days = rng.uniform(0, YEAR * n_years, len(users))
    wanted, items = _wanted(rng, users, n_users), np.empty(len(users), np.int64)
    for week in range(int(YEAR * n_years) // 7 + 1):
        away = np.abs((7 * week - peak + YEAR / 2) % YEAR - YEAR / 2)
        now = pull * (np.exp(-0.5 * np.square(away / 30)) + 0.03)
        at = np.flatnonzero(days // 7 == week)
        items[at] = _drawn(rng, np.stack([_of_topic(topics, now, topic) for topic in range(N_TOPICS)]), wanted[at])
    return users, items, days


def imports(rng: np.random.Generator, n_users: int = 1_300, n_items: int = 500, n_days: int = 56) -> Events:
    """Six rows of ten bear the date of an import; then come eight weeks, to the day, of new items whose pull halves in
    two weeks, beside the old ones."""
    topics, pull = _catalogue(rng, n_items)
    born = np.where(rng.random(n_items) < 0.5, -1.0, rng.uniform(0, n_days, n_items))
    users = np.repeat(np.arange(n_users), rng.integers(10, 40, n_users))
    days = np.where(rng.random(len(users)) < 0.6, 0, rng.integers(1, n_days + 1, len(users)))
    wanted, items = _wanted(rng, users, n_users), np.empty(len(users), np.int64)
    for day in range(n_days + 1):
        new = np.where(born < day, 2 * np.exp2((born - day) / 14), 0)
        now = pull * np.where(born < 0, 0.6, new)
        at = np.flatnonzero(days == day)
        items[at] = _drawn(rng, np.stack([_of_topic(topics, now, topic) for topic in range(N_TOPICS)]), wanted[at])
    return users, items, days.astype(float)


def club(rng: np.random.Generator, n_users: int = 70, n_items: int = 80) -> Events:
    """So few people that they can hardly choose: tastes, and no time that matters."""
    users = np.repeat(np.arange(n_users), rng.integers(15, 50, n_users))
    return users, _by_taste(rng, users, n_users, n_items), rng.uniform(0, YEAR, len(users))


def catalogue(rng: np.random.Generator) -> Events:
    """Far more items than people."""
    n_users, n_items = 200, 5_000
    users = np.repeat(np.arange(n_users), rng.integers(40, 160, n_users))
    return users, _by_taste(rng, users, n_users, n_items), rng.uniform(0, YEAR, len(users))


def passers(rng: np.random.Generator) -> Events:
    """Eight people of ten come for one item and never again; the others come often, within two months."""
    n_users, n_items = 4_000, 300
    users = np.repeat(np.arange(n_users), np.where(rng.random(n_users) < 0.8, 1, rng.integers(5, 30, n_users)))
    return users, _by_taste(rng, users, n_users, n_items), rng.uniform(0, 60, len(users))


def adverts(rng: np.random.Generator) -> Events:
    """Things that are sold once: they stand there for some days of half a year, and few take an interest."""
    n_users, n_items, n_days = 1_500, 4_000, 180
    topics, pull = _catalogue(rng, n_items)
    born = rng.uniform(-5, n_days, n_items)
    gone = born + rng.exponential(6, n_items)
    users = np.repeat(np.arange(n_users), rng.integers(10, 30, n_users))
    days = rng.uniform(0, n_days, len(users))
    wanted, items = _wanted(rng, users, n_users), np.empty(len(users), np.int64)
    for day in range(n_days):
        there = pull * ((born < day + 1) & (gone > day)) + 1e-9
        at = np.flatnonzero(days.astype(int) == day)
        items[at] = _drawn(rng, np.stack([_of_topic(topics, there, topic) for topic in range(N_TOPICS)]), wanted[at])
    return users, items, days


def subscriptions(rng: np.random.Generator) -> Events:
    """Four items that everybody gets again every month, to the day, and now and then a new one."""
    n_users, n_items, n_months = 1_200, 200, 12
    owner = np.repeat(np.arange(n_users), 4)
    usual = _by_taste(rng, owner, n_users, n_items)
    users, items = np.tile(owner, n_months), np.tile(usual, n_months)
    days = np.repeat(np.arange(n_months) * 30, len(owner)) + rng.integers(0, 30, n_users)[users]
    new = np.repeat(np.arange(n_users), rng.integers(2, 12, n_users))
    found = _by_taste(rng, new, n_users, n_items)
    when = rng.integers(0, n_months * 30, len(new))
    return np.append(users, new), np.append(items, found), np.append(days, when).astype(float)


def saturated(rng: np.random.Generator) -> Events:
    """Thirty items that nine people of ten have sooner or later, and tastes for the rest."""
    n_users, n_items, n_common = 1_200, 400, 30
    users = np.repeat(np.arange(n_users), rng.integers(8, 25, n_users))
    items = n_common + _by_taste(rng, users, n_users, n_items - n_common)
    has, common = np.nonzero(rng.random((n_users, n_common)) < 0.9)
    users, items = np.append(users, has), np.append(items, common)
    return users, items, rng.uniform(0, YEAR, len(users))


def two_towns(rng: np.random.Generator) -> Events:
    """Two crowds that share no item, the smaller a fifth of the people and the later one."""
    n_users, n_items = 1_500, 500
    users = np.repeat(np.arange(n_users), rng.integers(10, 40, n_users))
    items, small = _by_taste(rng, users, n_users, n_items), users % 5 == 0
    days = np.where(small, rng.uniform(YEAR / 2, YEAR, len(users)), rng.uniform(0, YEAR, len(users)))
    return users, items + n_items * small, days


def visits_of_a_day(rng: np.random.Generator) -> Events:
    """Dates without hours: baskets of eight in which all is of one topic, four times in a quarter of a year."""
    n_users, n_items, n_baskets, size = 1_200, 400, 4, 8
    basket = np.repeat(np.arange(n_users * n_baskets), size)
    topics, pull = _catalogue(rng, n_items)
    chances = np.stack([_of_topic(topics, pull, topic) for topic in range(N_TOPICS)])
    wanted = _wanted(rng, np.repeat(np.arange(n_users), n_baskets), n_users)
    days = rng.integers(0, 90, n_users * n_baskets)
    return basket // n_baskets, _drawn(rng, chances, wanted[basket]), days[basket].astype(float)


def disliked(rng: np.random.Generator) -> Described:
    """Ratings of 1 to 5 of which seven of ten are 1 or 2; what is rated high is of the user's topics."""
    n_users, n_items = 1_200, 400
    users = np.repeat(np.arange(n_users), rng.integers(15, 50, n_users))
    liked = rng.random(len(users)) < 0.3
    items = np.where(liked, _by_taste(rng, users, n_users, n_items), rng.integers(0, n_items, len(users)))
    rating = np.where(liked, rng.integers(3, 6, len(users)), rng.integers(1, 3, len(users)))
    return users, items, rng.uniform(0, YEAR, len(users)), {"rating": rating}


def heavy(rng: np.random.Generator) -> Described:
    """Quantities that differ by thousands and say nothing."""
    n_users, n_items = 1_200, 400
    users = np.repeat(np.arange(n_users), rng.integers(10, 40, n_users))
    quantity = np.ceil(np.exp(rng.normal(0, 2.5, len(users)))).astype(np.int64)
    return users, _by_taste(rng, users, n_users, n_items), rng.uniform(0, YEAR, len(users)), {"quantity": quantity}


def wholesale(rng: np.random.Generator) -> Events:
    """Eighty large customers of 3,000 articles, each of whom orders the same third of what they have again."""
    n_users, n_items = 80, 3_000
    users = np.repeat(np.arange(n_users), rng.integers(150, 400, n_users))
    items = _by_taste(rng, users, n_users, n_items)
    again = rng.random(len(users)) < 0.3
    before = np.maximum(np.arange(len(users)) - rng.integers(1, 150, len(users)), 0)
    same = again & (users[before] == users)
    items[same] = items[before[same]]
    return users, items, rng.uniform(0, YEAR, len(users))


def app(rng: np.random.Generator) -> Events:
    """Thirty items, which 12,000 people open now and then."""
    n_users, n_items = 12_000, 30
    users = np.repeat(np.arange(n_users), 1 + rng.poisson(3, n_users))
    return users, _by_taste(rng, users, n_users, n_items), rng.uniform(0, 90, len(users))


def courses(rng: np.random.Generator) -> Events:
    """Courses that are taken once, those of a topic in a fixed order, a few weeks apart; one in ten is another."""
    n_users, n_levels = 1_500, 15
    users = np.repeat(np.arange(n_users), rng.integers(3, 16, n_users))
    first = np.append(0, np.flatnonzero(np.diff(users)) + 1)
    place = np.arange(len(users)) - first[users]
    topic = rng.integers(N_TOPICS, size=n_users)[users]
    level = (rng.integers(0, 6, n_users)[users] + place) % n_levels
    items = np.where(rng.random(len(users)) < 0.1, rng.integers(0, N_TOPICS * n_levels, len(users)), 0)
    items = np.where(items > 0, items, topic * n_levels + level)
    return users, items, rng.uniform(0, YEAR, n_users)[users] + place * 20 + rng.uniform(0, 10, len(users))


def mixed(rng: np.random.Generator) -> Described:
    """Views by anybody of anything, and stars from 1 to 5 by some of those who liked it; empty where there are none."""
    n_users, n_items = 1_000, 400
    users = np.repeat(np.arange(n_users), rng.integers(15, 60, n_users))
    liked = rng.random(len(users)) < 0.4
    items = np.where(liked, _by_taste(rng, users, n_users, n_items), rng.integers(0, n_items, len(users)))
    stars = np.where(liked & (rng.random(len(users)) < 0.5), rng.integers(3, 6, len(users)).astype(float), np.nan)
    return users, items, rng.uniform(0, YEAR, len(users)), {"stars": stars}


def music(rng: np.random.Generator) -> Events:
    """Plays of songs: four of five are of songs that the listener has, the more often played the likelier; a new one is
    mostly by an artist whom they have."""
    n_users, n_artists, n_songs = 800, 150, 3_000
    artist_of = np.sort(rng.integers(n_artists, size=n_songs))
    by_artist = np.split(np.arange(n_songs), np.searchsorted(artist_of, np.arange(1, n_artists)))
    users = np.repeat(np.arange(n_users), rng.integers(40, 160, n_users))
    artists = _by_taste(rng, users, n_users, n_artists)
    pull = np.exp(rng.normal(0, 1, n_songs))
    again, by_taste = rng.random(len(users)) < 0.8, rng.random(len(users)) < 0.4
    items, first = np.empty(len(users), np.int64), np.append(0, np.flatnonzero(np.diff(users)) + 1)[users]
    for event, begin in enumerate(first):  # in order: what was played may be played again
        if again[event] and event > begin:
            items[event] = items[rng.integers(begin, event)]
            continue
        liked = event == begin or by_taste[event]
        artist = artists[event] if liked else artist_of[items[rng.integers(begin, event)]]
        songs = by_artist[artist] if len(by_artist[artist]) else np.arange(n_songs)
        items[event] = rng.choice(songs, p=pull[songs] / pull[songs].sum())
    days = rng.uniform(0, 120, len(users))
    return users, items, days[np.lexsort((days, users))]


def jobs(rng: np.random.Generator) -> Events:
    """Vacancies that stand for about ten days, and people who look for three weeks of half a year and never again."""
    n_users, n_items, n_days = 3_000, 2_500, 180
    topics, pull = _catalogue(rng, n_items)
    born = rng.uniform(-10, n_days, n_items)
    gone = born + rng.exponential(10, n_items)
    users = np.repeat(np.arange(n_users), rng.integers(4, 20, n_users))
    days = rng.uniform(-20, n_days, n_users)[users] + rng.uniform(0, 21, len(users))
    here = (days >= 0) & (days < n_days)
    users, days = users[here], days[here]
    wanted, items = _wanted(rng, users, n_users), np.empty(len(users), np.int64)
    for day in range(n_days):
        there = pull * ((born < day + 1) & (gone > day)) + 1e-9
        at = np.flatnonzero(days.astype(int) == day)
        items[at] = _drawn(rng, np.stack([_of_topic(topics, there, topic) for topic in range(N_TOPICS)]), wanted[at])
    return users, items, days


def library(rng: np.random.Generator) -> Events:
    """Loans of two years by people of whom most borrow two to four books, and none of them twice."""
    n_users, n_items = 5_000, 1_500
    users = np.repeat(np.arange(n_users), 2 + rng.poisson(1.5, n_users))
    items, days = _by_taste(rng, users, n_users, n_items), rng.uniform(0, 2 * YEAR, len(users))
    _, first = np.unique(users * n_items + items, return_index=True)
    return users[first], items[first], days[first]


KINDS: dict[str, Callable[[np.random.Generator], Events | Described]] = {
    "chains": chains,
    "seasons": seasons,
    "imports": imports,
    "club": club,
    "catalogue": catalogue,
    "passers": passers,
    "adverts": adverts,
    "subscriptions": subscriptions,
    "saturated": saturated,
    "two-towns": two_towns,
    "days": visits_of_a_day,
    "disliked": disliked,
    "heavy": heavy,
    "wholesale": wholesale,
    "app": app,
    "courses": courses,
    "mixed": mixed,
    "music": music,
    "jobs": jobs,
    "library": library,
}


def _by_taste(rng: np.random.Generator, users: np.ndarray, n_users: int, n_items: int) -> np.ndarray:
    """Return an item for every event, int [n], by the tastes of its user; nothing changes in time."""
    topics, pull = _catalogue(rng, n_items)
    chances = np.stack([_of_topic(topics, pull, topic) for topic in range(N_TOPICS)])
    return _drawn(rng, chances, _wanted(rng, users, n_users))


def _catalogue(rng: np.random.Generator, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the items' topics, int [I], and their pull, float [I]."""
    return rng.integers(N_TOPICS, size=n_items), np.exp(rng.normal(0, 1, n_items))


def _of_topic(topics: np.ndarray, pull: np.ndarray, topic: int) -> np.ndarray:
    """Return the chances of all items where a topic is wanted, float [I]; others have a twentieth of their pull."""
    chances = pull * np.where(topics == topic, 1, 0.05)
    return chances / chances.sum()


def _wanted(rng: np.random.Generator, users: np.ndarray, n_users: int) -> np.ndarray:
    """Return the topic that every event is after, int [n], by its user's taste."""
    tastes = rng.dirichlet(np.full(N_TOPICS, 0.3), n_users).cumsum(axis=1)
    return (rng.random(len(users))[:, None] > tastes[users]).sum(axis=1).clip(0, N_TOPICS - 1)


def _drawn(rng: np.random.Generator, chances: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return an item for every event, int [n], by the chances of its topic [T, I]."""
    items = np.empty(len(wanted), np.int64)
    for topic in np.unique(wanted):
        at = np.flatnonzero(wanted == topic)
        items[at] = rng.choice(chances.shape[1], len(at), p=chances[topic])
    return items
