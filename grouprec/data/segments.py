"""Texts of scripts that write no spaces, cut into words: Chinese by jieba (Sun 2012), where it is installed.

Without it texts stay as they are, and readers by words fall back to runs of letters.
"""

from __future__ import annotations

import importlib.util
import logging
import re
from collections.abc import Iterable
from functools import cache
from types import ModuleType

from grouprec.core.errors import SettingError

_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff]"
_KANA = re.compile(r"[\u3040-\u30ff]")  # Japanese writes Han characters, too, but other words with them
_BETWEEN = re.compile(rf"(?<={_HAN}) (?={_HAN})")
MOSTLY = 0.5  # share of the texts that have to be Chinese


def are_chinese(texts: Iterable[str]) -> bool:
    """Return whether most texts that hold a letter are Chinese, and jieba is there to cut them."""
    texts = list(texts)
    if re.search(_HAN, "\n".join(texts)) is None or importlib.util.find_spec("jieba") is None:
        return False
    told = [text for text in texts if re.search(r"[^\W\d_]", text)]
    chinese = sum(1 for text in told if re.search(_HAN, text) and not _KANA.search(text))
    return chinese > MOSTLY * len(told)


def cut(text: str) -> str:
    """Return a text with spaces between its words.

    Raises:
        SettingError: jieba is not installed.
    """
    return " ".join(word for word in _jieba().lcut(text) if word.strip())


def closed_up(text: str) -> str:
    """Return a text without spaces between Chinese characters, as people write it."""
    return _BETWEEN.sub("", text)


@cache
def _jieba() -> ModuleType:
    try:
        import jieba
    except ImportError:
        raise SettingError(
            "These texts were cut into words by jieba, which is not installed: pip install 'grouprec-studio[chinese]'."
        ) from None
    jieba.setLogLevel(logging.WARNING)  # it tells of its dictionary otherwise
    return jieba
