"""The roles of a file's columns, found by known exports, then names, then content; weak evidence takes no role."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from grouprec.data.roles import evidence
from grouprec.data.roles.columns import ROLES, Roles
from grouprec.data.roles.header_words import (
    AFTERWARDS,
    ANY_ID,
    CLOCK,
    EVENT,
    NOT_WHEN,
    PART_NUMBER,
    TITLE,
    TOGETHER,
    WORK,
    header_names,
    header_words,
    means,
    says,
    simple_name,
)
from grouprec.data.roles.line_numbers import is_line_number
from grouprec.data.roles.outcomes import tells_outcome
from grouprec.data.roles.role_search import FEW_KINDS, FILLED, MANY_ROWS, OFTEN, SPACED, VISIT, Detected, RoleSearch
from grouprec.data.roles.usual_names import HEADING, NAMELESS
from grouprec.data.values.common import shown
from grouprec.data.values.numerals import is_numeric

# From these ways of naming a user or an item on, the values have to speak for it, too ("loyalty member", "phone").
_WEAK = {"user": 3, "item": 2}
_MANY_WORKS = 3  # that have a part of the same number, at least so many in the median
_COUNTED = 4  # from this way of naming a time on ("lat", "data", "week") a number may be anything
_OWNERS = ("user", "item")
_BY_NAME = ("rating", "weight", "behaviour", "order", "price")


def detect_roles(head: pd.DataFrame) -> Roles:
    """Return the roles that the columns of a file play; roles that nothing speaks for stay None."""
    return detect(head).roles


def detect(head: pd.DataFrame) -> Detected:
    """Return the roles that the columns of a file play, and what speaks for them.

    Known exports decide first, then names. Where neither does, content does: times that parse, known words of
    behaviour, e-mail addresses, and ids that repeat - the last only where exactly one column can be meant. A user is
    never a flag, a tier or a line number, an item never a duration, and a time never that of a release or a birth.

    Args:
        head: the first rows of the file, as :func:`grouprec.data.reading.read.peek` gives them.
    """
    return _Search(head).found()


class _Search(RoleSearch):
    """The search in one file, role by role."""

    def found(self) -> Detected:
        for role in ("user", "item"):
            self._take(role, self._owner(role))
        self._take("time", self._time())
        self._take_clock()
        for role in _BY_NAME:
            self._take(role, self._by_name(role))
        self._take("label", self._label())
        self._item_by_its_name()
        self._item_by_its_part()
        self._take("outcome", next((c for c in self._free() if tells_outcome(self.head[c])), None))
        free = [column for column in self._by_content() if evidence.looks_like_behaviour(self.head[column])]
        self._take("behaviour", free[0] if len(free) == 1 else None)
        self._eliminate()
        for role, column in self.constant.items():
            self._take(role, column)  # that it is always the same is said when it is read
        if not self.taken.get("item") and self.taken.get("label"):
            self.taken["item"] = self.taken.pop("label")  # a file that knows its items by name only
        self._item_by_its_code()
        self._take("text", self._text())
        roles = replace(Roles(), **{role: column for role, column in self.taken.items() if column and role in ROLES})
        roles = replace(roles, item_attributes=self._item_attributes(roles))
        self.result.roles = replace(roles, user_attributes=self._user_attributes(roles))
        return self.result

    def _owner(self, role: str) -> str | None:
        """Return the column of the user or the item by its name, then by its content."""
        named = [(tier, at, c) for at, c in enumerate(self._free()) if (tier := means(role, c)) is not None]
        if role == "user":  # "ISBN/UID" is no user's
            named = [one for one in named if "/" not in one[2] or means("item", one[2].split("/")[0]) is None]
        named.sort()
        good = [
            (tier, column) for tier, _, column in named if not self._objects(role, column, strict=tier >= _WEAK[role])
        ]
        tells = [one for one in good if len(self.head[one[1]].dropna().unique()) > 1 or len(self.head) < MANY_ROWS]
        if good and not tells:
            self._keep_constant(role, *good[0])
        good = tells
        # "item" may count an order's lines, or be the single copy of a book, and another column names the product.
        works = any(says(WORK, column) for _, column in good)
        better = [
            column
            for _, column in good
            if not is_line_number(self.head[column])
            and not (role == "item" and (self._differs(column) or (works and not says(WORK, column))))
        ]
        if good:
            if role == "user" and good[0][0] == VISIT:
                self.result.by_elimination += ("user",)
            single = [column for column in better if not says(TOGETHER, column)] if role == "user" else better
            best = (single or better or [good[0][1]])[0]
            if role == "item":
                return self._without_bookings(self._what_happens(best))
            return self._number_of(self._who_is_there(best, [column for _, column in good]), single)
        told = [c for c in self._by_content() if means(role, evidence.word_of_values(self.head[c]) or "-") == 0]
        if len(told) == 1:
            return told[0]
        mails = [column for column in self._by_content() if evidence.is_mail(self.head[column])]
        return mails[0] if len(mails) == 1 and role == "user" else None

    def _what_happens(self, place: str) -> str:
        """Return the event instead of the place where it is held, if a place has several and each has one place."""
        events = (c for c in self._free() if EVENT.fullmatch(simple_name(c)) and self.head[c].nunique() > FEW_KINDS)
        events = (c for c in events if not evidence.looks_like_behaviour(self.head[c]))
        return next((c for c in events if self._is_part(c, place)), place)

    def _keep_constant(self, role: str, tier: int, column: str) -> None:
        """Keep a column that is named so and does not tell: taken at last where its name is plain, else why not."""
        values = self.head[column].dropna()
        if tier == 0 and len(values):
            self.constant[role] = column
            return
        reason = f"it always holds '{shown(values.iloc[0])}'" if len(values) else "it is empty"
        self.result.refused.setdefault(role, {})[column] = reason

    def _by_name(self, role: str) -> str | None:
        fit = [column for _, column in self._named(role) if self._fits(role, column)]
        if role == "order":  # one with several lines rather than the number of each line
            fit.sort(key=self._differs)
        if role == "behaviour":
            fit.sort(key=lambda column: self.head[column].nunique() < 2)
        return next(iter(fit), None)

    def _label(self) -> str | None:
        """Return the column of the items' names: by its header where items mostly have one of it, else as a name."""
        named = [(tier, column) for tier, column in self._named("label") if self._fits("label", column)]
        item = self.taken.get("item")
        if not item or len(self.head) < MANY_ROWS:
            return next((column for tier, column in named if tier < _WEAK["item"]), None)
        names = [c for c in self._names(item) if c in self._free() and self._fits("label", c)]
        told = [
            (column not in names, tier, column)
            for tier, column in named
            if column in names or (tier < _WEAK["item"] and evidence.is_name_of(self.head[column], self.head[item]))
        ]
        if told:
            return min(told, key=lambda one: one[:2])[2]
        words = evidence.share_spaced(self.head[item])
        spaced = {c: share for c in names if (share := evidence.share_spaced(self.head[c])) > words}
        called = [c for c in spaced if means("item", c) is not None or NAMELESS.fullmatch(c)]
        # Whatever it is called: an item has one of it, nothing else has it, and it is several words.
        return next(iter([*called, *(c for c in spaced if spaced[c] > SPACED)]), None)

    def _item_by_its_name(self) -> None:
        """Take an item's name for the item where every row has an item of its own: a copy of a book, a ticket."""
        item, label = self.taken.get("item"), self.taken.get("label")
        if item and label and self._differs(item) and not self._differs(label):
            self.taken["item"] = self.taken.pop("label")
        elif item and not label and self._numbers_parts(item):
            names = [c for c in self._free() if means("label", c) is not None and self._fits("label", c)]
            names = [c for c in names if not self._differs(c) and not is_numeric(self.head[c].dropna())]
            self.taken["item"] = names[0] if names else item

    def _item_by_its_part(self) -> None:
        """Take "song name" for the item instead of "artist name", where an artist has several songs.

        Not where the item has an id, or is called alike: a product may be spelt in several ways.
        """
        item = self.taken.get("item")
        if not item or any(map(ANY_ID.fullmatch, header_words(item))):
            return
        called = {word for word in header_words(item) if means("item", word) == 0}
        for column in (c for c in self._free() if means("label", c) == 0):
            said = {word for word in header_words(column) if means("item", word) == 0} - called
            if said and self._is_part(column, item) and not self._differs(column):
                self.taken["item"] = column
                self.taken.pop("label", None)
                return

    def _numbers_parts(self, column: str) -> bool:
        """Return whether a column numbers the parts of works, as episodes of shows: each number is of many of them."""
        values = self.head[column].dropna()
        if not says(PART_NUMBER, column) or len(values) < MANY_ROWS or not is_numeric(values):
            return False
        names = [c for c in self._free() if means("label", c) is not None]
        return any(self.head.groupby(column)[name].nunique().median() >= _MANY_WORKS for name in names)

    def _item_by_its_code(self) -> None:
        """Take the code beside the item's name for the item, where each has one of the other: the name is its label."""
        item = self.taken.get("item")
        if not item or self.taken.get("label") or len(self.head) < MANY_ROWS:
            return
        if evidence.share_spaced(self.head[item]) <= SPACED:
            return
        said = [c for c in self._free() if means("item", c) is not None or ANY_ID.fullmatch(simple_name(c))]
        codes = [c for c in said if evidence.share_spaced(self.head[c]) == 0 and not self._objects("item", c, True)]
        codes = [c for c in codes if self._belongs(c, item) and self._belongs(item, c)]
        if len(codes) == 1:
            self.taken |= {"item": codes[0], "label": item}

    def _text(self) -> str | None:
        """Return the column of what users say of items: so named, of several words, and not the same for an item."""
        named = [c for c in self._free() if means("text", c) is not None and evidence.is_said(self.head[c])]
        named = [c for c in named if not self._of_item(c)]
        return max(named, key=lambda c: evidence.usual_length(self.head[c]), default=None)

    def _time(self) -> str | None:
        """Return the column of the moment of the event: by name, then the only one whose values are moments."""
        free = [column for column in self._free() if not says(NOT_WHEN, column)]
        named = sorted(
            (says(AFTERWARDS, column), tier, at, column)
            for at, column in enumerate(free)
            if (tier := means("time", column)) is not None and not self._is_clock(column)
        )
        named = [(late, tier, c) for late, tier, _, c in named if tier < _COUNTED or evidence.is_calendar(self.head[c])]
        readable = [column for *_, column in named if evidence.is_readable_time(self.head[column])]
        of_event = [column for column in readable if not self._of_item(column)]
        if of_event:  # one that is always the same only where there is no other
            when = next((column for column in of_event if len(self.head[column].unique()) > 1), of_event[0])
            return self._to_the_moment(when, of_event)
        plain = [c for _, tier, c in named if tier <= 2 and c not in readable and not is_numeric(self.head[c])]
        if plain:
            return plain[0]  # that it cannot be read is said, with an example
        free = [column for column in self._by_content() if column in free]
        moments = [column for column in free if evidence.looks_like_time(self.head[column])]
        told = len(moments) == 1 or (moments and evidence.are_one_moment(self.head[moments]))
        return moments[0] if told and not self._of_owner(moments[0]) else None

    def _to_the_moment(self, day: str, others: list[str]) -> str:
        """Return the column that tells the time of day, too, of the same moments: time_ms beside date."""
        others = [column for column in others if column != day and not says(AFTERWARDS, column)]
        if not others or not evidence.is_date_only(self.head[day]):
            return day
        same = (c for c in others if not evidence.is_date_only(self.head[c]))
        return next((c for c in same if evidence.are_one_moment(self.head[[day, c]])), day)

    def _take_clock(self) -> None:
        """Take the time of day from a column of its own where the time has none."""
        day = self.taken.get("time")
        if not day or "clock" in self.taken or not evidence.is_date_only(self.head[day]):
            return
        named = [
            c
            for c in self._free()
            if (any(map(CLOCK.fullmatch, header_names(c))) or means("time", c) is not None)
            and not says(AFTERWARDS, c)
            and self._is_clock(c)
        ]
        self._take("clock", named[0] if named else None)

    def _eliminate(self) -> None:
        """Take the columns that only are left over, where there are just as many as roles that miss one."""
        missing = [role for role in ("user", "item") if role not in self.taken]
        if not missing:
            return
        if len(missing) == 1 and HEADING in self._free():
            self._take(missing[0], HEADING)
            self.result.by_elimination += tuple(missing)
            if "item" in missing:
                self._name_again(missing)
            return
        if len(missing) == 1 and self._differs(next(self.taken[role] for role in _OWNERS if role not in missing)):
            return  # every row is another user's, or of another item: a list of these
        filled = [c for c in self._by_content() if self.head[c].notna().mean() > FILLED and not says(NOT_WHEN, c)]
        left = [c for c in filled if evidence.looks_like_ids(self.head[c]) and self._may_be_left(missing, c)]
        if len(missing) == len(_OWNERS) and HEADING in self._free() and HEADING not in left:
            self.taken["item"], missing = HEADING, ["user"]  # numbered films, their votes below: it counts nothing
            self.result.by_elimination += ("item",)
        if len(left) < len(missing):
            kinds = [c for c in filled if evidence.looks_like_ids(self.head[c], least=FEW_KINDS) and c not in left]
            left += [c for c in kinds if self._may_be_left(missing, c)]
        counts = all(NAMELESS.fullmatch(c) and evidence.looks_like_counts(self.head[c]) for c in left[1:])
        if left and counts and len(missing) == len(_OWNERS):  # one may be a user: names of few items are none
            named = [c for c in filled if c not in left and evidence.share_spaced(self.head[c]) > SPACED]
            named = [c for c in named if evidence.looks_like_ids(self.head[c]) and self._may_be_left(["item"], c)]
            left = [left[0], *named] if named else left
        if len(left) > len(missing):
            left = [c for c in left if not evidence.looks_like_rating(self.head[c])]
        if len(left) > len(missing):
            left = evidence.without_kinds(self.head[left], len(missing))
        if len(left) > len(missing):
            left = self._without_labels(left)
        if len(left) > len(missing):
            left = evidence.without_facts(self.head[left], len(missing))
        if len(left) != len(missing) or (len(left) == len(_OWNERS) and evidence.are_alike(self.head[left])):
            return
        if missing == ["item"]:  # the class rather than who gives it, though "class" may be a kind of things
            parts = [c for c in filled if c not in left and self._is_part(c, left[0])]
            parts = [c for c in parts if evidence.looks_like_ids(self.head[c], least=FEW_KINDS)]
            left = [c for c in parts if self._may_be_left(missing, c)][:1] or left
        named = len(left) == len(_OWNERS) and self._names(left[0]) and not self._names(left[1])
        titled = len(left) == len(_OWNERS) and [says(TITLE, column) for column in left] == [True, False]
        if named or titled or (len(left) == len(_OWNERS) and self._objects("user", left[0], strict=True)):
            left.reverse()  # what has a name of its own is the item
        self.taken.update(zip(missing, left, strict=True))
        self.result.by_elimination += tuple(missing)
        self._name_again(missing)
        rest = [c for c in self._free() if evidence.looks_like_rating(self.head[c])]
        if "rating" not in self.taken and "weight" not in self.taken and len(rest) == 1:
            self.taken["rating"] = rest[0]
            self.result.by_elimination += ("rating",)
        self._count_left()

    def _may_be_left(self, missing: list[str], column: str) -> bool:
        """Return whether a column may be one of the missing, as far as its values tell: words that are searched for, or
        said, may be items, but are no users."""
        if missing == ["user"] and means("text", column) is not None:
            return False
        return not self._speaks_otherwise(missing[0], column) and evidence.may_identify(self.head[column])

    def _count_left(self) -> None:
        """Take the only other column of counts for how often, in a file without names: user, song, plays."""
        if "rating" in self.taken or "weight" in self.taken:
            return
        owners = [self.taken[role] for role in _OWNERS]
        counts = [c for c in self._free() if NAMELESS.fullmatch(c) and evidence.looks_like_counts(self.head[c])]
        counts = [c for c in counts if not any(self._belongs(c, owner, rows_each=OFTEN) for owner in owners)]
        if len(counts) == 1:
            self.taken["weight"] = counts[0]
            self.result.by_elimination += ("weight",)

    def _name_again(self, missing: list[str]) -> None:
        """Look for the item's name once more where the item was found after it, and what was taken is not its name."""
        label, item = self.taken.get("label", ""), self.taken["item"]
        if "item" not in missing:
            return
        said = any(means("item", word) == 0 for word in header_words(label)) and not self._differs(label)
        finer = said and self._is_part(label, item)
        if label and not finer and evidence.is_name_of(self.head[label], self.head[item]):
            return
        self.taken.pop("label", None)
        if said:
            self.taken["item"] = label  # "wine name": what is left beside it is its producer or its shelf
        self._take("label", self._label())

    def _speaks_otherwise(self, role: str, column: str) -> bool:
        values, other = self.head[column], {"user": "item", "item": "user"}[role]
        # What is the same on all rows of a user says something of them, and what is so of an item is nobody.
        owner = self.taken.get(other, "")
        counts = role == "user" and means("weight", column) is not None and is_numeric(values.dropna())
        return (
            (means(other, column) is not None and means(role, column) is None)
            or means("order", column) == 0
            or counts
            or (bool(owner) and self._belongs(column, owner))
            or self._objects(role, column, strict=True)
            or evidence.looks_like_time(values)
            or evidence.is_clock(values)
            or tells_outcome(values)
        )

    def _without_labels(self, columns: list[str]) -> list[str]:
        """Return the columns without one that only names what another one identifies; that is the label."""
        for column in columns:
            spaced = {c: evidence.share_spaced(self.head[c]) for c in (column, *self._names(column))}
            label = max(spaced, key=spaced.__getitem__)
            if len(spaced) > 1 and label in columns and spaced[label] > SPACED:
                self._take("label", label)
                return [c for c in columns if c != label]
        return columns

    def _item_attributes(self, roles: Roles) -> tuple[str, ...]:
        """Return the columns without a role that say of which kind an item is."""
        user, item = roles.user, roles.item
        if user is None or item is None:
            return ()
        free = (c for c in self.columns if c not in roles.columns() and self._belongs(c, item))
        return tuple(c for c in free if evidence.is_kind(self.head[c], self.head[item]) and not self._belongs(c, user))

    def _user_attributes(self, roles: Roles) -> tuple[str, ...]:
        """Return the columns without a role that are the same on all rows of a user, or tell their circumstances."""
        user, item = roles.user, roles.item
        free = [] if user is None else [c for c in self.columns if c not in roles.columns()]
        context = (lambda c: False) if item is None else lambda c: evidence.is_context(self.head[c], self.head[item])
        return tuple(c for c in free if self._belongs(c, str(user)) or context(c))
