"""The reader's language: which one holds, its words, numbers and dates."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import Thread

import pytest

from grouprec.core import language
from grouprec.core.language import Glossary, _, ngettext, speaking

MOMENT = datetime(2024, 1, 5, 14, 30, tzinfo=UTC)


def test_english_holds_where_nobody_says_otherwise() -> None:
    assert (language.current(), _("Groups"), ngettext("{n} user", "{n} users", 2)) == ("en", "Groups", "{n} users")


def test_words_come_in_the_language_that_is_spoken_and_no_longer() -> None:
    with speaking("zh"):
        assert (_("Groups"), ngettext("{n} user", "{n} users", 1)) == ("群体", "{n} 位用户")
        assert ngettext("{n} user", "{n} users", 5) == "{n} 位用户"
    assert _("Groups") == "Groups"


def test_a_number_that_is_no_whole_one_is_more_than_one() -> None:
    assert [ngettext("one", "many", n) for n in (0, 1, 1.0, 1.5, 2)] == ["many", "one", "one", "many", "many"]


def test_messages_that_are_marked_stay_as_they_stand_and_are_said_later() -> None:
    with speaking("zh"):
        assert (language.N_("Groups"), language.NP_("the end of a sentence", "{said}.")) == ("Groups", "{said}.")
        assert language.pgettext("the end of a sentence", "{said}.") == "{said}。"


def test_what_the_catalogue_lacks_stays_as_it_is() -> None:
    with speaking("zh"):
        assert (_("no such message"), _("")) == ("no such message", "")


def test_another_thread_speaks_for_itself_unless_what_it_makes_is_kept_in_the_language() -> None:
    heard: list[str] = []
    with speaking("zh"):
        for make in (language.current, language.keeping(language.current)):
            thread = Thread(target=lambda make=make: heard.append(make()))
            thread.start()
            thread.join()
    assert heard == ["en", "zh"]


def test_a_glossary_is_read_in_the_language_of_its_reader() -> None:
    called = Glossary({"one": "Groups", "other": "no such message"})
    with speaking("zh"):
        assert dict(called) == {"one": "群体", "other": "no such message"}
    assert (called["one"], called.get("none"), list(called)) == ("Groups", None, ["one", "other"])
    assert len(called) == 2 and called | {"third": "!"} == {"one": "Groups", "other": "no such message", "third": "!"}


@pytest.mark.parametrize(
    ("tag", "found"),
    [("zh-CN", "zh"), ("zh_TW.UTF-8", "zh"), ("en-GB", "en"), ("fr-FR", None), ("", None), (None, None)],
)
def test_a_tag_is_the_language_that_it_begins_with(tag: str | None, found: str | None) -> None:
    assert language.known(tag) == found


def test_a_browser_gets_the_first_of_its_languages_that_there_is() -> None:
    assert language.preferred("fr-FR,zh-CN;q=0.8,en;q=0.5") == "zh"
    assert language.preferred("fr, de;q=0.5") is None


def test_numbers_have_the_signs_of_the_language() -> None:
    assert [language.decimal(2700), language.decimal(0.0814, 3), language.decimal(-3, sign=True)] == [
        *("2,700", "0.081", "−3")
    ]
    assert [language.decimal(3, sign=True), language.decimal(-3), language.decimal(3)] == ["+3", "-3", "3"]
    assert language.decimal(0.125, 2) == f"{0.125:.2f}"


def test_a_number_that_nobody_reads_is_written_short() -> None:
    assert [language.decimal(value, 3) for value in (1e308, -1e15, float("inf"), float("-inf"), float("nan"))] == [
        *("1e+308", "-1e+15", "∞", "-∞", "nan")
    ]
    assert [language.decimal(value, sign=True) for value in (float("inf"), float("-inf"))] == ["+∞", "−∞"]
    assert language.decimal(1e15 - 1) == "999,999,999,999,999"
    assert language.ngettext("one", "many", float("inf")) == language.ngettext("one", "many", float("nan")) == "many"


def test_dates_are_written_as_the_language_writes_them() -> None:
    writers = (language.day, language.long_day, language.plain_day, language.minute, language.month)
    assert [write(MOMENT) for write in writers] == [
        *("05 Jan 2024", "05 January 2024", "5 January 2024", "05 Jan 2024 14:30", "January")
    ]
    with speaking("zh"):
        assert [write(MOMENT) for write in writers] == [
            *("2024年1月5日", "2024年1月5日", "2024年1月5日", "2024年1月5日 14:30", "一月")
        ]


def test_minutes_are_written_with_and_without_the_year() -> None:
    writers = (language.plain_minute, language.short_minute, language.long_minute)
    assert [write(MOMENT) for write in writers] == ["5 Jan 14:30", "05 Jan 14:30", "05 January 2024, 14:30"]


def test_parts_are_joined_by_the_marks_of_the_language() -> None:
    parts = ["a", "b", "c"]
    assert (language.series(parts), language.full_stop("a"), language.series(["a"])) == ("a, b and c", "a.", "a")
    assert (language.commas(parts), language.semicolons(parts)) == ("a, b, c", "a; b; c")
    assert language.passage("A.", "", "B.", "C.") == "A. B. C." and language.passage("", "") == ""
    with speaking("zh"):
        assert language.passage("甲。", "乙。") == "甲。乙。"
        assert (language.series(parts), language.semicolons(parts), language.full_stop("a")) == (
            "a、b和c",
            "a；b；c",
            "a。",
        )


def test_no_line_breaks_between_a_number_and_its_per_cent_sign() -> None:
    """Nor is a template of a chart (%{x}) or an alternative of a pattern taken for one."""
    assert language.pgettext("a percentage", "{number} %").format(number=27) == "27\u00a0%"
    assert _("the 20 % most popular; %{y} of {x} %{text}") == "the 20\u00a0% most popular; %{y} of {x} %{text}"
    assert ngettext("1 % of {n}", "2 % of {n}", 2) == "2\u00a0% of {n}"
    with speaking("zh"):
        assert language.pgettext("a percentage", "{number} %").format(number=27) == "27%"
