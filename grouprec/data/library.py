"""The datasets that the app knows: the bundled sample, and what people uploaded.

The key is that of the content: the same files are the same dataset, whatever they are called; other content under a
name that is there already is another version.

``<root>/<key>/``
    owner.json                       whose it is, where people sign in
    dataset.json                     display name, rows, roles and preparation choices, sealed
    interactions/ users/ items/ also/ edges/   one uploaded file each, under a harmless name
``<root>/.uploads/<id>/``            a large file on its way in: owner.json and file/NAME, as long as was promised
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

from grouprec.core import locks, rights, trash, usage
from grouprec.core.environment import number_from_0
from grouprec.core.files import incoming, storage
from grouprec.core.forms import VERSION, DamagedError, read_form, write_form
from grouprec.core.rights import Deed, Role, Whose
from grouprec.core.site import app_root
from grouprec.core.types import DataError, StorageError
from grouprec.data.library_files import PARTS, SAMPLE_KEY, KnownDataset, Received, Upload, safe_name, size_of, take
from grouprec.data.reading.read import peek

SAMPLE_NAME = "Online Retail (sample)"
# What a check of the sample finds with the choices it comes with
SAMPLE_SIZE = {"n_users": 3976, "n_items": 3249, "n_rows": 253_203, "n_raw": 541_909}
UPLOADS, KEEP_LOCK = ".uploads", ".keep.lock"
QUOTA_GB = "GROUPREC_UPLOAD_GB"  # the setting: what the uploads of one person may take; 100 where nothing is said
RECORD, _FORMAT = "dataset.json", 2  # 1, of older versions, had no seal
_KEY = re.compile(r"[0-9a-f]{16}")


class Library:
    """All datasets under one folder. Reading never raises for a damaged entry: it says what is wrong with its record,
    and is left out where its interactions are gone."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def list(self) -> list[KnownDataset]:
        """Return the sample, then the uploads that the person acting may see, newest first."""
        folders = self.root.iterdir() if self.root.is_dir() else []
        folders = [folder for folder in folders if _KEY.fullmatch(folder.name) and rights.may(Deed.SEE, folder)]
        entries = [entry for folder in folders if (entry := self._read(folder.name))]
        return [self.sample(), *sorted(entries, key=lambda entry: entry.added, reverse=True)]

    def sample(self) -> KnownDataset:
        """Return the bundled sample with the choices made for it."""
        folder = self.root / SAMPLE_KEY
        unchosen: tuple[dict[str, Any], str] = {"size": SAMPLE_SIZE}, ""
        saved, trouble = _record(folder) if (folder / RECORD).exists() else unchosen
        return KnownDataset(
            key=SAMPLE_KEY,
            name=SAMPLE_NAME,
            interactions=app_root() / "sample_data" / "online_retail.parquet",
            roles=saved.get("roles", {}),
            preparation=saved.get("preparation", {}),
            rows=SAMPLE_SIZE["n_raw"],
            size=saved.get("size", {}),
            trouble=trouble,
        )

    def folder(self, entry: KnownDataset) -> Path:
        """Return where an entry lies."""
        return self.root / entry.key

    def get(self, key: str) -> KnownDataset:
        """Return a dataset by its key.

        Raises:
            StorageError: there is none.
        """
        if key == SAMPLE_KEY:
            return self.sample()
        seen = _KEY.fullmatch(key) and rights.may(Deed.SEE, self.root / key)
        entry = self._read(key) if seen else None
        if entry is None:
            raise StorageError(f"There is no dataset '{key[:40]}'; choose another one or upload the file again.")
        return entry

    def add(self, name: str, content: BinaryIO | Received, **beside: Upload | None) -> KnownDataset:
        """Copy uploaded files into the library; the same files give the same entry, with its choices kept.

        Args:
            name: the interactions file's name as the browser sent it; shown, never used as a path.
            content: its bytes, read in chunks; or where it lies, and then it is moved.
            beside: (name, stream) of the optional files: users, items, also, edges.
        Raises:
            RightsError: the person acting may not upload.
            DataError: a file is empty.
            StorageError: the library cannot be written.
        """
        rights.require(Deed.ADD, "upload")
        uploads: dict[str, Upload | None] = {part: beside.get(part) for part in PARTS}
        uploads["interactions"] = name, content
        digest = hashlib.sha256(_mine())
        with incoming(self.root) as folder:
            with storage(folder):
                for part, upload in uploads.items():
                    if upload is not None:
                        found = take(upload, folder / part)
                        digest.update(f"{part} {Path(safe_name(upload[0])).suffix} {found}\n".encode())
            key = digest.hexdigest()[:16]
            there = self._read(key)
            if there is None or there.trouble:
                self._keep(folder, key, name)
            usage.use(self.root / key)
        return self.get(key)

    def extend(self, key: str, **beside: Upload | None) -> KnownDataset:
        """Put optional files beside an upload's interactions: another dataset, with the choices of the first.

        Raises:
            RightsError, DataError, StorageError: as :meth:`add`; the sample takes no files.
        """
        entry = self.get(key)
        if entry.is_sample:
            raise DataError("The sample takes no files of yours; add your own file of who did what first.")
        entry.require_sound()
        given = dict(beside)
        with contextlib.ExitStack() as files:
            for part, there in entry.beside.items():
                if given.get(part) is None and there is not None:
                    given[part] = there.name, files.enter_context(there.open("rb"))
            content = files.enter_context(entry.interactions.open("rb"))
            found = self.add(entry.name, content, **given)
        return self.save(found.key, roles=entry.roles, preparation=entry.preparation)

    def save(
        self,
        key: str,
        *,
        roles: Mapping[str, str],
        preparation: Mapping[str, Any],
        size: Mapping[str, Any] | None = None,
        known_as: tuple[str, float] | None = None,
    ) -> KnownDataset:
        """Remember the choices made for a dataset, and what a check with these choices found.

        Args:
            known_as: its name, and since when it is there (seconds since 1970), where these change.

        Raises:
            StorageError: there is no such dataset, its choices so far are damaged, or it cannot be written.
        """
        entry, size = self.get(key), dict(size or {})
        rights.require(Deed.CHANGE, "choose columns of", self.root / key)
        entry.require_sound()
        name, added = known_as or (entry.name, entry.added)
        record = {"name": name, "added": added, "roles": dict(roles), "preparation": dict(preparation)}
        record |= {"rows": size.get("n_raw", entry.rows), "size": size}
        folder = self.root / key
        with storage(folder):
            folder.mkdir(parents=True, exist_ok=True)
        _write(folder, _record(folder)[0] | record)  # a newer version may have written more
        return self.get(key)

    def begin_anew(self, key: str) -> KnownDataset:
        """Forget the name and the choices of a dataset, as where its record is damaged.

        Raises:
            StorageError: there is no such dataset, or it cannot be written.
        """
        entry, folder = self.get(key), self.root / key
        rights.require(Deed.CHANGE, "choose columns of", folder)
        if entry.is_sample:
            with storage(folder):
                (folder / RECORD).unlink(missing_ok=True)
        else:
            _write(folder, _new_record(entry.interactions.name, entry.interactions))
        return self.get(key)

    def expect(self, upload_id: str, name: str, n_bytes: int) -> Path:
        """Make room for a file that somebody begins to send, and return where it goes: as long as it will be.

        It counts as theirs from now on, so that several on their way at once are together within the quota.

        Raises:
            SettingError, StorageError: as for :meth:`expect_more`.
        """
        place = self.root / UPLOADS / upload_id
        path = place / "file" / safe_name(name)
        with storage(place):
            path.parent.mkdir(parents=True)
            rights.give_to_maker(place)
            path.touch()
        self.expect_more(path, n_bytes)
        return path

    def expect_more(self, path: Path, n_bytes: int) -> None:
        """Make room for a file on its way that is now to have so many bytes.

        Raises:
            SettingError: the environment does not say a number.
            StorageError: the person acting would have too many, or the library cannot be written.
        """
        with self._alone(), storage(path):
            self._check_quota(n_bytes - path.stat().st_size)
            os.truncate(path, n_bytes)  # a hole, which takes no room on the disk

    def _alone(self) -> AbstractContextManager[None]:
        """Let one thread of one process at a time take room: what it counts is then what is there."""
        return locks.alone(self.root / KEEP_LOCK, "Another upload is being taken in; try again.")

    def _check_quota(self, n_bytes: int) -> None:
        """Check that the person acting may keep so many bytes more; they are :meth:`_alone`."""
        most = number_from_0(QUOTA_GB, 100.0) * 1e9
        who = rights.person()
        alone = who.role is Role.LOCAL  # then all is theirs
        coming = self.root / UPLOADS
        folders = [*map(self.folder, self.list()), *(coming.iterdir() if coming.is_dir() else [])]
        used = sum(size_of(one) for one in folders if alone or rights.whose(one, who.name) is Whose.OWN)
        if used + n_bytes > most:
            raise StorageError(
                f"Your files would take {(used + n_bytes) / 1e9:.1f} GB, more than the {most / 1e9:g} GB that this "
                "server keeps for everybody; remove one on the Data page."
            )

    def remove(self, key: str) -> None:
        """Delete an upload; of the sample only the choices are forgotten. Runs trained on it keep their results.

        Raises:
            StorageError: there is no such dataset, or it cannot be deleted.
        """
        self.get(key)
        folder = self.root / key
        rights.require(Deed.MANAGE, "remove", folder)
        if folder.is_dir():
            with storage(folder):
                shutil.rmtree(folder)

    def put_away(self, key: str) -> None:
        """Move an upload to the trash of the library.

        Raises:
            StorageError: there is no such dataset, or it cannot be moved.
        """
        self.get(key)
        rights.require(Deed.MANAGE, "put away", self.root / key)
        with self._alone():
            trash.put(self.root, self.root / key)

    def _keep(self, made: Path, key: str, name: str) -> None:
        """Give a complete copy its final name; the record is written before, so that no entry is ever half there.

        Of two that come with the same content at once the first is kept.
        """
        _write(made, _new_record(name, next((made / "interactions").iterdir())))
        rights.give_to_maker(made)
        folder = self.root / key
        with self._alone(), storage(folder):
            there = self._read(key)
            if there is not None and not there.trouble:
                return
            self._check_quota(size_of(made))
            shutil.rmtree(folder, ignore_errors=True)  # remains of a damaged entry
            made.replace(folder)

    def _read(self, key: str) -> KnownDataset | None:
        """Return an entry, None where its interactions file is missing or it is not ours to read."""
        try:
            files = {part: next((self.root / key / part).glob("*"), None) for part in PARTS}
        except OSError:  # nobody may look into it
            return None
        interactions = files.pop("interactions")
        if interactions is None:
            return None
        record, trouble = _record(self.root / key)
        return KnownDataset(
            key=key,
            name=record.get("name", interactions.name),
            interactions=interactions,
            **files,
            roles=record.get("roles", {}),
            preparation=record.get("preparation", {}),
            added=record.get("added", 0.0),
            rows=record.get("rows"),
            size=record.get("size", {}),
            trouble=trouble,
        )


_FIELDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "added": (int, float),
    "roles": (dict,),
    "preparation": (dict,),
    "rows": (int, type(None)),
    "size": (dict,),
}


def _new_record(name: str, interactions: Path) -> dict[str, Any]:
    rows = _count_rows(interactions)
    return {"name": safe_name(name), "added": time.time(), "rows": rows, "roles": {}, "preparation": {}}


def _write(folder: Path, record: Mapping[str, Any]) -> None:
    write_form(folder / RECORD, {**record, VERSION: max(_FORMAT, record.get(VERSION, 0))})


def _record(folder: Path) -> tuple[dict[str, Any], str]:
    """Return what is known of a dataset, and "" or why that cannot be known any more."""
    try:
        found = read_form(folder / RECORD, _FORMAT, {1: lambda form: form})
        if found is None:
            raise DamagedError(f"{RECORD} is missing")
        if not all(isinstance(found[name], types) for name, types in _FIELDS.items() if name in found):
            raise DamagedError(f"{RECORD} is damaged: it is not what this program writes")
        return found, ""
    except DamagedError as error:
        return {}, (
            f"The dataset {folder.name}: {error.reason}. Its rows are whole, but how it was called and how its columns "
            "were chosen is not known; restore that file from a copy, or begin anew on the Data page."
        )


def _mine() -> bytes:
    """Return what makes keys differ between people who sign in: nobody learns that another one has the same file."""
    who = rights.person()
    return b"" if who.role is Role.LOCAL else f"{who.name}\n".encode()


def versions(entries: Iterable[KnownDataset]) -> dict[str, int]:
    """Return the version of every dataset by its key: files of one name are numbered from 1, the oldest first."""
    seen: Counter[str] = Counter()
    numbers = {}
    for entry in sorted(entries, key=lambda entry: entry.added):
        seen[entry.name] += 1
        numbers[entry.key] = seen[entry.name]
    return numbers


def _count_rows(path: Path) -> int | None:
    """Return the rows of a file as its head tells them (of text: about so many); None where it does not."""
    try:
        return peek(path).n_rows
    except DataError:  # said on the Data page, where roles and preparation may still be changed
        return None
