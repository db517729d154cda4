"""What the values of a column speak for, and against: is it a flag, a tier, a line number, a duration, a time?"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from grouprec.data.roles.behaviours import BEHAVIOUR_WEIGHTS, behaviour_weight
from grouprec.data.roles.header_words import (
    ANY_ID,
    CATEGORY,
    COUNTED,
    DURATION,
    MEASURE,
    header_words,
    means,
    says,
    simple_name,
)
from grouprec.data.roles.line_numbers import is_line_number
from grouprec.data.roles.outcomes import is_flag, tells_outcome
from grouprec.data.roles.usual_names import HEADING, NAMELESS
from grouprec.data.values.common import distinct_values, is_missing, plain_texts, shown, word_set
from grouprec.data.values.ids import encode_ids
from grouprec.data.values.numerals import is_numeric, to_numbers
from grouprec.data.values.times import read_times, to_clock

_FEW_KINDS = 8
_FEW_WORDS, _MANY_ROWS = 12, 50  # so few different words in so many rows are kinds, and no ids
_TIERS = word_set(
    "gold silver bronze platinum diamond premium basic standard free vip plus pro trial new returning existing",
    "retail wholesale guest registered consumer corporate neu bestandskunde stammkunde oro plata argento prata ouro",
    "zloty",
)
_PLAIN_ITEM = re.compile(
    r"(?:item|product|sku|article|plan|subscription|artikel|produkt|producto|prodotto|produit|produto)s?(?:id|code|name)?"
)
_MAIL = r"[^@\s]+@[^@\s][^@\s.]*\.[^@\s]+"
_SPAN = re.compile(
    r"\d{1,3}:\d{2}(:\d{2})?|(\d+\s*(h|hr|hrs|hours?|m|mins?|minutes?|s|secs?|seconds?|std)\.?\s*)+", re.IGNORECASE
)
_SEVERAL = re.compile("(?:unique|new|returning|active|total)?(?:visitors|users|sessions|besucher|visiteurs|visitantes)")
_RATINGS = {5.0, 10.0}
_LAST_HOUR = 23
_LEAST_COUNT, _OUR_DAYS = 9e8, 9.4e8  # plain numbers are times only where they would lie after 1999, in whatever unit
_MOST, _MANY_DATES = 0.9, 5
_BOTH = 2  # user and item
_TOGETHER = 0.2  # share of rows that are of the same as the one above, from which on a file is sorted by it
MOST_CIRCUMSTANCES, _ROWS_EACH = 30, 10
_ITEMS_EACH = 2  # that share a word which says of which kind they are, on average
_WORDY, _LONG_TEXT = 0.3, 15  # share of texts of several words; characters of texts that are written without spaces
_FRACTIONS = 0.05  # share of values with a fraction from which on they are no ids
_MOST_BEHAVIOURS = 20
_SIZES = 5  # different counts, at least
_FEWEST_CALLED, _SEVERAL_ROWS = 3, 20  # different users or items, at least, of so many rows
_LOOKED_AT, _MOST_WORDS = 200, 6.0  # values, and words of one of them on average up to which it may be a name
_NOBODY = ("-1", "na")
_SHORT_NAME, _LONG_NUMBER = 3, 5  # letters of a header that says nothing; digits of a number that is no measurement
_NAMES_EACH = 3  # different names of an item, at most, on average


def objection(role: str, column: pd.Series, strict: bool) -> str | None:
    """Return why a column cannot be the user or the item, as the end of a sentence; None where nothing is against it.

    Args:
        role: "user" or "item".
        column: of the first rows.
        strict: the header says little, so the values have to speak for it, too.
    """
    if is_flag(column, digits=strict):
        return f"it holds only {_examples(column)}"
    words = _tier_words(column)
    names = role == "item" and len(words) > _FEW_KINDS and share_spaced(column) > 0.5  # kinds are single words
    sold = role == "item" and not strict and _PLAIN_ITEM.fullmatch(simple_name(str(column.name)))  # plans are, too
    if words and not names and not sold and (strict or words & _TIERS):
        return f"it holds only {column.nunique()} different words ({_examples(column)})"
    if strict and is_line_number(column):
        return "it counts the lines of something"
    if is_duration(column):
        return "it holds durations"
    if says(MEASURE, str(column.name)) and is_numeric(column.dropna()):
        return "it holds measurements"
    if role == "user" and _SEVERAL.fullmatch(simple_name(str(column.name))) and is_numeric(column.dropna()):
        return "it counts them"
    return _amounts(column)


def _amounts(column: pd.Series) -> str | None:
    """Return that a column holds amounts or counts, as the end of a sentence; None for another one."""
    values = column.dropna()
    if values.empty or not is_numeric(values):
        return None
    numbers = to_numbers(values)
    if (np.isfinite(numbers) & (numbers % 1 != 0)).mean() > _FRACTIONS:
        return "it holds amounts"
    return "it counts or adds up" if COUNTED.match(str(column.name)) else None


def _examples(column: pd.Series) -> str:
    values = [shown(value) for value in column.dropna().unique()[:3]]
    return " and ".join(values) if len(values) < 3 else ", ".join(values)


def _tier_words(column: pd.Series) -> set[str]:
    """Return the words of a column of kinds: few, in many rows, without digits; an empty set for another column."""
    values = column.dropna()
    if not 0 < values.nunique() <= _FEW_WORDS or values.nunique() * 4 > len(values):
        return set()
    words = {simple_name(str(value)) for value in values.unique()}
    if any(re.search(r"[\d@]", str(value)) for value in values.unique()):
        return set()
    return words if len(values) >= _MANY_ROWS or words & _TIERS else set()


def word_of_values(column: pd.Series) -> str:
    """Return the word that all values begin with before their numbers: "user" of user_000017; "" for none."""
    texts = plain_texts(distinct_values(column.dropna())[1])
    words = texts.str.extract(r"^([^\W\d_]{4,})[-_ :#.]?\d+$")[0]
    same = set(words.str.casefold()) if len(words) > 1 and words.notna().all() else set()
    return str(words.iloc[0]) if len(same) == 1 else ""


def is_duration(column: pd.Series) -> bool:
    """Return whether a column holds lengths of time: by its name where it has numbers, else as 3:45 or 2 h 5 min."""
    values = column.dropna()
    if values.empty:
        return False
    if is_numeric(values):
        return says(DURATION, str(column.name))
    texts = plain_texts(distinct_values(values)[1]).head(200)
    return bool(np.mean([_SPAN.fullmatch(text) is not None for text in texts.astype(object)]) > 0.9)


def is_mail(column: pd.Series) -> bool:
    """Return whether a column holds e-mail addresses."""
    texts = plain_texts(column.dropna())
    return bool(len(texts)) and bool(texts.str.fullmatch(_MAIL).mean() > 0.9)


def looks_like_time(column: pd.Series) -> bool:
    """Return whether most values are moments; plain numbers only where all would lie in our days."""
    values = column.dropna()
    if values.empty:
        return False
    if is_numeric(values) and _says_id(str(column.name)):
        return False
    found = read_times(values)
    if is_numeric(values):
        # Calendar dates count where they are many: a code or two may look like one.
        dates = found.units == ("dates",) and values.nunique() >= _MANY_DATES and np.isfinite(found.seconds).all()
        with np.errstate(invalid="ignore"):
            ours = (to_numbers(values) > _LEAST_COUNT) & (found.seconds > _OUR_DAYS)
        return bool(dates or ours.mean() > _MOST)
    among = bool({"seconds", "years", "months"} & set(found.units))  # "7" beside "NA" is no moment
    return not among and bool(np.isfinite(found.seconds).mean() > _MOST)


def _says_id(name: str) -> bool:
    """Return whether a header says that it is an id, and of no moment: numbers counted up look like seconds."""
    words = header_words(name)
    return bool(words) and (ANY_ID.fullmatch(words[-1]) is not None) and means("time", name) is None


def is_readable_time(column: pd.Series) -> bool:
    """Return whether at least half of the values can be read as moments."""
    values = column.dropna()
    return len(values) > 0 and bool(np.isfinite(read_times(values).seconds).mean() >= 0.5)


def is_calendar(column: pd.Series) -> bool:
    """Return whether most values are moments of our days, and not counts of days or minutes from some beginning."""
    seconds = read_times(column.dropna()).seconds
    with np.errstate(invalid="ignore"):
        return len(seconds) > 0 and bool((seconds > _OUR_DAYS).mean() > _MOST)


def is_clock(column: pd.Series) -> bool:
    """Return whether a column holds times of day without a date, maybe as 705 and 2359."""
    values = column.dropna()
    if len(values) and is_numeric(values):
        numbers = to_numbers(values)
        if (numbers % 1 != 0).any():
            return bool(np.isfinite(to_clock(values)).mean() > 0.9)  # Excel's fractions of a day
        four = numbers.max() >= 1000 and values.nunique() >= _MANY_DATES
        within = (numbers >= 0).all() and (numbers < 100 * (_LAST_HOUR + 1)).all() and (numbers % 100 < 60).all()
        return bool(four and within)
    return len(values) > 0 and bool(np.isfinite(to_clock(values)).mean() > 0.9)


def is_date_only(column: pd.Series) -> bool:
    """Return whether the moments of a column have no time of day."""
    seconds = read_times(column).seconds
    return bool((seconds[np.isfinite(seconds)] % 86_400 == 0).all())


def looks_like_behaviour(column: pd.Series) -> bool:
    """Return whether most of few different words name something that people do."""
    names = {str(value) for value in column.dropna().unique()[: _MOST_BEHAVIOURS + 1]}
    known = [name for name in names if behaviour_weight(name, BEHAVIOUR_WEIGHTS) is not None]
    return 0 < len(names) <= _MOST_BEHAVIOURS and len(known) * 2 > len(names)


def looks_like_rating(column: pd.Series) -> bool:
    """Return whether a column holds judgements of 1 to 5 or 10, in halves at most."""
    values = column.dropna()
    if len(values) < 5 or not is_numeric(values):
        return False
    numbers = to_numbers(values)
    return bool(
        numbers.max() in _RATINGS and numbers.min() >= 0 and (numbers * 2 % 1 == 0).all() and values.nunique() <= 20
    )


def looks_like_ids(column: pd.Series, least: int | None = None) -> bool:
    """Return whether the values could be ids: text or whole numbers, of which many come again.

    Args:
        least: so many different words may be ids though the header says kinds; None for no such header.
    """
    values = column.dropna()
    if values.empty or (is_numeric(values) and (to_numbers(values) % 1 != 0).any()):
        return False
    if says(CATEGORY, str(column.name)) and (least is None or is_numeric(values)):
        return False
    return max(1, (least or 2) - 1) < values.nunique() <= 0.8 * len(values)


def looks_like_counts(column: pd.Series) -> bool:
    """Return whether a column without a name may say how often: whole numbers from 1 on, of several sizes, no times."""
    values = column.dropna()
    if len(values) < len(column) or not is_numeric(values) or looks_like_time(values):
        return False
    numbers = to_numbers(values)
    falls = bool((np.diff(numbers) < 0).any())  # numbers of rows only rise
    whole = bool(numbers.min() >= 1 and (numbers % 1 == 0).all())
    return falls and whole and _SIZES <= len(np.unique(numbers)) < len(numbers)


def may_identify(column: pd.Series) -> bool:
    """Return False for a column of measurements or of sentences: whatever else it is, nobody is called so.

    Numbers identify where their header says so or says nothing, or where they are long and of one length.
    """
    values, name = column.dropna(), str(column.name)
    if values.empty or (values.nunique() < _FEWEST_CALLED and len(values) >= _SEVERAL_ROWS):
        return False
    if not is_numeric(values):
        some = values.head(_LOOKED_AT).astype("str").str.count(r"\S+")
        return bool(some.mean() <= _MOST_WORDS)
    if _says_nothing(name) or any(ANY_ID.fullmatch(word) or word.endswith("id") for word in header_words(name)):
        return True
    lengths = plain_texts(values.astype("str")).str.len()
    return bool(lengths.min() == lengths.max() and lengths.min() >= _LONG_NUMBER)


def _says_nothing(name: str) -> bool:
    """Return whether a header says nothing that could speak against ids: none, very short, in letters unknown here."""
    known = name.isascii() and name != HEADING and not NAMELESS.fullmatch(name)
    return not known or len(simple_name(name)) <= _SHORT_NAME


def are_alike(table: pd.DataFrame) -> bool:
    """Return whether two named columns hold the same people or things, as words: who reports, and who is assigned."""
    one, other = (set(table[column].dropna().unique()) for column in table.columns)
    words = not any(_says_nothing(str(column)) or is_numeric(table[column].dropna()) for column in table.columns)
    return words and len(one & other) > 0.5 * min(len(one), len(other))


def mostly_numbers(column: pd.Series) -> bool:
    """Return whether at least half of the values that are there are numbers; without any, False."""
    values = column.dropna()
    return len(values) > 0 and bool(np.isfinite(to_numbers(values)).mean() >= 0.5)


def share_spaced(column: pd.Series) -> float:
    """Return the share of values that are several words: names are, codes are not."""
    return float(column.dropna().astype("str").str.contains(r"\w \w").mean()) if column.notna().any() else 0.0


def share_there(column: pd.Series) -> float:
    """Return the share of rows in which somebody is named: neither empty nor a word or a number for nobody."""
    if not len(column):
        return 0.0
    texts = plain_texts(column)
    return 1 - float((column.isna() | is_missing(texts) | texts.str.lower().isin(_NOBODY)).mean())


def usual_length(column: pd.Series) -> float:
    """Return how many characters a value has, on average; 0 without any."""
    values = column.dropna()
    return float(values.astype("str").str.len().mean()) if len(values) else 0.0


def is_said(column: pd.Series) -> bool:
    """Return whether a column holds texts that people write: many different ones, of several words or long."""
    values = column.dropna()
    if (
        len(values) < _FEW_WORDS
        or is_numeric(values)
        or is_flag(values)
        or pd.api.types.is_datetime64_any_dtype(values)
    ):
        return False
    return values.nunique() > _FEW_WORDS and (share_spaced(values) > _WORDY or usual_length(values) >= _LONG_TEXT)


def is_name_of(label: pd.Series, item: pd.Series) -> bool:
    """Return whether a column can name the items: one has a few of it at most, and not all have the same.

    Args:
        label: of the first rows, ``item`` beside it.
    """
    items, _ = encode_ids(item)
    labels, distinct = encode_ids(label)
    known = (items >= 0) & (labels >= 0)
    n_items = len(np.unique(items[known]))
    pairs = len(np.unique(items[known] * np.int64(len(distinct)) + labels[known]))
    return pairs <= _NAMES_EACH * n_items and (len(distinct) > 1 or n_items < _MANY_DATES)


def belongs_to(column: pd.Series | np.ndarray, owner: pd.Series | np.ndarray, rows_each: float = 1 / 0.9) -> bool:
    """Return whether a column differs between owners (users or items) and hardly ever within one.

    Args:
        column: of the first rows, ``owner`` beside it; each as it is or as codes (:func:`encode_ids`).
        rows_each: with fewer rows an owner the column says nothing.
    """
    values, owners = (one if isinstance(one, np.ndarray) else encode_ids(one)[0] for one in (column, owner))
    n_values = int(values.max(initial=-1)) + 1
    known = (owners >= 0) & (values >= 0)
    pairs = len(np.unique(owners[known] * np.int64(n_values) + values[known]))
    n_owners = len(np.unique(owners[known]))
    return n_values > 1 and pairs <= 1.05 * n_owners and n_owners * rows_each < known.sum()


def without_kinds(table: pd.DataFrame, least: int) -> list[str]:
    """Return the columns, without nameless ones of few values where ``least`` others have many."""
    columns = [str(column) for column in table.columns]
    many = [column for column in columns if not NAMELESS.fullmatch(column) or table[column].nunique() > _FEW_KINDS]
    return many if len(many) >= least else columns


def without_facts(table: pd.DataFrame, least: int) -> list[str]:
    """Return the columns that may be users or items, without facts about another one.

    Of a file without a header, where two texts are left for both, numbers beside them are counts.

    A fact is the same in all rows of what it is about, and of several: the category of an item. Where the rows of one
    stand together it may be an order or a session, and what is the same in it a user: that tells nothing.

    Args:
        table: the first rows of these columns.
        least: so many columns are looked for.
    """
    columns = [str(column) for column in table.columns]
    codes = {column: encode_ids(table[column])[0] for column in columns}
    apart = [column for column in columns if (np.diff(codes[column]) == 0).mean() < _TOGETHER]
    pairs = [(one, owner) for one in columns for owner in apart if one != owner]
    facts = {
        one for one, owner in pairs if belongs_to(table[one], codes[owner]) and not belongs_to(table[owner], codes[one])
    }
    left = [column for column in columns if column not in facts]
    words = [column for column in left if not is_numeric(table[column].dropna())]
    nameless = all(map(NAMELESS.fullmatch, columns))
    return words if nameless and least == len(words) == _BOTH else left


def are_one_moment(table: pd.DataFrame) -> bool:
    """Return whether columns of moments differ by less than a day in nearly all rows: sent, received, stored."""
    seconds = [read_times(table[column]).seconds for column in table.columns]
    with np.errstate(invalid="ignore"):
        return all(bool((np.abs(one - seconds[0]) < 86_400).mean() > _MOST) for one in seconds[1:])


def is_kind(column: pd.Series, item: pd.Series) -> bool:
    """Return whether a column holds words that several items share, as categories are; ``item`` stands beside it."""
    codes, values = encode_ids(column)
    n_items = len(np.unique(encode_ids(item)[0][codes >= 0]))
    if not 2 <= len(values) <= n_items / _ITEMS_EACH or is_numeric(column) or is_flag(column):
        return False
    return not looks_like_time(column)


def is_context(column: pd.Series, item: pd.Series) -> bool:
    """Return whether a column says under which circumstances a row came about: a device, a place, a channel.

    Words of which few are different, each of them on many rows, and not the same for all rows of an item.

    Args:
        column: of the first rows, ``item`` beside it.
    """
    codes, values = encode_ids(column)
    known = int((codes >= 0).sum())
    if not 2 <= len(values) <= MOST_CIRCUMSTANCES or known < _ROWS_EACH * len(values):
        return False
    if is_numeric(column) or is_flag(column) or tells_outcome(column) or looks_like_behaviour(column):
        return False
    return not belongs_to(column, item)
