"""Links to a run as it was when somebody shared it: ``links.json`` and ``links/NUMBER.html`` in the run's folder.

A link is a secret that nobody can guess; of it only the hash is kept. What it shows was written down when it was made,
lies beside the run and goes with it: it can never show another one, nor anything else of this one. It ends by itself,
can be withdrawn, and shows nothing once the run's results are others, or fewer people may be told of than then.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from grouprec.core import audit, rights
from grouprec.core.files import replacing, storage
from grouprec.core.forms import VERSION, DamagedError, Form, read_kept_form, write_kept_form
from grouprec.core.locks import alone
from grouprec.core.rights import Deed, RightsError
from grouprec.core.types import SettingError, StorageError
from grouprec.runs import content
from grouprec.runs.run import Run

FILE, FOLDER = "links.json", "links"
LINKS_VERSION = 1
DAY = 86_400.0
MOST_DAYS, MOST_LINKS = 90, 50  # that a link lasts; of a run that work at a time
EDITS = "curation.json"  # what people changed about the groups
GONE = (
    "There is nothing behind this link. Its run may have been deleted, or the link was not copied whole; ask whoever "
    "sent it."
)


class LinkError(StorageError):
    """A link shows nothing; the sentence says why, as far as whoever follows it may know."""


@dataclass(frozen=True)
class Discretion:
    """What may be told of few people.

    Attributes:
        fewest: the smallest number of people that is told.
        epsilon: of the noise that sizes of groups bear; None where they are told as they are.
    """

    fewest: int
    epsilon: float | None = None

    def keeps(self, other: Discretion) -> bool:
        """Return whether what was made by these rules tells nothing that others forbid."""
        noisy = other.epsilon is None or (self.epsilon is not None and self.epsilon <= other.epsilon)
        return self.fewest >= other.fewest and noisy


@dataclass(frozen=True)
class Link:
    """One link.

    Attributes:
        number: what it is called among the run's; no secret.
        run_id: the run; a copy of its folder under another name has no links.
        by: who made it.
        made, until, withdrawn: when, seconds since 1970; the last is 0 where nobody has.
        secret: SHA-256 of the token.
        page: SHA-256 of what it shows.
        results: SHA-256 of the run's tables and summary then, by name.
        edits: of what people had changed about its groups.
        told: what might be told of few people then.
    """

    number: str
    run_id: str
    by: str
    made: float
    until: float
    secret: str
    page: str
    results: Mapping[str, str] = field(default_factory=dict)
    edits: str = ""
    told: Discretion = field(default_factory=lambda: Discretion(1))
    withdrawn: float = 0.0

    @property
    def works(self) -> bool:
        """Whether it has not ended yet."""
        return not self.withdrawn and time.time() < self.until


def links(folder: Path) -> tuple[Link, ...]:
    """Return the links of a run folder, the oldest first, also those that have ended.

    Raises:
        DamagedError: they are not what was written.
    """
    return tuple(map(_link, _entries(_form(folder))))


def make(run: Run, draw: Callable[[float], str], days: int, told: Discretion) -> tuple[Link, str]:
    """Make a link to a run as it is now; return it and its token, which is known nowhere else.

    Args:
        draw: the HTML document that it shows, given when it ends.
        days: that it lasts.
        told: by which rules the document tells of few people.
    Raises:
        RightsError: the person acting may not.
        SettingError: so many days, or so many links, are too many.
        StorageError: the run is not finished, or cannot be written to.
    """
    rights.require(Deed.MANAGE, "make link", run.path)
    if not 1 <= days <= MOST_DAYS:
        raise SettingError(f"A link lasts 1 to {MOST_DAYS} days, not {days}.")
    run.require_finished("only a finished run can be shown")
    now, token = time.time(), secrets.token_urlsafe(24)
    results, edits = _results(run.path), content.digest(run.path / EDITS)  # before it is drawn: a change then ends it
    document = draw(now + days * DAY).encode("utf-8")
    link = Link(
        number=secrets.token_hex(4),
        run_id=run.run_id,
        by=rights.person().name,
        made=now,
        until=now + days * DAY,
        secret=_hash(token.encode()),
        page=_hash(document),
        results=results,
        edits=edits,
        told=told,
    )
    with _alone(run.path):
        before = links(run.path)
        if sum(one.works for one in before) >= MOST_LINKS:
            raise SettingError(f"This run has {MOST_LINKS} links that work; withdraw one first.")
        _remove_pages(run.path, (one for one in before if not one.works))
        page = _page(run.path, link)
        with storage(page):
            page.parent.mkdir(exist_ok=True)
        with replacing(page, promise=True) as temporary:
            temporary.write_bytes(document)
        _write(run.path, [*before, link])
    return link, token


def withdraw(run: Run, number: str) -> None:
    """Let a link show nothing from now on.

    Raises:
        RightsError: the person acting may not.
        StorageError: there is no such link, or it cannot be written.
    """
    rights.require(Deed.MANAGE, "withdraw link", run.path)
    with _alone(run.path):
        known = links(run.path)
        if number not in [one.number for one in known]:
            raise StorageError(f"The run {run.run_id} has no link {number[:20]!r}.")
        ended = [replace(one, withdrawn=time.time()) if one.number == number else one for one in known]
        _write(run.path, ended)
        _remove_pages(run.path, (one for one in ended if one.withdrawn))


def follow(run: Run | None, token: str, told: Discretion) -> tuple[str, bool]:
    """Return what a link shows, and whether people have changed the run's groups since.

    Args:
        run: which the link names; None where there is none.
        told: what may be told of few people now.
    Raises:
        RightsError: the person acting may follow no links.
        LinkError: it shows nothing.
        DamagedError: the run's links are not what was written, and the person acting may see the run.
    """
    who, allowed = rights.person(), False
    try:
        if not rights.may(Deed.FOLLOW):
            raise RightsError("Links are for people who may use this server; sign in first.")
        link = _known(run, token)
        document = _shown(run, link, told) if run is not None else ""
        allowed = True
    finally:
        audit.note(who.name, "follow link", run.run_id if run is not None else "", allowed)
    return document, run is not None and content.digest(run.path / EDITS) != link.edits


def _known(run: Run | None, token: str) -> Link:
    """Return the link with a token; all hashes are compared, so that time tells nothing."""
    given = _hash(token.encode())
    try:
        known = () if run is None else links(run.path)
    except DamagedError:
        if run is not None and rights.may(Deed.SEE, run.path):
            raise
        raise LinkError(GONE) from None  # whoever guesses an id does not learn that there is such a run
    found = [one for one in known if hmac.compare_digest(one.secret, given)]
    if run is None or not found or found[0].run_id != run.run_id:
        raise LinkError(GONE)
    return found[0]


def _shown(run: Run, link: Link, told: Discretion) -> str:
    if link.withdrawn:
        raise LinkError("This link was withdrawn; ask whoever sent it.")
    if not link.works:
        raise LinkError("This link has ended; ask whoever sent it for a new one.")
    if not link.told.keeps(told):
        raise LinkError("This server tells less of few people than when this link was made; ask for a new one.")
    try:
        now, document = _results(run.path), _page(run.path, link).read_bytes()
    except (OSError, DamagedError):
        now, document = {}, b""
    same = all(now.get(name) == digest for name, digest in link.results.items())
    if not (now and same and hmac.compare_digest(_hash(document), link.page)):
        raise LinkError("The run has changed since this link was made, so it shows nothing; ask for a new one.")
    return document.decode("utf-8")


def _results(folder: Path) -> dict[str, str]:
    """Return the hashes of the files that pages and reports read; none of a run that is not finished."""
    files = content.read_manifest(folder) or {}
    return {name: found for name, found in files.items() if name.startswith("tables/") or name == "metrics.json"}


def _page(folder: Path, link: Link) -> Path:
    return folder / FOLDER / f"{link.number}.html"


def _remove_pages(folder: Path, some: Iterable[Link]) -> None:
    """Remove what links that have ended showed; what cannot be removed is not shown, either."""
    for link in some:
        with contextlib.suppress(OSError):
            _page(folder, link).unlink(missing_ok=True)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _alone(folder: Path) -> contextlib.AbstractContextManager[Any]:
    return alone(folder / ".links.lock", f"Somebody else is changing the links of {folder.name}; try again.")


# -- the file


def _form(folder: Path) -> Form:
    return read_kept_form(folder / FILE, LINKS_VERSION, {}, "without links")


def _write(folder: Path, some: Iterable[Link]) -> None:
    form = {VERSION: LINKS_VERSION, **_form(folder), "links": [asdict(one) for one in some]}
    write_kept_form(folder / FILE, form)


def _entries(form: Form) -> list[Any]:
    entries = form.get("links", [])
    if not isinstance(entries, list):
        raise DamagedError(f"{FILE} is damaged: its links are no list", "restore it from a copy, or remove it")
    return entries


def _link(entry: Any) -> Link:
    try:
        texts = {name: str(entry[name]) for name in ("number", "run_id", "by", "secret", "page", "edits")}
        made, until, withdrawn = (float(entry[name]) for name in ("made", "until", "withdrawn"))
        results = {str(name): str(found) for name, found in entry["results"].items()}
        told, epsilon = entry["told"], entry["told"]["epsilon"]
        rules = Discretion(int(told["fewest"]), None if epsilon is None else float(epsilon))
        return Link(**texts, made=made, until=until, withdrawn=withdrawn, results=results, told=rules)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        reason = f"{FILE} is damaged: a link lacks what it needs"
        raise DamagedError(reason, "restore it from a copy, or remove it") from error
