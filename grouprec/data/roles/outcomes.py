"""Columns that say whether a row came to anything: an order's status, or a flag like ``clicked`` or ``refunded``."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from grouprec.core.arrays import largest_first
from grouprec.data.roles.header_languages import WORDS
from grouprec.data.roles.header_words import header_words, simple_name
from grouprec.data.values.common import folded, folded_words, word_set
from grouprec.data.values.ids import encode_ids

YES = word_set(
    "up 👍 ❤ ❤️ ♥ positive 1 10 yes y true t ja j si s sim oui o tak да д 是 はい wahr verdadero vero "
    "verdadeiro vrai prawda waar истина",
)
NO = word_set(
    "down 👎 negative 0 00 no n false f nein nee nao non nie нет н 否 いいえ falsch falso faux falsz onwaar ложь",
)

# Flags: the word of a header, beside "is", "was" and the like; at yes, or at no, the row came to nothing.
_DONE = word_set(
    "clicked click liked like purchased bought ordered converted conversion watched played viewed opened downloaded",
    "installed recommended recommend votedup accepted consumed booked rented borrowed attended saved favorited",
    "thumb thumbs vote reaction feedback completed success target label response attributed "
    "interested thumbsup purchase buy gekauft geklickt gefallt",
    "bestellt comprado megusta legusta gusta clicado curtiu comprou comprato acquistato mipiace gekocht geklikt",
    "kupione kupiono polubione kliknieto куплено понравилось клик нравится 购买 点击 点赞 喜欢 購入 クリック いいね",
    "achete aime clique",
)
_UNDONE = word_set(
    "noshow thumbsdown",
    "refunded refund returned return cancelled canceled cancel cancellation void voided deleted skipped skip",
    "disliked dislike rejected failed chargeback fraud bounced storniert storno stornierung retoure retourniert",
    "zuruckgegeben erstattet devuelto devolucion cancelado anulado reembolsado reembolso annullato reso rimborsato",
    "rimborso devolvido estornado geannuleerd geretourneerd terugbetaald anulowane anulowano zwrocone zwrot отменен",
    "отмена возврат возвращен 取消 退款 退货 已退款 キャンセル 返品 返金 annule rembourse retourne remboursement",
)
_AROUND = word_set(
    "is was has did been flag indicator ist wurde es fue e stato foi jest czy 是否 est a ete",
)
_STATUS = re.compile(
    "(.*)(status|state|stage|zustand|estado|estatus|stato|situacao|statut|etat|статус|состояние|状态|狀態|ステータス|状況|"
    + "|".join(map(simple_name, sorted(word_set(*WORDS["status"]))))
    + ")(.*)"
)
# Values of a status at which an order came to nothing, by their beginnings; and such as stand in any status column.
_NOTHING = re.compile(
    r"(?:.*\W)?(?:cancel|refund|return|void|fail|reject|declin|chargeback|charged back|disput|abandon|expired|fraud|"
    "denied|withdraw|lapsed|revers|revok|lost|storn|retour|zuruckge|erstatt|abgebrochen|abgelehnt|fehlgeschlagen|devuel|devolu|devolv|anulad|anulow|reembols|rechazad|"
    "fallid|annull|reso|rimbors|rifiutat|fallit|cancelad|estornad|recusad|geannul|geretour|terugbetaald|geweigerd|mislukt|"
    "zwrot|zwroc|odrzucon|отмен|возврат|возвращ|отказ|不成功|已取消|取消|不成立|退款|退货|退貨|(?:交易|订单|已)?关闭|キャンセル|取消|返品|返金|rembours|annul|"
    "echou|refus|cxl|no.?show|" + "|".join(sorted(folded_words(*WORDS["nothing"]))) + ")"
)
_NOT = re.compile(
    r"(?!no.?show)(?:not|no|non|un|partial|partially|teil|teilweise|parcial|parziale|partiel|częściow|czesciow|частич|部分|一部|never|nie)\b.*"
    r"|un(?:cancel|return|refund).*|.*(?:declined|denied|rejected) (?:refund|return).*|.*(?:refund|return) "
    r"(?:declined|denied|rejected).*"
)
_USUAL = re.compile(
    "complet|paid|ship|deliver|process|pending|fulfil|clos|open|new(?: order)?$|hold|success|"
    "abgeschlossen|bezahlt|versandt|geliefert|"
    "bearbeitung|offen|pagad|enviad|entregad|pendient|pagat|spedit|consegnat|attesa|pago|pendente|betaald|verzonden|afgerond|"
    "zaplac|zrealiz|wyslan|dostarczon|оплач|доставл|выполн|нов|完成|已付款|已发货|成功|待|支払|発送|完了|済|paye|livre|expedi|"
    "termin|approved|confirmed|authorized"
)
# What says as plainly that it came to something, but not that a column is about that.
_SAID = re.compile(
    "check(?:ed)?.?(?:in|out)|reserv|flown|receiv|sent|activ|done|finish|ready|invoic|bill|pick|arriv|attend|used|sold|"
    "book|ok$|valid|accept|capture|settle|erledigt|fertig|aktiv|gebucht|zugestellt|recibid|finaliz|ricevut|conclu|"
    "ontvangen|zakoncz|odebran|получен|заверш|已签收|交易成功|recu|reçu"
)
_STATES = ("state", "stage", "stato", "estado", "zustand", "situacao")
_MOST_STATUSES = 50


def is_flag(column: pd.Series, digits: bool = True) -> bool:
    """Return whether a column holds yes and no only; with ``digits`` 0 and 1 count as such, too."""
    words = _words(column)
    said = words & (YES | NO) if digits else {word for word in words & (YES | NO) if not word.isdigit()}
    return 0 < len(words) <= 3 and words == said


def tells_outcome(column: pd.Series) -> bool:
    """Return whether a column says by its name and its values that some of its rows came to nothing."""
    if _flag_of(str(column.name)) is not None and is_flag(column):
        return True
    if not _STATUS.fullmatch(simple_name(str(column.name))) or column.nunique() > _MOST_STATUSES:
        return False
    words = _words(column)
    return any(_NOTHING.match(word) or _USUAL.match(word) for word in words)


def came_to_nothing(column: pd.Series) -> tuple[np.ndarray, dict[str, int]]:
    """Return bool [n], which rows came to nothing, and the values that say so with their rows, the most first.

    A value that is missing or not known says nothing; the row stays.
    """
    codes, names = encode_ids(column)
    bad = np.array([_is_nothing(name, _flag_of(str(column.name))) for name in names], dtype=bool)
    found = np.append(bad, False)[codes]
    counts = np.bincount(codes[found], minlength=len(names))
    order = largest_first(counts)
    return found, {str(names[code]): int(counts[code]) for code in order if counts[code]}


def not_understood(column: pd.Series) -> dict[str, int]:
    """Return the words of a column of statuses that say neither how it went nor that it came to nothing, with rows."""
    match = _STATUS.fullmatch(simple_name(str(column.name)))
    if match is None or _flag_of(str(column.name)) is not None:
        return {}
    codes, names = encode_ids(column)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    unknown = [code for code, name in enumerate(names) if counts[code] and not _is_known(str(name))]
    return {str(names[code]): int(counts[code]) for code in sorted(unknown, key=lambda code: -counts[code])}


def _is_known(value: str) -> bool:
    word = " ".join(folded(value).replace("_", " ").split())
    told = _NOTHING.match(word) or _NOT.fullmatch(word) or _USUAL.search(word) or _SAID.search(word)
    return told is not None or word in YES | NO


def is_status(name: str) -> bool:
    """Return whether a header says how something went, and can say nothing else: a state may be one of a country."""
    match = _STATUS.fullmatch(simple_name(name))
    return match is not None and match[2] not in _STATES


def _is_nothing(value: str, flag: bool | None) -> bool:
    word = " ".join(folded(value).replace("_", " ").split())
    if word in YES:
        return flag is False
    if word in NO:
        return flag is not False
    return bool(_NOTHING.match(word)) and not _NOT.fullmatch(word)


def _flag_of(name: str) -> bool | None:
    """Return True for a header like ``clicked``, False for one like ``refunded``, None for another."""
    parts = [part for part in header_words(name) if part not in _AROUND] or list(header_words(name))
    whole = "".join(parts)
    for around in ("是否", "is", "was", "has"):
        whole = whole.removeprefix(around) if whole not in _DONE | _UNDONE else whole
    return True if whole in _DONE else False if whole in _UNDONE else None


def _words(column: pd.Series) -> set[str]:
    values = column.dropna().unique()[: _MOST_STATUSES + 1]
    words = {
        folded(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)).strip()
        for value in values
    }
    return {word.removesuffix(".0").replace("_", " ") for word in words} - {""}
