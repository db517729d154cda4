"""Bytes -> the name of their encoding.

What is valid UTF-8 is UTF-8. For everything else the encoding is taken under which the text is likeliest: every
candidate decodes the words that are not ASCII, and the letters are priced by how often the languages written in that
encoding use them (grouprec/data/reading/alphabets.py). docs/decisions/0025-encodings.md has the comparison.
"""

from __future__ import annotations

import codecs
import functools
import re
import threading

from grouprec.core.types import SettingError
from grouprec.data.reading.alphabets import HANGUL, LATIN, OTHER, letter_costs, sign_cost, spelling_cost, unknown_cost

BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is its beginning
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
KEEP_BYTES = "grouprec.bytes"  # what to do about a decoding error: the byte becomes the character of its number
MIXED = "mixed"  # UTF-8 and, in some lines, one of the others
_WESTERN = ("german", "french", "spanish", "portuguese", "italian", "nordic", "western", "icelandic")
_CENTRAL = ("polish", "czech", "slovak", "hungarian", "romanian", "south slavic")
_CYRILLIC = ("russian", "ukrainian", "bulgarian", "serbian")
# Codec -> the languages written in it. Of codecs that give the same text the first one is named.
SINGLE = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1251": _CYRILLIC,
    "cp1253": ("greek",),
    "cp1254": ("turkish",),
    "cp1255": ("hebrew",),
    "cp1256": ("arabic",),
    "cp1257": ("latvian", "lithuanian", "estonian"),
    "cp1258": ("vietnamese",),
    "cp874": ("thai",),
    "koi8-r": ("russian", "bulgarian"),
    "koi8-u": ("ukrainian",),
    "cp866": ("russian", "bulgarian"),
    "mac-cyrillic": ("russian", "ukrainian"),
    "iso8859-5": ("russian", "serbian", "bulgarian"),
    "iso8859-2": _CENTRAL,
    "iso8859-7": ("greek",),
    "iso8859-9": ("turkish",),
    "iso8859-13": ("latvian", "lithuanian", "estonian"),
    "iso8859-15": _WESTERN,
    "mac-roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
    "cp857": ("turkish",),
    "cp862": ("hebrew",),
    "cp737": ("greek",),
}
_PRIOR = {"cp1252": 3.0, "cp1250": 1.0, "cp1251": 1.0}  # how much commoner an encoding is, as a log probability
MULTI = ("cp932", "euc_jp", "cp949", "gb18030", "big5")
_COMMON = {  # codec in which the frequent characters of a language stand first, and where they end
    "cp932": ("shift_jis", 0x98),
    "euc_jp": ("shift_jis", 0x98),
    "gb18030": ("gb2312", 0xD8),
    "big5": ("big5", 0xC7),
}
_WORD = rb"[^\x00-\x20,;|\x80-\xff]*[\x80-\xff][^\x00-\x20,;|]*"
# Only where a word begins: else a long one in ASCII is gone through from each of its letters.
_WORDS = re.compile(rb"(?<![^\x00-\x20,;|])" + _WORD + rb"(?: " + _WORD + rb")*")
_LOOKED_AT, _MOST_WORDS = 200_000, 500  # characters and words that tell whether a text was encoded twice
_SAMPLE = 2500  # bytes of distinct words that are looked at
NAMES = ("utf-8", "utf-16", "utf-32", *SINGLE, *MULTI, "latin-1", MIXED)


def _keep_bytes(error: UnicodeError) -> tuple[str, int]:
    """Return bytes that an encoding does not have as control characters: distinct ids stay distinct."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _kept.n = kept_bytes() + error.end - error.start
    return error.object[error.start : error.end].decode("latin-1"), error.end


def kept_bytes() -> int:
    """Return how many bytes this thread has met so far that an encoding does not have."""
    return getattr(_kept, "n", 0)


_kept = threading.local()
codecs.register_error(KEEP_BYTES, _keep_bytes)


def check_name(name: str) -> str:
    """Return the codec that a person named.

    Raises:
        SettingError: there is no such encoding.
    """
    plain = name.strip().lower().replace("cp-", "cp")
    if plain in ("", MIXED):
        return plain
    try:
        found = codecs.lookup(plain)
        if found._is_text_encoding:  # type: ignore[attr-defined]  # base64 and their like are codecs, too
            return "utf-8" if found.name == "ascii" else found.name
    except (LookupError, ValueError):
        pass
    raise SettingError(
        f"There is no encoding '{name}'; name one such as {', '.join(NAMES[:8])}, cp932, gb18030 or koi8-r."
    )


def is_utf8(content: bytes) -> bool:
    """Return whether bytes are UTF-8, a last character that is cut off aside."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return False
    return True


def unmarked_utf(content: bytes) -> str | None:
    """Return which UTF-16 or UTF-32 without a mark the bytes are, None where they are neither."""
    if (len(content) >= 8 and len(content) % 4 == 0) or len(content) > 64:
        zeros = [content[offset::4].count(0) / max(len(content) // 4, 1) for offset in range(4)]
        if min(zeros[1:]) > 0.2 and zeros[2] > 0.9 and zeros[3] > 0.9 and zeros[0] < 0.05:
            return "utf-32-le"
        if min(zeros[:3]) > 0.2 and zeros[0] > 0.9 and zeros[1] > 0.9 and zeros[3] < 0.05:
            return "utf-32-be"
    zeros = [content[offset::2].count(0) / max(len(content) // 2, 1) for offset in (0, 1)]
    if max(zeros) > 0.2 and min(zeros) < 0.1 * max(zeros):
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    return None


def legacy_encoding(content: bytes) -> str:
    """Return the likely codec of text that is not UTF-8; cp1252 or latin-1 where nothing speaks for another."""
    words = _words(content)
    best, top = "", float("-inf")
    for codec in (*SINGLE, *MULTI):
        score = _score(words, codec)
        if score > top:
            best, top = codec, score
    if top == float("-inf"):
        return "latin-1"
    if best == "cp1252" and not _decodes(content, best):
        return "latin-1"
    return best


def is_mixed(content: bytes) -> str | None:
    """Return the codec of the other lines where most lines beyond ASCII are UTF-8 and some are not, else None."""
    lines = [line for line in re.split(rb"[\r\n]+", content) if not line.isascii()]
    good = [line for line in lines if is_utf8(line)]
    bad = [line for line in lines if not is_utf8(line)]
    if not good or not bad or len(good) < 0.02 * len(lines):
        return None
    codec = legacy_encoding(b"\n".join(bad))
    words = _words(b"\n".join(good))
    as_legacy, as_utf8 = _score(words, codec), _score(words, "utf-8")
    return codec if as_utf8 > as_legacy else None


def _words(content: bytes) -> list[bytes]:
    """Return distinct words with bytes beyond ASCII, as many as are worth looking at."""
    found: dict[bytes, None] = {}
    size = 0
    for word in (word[:_SAMPLE] for word in _WORDS.findall(content)):
        if word not in found:
            found[word] = None
            size += len(word)
            if size > _SAMPLE:
                break
    return list(found)


def _decodes(content: bytes, codec: str) -> bool:
    try:
        codecs.getincrementaldecoder(codec)().decode(content)
    except UnicodeDecodeError:
        return False
    return True


def _score(words: list[bytes], codec: str) -> float:
    """Return the log probability of the words under a codec, minus infinity where most of them are none of it."""
    texts, broken = [], 0
    for word in words:
        try:
            texts.append(word.decode(codec))
        except UnicodeDecodeError:
            broken += len(word)
    # Single words may be cut off or damaged; a codec under which many cannot be decoded is none.
    if not texts or broken > 0.02 * sum(map(len, words)):
        return float("-inf")
    bad = -12.0 * broken
    if codec in MULTI:
        return bad + sum(_multi_cost(text, codec) for text in texts)
    languages = SINGLE.get(codec, (*LATIN, *OTHER))
    prior = bad + _PRIOR.get(codec, 0.0)
    return prior + max(sum(_word_cost(text, language) for text in texts) for language in languages)


def _word_cost(text: str, language: str) -> float:
    costs, latin = letter_costs(language), language in LATIN
    padded = f" {text} "
    total = 0.0 if latin else spelling_cost(text, language)
    for before, sign, after in zip(padded, padded[1:], padded[2:], strict=False):
        if sign < "\x80":
            # Letters of ASCII inside a word of another script mean that bytes were taken for the wrong letters.
            foreign = not latin and sign.isalpha() and (before > "\x7f" or after > "\x7f")
            total -= 9.0 if foreign and (before.isalpha() or after.isalpha()) else 3.0
            continue
        if not (sign.isalpha() or sign in costs):
            total += sign_cost(sign, before, after)
            continue
        total += costs.get(sign, unknown_cost(sign))
        if latin:
            total -= 2.5  # letters with accents are few beside those of ASCII
        if sign.isupper() and before.islower():
            total -= 6.0  # no language writes a capital after a small letter
    return total


def _multi_cost(text: str, codec: str) -> float:
    total = 0.0
    previous = " "
    for sign in text:
        total += -3.0 if sign < "\x80" else _character_cost(sign, codec)
        # A letter of ASCII beside such a character: bytes of western words look like that all the time.
        if (sign < "\x80" and sign.isalpha() and previous > "\x7f") or (
            sign > "\x7f" and previous < "\x80" and previous.isalpha()
        ):
            total -= 4.0
        previous = sign
    return total


@functools.cache
def _character_cost(sign: str, codec: str) -> float:
    """Return the log probability of a character of Chinese, Japanese or Korean text."""
    japanese = codec in ("cp932", "euc_jp")
    if "\u3041" <= sign <= "\u30ff":
        return -4.0 if japanese else -11.0
    if "\uff61" <= sign <= "\uff9f":  # half-width katakana: a single byte of cp932, so nearly any bytes give them
        return -7.5 if japanese else -14.0
    if "\uac00" <= sign <= "\ud7a3":
        if codec not in ("cp949"):
            return -15.0
        return -5.2 if sign in HANGUL else -8.2 if len(sign.encode("euc_kr")) == 2 else -13.0
    if "\u4e00" <= sign <= "\u9fff":
        if codec not in _COMMON:
            return -13.0  # Korean text hardly uses Chinese characters
        order, end = _COMMON[codec]
        code = _encoded(sign, order)
        return -7.6 if code is not None and code < end else -14.0
    if sign in "、。「」・（）！？：；～【】々〇　，《》“”…—":
        return -7.0
    if "\uff01" <= sign <= "\uff5e":
        return -8.0
    return -15.0


def _encoded(sign: str, codec: str) -> int | None:
    """Return the first byte of a character in a codec."""
    try:
        return sign.encode(codec)[0]
    except UnicodeEncodeError:
        return None


def encoded_twice(text: str) -> tuple[str, str] | None:
    """Return a word of UTF-8 that was taken for a western text and written as UTF-8 again, and what it was.

    None where at most half of the words with foreign letters look like that.
    """
    parts = dict.fromkeys(re.split(r"[\s,;|\"]+", text[:_LOOKED_AT]))
    words = [word for word in parts if not word.isascii()][:_MOST_WORDS]
    found = [(word, once) for word in words if (once := _once(word)) is not None]
    return found[0] if len(found) * 2 > len(words) else None


def _once(word: str) -> str | None:
    try:
        return word.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return None
