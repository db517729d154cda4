"""Simple facts about users that can be asked for: as numbers, in words, as SQL and as JSON.

A fact is what is known of a user (an attribute) or of what they have (how many items, a certain item, which kind of
items, at which mean price). A question asks whether it is at least something; where it is not known, the answer is no.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types as dtypes
from scipy import sparse

from grouprec.core.arrays import largest_first, presence
from grouprec.data.dataset import Dataset

Kind = Literal["number", "word", "items", "has", "called", "share", "mean"]
ITEMS = ("has", "called")
YES_OR_NO = ("word", *ITEMS)
CUTS = 12  # a number is asked for at all of its values where these are fewer, else at its quantiles
MOST_WORDS = 20  # values of a column that are asked for, the most frequent ones
SHARES = (0.25, 0.5, 0.75)  # of users' items that are of a kind


@dataclass(frozen=True)
class Question:
    """Whether a fact of a user is at least something.

    Attributes:
        kind: "number" and "word" are attributes of the user; "items" how many different items they have; "has" whether
            they have a certain one, "called" one with a word in its label; "share" how many of their items are of a
            kind; "mean" a number of their items, on average.
        name: of the attribute, of the user or of items; the item's id for "has", "" for "called".
        value: the word for "word", "called" and "share", the item's label for "has".
        least: from where on the answer is yes; 1 for "word", "has" and "called".
        column: which row of ``vectors`` says it of the items; -1 for facts that need none.
    """

    kind: Kind
    name: str = ""
    value: str = ""
    least: float = 1.0
    column: int = -1

    @property
    def fact(self) -> Question:
        """Return what is asked for, without the bound."""
        return replace(self, least=0.0)


@dataclass(frozen=True, eq=False)
class People:
    """What is known of B users: ``owned``, 1 for what they have, CSR [B, I], and their attributes, B rows."""

    owned: sparse.csr_array
    attributes: pd.DataFrame

    @staticmethod
    def of(histories: sparse.csr_array, attributes: pd.DataFrame) -> People:
        """Return people with these histories, CSR [B, I]; there may be no attributes at all."""
        there = attributes if len(attributes) else pd.DataFrame(index=range(histories.shape[0]))
        return People(presence(histories), there)

    def known(self, columns: Sequence[str]) -> np.ndarray:
        """Return of whom there is anything to go by, bool [B]: an item, or one of these attributes."""
        there = np.diff(self.owned.indptr) > 0
        for name in self.attributes.columns.intersection(pd.Index(columns)):
            there |= self.attributes[name].notna().to_numpy()
        return there

    def answers(self, questions: Sequence[Question], vectors: np.ndarray) -> np.ndarray:
        """Return the answers, bool [B, M].

        Args:
            vectors: float32 [F, I], facts of the items; NaN where one is not known.
        """
        out = np.zeros((self.owned.shape[0], len(questions)), bool)
        known: dict[Question, np.ndarray] = {}
        for at, question in enumerate(questions):
            if question.fact not in known:
                known[question.fact] = self._values(question, vectors)
            out[:, at] = known[question.fact] >= question.least  # NaN is not
        return out

    def values(self, question: Question, vectors: np.ndarray) -> np.ndarray:
        """Return the fact that a question is about, float64 [B], NaN where it is not known."""
        return self._values(question, vectors)

    def _values(self, question: Question, vectors: np.ndarray) -> np.ndarray:
        if question.kind in ("number", "word"):
            return self._attribute(question)
        counts = np.diff(self.owned.indptr).astype(np.float64)
        if question.kind == "items":
            return counts
        vector = vectors[question.column].astype(np.float64)
        total = self.owned @ np.nan_to_num(vector)
        if question.kind in ("has", "called"):
            return total
        counts = self.owned @ np.isfinite(vector).astype(np.float64) if question.kind == "mean" else counts
        return np.divide(total, counts, out=np.full(len(counts), np.nan), where=counts > 0)

    def _attribute(self, question: Question) -> np.ndarray:
        if question.name not in self.attributes:
            return np.full(len(self.attributes), np.nan)
        column = self.attributes[question.name]
        if question.kind == "number":
            return pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return (column.notna() & (column.astype(str) == question.value)).to_numpy(np.float64)


def find_questions(data: Dataset, behaviour: bool, most_items: int) -> tuple[list[Question], np.ndarray]:
    """Return what can be asked about a dataset's users, and the facts of items behind it, float32 [F, I].

    Args:
        behaviour: also ask about what users have; otherwise about their attributes only.
        most_items: so many of the items that most users have are asked for.
    """
    people, vectors = People.of(data.histories, data.user_attributes), []
    questions = list(_about_attributes(people))
    if behaviour:
        questions += _bounds(people, Question("items"), np.zeros((0, data.n_items)))
        about, vectors = _about_items(data, most_items)
        rows = np.array(vectors, np.float32).reshape(-1, data.n_items)
        for question in about:
            questions += _bounds(people, question, rows) if question.kind == "mean" else [question]
    return questions, np.array(vectors, np.float32).reshape(-1, data.n_items)


def _about_attributes(people: People) -> Iterable[Question]:
    for name in people.attributes.columns:
        column = people.attributes[name]
        if dtypes.is_numeric_dtype(column) and not dtypes.is_bool_dtype(column):
            yield from _bounds(people, Question("number", str(name)), np.zeros((0, 0)))
        else:
            for value in _frequent(column):
                yield Question("word", str(name), value)


def _about_items(data: Dataset, most_items: int) -> tuple[list[Question], list[np.ndarray]]:
    """Return questions about single items, kinds of items and numbers of items, and the vectors that they read."""
    questions: list[Question] = []
    vectors: list[np.ndarray] = []

    def add(kind: Kind, name: str, value: str, least: Iterable[float], vector: np.ndarray) -> None:
        questions.extend(Question(kind, name, value, bound, len(vectors)) for bound in least)
        vectors.append(vector)

    for item in largest_first(data.popularity)[:most_items].tolist():
        one = np.zeros(data.n_items)
        one[item] = 1
        add("has", str(data.item_ids[item]), str(data.item_labels[item]), (1.0,), one)
    for word, vector in _label_words(data, most_items):
        add("called", "", word, (1.0,), vector)
    for name in data.item_attributes.columns:
        column = data.item_attributes[name]
        if dtypes.is_numeric_dtype(column) and not dtypes.is_bool_dtype(column):
            numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
            add("mean", str(name), "", (1.0,), np.where(np.isfinite(numbers), numbers, np.nan))
        elif column.nunique() < data.n_items / 2:  # else it names every item
            for value in _frequent(column):
                add("share", str(name), value, SHARES, (column.astype(str) == value).to_numpy(np.float64))
    return questions, vectors


_WORD = re.compile(r"[^\W\d_]{3,}")


def _label_words(data: Dataset, most: int) -> Iterable[tuple[str, np.ndarray]]:
    """Yield the words that are in labels of items that most users have, and in whose labels, float64 [I].

    In lower case, and also inside longer words: as LIKE finds them. Words of one item say no more than the item.
    """
    if (data.item_labels == data.item_ids).all():
        return
    labels = np.array([str(label).lower() for label in data.item_labels])
    weights: Counter[str] = Counter()
    for label, popularity in zip(labels.tolist(), data.popularity.tolist(), strict=True):
        weights.update(dict.fromkeys(set(_WORD.findall(label)), popularity))
    for word, _ in sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:most]:
        vector = (np.char.find(labels, word) >= 0).astype(np.float64)
        if vector.sum() > 1:
            yield word, vector


def _frequent(column: pd.Series) -> list[str]:
    """Return the most frequent values of a column as text, more than one user's; equally frequent ones by name."""
    counts = column.dropna().astype(str).value_counts()
    ordered = sorted(counts.items(), key=lambda one: (-one[1], str(one[0])))
    return [str(value) for value, times in ordered[:MOST_WORDS] if times > 1]


def _bounds(people: People, question: Question, vectors: np.ndarray) -> list[Question]:
    """Return questions at quantiles of a number, rounded to what can be said."""
    values = people.values(question, vectors)
    values = values[np.isfinite(values)]
    if not len(values) or values.min() == values.max():
        return []
    distinct = np.unique(values)
    if len(distinct) <= CUTS:
        return [replace(question, least=float(least)) for least in distinct[1:]]
    cuts = np.quantile(values, np.arange(1, CUTS) / CUTS, method="nearest")
    spread = max(np.quantile(values, 0.9) - np.quantile(values, 0.1), (values.max() - values.min()) / 100)
    digits = int(np.floor(np.log10(spread / 20)))
    rounded = {round(float(cut), -digits) for cut in cuts}
    return [replace(question, least=least) for least in sorted(rounded) if values.min() < least <= values.max()]


# -- what a group of users is asked


@dataclass(frozen=True)
class Condition:
    """What holds for a fact of all members: at least ``low``, below ``high`` or not known; None where not asked."""

    fact: Question
    low: float | None = None
    high: float | None = None

    @property
    def yes(self) -> bool:
        """Whether it says what is, so that those of whom it is not known are no members."""
        return self.low is not None

    def as_dict(self) -> dict[str, Any]:
        """Return the condition for JSON."""
        said = {name: value for name, value in asdict(self.fact).items() if name in ("kind", "name", "value") and value}
        if self.fact.kind in YES_OR_NO:
            return said | {"is": self.yes}
        bounds = {"at_least": self.low, "below": self.high}
        return said | {name: value for name, value in bounds.items() if value is not None}


def conditions(path: Iterable[tuple[Question, bool]]) -> list[Condition]:
    """Return what questions and their answers come to: one condition a fact, without what follows from another."""
    found: dict[Question, Condition] = {}
    for question, answer in path:
        one = found.get(question.fact, Condition(question.fact))
        if answer:
            one = replace(one, low=question.least if one.low is None else max(one.low, question.least))
        else:
            one = replace(one, high=question.least if one.high is None else min(one.high, question.least))
        found[question.fact] = one
    settled = {one.fact.name for one in found.values() if one.fact.kind == "word" and one.yes}
    return [one for one in found.values() if one.fact.kind != "word" or one.yes or one.fact.name not in settled]


def sentence(members: Sequence[Condition]) -> str:
    """Return who belongs to a group, as a sentence. Names and values stand as they are in the file."""
    parts = [_words(one) for one in members if one.fact.kind not in ITEMS]
    of_items = [one for one in members if one.fact.kind in ITEMS]
    if has := [_thing(one.fact, "something") for one in of_items if one.yes]:
        parts.append(f"who has {_listed(has, 'and')}")
    if lacks := [_thing(one.fact, "anything") for one in of_items if not one.yes]:
        parts.append(f"who has neither {_listed(lacks, 'nor')}" if lacks[1:] else f"who does not have {lacks[0]}")
    return f"Everyone {_listed(parts, 'and')}." if parts else "Everyone."


def _thing(fact: Question, some: str) -> str:
    return f"“{fact.value}”" if fact.kind == "has" else f"{some} called “{fact.value}”"


def _listed(parts: Sequence[str], last: str) -> str:
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


_SPOKEN = {  # attributes that the preparation makes: at least, below
    "recency_days": ("was last seen {low} or more days ago", "was last seen less than {high} days ago"),
    "frequency": ("came at least {low} times", "came fewer than {high} times"),
    "spend": ("spent at least {low}", "spent less than {high}"),
}


def _words(one: Condition) -> str:
    fact = one.fact
    if fact.kind == "word":
        return f"whose {fact.name} is {'' if one.yes else 'not '}“{fact.value}”"
    if fact.kind == "items":
        return f"who has {_range(one)} different items"
    if fact.kind == "share":
        said = f"of whose items {_range(one, percent=True)} have {fact.name} “{fact.value}”"
    elif fact.kind == "mean":
        said = f"whose items have a mean {fact.name} of {_range(one)}"
    elif fact.name in _SPOKEN:
        parts = [text for text, bound in zip(_SPOKEN[fact.name], (one.low, one.high), strict=True) if bound is not None]
        said = "who " + " and ".join(parts).format(low=_number(one.low), high=_number(one.high))
    else:
        said = f"whose {fact.name} is {_range(one)}"
    return said if one.yes else f"{said} (or unknown)"


def _range(one: Condition, percent: bool = False) -> str:
    low, high = (_number(bound, percent) for bound in (one.low, one.high))
    if one.low is None:
        return f"less than {high}"
    return f"at least {low}" if one.high is None else f"{low} to less than {high}"


def _number(value: float | None, percent: bool = False) -> str:
    if value is None:
        return ""
    return f"{100 * value:.0f} %" if percent else f"{value:,.12g}"


# -- SQL


def sql(members: Sequence[Condition]) -> str:
    """Return who belongs to a group, as a query of any usual database.

    Tables: users (user_id and attributes), items (item_id, item_label and attributes) and interactions (user_id,
    item_id), as the run read them.
    """
    where = "\n  AND ".join(_sql(one) for one in members)
    return "SELECT user_id FROM users" + (f"\nWHERE {where}" if where else "")


_OWN = "SELECT item_id FROM interactions WHERE interactions.user_id = users.user_id"


def _sql(one: Condition) -> str:
    fact, yes = one.fact, one.yes
    if fact.kind == "word":
        column, text = f"users.{_name(fact.name)}", _text(fact.value)
        return f"{column} = {text}" if yes else f"({column} <> {text} OR {column} IS NULL)"
    if fact.kind == "has":
        return f"{'' if yes else 'NOT '}EXISTS ({_OWN} AND item_id = {_text(fact.name)})"
    if fact.kind == "called":
        named = f"items WHERE LOWER(item_label) LIKE {_text(f'%{fact.value}%')}"
        return f"{'' if yes else 'NOT '}EXISTS (SELECT item_id FROM {named} AND item_id IN ({_OWN}))"
    if fact.kind == "items":
        value = f"({_OWN.replace('item_id', 'COUNT(DISTINCT item_id)', 1)})"
    elif fact.kind == "number":
        value = f"users.{_name(fact.name)}"
    else:
        column = f"items.{_name(fact.name)}"
        counted = f"CASE WHEN {column} = {_text(fact.value)} THEN 1.0 ELSE 0.0 END" if fact.kind == "share" else column
        value = f"(SELECT AVG({counted}) FROM items WHERE item_id IN ({_OWN}))"
    bounds = [f"{value} {sign} {bound!r}" for sign, bound in ((">=", one.low), ("<", one.high)) if bound is not None]
    if yes or fact.kind == "items":
        return " AND ".join(bounds)
    return f"({bounds[0]} OR {value} IS NULL)"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
