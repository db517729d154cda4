"""Columns of any type -> numbers. What commas and points mean is decided over the whole column, not value by value."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.values.common import distinct_values, is_missing, plain_texts, shown, spread

_CODES = (
    "eur|usd|gbp|chf|pln|czk|huf|ron|bgn|sek|nok|dkk|isk|rub|rur|uah|try|tl|jpy|cny|rmb|hkd|twd|krw|inr|idr|thb|vnd|php|"
    "sgd|myr|aud|nzd|cad|mxn|brl|ars|clp|cop|pen|zar|ngn|egp|aed|sar|ils|rs|rp|rm|kr|zł|zl|kč|kc|ft|lei|лв|грн|руб|р|"
    "元|円|圆|원|euro|euros|dollars?"
)
_DOLLARS = "us|ca|c|au|a|hk|nt|nz|r|s|mx"
_PIECES = (
    "stars?|sterne?|estrellas?|estrelas?|stelle|stella|sterren|étoiles?|звезд[аы]?|星|"
    "pcs|pc|pieces?|units?|stk|stck|stück|stueck|st|szt|шт|uds?|pz|pièces?|stuks?|個|个|件|點|点|x|×"
)
_UNITS = "kg|g|lbs?|oz|l|ml|cl|mins?|minutes|h|hrs?|hours?|secs?|seconds|ms|km|m|cm|gb|mb|%"
_CURRENCY = rf"(?:{_DOLLARS})?\s*[$€£¥₽₹₺₴₩₪₫₱฿₦]|(?:{_CODES})\.?"
# Currencies without anything smaller: what parts their digits are thousands.
_WHOLE = {"₩", "원", "KRW", "₫", "Đ", "VND", "RP", "IDR", "円", "JPY", "¥", "FT", "HUF", "CLP", "ISK"}
# Blanks are taken whole (*+), else a cell of blanks and one letter is looked through once a pair, or triple, of them.
_SCALES = {
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "万": 1e4,
    "萬": 1e4,
    "억": 1e8,
    "만": 1e4,
    "億": 1e8,
    "亿": 1e8,
    "тыс": 1e3,
    "млн": 1e6,
}
_BODY = r"\d[\d.,']*+(?:\s++[\d.,']++)*+|[.,]\d++"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*+(?P<sign>[-+])?\s*+(?P<before>{_CURRENCY}|x|×)?\s*+(?P<inner>[-+])?\s*+(?P<body>{_BODY})"
    rf"(?:\s?(?P<scale>(?-i:{'|'.join(_SCALES)}))\b\.?)?\s*+(?P<after>{_CURRENCY}|(?:{_PIECES})\.?|%|(?<=\s)(?:{_UNITS}))?\s*+(?P<trail>[-+])?\s*+(?P<close>\))?",
    re.IGNORECASE,
)
# Judgements as people see them: 4/5, 4.0 out of 5 stars, ★★★★☆
_OF = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:/|out of|of|von|de|sur|su|van|z|из|av)\s*(5|10|20|100)(?:[.,]0+)?(?:\s\D*)?", re.I
)
_STARS = re.compile(r"([★⭐✭✮🌟]\ufe0f?)*([☆✩]\ufe0f?)*")
_SPACED = re.compile(r"\d{1,3}([\s'])\d{3}(\1\d{3})*(?P<rest>[.,]\d+)?")
_INDIAN = re.compile(r"\d{1,2}(,\d{2})*,\d{3}(\.\d+)?")
MOST = 1e19  # beyond it nobody counted anything, not even nanoseconds; products of two are still finite in float32
_LOOKED_AT = 20  # different values that are looked at before all others
_PLAIN_BELOW = 200  # plain whole numbers that reach so far are of one kind with 1.299, and pieces are not


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers and how they were read.

    Attributes:
        values: float64 [n], NaN where there is no number.
        unread: bool [n], there is something, but no number.
        reading: "12.345,60 is read as 12345.6" of one value that the column's signs decide, "" where none does.
        unsure: whether that value could be meant otherwise and nothing in the column tells.
        currencies: signs and codes that stand beside the numbers, sorted.
    """

    values: np.ndarray
    unread: np.ndarray
    reading: str = ""
    unsure: bool = False
    currencies: tuple[str, ...] = ()


def to_numbers(column: pd.Series) -> np.ndarray:
    """Return float64 [n], NaN where there is no number; see :func:`read_numbers`."""
    return read_numbers(column).values


def read_numbers(column: pd.Series, counts: bool = False) -> Numbers:
    """Read numbers as people and programs of many countries write them.

    Thousands may be parted by points, commas, spaces or apostrophes, fractions by a comma or a point; which is which
    is decided over the column. Currencies and pieces before or behind are left off, ``12 %`` is 0.12, ``12-`` and
    ``(12)`` are -12. Endless ones (``inf``, ``1e999``) cannot be read, nor those beyond :data:`MOST`.

    Args:
        counts: they say how many of something: where all end in ``,000`` that is no fraction, as SAP writes it.
    """
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        endless = np.abs(values) > MOST
        return Numbers(np.where(endless, np.nan, values), endless)
    codes, distinct = distinct_values(column)
    texts = plain_texts(distinct)
    found = np.array(pd.to_numeric(texts, errors="coerce"), np.float64)
    found[np.abs(found) > MOST] = np.nan
    if counts and len(texts) and texts.str.fullmatch(r"-?\d{1,3}([.,])000-?").all():
        texts = texts.str.replace(r"[.,]000(-?)$", r"\1", regex=True)
        found = np.array(pd.to_numeric(texts, errors="coerce"), np.float64)
    foreign = np.isnan(found) & ~is_missing(texts)
    if foreign.any() and (judged := _judgements(texts[foreign])) is not None:
        found[foreign] = judged
        return Numbers(spread(found, codes), np.zeros(len(column), dtype=bool))
    pointed = _points_may_part_thousands(texts, found) if not foreign.all() else np.zeros(len(texts), dtype=bool)
    if not foreign.any() and not pointed.any():
        return Numbers(spread(found, codes), np.zeros(len(column), dtype=bool))
    if not pointed.any() and (quick := _with_commas(texts[foreign])) is not None:
        found[foreign], example = quick
        return Numbers(spread(found, codes), np.zeros(len(column), dtype=bool), example)
    column_of = _Foreign(texts[foreign | pointed], texts[~foreign & ~pointed], found[~foreign & ~pointed])
    found[foreign | pointed] = column_of.numbers
    unread = np.append(foreign & np.isnan(found), False)[codes]
    return Numbers(spread(found, codes), unread, column_of.reading, column_of.unsure, column_of.currencies)


def is_numeric(column: pd.Series) -> bool:
    """Return whether all values that are there are numbers, none of them a code like 00123."""
    values = column.dropna()
    if values.empty or pd.api.types.is_bool_dtype(values):
        return False
    if pd.api.types.is_numeric_dtype(values):
        return True
    texts = plain_texts(distinct_values(values)[1])
    if _hold_another(texts.iloc[:_LOOKED_AT]) or texts.str.match(r"0\d").any():
        return False
    return bool(np.isfinite(to_numbers(values)).all())


def _hold_another(texts: pd.Series) -> bool:
    """Return whether one of some texts is no number in whatever column it stands: most columns show it at once."""
    foreign = texts[pd.to_numeric(texts, errors="coerce").isna()].astype(object)
    return not all(
        _NUMBER.fullmatch(unified(text)) or _OF.fullmatch(text) or _STARS.fullmatch(text) for text in foreign
    )


def _judgements(texts: pd.Series) -> np.ndarray | None:
    """Return what every text says out of one number for all (4/5), or in stars; None where one says something else."""
    first = str(texts.iloc[0]).strip()
    if _STARS.fullmatch(first):
        stars = [str(text).strip() for text in texts]
        filled = [sum(sign in "★⭐✭✮🌟" for sign in text) for text in stars]
        return np.array(filled, np.float64) if all(map(_STARS.fullmatch, stars)) else None
    if not _OF.fullmatch(first):
        return None
    found = [_OF.fullmatch(str(text).strip()) for text in texts]
    if not all(found) or len({match[2] for match in found if match}) > 1:
        return None
    values = np.array([float(match[1].replace(",", ".")) for match in found if match])
    return values if (values <= float(found[0][2])).all() else None  # pyright: ignore[reportOptionalSubscript]


def _points_may_part_thousands(texts: pd.Series, found: np.ndarray) -> np.ndarray:
    """Return bool [n], which values have a point that may part thousands; none where one value tells otherwise."""
    for part in (texts.iloc[:1000], texts):  # most columns of fractions show themselves at once
        pointed = part.str.contains(".", regex=False).to_numpy(dtype=bool)
        grouped = part.str.fullmatch(r"[-+]?[1-9]\d{0,2}(\.\d{3})+").to_numpy(dtype=bool)
        if (pointed & ~grouped & np.isfinite(found[: len(part)])).any():
            return np.zeros(len(texts), dtype=bool)
    return grouped


def _with_commas(texts: pd.Series) -> tuple[np.ndarray, str] | None:
    """Return the numbers and an example where all have a decimal comma and nothing else: many, and quickly read."""
    if not texts.str.fullmatch(r"[-+]?\d*,\d+").all() or texts.str.fullmatch(r"[-+]?[1-9]\d{0,2},\d{3}").all():
        return None
    found = pd.to_numeric(texts.str.replace(",", ".")).to_numpy(np.float64)
    return found, f"{shown(texts.iloc[0])} is read as {found[0]:.15g}"


class _Foreign:
    """The values of a column that are not written as programs do.

    Args:
        texts: these values, distinct.
        plain: the other values of the column, ``plain_numbers`` what they are.
    """

    def __init__(self, texts: pd.Series, plain: pd.Series, plain_numbers: np.ndarray) -> None:
        self._parts = [_NUMBER.fullmatch(unified(text)) for text in texts]
        self._bodies = [_ungrouped(match["body"]) if match else "" for match in self._parts]
        self._plain, self._plain_numbers = plain, plain_numbers
        if not any(_is_scaled(match) for match in self._parts):  # "5K" by itself may be a code
            self._parts = [None if match and match["scale"] else match for match in self._parts]
        units = {_unit(match) for match in self._parts if match} - {""}
        if len(units) > 1:  # 5 kg and 250 g are not five and 250
            self._parts = [None if match and _unit(match) else match for match in self._parts]
        self.currencies = tuple(sorted({sign for match in self._parts if match and (sign := _currency(match))}))
        self.comma, self.point = self._meaning(",", "."), self._meaning(".", ",")
        if self.currencies and set(self.currencies) <= _WHOLE:
            self.comma, self.point = self.comma or "thousands", self.point or "thousands"
        self.unsure = self._settle()
        self.numbers = np.array([self._number(n) for n in range(len(self._parts))], np.float64)
        self.reading = self._example(texts)

    def _meaning(self, sign: str, other: str) -> str:
        """Return what the values that leave no choice say of a sign: "decimal", "thousands" or "" for nothing."""
        votes = {_vote(body, sign, other) for body in self._bodies if sign in body}
        plain = self._plain.str.contains(".", regex=False).any() if sign == "." else False
        return "decimal" if "decimal" in votes or plain else "thousands" if "thousands" in votes else ""

    def _settle(self) -> bool:
        """Decide what is still open; return whether it was a guess."""
        open_comma = not self.comma and any("," in body for body in self._bodies)
        open_point = not self.point and any("." in body for body in self._bodies)
        guess = open_comma and not self.point and not self._continues()
        if open_comma:
            self.comma = "decimal" if self.point == "thousands" else "thousands"
        sure = bool(open_point and self.comma == "decimal") or self._continues()
        if open_point:
            self.point = "thousands" if sure else "decimal"
        return guess or (open_point and not sure)

    def _continues(self) -> bool:
        """Return whether plain whole numbers run up to the thousands, where the separators begin."""
        plain = self._plain_numbers[np.isfinite(self._plain_numbers)]
        whole = bool((plain % 1 == 0).all())
        return bool(len(plain)) and whole and _PLAIN_BELOW <= np.abs(plain).max() < 1000

    def _number(self, at: int) -> float:
        match, body = self._parts[at], self._bodies[at]
        if match is None or bool(match["open"]) != bool(match["close"]):
            return np.nan
        # A column of both kinds: every value as it says itself.
        comma, point = _vote(body, ",", ".") or self.comma, _vote(body, ".", ",") or self.point
        body = body.replace(",", "" if comma == "thousands" else "!").replace(".", "" if point == "thousands" else "!")
        if not re.fullmatch(r"\d*(?:!\d*)?", body):
            return np.nan
        number = float(body.replace("!", "."))
        minus = "-" in (match["sign"], match["inner"], match["trail"]) or match["open"]
        number *= _SCALES.get(match["scale"] or "", 1.0)
        return (-number if minus else number) / (100 if match["after"] and "%" in match["after"] else 1)

    def _example(self, texts: pd.Series) -> str:
        for at, body in enumerate(self._bodies):
            if ("," in body or "." in body) and np.isfinite(self.numbers[at]):
                return f"{shown(texts.iloc[at])} is read as {self.numbers[at]:.15g}"
        return ""


def unified(text: str) -> str:
    """Return a text with plain digits, spaces, minus signs and apostrophes, whatever a country writes for them."""
    text = unicodedata.normalize("NFKC", text).replace("−", "-").replace("–", "-").replace("٫", ".").replace("٬", ",")
    text = re.sub("[’‘`´ʼ]", "'", text)
    text = re.sub(r"(?<=\d)[.,](-++|—)(?=\D*$)", "", text)  # 5,- is five and nothing
    return "".join(str(unicodedata.digit(sign)) if sign.isdigit() and not sign.isascii() else sign for sign in text)


def _ungrouped(body: str) -> str:
    """Return a body without spaces or apostrophes that part its thousands; others stay and make it no number."""
    body = body.rstrip("'")
    return re.sub(r"[\s']", "", body) if _SPACED.fullmatch(body) else body


def _vote(body: str, sign: str, other: str) -> str:
    """Return what a single value says of a sign in it: "decimal", "thousands", "" where it may be both."""
    if sign not in body:
        return ""
    if other in body:
        return "decimal" if body.rindex(sign) > body.rindex(other) else "thousands" if _parted(body, sign) else ""
    if body.count(sign) > 1:
        return "thousands" if _parted(body, sign) else ""
    before, _, after = body.partition(sign)
    return "" if len(after) == 3 and 1 <= len(before) <= 3 and before != "0" and before[0] != "0" else "decimal"


def _parted(body: str, sign: str) -> bool:
    """Return whether a sign parts groups of three digits (or India's of two) before any fraction."""
    whole = body.split({",": ".", ".": ","}[sign])[0]
    grouped = re.fullmatch(rf"\d{{1,3}}(\{sign}\d{{3}})+", whole) is not None
    return grouped or (sign == "," and _INDIAN.fullmatch(whole) is not None)


def _is_scaled(match: re.Match[str] | None) -> bool:
    """Return whether a number surely counts thousands or more: 1.5k, 2万."""
    return match is not None and bool(match["scale"]) and (not match["scale"].isascii() or not match["body"].isdigit())


def _unit(match: re.Match[str]) -> str:
    """Return the unit behind a number, "" for none and for a share of a hundred, which is a number itself."""
    found = (match["after"] or "").strip().lower()
    return found if found != "%" and re.fullmatch(_UNITS, found) else ""


def _currency(match: re.Match[str]) -> str:
    found = match["before"] or match["after"] or ""
    return found.strip(" .").upper() if re.fullmatch(_CURRENCY, found, re.IGNORECASE) else ""
