"""Words for a group: what its members have, are, and how to call them. Reads histories and attributes only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, count

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import ndtr, xlogy
from sklearn.feature_extraction.text import CountVectorizer

from grouprec.core.arrays import empty_csr, largest_first, presence
from grouprec.core.tables import by_number
from grouprec.core.types import Groups
from grouprec.data.segments import are_chinese, closed_up, cut
from grouprec.explore.categories import Categories
from grouprec.explore.phrases import MOST_LABELS, things
from grouprec.explore.typical import MIN_LIFT, MIN_MEMBERS, more_often, typical
from grouprec.ranking.group_lists import member_matrix
from grouprec.ranking.statistics import Z

MIN_Z = 2.0  # standard errors by which an attribute must differ
TERMS = 12  # of a group, among which its name looks for things
SHARED, SHARED_LABELS = 0.05, 20  # share of labels, and number, beyond which a word is one that kinds of items share
SHARED_LIFT = 4.0  # takes the place of MIN_LIFT for such words
MAX_LABEL = 32  # characters of an item's label, and of two terms, in a name
_WORD = r"(?u)\b[^\W\d_]{3,}\b"  # letters of any script, no numbers
# Of Chinese words those that say nothing by themselves, as English ones that scikit-learn leaves out.
_EMPTY = (
    "我们|你们|他们|她们|它们|自己|如何|什么|怎么|怎样|为什么|一个|一种|以及|这个|那个|这些|那些|"
    "关于|没有|可以|就是|不是|或者|因为|所以"
)
_CUT_WORD = rf"(?u)\b(?!(?:{_EMPTY})\b)(?:[^\W\d_]{{3,}}|[\u3400-\u9fff]{{2,}})\b"  # the same in Chinese cut into words
_LETTERS = r"\b[^\W\d_]{2,}\b"  # what makes a label more than a number


def distinguishing_items(histories: sparse.csr_array, groups: Groups, n: int = 10) -> pd.DataFrame:
    """Return the items that members have more often than other users, most telling first.

    Ordered by the log-likelihood ratio (Dunning 1993) of having the item inside against outside the group, which
    weighs how much more often against how many members it rests on; lift alone would favour the rarest items.

    Args:
        histories: CSR [U, I]; weights do not count.
        n: at most so many items a group; only those with a lift above 1 and at least 3 members (all members of a
            smaller group).
    Returns:
        group, rank (from 1), item_row, share_in_group, share_overall, lift, lift_low, lift_high (95 % interval,
        :func:`lift_interval`; float64, > 0).
    """
    owned = presence(histories)
    inside = (member_matrix(groups) @ owned).toarray().astype(np.float64)
    sizes = groups.sizes[:, None].astype(np.float64)
    overall = inside.sum(axis=0)
    evidence = _log_likelihood_ratio(inside, sizes, overall, float(len(groups.labels)))
    share, base = inside / sizes, overall / max(len(groups.labels), 1)
    lift = np.divide(share, base, out=np.zeros_like(share), where=base > 0)
    evidence[(lift <= 1) | (inside < np.minimum(MIN_MEMBERS, sizes))] = 0
    order = largest_first(evidence)[:, :n]
    kept = np.take_along_axis(evidence, order, axis=1) > 0
    group, rank = np.nonzero(kept)
    item = order[group, rank]
    low, high = lift_interval(inside[group, item], sizes[group, 0], overall[item], float(len(groups.labels)))
    return pd.DataFrame(
        {
            "group": group,
            "rank": rank + 1,
            "item_row": item,
            "share_in_group": share[group, item],
            "share_overall": base[item],
            "lift": lift[group, item],
            "lift_low": low,
            "lift_high": high,
        }
    )


def lift_interval(
    inside: np.ndarray, sizes: np.ndarray, overall: np.ndarray, n_users: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of lifts: the share of a group that has an item against the share of all users.

    Normal on the logarithm, as for the ratio of two shares (Katz et al. 1978). Departures: all users hold the group
    itself, so its standard error, that of the ratio inside to outside, counts as far as the item's owners are
    outside; and every cell counts half an owner more (Walter 1975), so that an item which nobody else has is not
    certain. That the groups were formed on the same histories is not in it.

    Args:
        inside: float64 [n], members who have the item, > 0.
        sizes: float64 [n], members.
        overall: float64 [n], users who have the item.
        n_users: all users.
    Returns:
        low and high, float64 [n].
    """
    outside, others = overall - inside, n_users - sizes
    variance = 1 / (inside + 0.5) - 1 / (sizes + 0.5) + 1 / (outside + 0.5) - 1 / (others + 0.5)
    margin = Z * (outside + 0.5) / (overall + 1) * np.sqrt(np.maximum(variance, 0))
    lift = (inside / sizes) / (overall / n_users)
    return lift * np.exp(-margin), lift * np.exp(margin)


def _log_likelihood_ratio(inside: np.ndarray, sizes: np.ndarray, overall: np.ndarray, n_users: float) -> np.ndarray:
    """Dunning's G2 of every 2 x 2 table: in the group or not, has the item or not; float64 [G, I], >= 0."""
    outside, others = overall - inside, n_users - sizes
    observed = [inside, sizes - inside, outside, others - outside]
    expected = [sizes * overall, sizes * (n_users - overall), others * overall, others * (n_users - overall)]
    total = sum(xlogy(o, o) - xlogy(o, e / n_users) for o, e in zip(observed, expected, strict=True))
    return np.maximum(2 * np.asarray(total), 0)


def count_terms(item_labels: np.ndarray, longest: int = 2) -> tuple[np.ndarray, sparse.csr_array]:
    """Return the words and word pairs of item labels, and which label has which; Chinese ones as jieba cuts them.

    Args:
        item_labels: str [I].
        longest: 1 for words alone.
    Returns:
        lower-case terms [T], and 1 where a label has a term, CSR float32 [I, T]; T is 0 where labels hold no words.
    """
    chinese = are_chinese(map(str, item_labels))
    labels = [cut(str(label)) for label in item_labels] if chinese else item_labels
    pattern = _CUT_WORD if chinese else _WORD
    counter = CountVectorizer(binary=True, ngram_range=(1, longest), token_pattern=pattern, stop_words="english")
    try:
        words = sparse.csr_array(counter.fit_transform(labels).astype(np.float32))
    except ValueError:  # scikit-learn's answer to labels without a single word, such as bare article numbers
        return np.empty(0, object), empty_csr((len(item_labels), 0))
    return counter.get_feature_names_out(), words


def distinguishing_words(
    item_labels: np.ndarray,
    histories: sparse.csr_array,
    groups: Groups,
    n: int = 6,
    counted: tuple[np.ndarray, sparse.csr_array] | None = None,
) -> list[list[str]]:
    """Return the words and word pairs in item labels that are typical of each group.

    Class-based TF-IDF (Grootendorst 2022): a group is one document; a term weighs its share of the document times
    log(1 + A / f), with f its frequency over all documents and A their mean length. Departures: the document holds
    each label as often as the item's share of members exceeds its share of all users, so that what everybody has
    names no group, and only items of at least 3 members (all members of a smaller group); a term that is as frequent
    in the other documents weighs nothing, however often it occurs; a pair counts twice, for being two words; and a
    term that shares a word with a better one is left out, so that a pair does not come back as its two words; and words
    that labels of all kinds share (SET, BAG: more than 5 % of them, at least 20) have to be four times as frequent.

    Args:
        item_labels: str [I].
        histories: CSR [U, I]; weights do not count.
        n: at most so many terms a group.
        counted: what :func:`count_terms` makes of the labels, where it is at hand.
    Returns:
        G lists of lower-case terms, best first; empty where labels hold no words or a group is like all users.
    """
    terms, words = counted or count_terms(item_labels)
    pairs = 1 + np.char.count(terms.astype(str), " ")
    found = typical(terms, words, histories, groups, n, _least_lifts(terms, words), pairs)
    return [[closed_up(term) for term in own] for own in found]


def _least_lifts(terms: np.ndarray, words: sparse.csr_array) -> np.ndarray:
    """Return how many times as frequent as elsewhere every term must be, float64 [T]."""
    counts = np.asarray(words.sum(axis=0)).ravel()
    most = max(SHARED * words.shape[0], SHARED_LABELS)
    shared = {term for term, count in zip(terms, counts, strict=True) if " " not in term and count > most}
    return np.array([SHARED_LIFT if shared.issuperset(term.split()) else MIN_LIFT for term in terms])


def distinguishing_attributes(user_attributes: pd.DataFrame, groups: Groups, n: int | None = 5) -> pd.DataFrame:
    """Return in which attributes a group differs from all users, most certain first.

    A text, category or yes/no column gives one row for every value that is over-represented (share of members); a
    numeric column gives one row (median). The order is by z: for shares the difference over its standard error, for
    numbers the mean rank's. Rows below 2 are left out, and shares of fewer than 3 members. Missing values count in
    neither; dates are not compared.

    Args:
        user_attributes: U rows, any columns.
        n: at most so many rows a group; None for all.
    Returns:
        group, rank (from 1), attribute, kind ("share" or "median"), value (text, empty for medians), in_group,
        overall, lift (in_group / overall; NaN where overall is 0), z, p (of shares: that so many members or more have
        the value by chance, by the log-likelihood ratio of Dunning 1993; of medians: two-sided, Mann and Whitney
        1947; not corrected), tests (how many such p there are in all: every group with every numeric column and
        every value of at least 3 users; the same in every row).
    """
    columns = ["group", "attribute", "kind", "value", "in_group", "overall", "lift", "z", "p"]
    tables, tests = [], 0
    for name, column in user_attributes.items():
        if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
            if pd.api.types.is_datetime64_any_dtype(column):
                continue
            table, tested = _share_differences(column, groups)
            tables.append(table.assign(attribute=str(name), kind="share"))
        else:
            table = _median_differences(column, groups)
            tested = len(table)
            tables.append(table.assign(attribute=str(name), kind="median", value=""))
        tests += tested
    if not tables:
        return pd.DataFrame(columns=["group", "rank", *columns[1:], "tests"])
    table = pd.concat(tables, ignore_index=True)[columns]
    table = table[table["z"].abs() >= MIN_Z]
    table = table.sort_values(["group", "z"], key=lambda c: -c.abs() if c.name == "z" else c, kind="stable")
    table.insert(1, "rank", table.groupby("group").cumcount() + 1)
    table["tests"] = tests
    return table if n is None else table[table["rank"] <= n].reset_index(drop=True)


def _share_differences(column: pd.Series, groups: Groups) -> tuple[pd.DataFrame, int]:
    """Every over-represented value of a column: group, value, in_group, overall, lift, z, p; and how many pairs of a
    group and a value of at least 3 users there are."""
    known = column.notna().to_numpy()
    codes, values = pd.factorize(column[known].astype(str))
    counts = np.zeros((groups.n_groups, len(values)))
    np.add.at(counts, (groups.labels[known], codes), 1)
    sizes, overall, total = counts.sum(axis=1, keepdims=True), counts.sum(axis=0), counts.sum()
    share, base = counts / np.maximum(sizes, 1), overall / max(total, 1)
    error = np.sqrt(base * (1 - base) * np.maximum(1 / np.maximum(sizes, 1) - 1 / max(total, 1), 0))
    z = np.divide(share - base, error, out=np.zeros_like(share), where=error > 0)
    group, at = np.nonzero((z > 0) & (counts >= MIN_MEMBERS))
    frame = pd.DataFrame(
        {
            "group": group,
            "value": np.asarray(values, dtype=object)[at],
            "in_group": share[group, at],
            "overall": base[at],
            "lift": share[group, at] / base[at],
            "z": z[group, at],
            "p": _chance_of_more(counts[group, at], sizes[group, 0], overall[at], total),
        }
    )
    return frame, int((sizes > 0).sum() * (overall >= MIN_MEMBERS).sum())


def _chance_of_more(inside: np.ndarray, sizes: np.ndarray, overall: np.ndarray, total: float) -> np.ndarray:
    """One-sided p of 2 x 2 tables, float64 [n]: the signed root of Dunning's G2 is nearly normal also where few are
    expected, unlike z; half a member less (as Yates 1934) keeps it from falling far below Fisher's exact p."""
    expected = sizes * overall / max(total, 1)
    less = np.maximum(inside - 0.5, expected)
    return ndtr(-np.sqrt(_log_likelihood_ratio(less, sizes, overall, total)))


def _median_differences(column: pd.Series, groups: Groups) -> pd.DataFrame:
    """One row per group with a known value: group, in_group, overall, lift, z, p."""
    numbers = pd.to_numeric(column).astype(float).replace([np.inf, -np.inf], np.nan)
    known = numbers.notna().to_numpy()
    values, labels = numbers[known].to_numpy(), groups.labels[known]
    total = len(values)
    frame = pd.DataFrame({"group": labels, "value": values, "rank": pd.Series(values).rank().to_numpy()})
    by_group = frame.groupby("group").agg(in_group=("value", "median"), rank=("rank", "mean"), size=("rank", "size"))
    tied = np.unique(values, return_counts=True)[1].astype(float)
    spread = total + 1 - (tied**3 - tied).sum() / max(total * (total - 1), 1)  # ties make ranks vary less
    error = np.sqrt(np.maximum(spread * (total - by_group["size"]) / (12 * by_group["size"]), 0))
    z = (by_group["rank"] - (total + 1) / 2).div(error.where(error > 0)).fillna(0.0)
    overall = float(np.median(values)) if total else np.nan
    lift = by_group["in_group"] / overall if overall else np.nan
    return by_group[["in_group"]].assign(overall=overall, lift=lift, z=z, p=2 * ndtr(-z.abs())).reset_index()


def name_groups(
    item_labels: np.ndarray, histories: sparse.csr_array, groups: Groups, column: Categories | None = None
) -> list[str]:
    """Return a short name for every group, never two alike, the same for the same input: :func:`group_names` of the
    things (:func:`~grouprec.explore.phrases.things`) that its :func:`distinguishing_words` stand for, of the labels of
    its :func:`distinguishing_items` and of its typical category.

    Args:
        item_labels: str [I].
        histories: CSR [U, I]; weights do not count.
        column: whose categories names begin with: the one that tells these groups apart best
            (:func:`~grouprec.explore.categories.telling`).
    """
    items_of = distinguishing_items(histories, groups, n=5)
    labels: list[list[str]] = [[] for _ in range(groups.n_groups)]
    for group, items in by_number(items_of, "group"):
        labels[group] = item_labels[items["item_row"].to_numpy()].astype(str).tolist()
    terms = distinguishing_words(item_labels, histories, groups, TERMS)
    more = more_often(histories, groups)
    if not are_chinese(map(str, item_labels)):  # whose words stand as jieba cut them
        terms = [things(own, item_labels, weights) for own, weights in zip(terms, more, strict=True)]
    if column is None:
        return group_names(terms, labels)
    categories, outside = column.of_groups(histories, groups), []
    for number, category in enumerate(categories):
        inside = column.holders(category)
        said = [*terms[number], *labels[number]]
        outside.append({one for one in said if not _are_of(one, item_labels, more[number], inside)})
    return group_names(terms, labels, categories, outside)


def _are_of(thing: str, item_labels: np.ndarray, weights: np.ndarray, inside: np.ndarray) -> bool:
    """Return whether the items that a thing is read from are mostly of a category: ``inside``, bool [I]."""
    heaviest = np.argsort(-weights, kind="stable")[:MOST_LABELS]
    rows = [row for row in heaviest if weights[row] > 0 and thing.casefold() in str(item_labels[row]).casefold()]
    return weights[rows][inside[rows]].sum() >= weights[rows].sum() / 2


def group_names(
    words: list[list[str]],
    labels: list[list[str]] | None = None,
    categories: list[str] | None = None,
    outside: list[set[str]] | None = None,
) -> list[str]:
    """Return a short name for every group, never two alike, e.g. "Vintage · Lunch bag" or "Drama: Pulp fiction".

    The category comes first, where there is one: with a colon before things that are of it, else as one thing among
    others ("Textiles · Colouring book"). Then, in this order, the first that no group before it has: two of the
    terms, at most 32 characters together, or one term; the label of a telling item; its number ("Group 3"). A group
    whose terms and items are all taken gets its best name with a number: "Vintage · Lunch bag (2)". Names with the same
    words in another order or case count as alike.

    Args:
        words: terms of every group, best first.
        labels: labels of every group's telling items, best first; those without a word of letters, such as article
            numbers, name nothing.
        categories: of every group the one that is typical of it, or "".
        outside: terms and labels of every group that are not of its category.
    """
    names: list[str] = []
    taken: set[tuple[str, ...]] = set()
    for number, terms in enumerate(words, start=1):
        category = in_small(categories[number - 1]) if categories else ""
        wishes = [*_names_of_terms(terms), *_names_of_items(labels[number - 1] if labels else [])]
        if category:
            others = {_title(one) for one in outside[number - 1]} if outside else set()
            wishes = [*(_in_category(category, wish, others) for wish in wishes), category]
        if not wishes:
            wishes = [f"Group {number}"]
        numbered = (f"{wishes[0]} ({again})" for again in count(2))
        names.append(next(wish for wish in chain(wishes, numbered) if _name_key(wish) not in taken))
        taken.add(_name_key(names[-1]))
    return names


def _names_of_terms(terms: list[str]) -> Iterator[str]:
    """Every term with each later one, then by itself, as far as the names are short enough."""
    titles = [_title(term) for term in terms]
    for at, first in enumerate(titles):
        for second in titles[at + 1 :]:
            if len(both := f"{first} · {second}") <= MAX_LABEL:
                yield both
        yield first


def _title(term: str) -> str:
    return term[:1].upper() + term[1:]


def _in_category(category: str, wish: str, others: set[str]) -> str:
    """Return a name with its category: ``Drama: Pulp fiction``, ``Textiles · Colouring book``."""
    mark = " · " if others.intersection([wish, *wish.split(" · ")]) else ": "
    return f"{category}{mark}{wish}"


def _names_of_items(labels: list[str]) -> Iterator[str]:
    """Labels that hold a word, cut between words; those in capitals in lower case."""
    for label in labels:
        if re.search(_LETTERS, label):
            title = in_small(label)
            yield title if len(title) <= MAX_LABEL else title[: MAX_LABEL - 1].rsplit(" ", 1)[0] + "…"


def in_small(label: str) -> str:
    """Return what is all in capitals with one at its beginning."""
    return label.capitalize() if label.isupper() else label


def _name_key(name: str) -> tuple[str, ...]:
    """What two names that people would confuse have in common."""
    return tuple(sorted(re.findall(r"\w+", name.casefold())))
