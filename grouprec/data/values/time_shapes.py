"""What a text like ``Mo, 9. März 99:99`` is as a moment: which digits are the day, which the hour, and so on.

Texts of one column have few shapes: their digits written as 9. A shape is understood once, word by word, and then says
for all its texts which digits to cut out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from grouprec.data.values.common import folded
from grouprec.data.values.time_words import AFTERNOON, BEFORE, FILLERS, MONTHS, MORNING, ZONES

Span = tuple[int, int]

_SIGNS = "年月日号號日時时点點分秒년월일시분초"
_MARKS = {"年": "year", "月": "month", "日": "day", "号": "day", "號": "day", "년": "year", "월": "month", "일": "day"}
_CLOCK_MARKS = dict.fromkeys("時时点點시", "hour") | dict.fromkeys("分분", "minute") | dict.fromkeys("秒초", "second")
# Written without a space before the hour: of other scripts one may be the beginning of a month (م of مارس).
_HALVES = "|".join(sorted((word for word in MORNING | AFTERNOON if word > "\u2e80"), key=len, reverse=True))
_LETTER = rf"(?:[^\W\d_{_SIGNS}]|[\u0e31-\u0e4e])"  # Thai vowels are signs above letters
_TOKEN = re.compile(rf"9+|{_HALVES}|[{_SIGNS}]|{_LETTER}+(?:\.{_LETTER}+)*")
_HALF_APART = re.compile(r"\b([ap])\.\s(?=m\b)", re.IGNORECASE)  # as Spanish writes it: 8:21 a. m.
_JOINED = re.compile(r"9999[-_]99[-_]99[-_]99[-_]99(?:[-_]99)?(?!9)")  # as file names have it
_BESIDE_THE_POINT = re.compile(
    r"\[[^\[\]]*\]|[(（][月火水木金土日一二三四五六][)）]|(?:星期|周|週)[一二三四五六日天]|[月火水木金土日]曜日?"
)
_CLOCK = re.compile(
    r"(?:(?<=9999:)|(?<![9:]))(9{1,2})\s*[:h]\s?(99)(?:\s*[:m]\s?(99)s?(?:[.,:](9{1,9}))?|[.,](9{3,9}))?(?![9:])",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:(?:gmt|utc)\s*)?([-+])(9{1,2}):?(99)?(?::99)?(?![9:])", re.IGNORECASE)
_DOTTED_CLOCK = re.compile(r"(?<=\s)(9{1,2})\.(99)(?:\.(99)(?:\.(9{1,9}))?)?(?=$|\s*[ap])", re.IGNORECASE)


@dataclass
class Shape:
    """Where the parts of a moment stand in a text, as (start, end) of its signs.

    Attributes:
        spans: year, month, day, hour, minute, second, fraction, offset hours and minutes, as far as they are there.
        month: that a word tells, 0 where digits do.
        half: 0 or 12 where the clock has twelve hours, None where it has 24.
        zone: seconds east of Greenwich that a word or sign tells; with offset digits the sign, 1 or -1.
        unordered: two or three spans whose order the whole column decides: day and month, or the year, too.
        dotted: whether points part these.
    """

    spans: dict[str, Span] = field(default_factory=dict)
    month: int = 0
    half: int | None = None
    zone: int = 0
    unordered: tuple[Span, ...] = ()
    dotted: bool = False


def understand(shape: str, dated: bool = True) -> Shape | None:
    """Return where a text's parts stand, None where it is no moment.

    Args:
        shape: a text, its digits written as 9.
        dated: a date is needed; False where only a clock is looked for, and a date would be too much.
    """
    if "9" not in shape or len(shape) > 80:
        return None
    found = Shape()
    rest = _BESIDE_THE_POINT.sub(lambda match: " " * len(match[0]), shape)
    rest = _HALF_APART.sub(r"  \1", rest)
    rest = _take_clock(rest, found, dated)
    words: list[tuple[str, Span]] = []
    digits: list[tuple[str, Span]] = []
    for match in _TOKEN.finditer(rest):
        (digits if match[0][0] == "9" else words).append((match[0], match.span()))
    for _, span in words:
        rest = _blank(rest, *span)
    if not _take_words(words, digits, found):
        return None
    for span in found.spans.values():
        rest = _blank(rest, *span)
    clocked = "hour" in found.spans
    if not dated:
        return found if clocked and not digits and not found.month else None
    if not clocked and (found.half is not None):
        return None
    return found if _take_date(rest, digits, found) else None


def _blank(text: str, start: int, stop: int) -> str:
    return text[:start] + " " * (stop - start) + text[stop:]


def _take_clock(rest: str, found: Shape, dated: bool) -> str:
    """Find hours, minutes, seconds and the zone behind them; return the text with these blanked out."""
    if re.match(r"9999:99:99(?!9)", rest):  # dates as cameras write them
        rest = rest[:4] + "/" + rest[5:7] + "/" + rest[8:]
    if re.match(r"9999-99-99-99\.99\.99(?!9)", rest):  # and as DB2 does
        rest = f"{rest[:10]} {rest[11:13]}:{rest[14:16]}:{rest[17:]}"
    if _JOINED.match(rest):
        rest = f"{rest[:10].replace('_', '-')} {rest[11:].replace('_', ':').replace('-', ':')}"
    if compact := re.search(r"(?<=99999999)[T ](99)(99)(99)?(?!9)", rest):
        found.spans |= _spans(compact, ("hour", "minute", "second"))
        return _take_zone(_blank(rest, *compact.span()), compact.end(), found)
    match = _CLOCK.search(rest) or (_DOTTED_CLOCK.search(rest) if dated else None)
    if match is None:
        return rest
    names = ("hour", "minute", "second", "fraction", "fraction")[: len(match.groups())]
    found.spans |= _spans(match, names)
    return _take_zone(_blank(rest, *match.span()), match.end(), found)


def _take_zone(rest: str, after: int, found: Shape) -> str:
    """Find an offset like +01:00 behind the clock; words in brackets behind it say the same again."""
    match = _OFFSET.search(rest, after)
    if match is None or rest[after : match.start()].strip(" apmAPM.z"):
        return rest
    found.zone = 1 if match[1] == "+" else -1
    found.spans["offset hours"] = match.span(2)
    if match[3]:
        found.spans["offset minutes"] = match.span(3)
    rest = _blank(rest, *match.span())
    bracket = re.compile(r"\([^()9]*\)").search(rest, match.end())
    return _blank(rest, *bracket.span()) if bracket else rest


def _spans(match: re.Match[str], names: tuple[str, ...]) -> dict[str, Span]:
    return {name: match.span(n) for n, name in enumerate(names, 1) if match[n]}


def _take_words(words: list[tuple[str, Span]], digits: list[tuple[str, Span]], found: Shape) -> bool:
    """Take months, halves of the day, zones and marks of the words; return False where one says something else."""
    for word, span in words:
        name = folded(word).rstrip(".")
        mark = _MARKS.get(word) or _CLOCK_MARKS.get(word)
        before = next((run for run in digits if run[1][1] <= span[0] and span[0] - run[1][1] <= 1), None)
        behind = next((run for run in digits if 0 <= run[1][0] - span[1] <= 1), None)
        if mark and before is not None:
            digits.remove(before)
            found.spans[mark] = before[1]
        elif name in BEFORE and behind is not None:
            digits.remove(behind)
            found.spans[BEFORE[name]] = behind[1]
        elif name in MORNING or name in AFTERNOON or (name in ("a", "p") and "hour" in found.spans):
            found.half = 12 if name in AFTERNOON or name == "p" else 0
            _take_hour(digits, span, found)
        elif name in MONTHS:
            found.month = MONTHS[name]  # of two the last: "mar" is a Tuesday, too
        elif name in ZONES and "hour" in found.spans and span[0] > found.spans["hour"][0]:
            found.zone = found.zone if "offset hours" in found.spans else ZONES[name]
        elif name not in FILLERS:
            return False
    return True


def _take_hour(digits: list[tuple[str, Span]], half: Span, found: Shape) -> None:
    """Take ``8`` of ``8 am`` where no clock was found."""
    near = [run for run in digits if len(run[0]) <= 2 and 0 <= half[0] - run[1][1] <= 1]
    if "hour" not in found.spans and near:
        found.spans["hour"] = near[0][1]
        digits.remove(near[0])


def _take_date(rest: str, digits: list[tuple[str, Span]], found: Shape) -> bool:
    """Give the remaining digits to year, month and day."""
    lengths, spans = [len(run) for run, _ in digits], [span for _, span in digits]
    told = {"year", "month", "day"} & found.spans.keys()
    if told and len(told) + len(digits) == 3 and "month" in told and not found.month:  # 3 tháng 1, 2024
        rest_of = {"year": [n == 4 for n in lengths], "day": [n <= 2 for n in lengths]}
        for name in ("year", "day"):
            if name not in told and any(rest_of[name]):
                found.spans[name] = spans[rest_of[name].index(True)]
        return {"year", "day"} <= found.spans.keys()
    if "year" in found.spans or ("month" in found.spans and "day" in found.spans):
        return not digits and "year" in found.spans and "month" in found.spans
    if lengths == [8]:
        start = spans[0][0]
        cuts = (start, start + 4), (start + 4, start + 6), (start + 6, start + 8)
        found.spans |= dict(zip(("year", "month", "day"), cuts, strict=True))
        return found.month == 0
    if any(length > 2 and length != 4 for length in lengths):
        return False
    long = [span for length, span in zip(lengths, spans, strict=True) if length == 4]
    short = [span for length, span in zip(lengths, spans, strict=True) if length <= 2]
    if found.month:
        if len(long) == 1 and len(short) <= 1:
            found.spans["year"] = long[0]
        elif not long and (len(short) == 2 or (len(short) == 1 and re.fullmatch(r"\s+[-'’/]\s?99\s*", rest))):
            found.spans["year"] = short.pop()  # 3 Jan 24, and Jan-24
        else:
            return False
        found.spans |= {"day": short[0]} if short else {}
        return True
    return _take_plain_date(rest, spans, long, short, found)


def _take_plain_date(rest: str, spans: list[Span], long: list[Span], short: list[Span], found: Shape) -> bool:
    """Give three numbers, or a month and a year, without any word."""
    if not re.fullmatch(r"[\s,'’]*9+([-/. ]\s?9+){1,2}[\s,:.()–-]*", rest) or len(long) > 1:
        return False
    found.dotted = "." in rest[spans[0][0] : spans[-1][1]]
    if len(long) == 1 and spans[0] == long[0]:
        names = ("year", "month", "day")
        found.spans |= dict(zip(names, spans, strict=False))
    elif len(long) == 1 and spans[-1] == long[0]:
        found.spans["year"] = long[0]
        if len(short) == 1:
            found.spans["month"] = short[0]
        else:
            found.unordered = tuple(short)
    elif len(short) == 3:
        found.unordered = tuple(short)
    else:
        return False
    return True
