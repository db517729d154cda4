"""Groups that can be said in words: a tree of yes-or-no questions, grown for the lists of its leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from grouprec.core.arrays import largest_first
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Groups, Preference
from grouprec.data.dataset import Dataset
from grouprec.data.facts import People, Question, conditions, find_questions, sentence, sql
from grouprec.models.base import Grouper, Regime, StageConfig, groupers
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.centres import check_n_groups
from grouprec.ranking.group_lists import LENGTH, worth
from grouprec.ranking.task import nothing

Path = tuple[tuple[int, bool], ...]  # questions by number, and their answers
SURE = 1.0  # standard errors by which a question has to pay
DEPTH: dict[Regime, int] = {"strict": LENGTH, "dedup": 2 * LENGTH}  # items of a list that members see


@groupers.register(
    "rules",
    title="Rules: groups that can be said in words",
    cite="Liu et al. 2025, A hierarchy tree data structure for behavior-based user segment representation (BUS)",
    explained="by rules about what is known of them, chosen for the lists that the groups get",
)
class RulesGrouper(Grouper):
    """A tree over attributes and simple facts of behaviour, grown by what its leaves' lists are worth to others.

    Every step splits one leaf by one question (:mod:`grouprec.data.facts`): the leaf and question for which the lists
    of the two parts are worth most more than the list of the whole. Users are halved once: a list made from one half of
    a leaf's members is worth what it is worth to the other half, and the other way round, so that a question which only
    suits those who chose it gains nothing. It also has to gain more than one standard error over the members, so
    there may be fewer groups than asked for. Both parts have the smallest size.
    A user goes where the answers lead. Where something is not known the answer is no; of whom nothing is known at all,
    neither an item nor an attribute, belongs to the largest group.
    Departures from Liu et al.: what lists are worth is what users are predicted to want (as in the grouper ``lists``)
    to users held out, not what active users took to marginal ones; questions are yes or no, so that there is nothing
    to regress; behaviour is asked about, too.
    """

    reads_attributes = True

    per_user = ("labels",)

    class Config(StageConfig):
        behaviour: bool = Field(True, description="Also ask what users have, not only what is known of them")
        most_items: int = Field(
            100,
            ge=0,
            le=1000,
            description="How many of the most frequent items, and words in labels, a rule may ask for",
        )
        max_questions: int = Field(5, ge=1, le=30, description="Most questions on the way to a group")
        min_group_size: int = Field(20, ge=1, le=10_000, description="Smallest group in users")
        sample_users: int = Field(
            20_000, ge=100, le=10_000_000, description="Most users that rules are found from; the others are placed"
        )

    config: Config
    _paths: list[Path]  # by group
    _questions: list[Question]
    _vectors: np.ndarray  # float32 [F, I], facts of items that questions read
    _columns: list[str]  # attributes that were known
    _labels: np.ndarray  # int32 [U]

    def fit(
        self, data: Dataset, preference: Preference, n_groups: int, run: RunOptions, regime: Regime = "strict"
    ) -> Self:
        """Form the groups; fewer than ``n_groups`` where no further question pays.

        Raises:
            SettingError: ``n_groups`` is below 1 or above the number of users.
        """
        check_n_groups(n_groups, data.n_users)
        tree = _tree(data, preference, regime, self.config, run.seed)  # pyright: ignore[reportArgumentType]  # frozen
        paths = tree.paths(n_groups)
        self._keep(tree, paths)
        self._columns = [str(name) for name in data.user_attributes.columns]
        missed = self._missed(data.histories, data.user_attributes)
        sizes = np.bincount(missed.argmin(axis=1)[missed.any(axis=1)], minlength=len(paths))
        order = largest_first(sizes)
        self._paths = [self._paths[at] for at in order]
        self._labels = missed[:, order].argmin(axis=1).astype(np.int32)
        run.on_progress(1.0, {"groups": float(len(paths)), "list value": tree.value(len(paths))})
        return self

    def _keep(self, tree: _Tree, paths: Sequence[Path]) -> None:
        """Remember the questions that some path asks, and what they read of items."""
        asked = sorted({number for path in paths for number, _ in path})
        columns = sorted({tree.questions[number].column for number in asked} - {-1})
        self._questions = []
        for number in asked:
            values = asdict(tree.questions[number])
            column = values.pop("column")
            self._questions.append(Question(**values, column=columns.index(column) if column >= 0 else -1))
        self._vectors = tree.vectors[columns]
        self._paths = [tuple((asked.index(number), answer) for number, answer in path) for path in paths]

    def groups(self) -> Groups:
        return Groups(self._labels, len(self._paths))

    def distances(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return how many of a group's conditions the users do not meet, float32 [B, G]; preferences are not read."""
        return self._missed(histories, attributes)

    def _missed(self, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        people = People.of(histories, attributes)
        answers = people.answers(self._questions, self._vectors)
        missed = np.zeros((len(answers), len(self._paths)), np.float32)
        for group, path in enumerate(self._paths):
            for question, answer in path:
                missed[:, group] += answers[:, question] != answer
        missed[~people.known(self._columns)] = 0
        return missed

    def rules(self) -> pd.DataFrame:
        rows = []
        for path in self._paths:
            found = conditions((self._questions[number], answer) for number, answer in path)
            said = json.dumps([one.as_dict() for one in found], ensure_ascii=False)
            rows.append({"sentence": sentence(found), "sql": sql(found), "json": said})
        return pd.DataFrame(rows)

    def arrays(self) -> dict[str, np.ndarray]:
        said = {"questions": [asdict(one) for one in self._questions], "paths": self._paths, "columns": self._columns}
        words = np.frombuffer(json.dumps(said, ensure_ascii=False).encode(), np.uint8).copy()
        return {"labels": self._labels, "vectors": self._vectors, "words": words}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        said = json.loads(arrays["words"].tobytes().decode())
        self._questions = [Question(**one) for one in said["questions"]]
        self._paths = [tuple((number, answer) for number, answer in path) for path in said["paths"]]
        self._columns = said["columns"]
        self._labels, self._vectors = arrays["labels"], arrays["vectors"]
        return self


@dataclass(frozen=True, eq=False)
class _Leaf:
    """A part of the users: where it lies in the tree, its rows, and what its best question would gain."""

    path: Path
    rows: np.ndarray
    gain: float
    question: int  # -1 where none pays


@dataclass(frozen=True, eq=False)
class _Sums:
    """Of M sets of users: what items are worth to them and how many lack an item, [M, I]; how many they are, [M]."""

    wanted: np.ndarray
    lacking: np.ndarray
    users: np.ndarray

    def __sub__(self, other: _Sums) -> _Sums:
        return _Sums(self.wanted - other.wanted, self.lacking - other.lacking, self.users - other.users)

    def lists(self, depth: int) -> np.ndarray:
        """Return for every set the items that are worth most to a user who lacks them, int [M, depth], in any order."""
        worth_of_one = self.wanted / np.maximum(self.lacking, 1)
        return np.argpartition(-worth_of_one, depth - 1, axis=1)[:, :depth]

    def worth_of(self, lists: np.ndarray) -> np.ndarray:
        """Return what lists, int [M, depth], are worth to the sets: ten places each, for what their users lack, [M]."""
        wanted, lacking = (np.take_along_axis(part, lists, axis=1).sum(axis=1) for part in (self.wanted, self.lacking))
        return LENGTH * self.users * wanted / np.maximum(lacking, 1)


class _Tree:
    """A tree that grows best first, so that a smaller one is always the beginning of a larger one.

    Attributes:
        questions: what may be asked, M.
        vectors: float32 [F, I], facts of items.
    """

    def __init__(
        self, data: Dataset, preference: Preference, regime: Regime, config: RulesGrouper.Config, seed: int
    ) -> None:
        rng = RunOptions(seed).rng("rules")
        self.questions, self.vectors = find_questions(data, config.behaviour, config.most_items)
        people = People.of(data.histories, data.user_attributes)
        rows = np.flatnonzero(people.known([str(name) for name in data.user_attributes.columns]))
        if len(rows) > config.sample_users:
            rows = np.sort(rng.choice(rows, config.sample_users, replace=False))
        self._answers = people.answers(self.questions, self.vectors)[rows]
        self._values = worth(preference.candidates)[rows]
        self._skipped = people.owned[rows] if regime == "dedup" else nothing(self._values.shape)
        self._first = rng.permutation(len(rows)) % 2 == 0  # one half of the users; the others judge its lists
        self._size = max(1, round(config.min_group_size * len(rows) / max(data.n_users, 1)))
        self._depth, self._most = min(DEPTH[regime], data.n_items), config.max_questions
        whole = self._leaf((), np.arange(len(rows)))
        self._leaves, self._steps = [whole], [[whole.path]]
        self._gains = [float(self._served(whole.rows).sum())]

    def paths(self, n_groups: int) -> list[Path]:
        """Return the leaves of the tree of at most so many; a smaller one where no question pays any more."""
        while len(self._leaves) < n_groups:
            best = max(self._leaves, key=lambda leaf: leaf.gain)
            if best.question < 0:
                break
            self._leaves.remove(best)
            yes = self._answers[best.rows, best.question]
            for answer in (True, False):
                path = (*best.path, (best.question, answer))
                self._leaves.append(self._leaf(path, best.rows[yes == answer]))
            self._steps.append([leaf.path for leaf in self._leaves])
            self._gains.append(best.gain)
        return self._steps[min(n_groups, len(self._steps)) - 1]

    def value(self, n_groups: int) -> float:
        """Return what the lists of a tree of that size are worth to users that they were not made from, on average."""
        return sum(self._gains[:n_groups]) / max(len(self._first), 1)

    def _leaf(self, path: Path, rows: np.ndarray) -> _Leaf:
        gain, question = self._best_question(rows) if len(path) < self._most else (0.0, -1)
        return _Leaf(path, rows, gain, question)

    def _best_question(self, rows: np.ndarray) -> tuple[float, int]:
        """Return what the best question adds to the worth of the members' lists, and its number, -1 for none."""
        asked = self._answers[rows]
        yes = asked.sum(axis=0)
        allowed = np.flatnonzero(np.minimum(yes, len(rows) - yes) >= self._size)
        if not len(allowed):
            return 0.0, -1
        halves = self._halves(rows)
        whole = [self._sums(half, np.ones((len(half), 1), np.float32)) for half in halves]
        before, gains = self._crossed(*whole), []
        size = rows_per_batch(self._values.shape[1])
        for start in range(0, len(allowed), size):
            some = allowed[start : start + size]
            with_yes = [self._sums(half, self._answers[half][:, some]) for half in halves]
            with_no = [all_ - own for all_, own in zip(whole, with_yes, strict=True)]
            gains.append(self._crossed(*with_yes) + self._crossed(*with_no) - before)
        gain = np.concatenate(gains)
        best = int(gain.argmax())
        question = int(allowed[best])
        added = self._added(rows, asked[:, question])
        pays = gain[best] > 0 and added.sum() > SURE * added.std() * np.sqrt(len(rows))
        return (float(gain[best]), question) if pays else (0.0, -1)

    def _halves(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = self._first[rows]
        return rows[first], rows[~first]

    def _sums(self, rows: np.ndarray, sets: np.ndarray) -> _Sums:
        """Return the sums over the users of M sets, [n, M], 1 or True where a user is in it."""
        sets = sets.astype(np.float32)
        users = sets.sum(axis=0, dtype=np.float64)
        wanted, skipped = (np.asarray(part[rows].T @ sets).T for part in (self._values, self._skipped))
        return _Sums(wanted, users[:, None] - skipped, users)

    def _crossed(self, one: _Sums, other: _Sums) -> np.ndarray:
        """Return what the lists that each half makes are worth to the other half, [M]."""
        return other.worth_of(one.lists(self._depth)) + one.worth_of(other.lists(self._depth))

    def _served(self, rows: np.ndarray) -> np.ndarray:
        """Return what the list that the other half of these users makes is worth to each of them, float64 [n]."""
        out = np.zeros(len(self._first))
        halves = self._halves(rows)
        for teach, judge in (halves, halves[::-1]):
            best = self._sums(teach, np.ones((len(teach), 1))).lists(self._depth)[0]
            lacked = len(judge) * len(best) - np.count_nonzero(self._skipped[judge][:, best].toarray())
            out[judge] = self._values[judge][:, best].sum(axis=1) * LENGTH * len(judge) / max(lacked, 1)
        return out[rows]

    def _added(self, rows: np.ndarray, yes: np.ndarray) -> np.ndarray:
        """Return what a question adds to the worth of every member's list, float64 [n]."""
        added = -self._served(rows)
        for part in (yes, ~yes):
            added[part] += self._served(rows[part])
        return added


@lru_cache(maxsize=4)  # the same for every number of groups: per regime, and for two seeds
def _tree(data: Dataset, preference: Preference, regime: Regime, config: RulesGrouper.Config, seed: int) -> _Tree:
    return _Tree(data, preference, regime, config, seed)
