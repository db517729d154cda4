"""Who may do what with which run or dataset. Every program asks here, and nowhere else; SECURITY.md has it as a table.

What belongs to somebody has ``owner.json`` beside it, which says to whom and whether it is shared with the team; what
was made where nobody signs in has none, and belongs to nobody. The person acting is a :class:`Person`. On a machine of
one's own that is :data:`LOCAL`, who may do everything; a server where people sign in says with :func:`ask` how to
find out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from grouprec.core import audit
from grouprec.core.errors import GrouprecError
from grouprec.core.forms import VERSION, DamagedError, Form, read_kept_form, write_kept_form

FILE = "owner.json"
OWNER_VERSION = 2  # forms of version 1 need no seal, and there never was an owner without


class RightsError(GrouprecError):
    """The person acting may not do that; the sentence says who may."""


class Role(StrEnum):
    LOCAL = "local"  # whoever uses a machine of their own, or its command line
    ANALYST = "analyst"
    VIEWER = "viewer"
    API = "api"  # a program with the token of docs/api.md, where people sign in
    STRANGER = "stranger"  # has not signed in, or is not on the list


class Deed(StrEnum):
    SEE = "see"  # a page, a table, a list, a download, the name
    ADD = "add"  # upload a dataset, train a run
    CHANGE = "change"  # title, note, tags, groups, events, feedback; how a dataset is read
    MANAGE = "manage"  # stop, continue, delete, share, make and withdraw links
    FOLLOW = "follow"  # a link that somebody made who may manage a run: its six views as they were then


class Whose(StrEnum):
    OWN = "own"
    NOBODYS = "nobody's"
    SHARED = "shared"
    PRIVATE = "private"  # of somebody else, or of nobody knows whom


_MAY: dict[Role, dict[Whose, set[Deed]]] = {
    Role.LOCAL: {whose: set(Deed) for whose in Whose},
    Role.ANALYST: {
        Whose.OWN: {Deed.SEE, Deed.CHANGE, Deed.MANAGE},
        Whose.NOBODYS: {Deed.SEE, Deed.CHANGE},
        Whose.SHARED: {Deed.SEE, Deed.CHANGE},
    },
    Role.VIEWER: {Whose.OWN: {Deed.SEE}, Whose.NOBODYS: {Deed.SEE}, Whose.SHARED: {Deed.SEE}},
    Role.API: {Whose.NOBODYS: {Deed.SEE, Deed.CHANGE}, Whose.SHARED: {Deed.SEE, Deed.CHANGE}},
    Role.STRANGER: {},
}
_ANYWHERE = {Deed.ADD: {Role.LOCAL, Role.ANALYST}, Deed.FOLLOW: {Role.LOCAL, Role.ANALYST, Role.VIEWER}}


@dataclass(frozen=True)
class Person:
    """The person acting: what they are known by, and what they are."""

    name: str
    role: Role


LOCAL, STRANGER, API = Person("local", Role.LOCAL), Person("stranger", Role.STRANGER), Person("api", Role.API)


# -- who acts


_acting: ContextVar[Person | None] = ContextVar("acting", default=None)
_asked: list[Callable[[], Person]] = []


def person() -> Person:
    """Return who acts now."""
    return _acting.get() or (_asked[-1]() if _asked else LOCAL)


def program() -> Person:
    """Return who a program with the token of the API acts as."""
    return API if _asked else LOCAL


def ask(who: Callable[[], Person]) -> None:
    """From now on, in this process, ``who`` says who acts, where :func:`acting` does not."""
    _asked[:] = [who]


@contextlib.contextmanager
def acting(who: Person) -> Iterator[None]:
    """Let somebody act inside the block, in this thread or task."""
    token = _acting.set(who)
    try:
        yield
    finally:
        _acting.reset(token)


# -- what they may


def may(deed: Deed, folder: Path | None = None) -> bool:
    """Return whether the person acting may do that with the run or dataset in a folder; ADD and FOLLOW need none."""
    return _allowed(person(), deed, folder)


def require(deed: Deed, what: str, folder: Path | None = None) -> None:
    """Check that the person acting may do that, and note it in the audit log, also where they may not.

    Args:
        what: the action, in two or three words.
    Raises:
        RightsError: they may not.
    """
    who = person()
    allowed = _allowed(who, deed, folder)
    audit.note(who.name, what, folder.name if folder else "", allowed)
    if not allowed:
        raise RightsError(_refusal(who, deed))


def _allowed(who: Person, deed: Deed, folder: Path | None) -> bool:
    if deed in _ANYWHERE:
        return who.role in _ANYWHERE[deed]
    if folder is None:
        return False
    if who.role is Role.LOCAL:
        return True
    return deed in _MAY[who.role].get(whose(folder, who.name), set())


def _refusal(who: Person, deed: Deed) -> str:
    if who.role is Role.STRANGER:
        return "Sign in first."
    if deed is Deed.ADD or who.role is Role.VIEWER:
        return f"You are signed in as {who.name}, who may look but not change anything; ask for the role of an analyst."
    return "This belongs to somebody else; only its owner may do that."


# -- what belongs to whom


def whose(folder: Path, name: str) -> Whose:
    """Return what the run or dataset in a folder is to a person. Where its owner cannot be read it is private."""
    try:
        owner, shared = owner_of(folder)
    except DamagedError:
        return Whose.PRIVATE
    if owner == name:
        return Whose.OWN if owner else Whose.NOBODYS
    return Whose.NOBODYS if not owner else Whose.SHARED if shared else Whose.PRIVATE


def owner_of(folder: Path) -> tuple[str, bool]:
    """Return the owner of what lies in a folder, "" where it has none, and whether it is shared.

    Raises:
        DamagedError: its file is not what was written, or gone.
    """
    try:
        found = (folder / FILE).stat()
        return _read(folder, found.st_mtime_ns, found.st_size, found.st_ino)
    except OSError:
        return _read.__wrapped__(folder, 0, 0, 0)


@lru_cache(maxsize=4096)
def _read(folder: Path, *version: int) -> tuple[str, bool]:
    form = read_kept_form(folder / FILE, OWNER_VERSION, {1: _unsealed}, "as nobody's")
    return str(form.get("owner", "")), form.get("shared") is True


def _unsealed(form: Form) -> NoReturn:
    raise DamagedError(f"{FILE} is damaged: it has no seal")


def known_as(said: str) -> str:
    """Return the name of a person as names are compared: in small letters.

    A letter stays that is not the only large one of its small one: ``K``, the sign of Kelvin, would become a k, and
    whoever may choose their name somebody else.
    """
    return "".join(sign.lower() if sign.lower().upper() == sign else sign for sign in said)


def give(folder: Path, owner: str, shared: bool = False) -> None:
    """Say whose a run or dataset is.

    Raises:
        StorageError: it cannot be written.
    """
    write_kept_form(folder / FILE, {VERSION: OWNER_VERSION, "owner": owner, "shared": shared})


def give_to_maker(folder: Path) -> None:
    """Give what somebody has just made to them, for themselves alone; on a machine of one's own it stays nobody's."""
    who = person()
    if who.role is not Role.LOCAL:
        give(folder, who.name)


def share(folder: Path, shared: bool) -> None:
    """Share what is in a folder with the team, or stop that.

    Raises:
        RightsError: it is not theirs who asked.
        StorageError: it cannot be written, or nobody knows whose it is.
    """
    require(Deed.MANAGE, "share" if shared else "make private", folder)
    give(folder, owner_of(folder)[0], shared)


def may_build_on(other: Path, folder: Path) -> bool:
    """Return whether what is made in ``folder`` may use what was learned in ``other``: whether its owner sees that."""
    try:
        owner = owner_of(folder)[0]
    except DamagedError:
        return other == folder
    return whose(other, owner) is not Whose.PRIVATE or not owner
