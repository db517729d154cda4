"""Users' ids as a keyed hash: who has no key can neither tell whose a pseudonym is, nor try out ids.

HMAC-SHA256 (RFC 2104), cut to 128 bits. The same key gives the same pseudonyms, so later files and events
meet the run that they belong to. What is a pseudonym already stays as it is.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from grouprec.core.types import SettingError
from grouprec.data.values.ids import encode_ids, id_texts

KEY = "GROUPREC_ID_KEY"  # the setting
SHORTEST_KEY = 16  # characters: what is shorter can be tried out
_FORM = re.compile(r"p-[0-9a-f]{32}")


def id_key() -> bytes:
    """Return the secret that pseudonyms are made with.

    Raises:
        SettingError: the environment holds none, or one that is too short.
    """
    told = os.environ.get(KEY, "")
    if len(told) < SHORTEST_KEY:
        what = "is too short" if told else "is not set"
        raise SettingError(
            f"Pseudonyms need a secret in {KEY}, which {what}: {SHORTEST_KEY} characters or more, such as "
            "`openssl rand -hex 32` makes. Keep it: only the same one gives the same pseudonyms."
        )
    return told.encode()


def fingerprint() -> str:
    """Return what tells this key from others and no more of it, 16 hexadecimal digits; errors as :func:`id_key`."""
    return hmac.digest(id_key(), b"grouprec: which key", "sha256").hex()[:16]


def require_key(known: str) -> None:
    """Check that the key is the one with this fingerprint.

    Raises:
        SettingError: it is another one, or there is none.
    """
    if known and fingerprint() != known:
        raise SettingError(f"{KEY} is not the key that this run's pseudonyms were made with; set that one.")


def pseudonyms_of(ids: Iterable[str]) -> np.ndarray:
    """Return the pseudonyms of ids, object [n] of str, in their order; "" stays "". Errors as :func:`id_key`."""
    empty = hmac.new(id_key(), digestmod="sha256")
    told = []
    for name in ids:
        if not name or _FORM.fullmatch(name):
            told.append(name)
            continue
        one = empty.copy()
        one.update(name.encode("utf-8", "surrogatepass"))
        told.append(f"p-{one.hexdigest()[:32]}")
    return np.array(told, object)


def pseudonym(user: str) -> str:
    """Return the pseudonym of an id as somebody types it; errors as :func:`id_key`."""
    return str(pseudonyms_of(id_texts(pd.Series([user], dtype="str")))[0])


def known_as(user: str) -> set[str]:
    """Return the ids under which a user may be found: as given, and their pseudonym where there is a key."""
    return {user, pseudonym(user)} if os.environ.get(KEY) else {user}


def pseudonymised(codes: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and ids as :func:`~grouprec.data.values.ids.encode_ids` does, of the pseudonyms.

    They are sorted anew: the order of the ids themselves would tell something of them.
    """
    names, places = np.unique(pseudonyms_of(ids), return_inverse=True)
    return np.append(places, -1).astype(np.int32)[codes], names.astype(object)


def pseudonymised_file(table: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """Return a file of users' attributes with pseudonyms in its column of ids, which is the one that shares most with
    these; the file itself where none does."""
    wanted, most, found = pd.Index(ids), 0, table
    for name in table.columns:
        codes, names = encode_ids(table[name])
        told = pseudonyms_of(names)
        if (shared := len(wanted.intersection(pd.Index(told, dtype=object)))) > most:
            most, found = shared, table.assign(**{str(name): _with_gaps(told)[codes]})
    return found


def _with_gaps(names: np.ndarray) -> np.ndarray:
    """Return names with nothing behind them, where the code -1 finds it."""
    return np.concatenate([names, np.array([None], object)])
