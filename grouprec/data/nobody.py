"""Users that stand for many whom nobody knows: guests, walk-in customers, "unknown", NA or -1 among numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from grouprec.core.language import N_, _
from grouprec.data.doubts import Doubt, told_counts
from grouprec.data.steps import Report, narrow
from grouprec.data.values import compute, folded, shown

_LINES = (
    "guest guests guestuser guestcheckout guestcustomer anonymous anonymoususer anon unknown unknownuser",
    "unregistered notloggedin nocustomer nouser nomember nonmember walkin walkins walkincustomer walkinguest",
    "cashcustomer cashsale cashsales countersale countersales retailcustomer defaultcustomer generalcustomer",
    "onlineguest publicuser deleteduser laufkunde laufkunden laufkundschaft barverkauf barkunde gast gaste gastkunde",
    "gastbestellung unbekannt anonym diverse invite anonyme clientdepassage clientcomptoir clientdivers",
    "clientinconnu inconnu",
    "invitado anonimo desconocido consumidorfinal clientefinal clientegeneral publicogeneral publicoengeneral",
    "clientemostrador clientedemostrador ventamostrador ospite sconosciuto clienteoccasionale clientegenerico",
    "convidado desconhecido consumidor clientepadrao clientebalcao gosc nieznany klientdetaliczny anoniem",
    "onbekend balieklant kassaklant passant",
    "гость аноним неизвестный розничныйпокупатель частноелицо физлицо 匿名 匿名用户 匿名買家 匿名买家 游客 访客 散客",
    "未知 ゲスト 一般客 一般 不明 非会員 비회원 손님",
)
_WORDS = frozenset(folded(word) for line in _LINES for word in line.split())
_LONGEST = 40  # letters
_AMONG_NUMBERS = ("-1", "na")  # no number of a user where all others are numbers from nought on


def drop_nobody(users: np.ndarray, user_ids: np.ndarray, column: str, keep: np.ndarray, report: Report) -> np.ndarray:
    """Drop the rows of users that stand for many whom nobody knows, and say so.

    Args:
        users: int [n] codes of ``user_ids``, -1 where missing.
        column: of the file.
        keep: bool [n], the rows that are left.
    """
    nobody = _nobody(user_ids)
    found = np.append(nobody, False)[users] & keep
    if not found.any() or nobody.all():
        return keep
    counts = np.bincount(users[found], minlength=len(user_ids))
    told = told_counts({str(user_ids[at]): int(counts[at]) for at in np.argsort(-counts) if counts[at]})
    matter = _("users in column '{column}' that are nobody in particular are left out ({told})")
    report.doubts.append(Doubt(matter.format(column=shown(column), told=told), role="user"))
    advice = "choose another column with --map user=COLUMN"
    return narrow(report, N_("users that are nobody"), keep, ~found, told, advice)


def _nobody(user_ids: np.ndarray) -> np.ndarray:
    """Return bool [n], which ids stand for nobody; those with digits, the usual ones, cost little."""
    texts = pa.array(user_ids, pa.large_string())
    words = np.asarray(compute.invert(compute.match_substring_regex(texts, r"\d")))
    nobody = np.zeros(len(user_ids), bool)
    for at in np.flatnonzero(words):
        nobody[at] = len(user_ids[at]) <= _LONGEST and "".join(filter(str.isalnum, folded(user_ids[at]))) in _WORDS
    among = np.asarray(compute.is_in(compute.utf8_lower(texts), value_set=pa.array(_AMONG_NUMBERS, pa.large_string())))
    if among.any() and np.asarray(compute.match_substring_regex(texts, r"^\d+$"))[~among].all():
        nobody |= among
    return nobody
