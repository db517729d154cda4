"""A run's live state on disk: events come in, each counts exactly once, and groups and lists are as they are after it.

``<run>/live/``
    final.safetensors      where the stream starts, the run's final fit (:class:`~grouprec.runs.snapshot.FitSnapshot`)
    judged.safetensors     the same of the fit that the test part judged, where the run exports another one
    placer.safetensors     the classifier that places users without history
    ledger.sqlite          every accepted event, in order (:class:`~grouprec.live.ledger.Ledger`)
    snapshot.safetensors   the state after some number of them: only saves time
    writer.lock            held by the one process that writes

An event is in the ledger before it moves anything, and the state is what the ledger's events make of the base, one
after the other. So a process that is killed loses no accepted event and applies none twice: opening the folder again
takes the snapshot and the events behind it.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from grouprec.core import rights
from grouprec.core.files import plain
from grouprec.core.rights import Deed
from grouprec.core.types import GroupLists, Groups, Regime, StorageError
from grouprec.data.preparing.pseudonyms import require_key
from grouprec.data.values.common import shown
from grouprec.live.beginning import folder_of, start
from grouprec.live.events import FACTORS, MOST_NAMED, check_events
from grouprec.live.ledger import RECEIVED, Entry, Ledger, damaged
from grouprec.live.similar_item import SimilarItem
from grouprec.live.state import LiveState
from grouprec.models.threads import one_thread
from grouprec.ranking.group_lists import LENGTH, STRICT_DEPTH, finish
from grouprec.ranking.strategies import lists_by_strategy
from grouprec.runs import schemas
from grouprec.runs.content import load_sealed_arrays, save_sealed_arrays
from grouprec.runs.places import LIVE_STATE
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run, RunStore

BATCH = 200  # events of one transaction
AHEAD = 86_400.0  # seconds that the sender's clock and zone may be ahead of ours
SNAPSHOT = LIVE_STATE
_PLACE, _LAST = "stream.sequence", "stream.key"  # of the last event in a snapshot


@dataclass
class Report:
    """What became of some events.

    Attributes:
        events: how many came.
        applied: how many moved something.
        duplicates: had been applied before, or came twice.
        late: older than what their user did last; feedback is never late.
        malformed: broke a rule of :func:`~grouprec.live.events.check_events`.
        moved_users: users known before who are in another group now.
        seconds: it took.
        problems: the first late, doubled and malformed events, each with its row and the rule.
    """

    events: int
    applied: int = 0
    duplicates: int = 0
    late: int = 0
    malformed: int = 0
    moved_users: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the numbers of events by what became of them."""
        return {name: getattr(self, name) for name in RECEIVED}


class Stream:
    """A run's live state and its ledger of events in a folder; one writer at a time. Threads may share it.

    Attributes:
        run: whose.
        base: where the stream starts.
        state: users, groups and lists after all events so far.
        ledger: the events.
        interrupted: an event stopped half way; the stream takes no more before it is opened again.
    """

    snapshot_every = 10_000  # events

    def __init__(self, run: Run, folder: Path, base: FitSnapshot, state: LiveState, ledger: Ledger) -> None:
        """Use :meth:`open`."""
        self.run, self.folder, self.base, self.state, self.ledger = run, folder, base, state, ledger
        config = run.config()
        self._settings, self._rules, self._time_order = config.preparation, config.rules, time_order(run)
        self._id_key = str(run.metrics().get("id_key") or "")
        self._times = ledger.last_times(self._latest())  # of users who did something since the base
        users, items = run.table("users"), run.table("items")
        of_items = schemas.named("items").attributes(items)
        self._attributes = {*schemas.named("users").attributes(users), *of_items}
        self._similar_item = SimilarItem(of_items, items["label"], items["item"])
        self._thread = threading.RLock()
        self.interrupted = False
        self._applied = self._saved = self._restore()
        self._catch_up()

    @classmethod
    @one_thread()
    def open(cls, store: RunStore, run: Run, folder: Path | None = None, fit: str = "final") -> Self:
        """Return the stream of a finished run as all events so far have left it.

        Args:
            store: where the run, and others whose stages it shares, are.
            folder: of the ledger; ``<run>/live`` where None, ``<run>/live/judged`` for that fit.
            fit: "final" (what is exported) or "judged" (what the test part judged).
        Raises:
            StorageError: the run cannot be continued, another process writes to the stream, or the folder cannot be
                written.
        """
        run.require_finished("it takes no events yet")
        folder = folder or folder_of(run, fit)
        ledger = Ledger(folder, f"the run {run.run_id}")
        try:
            return cls(run, folder, *start(store, run, fit, folder), ledger)
        except BaseException:
            ledger.close()
            raise

    @one_thread()
    def apply(
        self, events: pd.DataFrame | Iterable[Mapping[str, Any]], watch: Callable[[float], None] | None = None
    ) -> Report:
        """Apply events in the order in which they happened and return what became of each.

        Args:
            events: as :func:`~grouprec.live.events.check_events` takes them; their order does not matter. Columns
                beyond its own are attributes of users and items that are new.
            watch: called with the finished fraction, 0..1.
        Raises:
            SettingError: the run knows users by pseudonyms, and the key is missing or another one.
            RightsError: the person acting may not change the run.
            StorageError: the ledger cannot be written (what was applied until then stays), or an earlier call was
                interrupted.
        """
        rights.require(Deed.CHANGE, "send events", self.run.path)
        begun = time.perf_counter()
        with self._thread:
            if self.interrupted:
                raise StorageError(f"The stream of {self.run.run_id} was interrupted in an event; open it again.")
            require_key(self._id_key)
            checked = check_events(events, self._settings, self.base.n_groups, self._time_order, self._latest())
            report = Report(checked.n_events, malformed=checked.malformed, problems=checked.problems)
            table = self._drop_late(self._drop_duplicates(checked.table, report), report)
            groups = np.array(self.state.labels)
            for start in range(0, len(table), BATCH):
                part = table.iloc[start : start + BATCH]
                self.ledger.append(self._entries(part, checked.more.loc[part.index]))
                self._catch_up()
                report.applied = min(start + BATCH, len(table))
                if self._applied - self._saved >= self.snapshot_every:
                    self.save()
                if watch:
                    watch(report.applied / len(table))
            report.moved_users = int((self.state.labels[: len(groups)] != groups).sum())
            self.ledger.count(report.counts())
        report.seconds = round(time.perf_counter() - begun, 4)
        return report

    @one_thread()
    def user_list(self, user_row: int, depth: int = STRICT_DEPTH) -> tuple[np.ndarray, np.ndarray]:
        """Return a user's own list as it stands (:meth:`LiveState.user_list`), without what the file says they have."""
        held_out = self.base.held_out
        if held_out is None or user_row >= held_out.shape[0]:
            return self.state.user_list(user_row, depth)
        items, scores = self.state.user_list(user_row, len(self.base.item_ids))
        theirs = held_out.indices[held_out.indptr[user_row] : held_out.indptr[user_row + 1]]
        kept = np.flatnonzero(~np.isin(items, theirs))[:depth]
        return items[kept], scores[kept]

    @one_thread()
    def group_lists(self) -> GroupLists:
        """Return the lists of all groups as they stand, by the run's own strategy and with its diversity."""
        name, excluded = self._rules.strategy, None
        if name == "utility":
            lists = self.state.group_lists()
        else:
            groups = Groups(self.state.labels, self.base.n_groups)
            lists = lists_by_strategy(name, self.state.candidates(), groups, self.base.seed)
            excluded = self._excluded()
        return finish(lists, excluded, self.base.components, self._rules.diversity)

    @one_thread()
    def group_list(self, group: int, regime: Regime, depth: int = STRICT_DEPTH) -> tuple[np.ndarray, np.ndarray]:
        """Return one list of :meth:`group_lists`, items int32 and scores float32; fewer where there are no more.

        Where the run has no rules of its own it is made for this group only (:meth:`LiveState.group_list`).
        """
        if self._rules.strategy == "utility" and not self._rules.diversity:
            return self.state.group_list(group, regime, depth)
        lists = self.group_lists()
        strict = regime == "strict"
        items = (lists.strict if strict else lists.ranking)[group, :depth]
        scores = (lists.strict_scores if strict else lists.ranking_scores)[group, :depth]
        return items[items >= 0], scores[items >= 0]

    def heads(self) -> np.ndarray:
        """Return the first ten items of every group's strict list, int32 [G, 10], -1 at the end."""
        if self._rules.strategy != "utility" or self._rules.diversity:
            return self.group_lists().strict[:, :LENGTH]
        heads = np.full((self.base.n_groups, LENGTH), -1, np.int32)
        for group, head in enumerate(heads):
            items, _ = self.state.group_list(group, "strict", LENGTH)
            head[: len(items)] = items
        return heads

    def _excluded(self) -> np.ndarray:
        """Return what groups may not get, bool [G, I]: by the run's rules, or because it was hidden from them."""
        n_groups, n_items = self.base.n_groups, len(self.base.item_ids)
        rules = np.zeros((n_groups, n_items), bool) if self.base.excluded is None else self.base.excluded
        excluded = rules.copy()
        for entry in self.ledger.feedback():
            row = self.state.item_row(entry.item)
            if entry.user is None and entry.group and row is not None and row < n_items:
                excluded[entry.group - 1, row] = rules[entry.group - 1, row] or entry.behaviour == "hide"
        return excluded

    def save(self) -> None:
        """Write a snapshot, so that opening the stream again need not go through all events."""
        path = self.folder / SNAPSHOT
        arrays = dict(self.state.arrays())
        arrays[_PLACE] = np.array([self._applied], np.int64)
        arrays[_LAST] = np.frombuffer(self.ledger.key(self._applied).encode(), np.uint8)
        with self._thread:
            save_sealed_arrays(path, arrays, promise=True)
        self._saved = self._applied

    def close(self) -> None:
        """Write a snapshot, unless an event was interrupted, and let others write to the stream."""
        with self._thread:
            try:
                if not self.interrupted and self._applied > self._saved:
                    self.save()
            finally:
                self.ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _restore(self) -> int:
        """Take the snapshot and return the number of its last event; 0 where there is none, or it is damaged.

        Raises:
            StorageError: the snapshot is of other events than the ledger's, so that some of those are gone.
        """
        arrays = load_sealed_arrays(self.folder / SNAPSHOT)
        if arrays is None:
            return 0
        place, last = int(arrays.pop(_PLACE)[0]), arrays.pop(_LAST).tobytes().decode()
        if self.ledger.key(place) != last:
            raise damaged(self.ledger.path, f"events that were applied, up to number {place:,}, are not in it")
        self.state.restore(arrays)
        return place

    def _catch_up(self) -> None:
        """Apply the events of the ledger that the state has not seen."""
        self.interrupted = True
        for entry in self.ledger.read(after=self._applied):
            self._fold(entry)
            self._applied += 1
        self.interrupted = False

    def _fold(self, entry: Entry) -> None:
        """Let one event move the state."""
        state, attributes = self.state, json.loads(entry.attributes)
        item_row = state.item_row(entry.item)
        if item_row is None:
            like = self._similar_item(entry.label, attributes)
            item_row = state.add_item(entry.item, entry.label, like)
        if entry.user is None:  # feedback of a whole group, which check_events asks to be named
            state.judge(item_row, FACTORS[entry.behaviour], group=(entry.group or 1) - 1)
            return
        user_row = state.user_row(entry.user)
        if user_row is None:
            user_row = state.add_user(entry.user, attributes)
        if entry.verdict:
            state.judge(item_row, FACTORS[entry.behaviour], user_row)
            return
        state.event(user_row, item_row)
        if entry.time is not None and entry.time <= self._latest():
            self._times[entry.user] = max(entry.time, self._times.get(entry.user, -np.inf))

    def _drop_duplicates(self, table: pd.DataFrame, report: Report) -> pd.DataFrame:
        known = self.ledger.known(table["key"].tolist())
        again = (table["key"].isin(known) | table.duplicated("key")).to_numpy(bool)
        report.duplicates = int(again.sum())
        report.problems += [
            f"row {row}: it is an event that came before" for row in table["row"][again].nsmallest(MOST_NAMED)
        ]
        return table[~again]

    def _drop_late(self, table: pd.DataFrame, report: Report) -> pd.DataFrame:
        last = {user: self._last_time(user) for user in table["user"].unique()}
        before = table["user"].map(last).to_numpy(np.float64)
        late = (table["time"].to_numpy() < before) & ~table["verdict"].to_numpy(bool)
        report.late = int(late.sum())
        first = table.loc[late, ["row", "user", "time"]].nsmallest(MOST_NAMED, "row")
        for row, user, moment in first.itertuples(index=False):
            sentence = f"row {row}: {_utc(moment)} is before the last event of user '{shown(user)}', {_utc(last[user])}"
            report.problems.append(sentence)
        return table[~late]

    def _latest(self) -> float:
        """Return the latest moment that an event may bear: one from the future would lock its user out until then.

        Data that was moved in time may itself lie ahead; what it holds has come.
        """
        return max(time.time() + AHEAD, float(self.base.last_times.max(initial=-np.inf)))

    def _last_time(self, user: str) -> float:
        """Return when a user last did something, seconds since 1970, -inf where nothing is known."""
        row, times, left = self.state.user_row(user), self.base.last_times, self.state.left_out_row(user)
        before = float(times[row]) if row is not None and row < len(times) else -np.inf
        if left is not None and self.base.left_out is not None:
            before = float(self.base.left_out.last_times[left])
        return max(before, self._times.get(user, -np.inf))

    def _entries(self, table: pd.DataFrame, more: pd.DataFrame) -> Iterator[Entry]:
        """Return rows of :class:`~grouprec.live.events.Checked`, with their further columns, as entries."""
        columns = ["key", "user", "item", "group", "time", "weight", "behaviour", "verdict", "label"]
        lists = (table[name].tolist() for name in (*columns, "method", "regime"))
        for attributes, values in zip(self._new_attributes(table, more), zip(*lists, strict=True), strict=True):
            key, user, item, group, moment, weight, behaviour, verdict, label, method, regime = values
            moment = None if np.isnan(moment) else moment
            first = (key, user or None, item, group or None, moment, weight, behaviour, int(verdict), label)
            yield Entry(*first, attributes, method, regime)

    def _new_attributes(self, table: pd.DataFrame, more: pd.DataFrame) -> list[str]:
        """Return what rows say about users and items as JSON objects, empty where both are known."""
        frame = more[[name for name in more.columns if name in self._attributes]].astype(object)
        if frame.empty:
            return ["{}"] * len(table)
        user_row, item_row = self.state.user_row, self.state.item_row
        pairs = zip(table["user"], table["item"], strict=True)
        new = [user_row(user) is None or item_row(item) is None for user, item in pairs]
        frame = frame.where(frame.notna(), None)
        given = ({name: value for name, value in row.items() if value is not None} for row in frame.to_dict("records"))
        return [json.dumps(row, default=plain) if is_new else "{}" for row, is_new in zip(given, new, strict=True)]


def time_order(run: Run) -> str:
    """Return the order of day, month and year that the training found in its dates, "" where they left none open."""
    return str(run.metrics().get("time_order") or "")


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
