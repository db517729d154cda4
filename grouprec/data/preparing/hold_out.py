"""Which rows are held out: the way to part them that leaves enough users, and why it was taken."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from grouprec.core.language import Glossary, _, decimal
from grouprec.core.types import DataError, SettingError
from grouprec.data.preparing.clean import Preparation, Report, Rows
from grouprec.data.preparing.core_users import Core, fit_core
from grouprec.data.preparing.split import TEST, TRAIN, VALIDATION, UsersLeft, count_users, split_by_time, split_by_user
from grouprec.data.preparing.split_words import SPLITS, WAYS
from grouprec.data.values.common import among, sorted_unique

# What a split by itself must leave, in each part, to be taken. With 200 users the 95 % interval of a hit rate of 10 %
# is about 4 points to both sides; with fewer, methods that differ by a third cannot be told apart.
MIN_USERS = 200
# Cut at two moments fewer will do: what lists are for comes later in time, and choices that are made along users' own
# time are made for something else (decision 0028).
MIN_USERS_IN_TIME = 50
# A few more users along their own time are no reason to leave the way that asks what lists are for: it takes this many
# times as many. With fewer than 25, the windows together rarely leave the 50 users by whom anything is chosen at all,
# and more to judge by are worth more.
FEW_MORE = 3
FEWEST_IN_TIME = 25
# Users who are active at the end of the period may be unlike the others; below a tenth of all they speak for few. Who
# comes again counts, also where nothing can be asked of them: where things are sold once, most of what is taken later
# is unknown before, and along users' own time what is new never shows (decision 0121).
MIN_SHARE = 0.1
# Where most of what is taken later is of items that the training part knows nothing of, those that come back speak for
# what lists are for, however few of all they are: along users' own time everybody knows what comes (decision 0255).
MOSTLY_NEW = 0.5
# A draw at random tears users' own order apart, and what somebody takes again and again passes for new: it must leave
# more than five times as many users, as where nearly everybody came once only.
MANY_MORE = 5
# With fewer users to choose settings by, the best of several settings is mostly the luckiest: defaults are taken.
ENOUGH_TO_CHOOSE = 50

_ELSE = Glossary({"time": "cut at two moments for everybody", "user_time": "along every user's own time"})


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The rows in parts, and what of them takes part.

    Attributes:
        split: "time", "user_time", "user", or "none" where all rows train.
        reason: one plain sentence: why it is that one.
        core: rows, users and items that take part.
        users: with targets in the validation and in the test part.
    """

    split: str
    reason: str
    core: Core
    users: UsersLeft


@dataclass(frozen=True, eq=False)
class _Trial:
    """One way to part the rows and what it leaves; ``core`` is None where it leaves too little to train on."""

    split: str
    parts: np.ndarray
    core: Core | None
    users: UsersLeft
    report: Report


def hold_out_rows(
    rows: Rows, settings: Preparation, quantities: bool, report: Report, seed: int, hold_out: bool
) -> HeldOut:
    """Part the rows and decide by those of the training part which users and items take part.

    Args:
        rows: valid rows.
        settings: which split, its shares, and the bounds of the steps.
        quantities: whether weights are quantities, whose outliers are cut.
        report: is added to: the split and the steps of :func:`~grouprec.data.preparing.core_users.fit_core`.
        seed: of the splits that draw.
        hold_out: False puts all rows in the training part.
    Raises:
        DataError: no rows, or a single user or item, is left.
        SettingError: a split by time of rows without times.
    """
    ways = _Ways(rows, settings, quantities, seed)
    if not hold_out or settings.validation_share + settings.test_share == 0:
        found, reason = ways.tried("none"), _("Nothing is held out: all rows train.")
    elif settings.split == "auto":
        found, reason = _choose(ways)
    elif settings.split in ("time", "user_time") and rows.times is None:
        raise SettingError("A split by time needs a time column; name it with --map time=COLUMN or set split to user.")
    else:
        found, reason = (
            ways.tried(settings.split),
            _("{split}, as the settings say.").format(split=WAYS[settings.split]),
        )
    core = found.core
    if core is None:  # said by the error of what it left
        core = fit_core(rows, found.parts, settings, quantities, Report(), found.split == "time")
    report.add("split", len(rows), len(rows), _note(found, reason), "")
    report.steps += found.report.steps
    return HeldOut(found.split, reason, core, found.users)


@dataclass(frozen=True, eq=False)
class _Ways:
    """The ways to part some rows."""

    rows: Rows
    settings: Preparation
    quantities: bool
    seed: int

    @property
    def shares(self) -> tuple[float, float]:
        return self.settings.validation_share, self.settings.test_share

    def tried(self, split: str) -> _Trial:
        """Return what a split leaves."""
        parts, report = self._parts(split), Report()
        try:
            core = fit_core(self.rows, parts, self.settings, self.quantities, report, split == "time")
        except DataError:
            return _Trial(split, parts, None, UsersLeft(0, 0), report)
        return _Trial(split, parts, core, count_users(core.rows.users, core.rows.items, core.parts), report)

    def _parts(self, split: str) -> np.ndarray:
        times = self.rows.times
        if split == "none":
            return np.full(len(self.rows), TRAIN, np.int8)
        if split == "time" and times is not None:
            return split_by_time(times, *self.shares)
        rng = np.random.default_rng([self.seed, zlib.crc32(b"split")])
        return split_by_user(self.rows.users, *self.shares, rng, times if split == "user_time" else None)

    def fewest(self, users: UsersLeft) -> int:
        """Return the smaller number of users, of the parts that are wanted."""
        return min(n for n, share in zip(users, self.shares, strict=True) if share)

    def again(self, trial: _Trial) -> int:
        """Return how many users come again: of the parts that are wanted, the fewest that have rows before it, too."""
        n_users = int(self.rows.users.max(initial=-1)) + 1
        before = np.bincount(self.rows.users[trial.parts == TRAIN], minlength=n_users) > 0
        wanted = [part for part, share in zip((VALIDATION, TEST), self.shares, strict=True) if share]
        return min(
            int((before & (np.bincount(self.rows.users[trial.parts == part], minlength=n_users) > 0)).sum())
            for part in wanted
        )

    def turns_over(self, trial: _Trial) -> bool:
        """Return whether most rows of the test part are of items that the training part does not know."""
        items = self.rows.items
        later = items[trial.parts == TEST]
        return len(later) > 0 and among(later, items[trial.parts == TRAIN]).mean() < 1 - MOSTLY_NEW

    def few(self, split: str, users: UsersLeft, everybody: int) -> str:
        """Return what a way that is not taken would leave, as a part of a sentence."""
        purposes = zip(users, self.shares, (_("to choose by"), _("to judge by")), strict=True)
        (n, first), *more = [(n, purpose) for n, share, purpose in purposes if share]
        said = _("{way}, {n} of {everybody} users would be left {purpose}").format(
            way=_ELSE[split],
            n=_("only {n}").format(n=decimal(n)) if n else _("none"),
            everybody=decimal(everybody),
            purpose=first,
        )
        rest = (_(" and {n} {purpose}").format(n=decimal(n) if n else _("none"), purpose=one) for n, one in more)
        return said + "".join(rest)


def _choose(ways: _Ways) -> tuple[_Trial, str]:
    """Return the first way that leaves enough users, and why it is that one."""
    if ways.rows.times is None:
        return ways.tried("user"), _("{user}: the file has no times.").format(user=WAYS["user"])
    everybody = len(sorted_unique(ways.rows.users))
    enough = max(MIN_USERS, MIN_SHARE * everybody)
    found = ways.tried("time")
    come_back = ways.again(found) >= MIN_SHARE * everybody or ways.turns_over(found)
    if ways.fewest(found.users) >= MIN_USERS_IN_TIME and come_back:
        return found, _("{time}: nothing later than what is judged trains, and enough users are left.").format(
            time=WAYS["time"]
        )
    by_time, n_by_time = ways.few("time", found.users, everybody), ways.fewest(found.users)
    found = ways.tried("user_time")  # what the other way left is let go: it may be large
    if n_by_time >= FEWEST_IN_TIME and ways.fewest(found.users) < FEW_MORE * n_by_time:
        return ways.tried("time"), _(
            "{time}: nothing later than what is judged trains. That leaves {n} users; along their own time it would be "
            "{m}."
        ).format(time=WAYS["time"], n=decimal(n_by_time), m=decimal(ways.fewest(found.users)))
    if ways.fewest(found.users) < enough:
        at_random = ways.tried("user")
        if ways.fewest(at_random.users) > MANY_MORE * ways.fewest(found.users):
            return at_random, f"{WAYS['user']}: {ways.few('user_time', found.users, everybody)}."
    return found, f"{WAYS['user_time']}: {by_time}."


def _note(found: _Trial, reason: str) -> str:
    counts = np.bincount(found.parts, minlength=3)
    said = _("{split}: training {counts}, validation {validation}, test {test}").format(
        split=SPLITS[found.split], counts=decimal(counts[0]), validation=decimal(counts[1]), test=decimal(counts[2])
    )
    if found.split == "none":
        return said
    return _("{said}; users to choose by {choose}, to judge by {judge}. {reason}").format(
        said=said, choose=decimal(found.users.choose), judge=decimal(found.users.judge), reason=reason
    )
