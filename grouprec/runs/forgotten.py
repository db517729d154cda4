"""Who was removed from a finished run after its training: ``forgotten.json``, numbers only."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from grouprec.core.forms import VERSION, DamagedError, Form, read_form, write_form
from grouprec.core.language import decimal, ngettext
from grouprec.runs.places import FORGOTTEN
from grouprec.runs.run import Run

_VERSION = 1


@dataclass(frozen=True)
class Forgotten:
    """How many people were removed.

    Attributes:
        learned: of them the models of the run had learned.
        others: took no part in its training: left out of it, or known by events only.
        last: when the last one was removed, seconds since 1970.
    """

    learned: int = 0
    others: int = 0
    last: float = 0.0

    def one_more(self, learned: bool) -> Forgotten:
        """Return the same with one more, now."""
        field = "learned" if learned else "others"
        return replace(self, **{field: getattr(self, field) + 1}, last=time.time())

    def sentence(self) -> str:
        """Say it; "" where nobody was removed."""
        said = []
        if self.learned:
            said.append(
                ngettext(
                    "{people} was removed after training; the models learned from their rows. Train again to be rid of "
                    "that.",
                    "{people} were removed after training; the models learned from their rows. Train "
                    "again to be rid of that.",
                    self.learned,
                ).format(people=_people(self.learned))
            )
        if self.others:
            said.append(
                ngettext(
                    "{people} was removed who took no part in training.",
                    "{people} were removed who took no part in training.",
                    self.others,
                ).format(people=_people(self.others))
            )
        return " ".join(said)


def forgotten(run: Run) -> Forgotten:
    """Return who was removed from a run.

    Raises:
        StorageError: the file is damaged.
    """
    return read(run.file(FORGOTTEN))


def read(path: Path) -> Forgotten:
    """Return what the file says; nobody where there is none.

    Raises:
        DamagedError: it is damaged.
    """
    form = read_form(path, _VERSION, {}) or {}
    numbers = {name: form[name] for name in ("learned", "others", "last") if name in form}
    if not all(isinstance(number, (int, float)) for number in numbers.values()):
        raise DamagedError(f"{FORGOTTEN} is damaged: it holds no numbers")
    return Forgotten(**numbers)


def write(path: Path, found: Forgotten) -> None:
    """Write the file, where it is to go first.

    Raises:
        StorageError: it cannot be written.
    """
    form: Form = {VERSION: _VERSION, **asdict(found)}
    write_form(path, form)


def _people(number: int) -> str:
    return ngettext("{n} person", "{n} people", number).format(n=decimal(number))
