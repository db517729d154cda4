"""How headers are compared."""

import pytest

from grouprec.data.roles.header_words import (
    DURATION,
    NOT_RATING,
    NOT_WHEN,
    header_words,
    means,
    names_of,
    says,
    simple_name,
)


@pytest.mark.parametrize(
    ("text", "simple"),
    [
        ("Customer ID", "customerid"),
        (" item_id:token ", "itemid"),
        ("é", "e"),
        ("N° client", "noclient"),
        ("商品 ID", "商品id"),
    ],
)
def test_names_compare_without_case_accents_signs_and_type(text, simple):
    assert simple_name(text) == simple


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("orderLineNo", ("order", "line", "no")),
        ("Código de-producto_2", ("codigo", "de", "producto", "2")),
        ("КодТовара", ("код", "товара")),
    ],
)
def test_words_part_at_signs_and_capitals(header, words):
    assert header_words(header) == words


@pytest.mark.parametrize(
    ("role", "better", "worse"),
    [
        ("user", "customer_id", "customer email"),
        ("user", "e-mail", "loyalty member"),
        ("item", "sku", "shop article"),
        ("time", "order_date", "delivery_date"),
        ("weight", "quantity", "amount"),
        ("label", "product name", "name"),
    ],
)
def test_some_headers_say_a_role_better(role, better, worse):
    assert means(role, better) < means(role, worse)


@pytest.mark.parametrize(
    ("role", "header"),
    [
        ("user", "sales_channel_id"),
        ("item", "whatsapp"),
        ("rating", "rated by"),
        ("user", "membership fee"),
        ("time", "timezone"),
    ],
)
def test_a_word_within_another_says_nothing(role, header):
    assert means(role, header) is None


def test_short_words_count_by_themselves_and_long_ones_in_compounds():
    assert says(NOT_WHEN, "date_of_birth") and says(NOT_WHEN, "Geburtsdatum") and says(NOT_WHEN, "dob")
    assert not says(NOT_WHEN, "adobe_date") and says(NOT_WHEN, "出生日期")
    assert says(NOT_RATING, "avg_rating") and not says(NOT_RATING, "my_rating")
    assert says(DURATION, "track_length") and not says(DURATION, "page")


def test_of_two_headers_with_one_simple_name_the_first_is_known():
    assert names_of(["Item ID", "item_id", "Name"]) == {"itemid": "Item ID", "name": "Name"}


@pytest.mark.parametrize(
    ("headers", "roles"),
    [
        ("Núm. client;Codi article;Quantitat", "user item weight"),
        ("Kliendi number;Tootekood;Kogus;Kuupäev", "user item weight time"),
        ("Kliento numeris;Prekės kodas;Prekės pavadinimas", "user item label"),
        ("Шифра купца;Шифра артикла;Количина", "user item weight"),
        ("მომხმარებლის ID;პროდუქტის კოდი;თარიღი", "user item time"),
        ("Müştəri kodu;Məhsul kodu;Miqdar", "user item weight"),
        ("গ্রাহক আইডি;পণ্য কোড;পরিমাণ", "user item weight"),
        ("Nambari ya Mteja;Nambari ya Bidhaa;Idadi;Tarehe", "user item weight time"),
        ("Харилцагчийн код;Барааны код;Тоо хэмжээ", "user item weight"),
        ("买家会员名;宝贝总数量;订购数量", "user weight weight"),
        ("Product2Id;Product2.Name;Stock Qty;count_plays", "item label weight weight"),
        ("review_text;Kommentar;search_query;搜索词", "text text text text"),
    ],
)
def test_headers_are_known(headers, roles):
    pairs = zip(headers.split(";"), roles.split(), strict=True)
    assert [header for header, role in pairs if means(role, header) is None] == []
