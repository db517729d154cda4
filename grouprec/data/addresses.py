"""Web addresses as ids of items: the same page, however somebody came to it, is one item.

``/product/123?utm_source=mail`` is ``/product/123``; ``view.php?id=7&sid=8f3a`` is ``view.php?id=7``. What tells
where a visit came from goes, and what is another one in nearly every row; all other parameters stay.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from html import unescape
from urllib.parse import parse_qsl, urlencode

import numpy as np
import pandas as pd

from grouprec.core.language import _, commas, decimal
from grouprec.data.doubts import Doubt
from grouprec.data.values import shown, word_set

_ADDRESS = r"(?:[a-zA-Z][\w+.-]*://|www\.|/)\S+"
_MOST = 0.5  # share of ids that are addresses, from which on all of them are
_TRACKING = re.compile(r"(?:utm|mc|pk|mtm|piwik|matomo|hsa|ga|_ga|_hs|wt|oly|vero|trk|at|ns)_.+|_ga|_gl|.*clid")
_TRACKERS = word_set(
    "ref referrer referer fbclid igshid sid sessionid session phpsessid jsessionid aff affid affiliate affiliateid",
    "campaignid adid adgroupid matchtype mkwid pcrid locale hl cmpid cmp icid intcid spm scm yclid dclid zanpid",
    "cb cachebuster nonce rnd",
)
_FEWEST_ROWS = 50
_EACH = 0.8  # share of different values from which on a parameter is another one in every row
_FEWEST_PAGES = 20
_TOLD = 5  # names of parameters in a sentence


def merged_addresses(codes: np.ndarray, ids: np.ndarray, column: str) -> tuple[np.ndarray, np.ndarray, list[Doubt]]:
    """Return codes and ids of items of which those that are one page are one, and what to say about it.

    Args:
        codes: int32 [n], -1 where missing.
        ids: object array of str, sorted.
        column: of the file, for the sentence.
    """
    texts = pd.Series(ids, dtype="str")
    if not len(ids) or not (texts.str.fullmatch(_ADDRESS).mean() >= _MOST and texts.str.contains("[?#]").any()):
        return codes, ids, []
    rows = np.bincount(codes[codes >= 0], minlength=len(ids))
    given = [unescape(text) if "&" in text else text for text in ids]
    queries = [parse_qsl(text.partition("#")[0].partition("?")[2], keep_blank_values=True) for text in given]
    dropped, pages = _pages(given, queries, rows)
    keys, group = np.unique([_key(page) for page in pages], return_inverse=True)
    if len(keys) == len(ids) and list(ids) == pages:
        return codes, ids, []
    most = pd.DataFrame({"group": group, "page": pages, "rows": rows}).groupby(["group", "page"])["rows"].sum()
    names = most.sort_values(ascending=False, kind="stable").reset_index().drop_duplicates("group")
    named = names.sort_values("group")["page"].to_numpy(dtype=object)
    merged, at = np.unique(named, return_inverse=True)
    table = np.append(at[group], -1).astype(np.int32)  # its last entry serves the code -1
    gone = f" ({commas(shown(one) for one in sorted(dropped)[:_TOLD])})" if dropped else ""
    matter = _(
        "the items in column '{column}' are web addresses; without what tells where a visit came from{gone} they are "
        "{n} pages instead of {before} addresses"
    ).format(column=shown(column), gone=gone, n=decimal(len(merged)), before=decimal(len(ids)))
    return table[codes], merged.astype(object), [Doubt(matter, role="item")]


def _pages(ids: Sequence[str], queries: list[list[tuple[str, str]]], rows: np.ndarray) -> tuple[set[str], list[str]]:
    """Return the parameters that say nothing of the page, and the addresses without them.

    Those are known ones, and those that differ in nearly every row, unless hardly any pages are left without the
    latter: then they tell what the pages show.
    """
    values, counts = defaultdict[str, set[str]](set), Counter[str]()
    for query, n in zip(queries, rows.tolist(), strict=True):
        for name, value in query:
            values[name].add(value)
            counts[name] += n
    known = {name for name in values if name.lower() in _TRACKERS or _TRACKING.fullmatch(name.lower())}
    each = {name for name, n in counts.items() if n >= _FEWEST_ROWS and len(values[name]) >= _EACH * n}
    pages = [_page(text, query, known | each) for text, query in zip(ids, queries, strict=True)]
    if each - known and len(set(pages)) < _FEWEST_PAGES:
        return known, [_page(text, query, known) for text, query in zip(ids, queries, strict=True)]
    return known | each, pages


def _page(text: str, query: list[tuple[str, str]], dropped: set[str]) -> str:
    """Return an address without those parameters and without a place on the page."""
    address, _sign, place = text.partition("#")
    kept = [(name, value) for name, value in query if name not in dropped]
    if len(kept) < len(query):
        base = address.partition("?")[0]
        address = f"{base}?{urlencode(kept)}" if kept else base
    return f"{address}#{place}" if place[:1] in ("!", "/") and place else address.rstrip("?")


def _key(page: str) -> str:
    """Return what is the same of one page, with http or https, with www or without, with a slash at its end or not."""
    bare = re.sub(r"^(?:https?://)?(?:www\.)?", "", page)
    host, slash, path = bare.partition("/")
    return f"{host.lower()}{slash}{path}".rstrip("/")
