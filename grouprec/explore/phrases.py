"""Whole names of things: the term ``hot water`` stands for *hot water bottle*, ``light holder`` for *t-light holder*.

Terms are one word or two, without short words and hyphens. What people call the thing stands in the labels: the term as
it is written there, with the words beside it that belong to it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from sklearn.feature_extraction._stop_words import ENGLISH_STOP_WORDS

from grouprec.core.types import Texts

MOST_WORDS = 3  # that count, in a phrase
OFTEN = 0.6  # share of a term's labels that must have a word beside it, for the word to belong to it
TOGETHER = 0.5  # share of that word's labels that must have the term: else it is a word of many things
FEWEST = 2  # labels
MOST_LABELS = 300  # that are read, the heaviest
_WORD = re.compile(r"[^\W\d_]{3,}")
_EDGES = ".,;:!?()[]{}\"'*#/\\|-"
# How things look or come, not what they are. English, like scikit-learn's stop words; other languages do without.
PACKING = frozenset(
    [
        *("set", "sets", "pack", "packs", "piece", "pieces", "pair", "pairs"),
        *("small", "large", "medium", "mini", "big", "assorted", "mixed"),
    ]
)
LOOKS = PACKING | frozenset(
    [
        *("box", "giant", "jumbo", "design", "designs", "colour", "colours", "color", "colors", "pink", "blue", "red"),
        *("white", "green", "black", "silver", "gold", "golden", "ivory", "cream", "grey", "yellow", "orange"),
        *("purple", "brown", "vintage", "antique", "retro", "retrospot", "polkadot", "polkadots", "paisley", "floral"),
        *("spotty", "stripe", "stripes", "striped", "stripey", "classic", "modern", "traditional", "french", "english"),
        *("metal", "wooden", "wood", "glass", "ceramic", "enamel", "zinc", "felt", "plastic", "hanging", "round"),
        *("square", "heart", "hearts", "star", "stars", "rose", "flower", "love", "home", "new", "art"),
    ]
)


class _Found(NamedTuple):
    """A term in a label: how it is written there, and the words before and after it, "" for none."""

    written: str
    before: str
    after: str


def things(terms: Iterable[str], labels: Texts, weights: np.ndarray) -> list[str]:
    """Return what the terms of a group stand for, in their order, each once.

    They are written as most labels write them; labels all in capitals count as in small letters.

    Terms that only say how things look (``red``, ``design``) count where there are no others.

    Args:
        terms: lower-case words and pairs of words, best first.
        labels: of all items.
        weights: float [I], >= 0: how far every label counts for the group.
    """
    heaviest = np.argsort(-weights, kind="stable")[:MOST_LABELS]
    own = {str(labels[row]): float(weights[row]) for row in heaviest if weights[row] > 0}
    terms = list(terms)
    named = [term for term in terms if not LOOKS.issuperset(term.split())]
    found: list[str] = []
    said: list[set[str]] = []
    for term in named or terms:
        phrase = _whole(term, own)
        words = {word.removesuffix("s") for word in _WORD.findall(phrase.lower())}
        if not any(words <= other or other <= words for other in said):
            found.append(phrase)
            said.append(words)
    return found


def _whole(term: str, weights: Mapping[str, float]) -> str:
    """Return a term as the labels have it, with the words that belong to it; a pair of a single label as its title."""
    words = tuple(term.split())
    holders = [label for label in weights if _places(label, words)] if len(words) > 1 else []
    if len(holders) == 1 and len(title := _words(holders[0])[0]) <= MOST_WORDS:
        words = title
    while len(words) < MOST_WORDS:
        longer = _longer(words, weights)
        if longer is None:
            break
        words = longer
    written: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for label, weight in weights.items():
        for one in _places(label, words):
            written[one.written.lower()][one.written] += weight
    if not written:
        return term
    forms = _heaviest({name: sum(forms.values()) for name, forms in written.items()})
    return _unpacked(_heaviest(written[forms]))


def _heaviest(weights: Mapping[str, float]) -> str:
    """Return the first in the alphabet of those that weigh most."""
    most = max(weights.values())
    return min(one for one, weight in weights.items() if weight == most)


def _longer(words: tuple[str, ...], weights: Mapping[str, float]) -> tuple[str, ...] | None:
    """Return the term with the word beside it that belongs to it, None where there is none."""
    beside: defaultdict[tuple[str, str], float] = defaultdict(float)
    labels: Counter[tuple[str, str]] = Counter()
    total = 0.0
    for label, weight in weights.items():
        if places := _places(label, words):
            total += weight
            for side in {*(("before", one.before) for one in places), *(("after", one.after) for one in places)}:
                beside[side] += weight
                labels[side] += 1
    for (side, word), weight in sorted(beside.items(), key=lambda one: (-one[1], one[0])):
        if weight < OFTEN * total:
            return None
        if word and word not in PACKING and labels[side, word] >= FEWEST and _belongs(word, words, weight, weights):
            return (word, *words) if side == "before" else (*words, word)
    return None


def _belongs(word: str, words: tuple[str, ...], together: float, weights: Mapping[str, float]) -> bool:
    """Return whether a word is no word of many other things; a single word may take one that is: ``lunch`` bag."""
    if len(words) == 1:
        return True
    return together >= TOGETHER * sum(weight for label, weight in weights.items() if word in _words(label)[0])


def _places(label: str, words: tuple[str, ...]) -> list[_Found]:
    """Return where a label has the words one after another."""
    own, at, pieces = _words(label)
    n, found = len(words), []
    for start in range(len(own) - n + 1):
        if own[start : start + n] == words:
            end = start + n
            written = " ".join(pieces[at[start] : at[end - 1] + 1])
            found.append(_Found(written, own[start - 1] if start else "", own[end] if end < len(own) else ""))
    return found


@cache
def _words(label: str) -> tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...]]:
    """Return the words of a label that count, in which of its pieces each stands, and the pieces.

    Words are in small letters, pieces as they are written: *Star Trek* is a name, only what is all in capitals is not.
    """
    written = label.lower() if label.isupper() else label
    pieces = tuple(piece for piece in (part.strip(_EDGES) for part in written.split()) if piece)
    pairs = [
        (word, at)
        for at, piece in enumerate(pieces)
        for word in _WORD.findall(piece.lower())
        if word not in ENGLISH_STOP_WORDS
    ]
    return tuple(word for word, _at in pairs), tuple(at for _word, at in pairs), pieces


def _unpacked(phrase: str) -> str:
    """Return a phrase without words at its ends that say how things come, where others remain."""
    words = phrase.split()
    while len(words) > 1 and words[0].lower() in PACKING:
        words = words[1:]
    while len(words) > 1 and words[-1].lower() in PACKING:
        words = words[:-1]
    return " ".join(words)
