"""Roles by the words of headers: 600 rows of 60 users and 40 items, named as people name them."""

import numpy as np
import pandas as pd
import pytest

from grouprec.data.roles import looked_at
from grouprec.data.roles.detect import detect, detect_roles
from grouprec.data.roles.doubts import column_doubts
from grouprec.data.roles.looked_at import columns_looked_at, plain_columns

N = 600
RNG = np.random.default_rng(1)
_U, _I = RNG.integers(0, 60, N), (RNG.pareto(1, N) * 6).astype(int) % 40
_NAMES = ("Red Mug", "Tin Box", "Oak Lamp", "Blue Bowl", "Big Rug")
_T = pd.Series(pd.to_datetime(np.sort(RNG.integers(1_640_000_000, 1_700_000_000, N)), unit="s").astype(str))
VALUES = {
    "user": [f"K{10_000 + user}" for user in _U],
    "mail": [f"k{user}@example.org" for user in _U],
    "item": [f"A{100 + item}" for item in _I],
    "label": [f"{_NAMES[item % 5]} {item}" for item in _I],
    "weight": RNG.integers(1, 6, N).astype(str),
    "price": [f"{item * 1.5 + 3:.2f}" for item in _I],
    "time": _T.tolist(),
    "day": _T.str.slice(0, 10).tolist(),
    "clock": _T.str.slice(11, 16).tolist(),
    "order": [str(5000 + row // 3) for row in range(N)],
    "rating": RNG.integers(1, 6, N).astype(str),
    "behaviour": RNG.choice(["view", "purchase"], N).tolist(),
    "kind": [("Kitchen", "Garden", "Toys")[item % 3] for item in _I],
    "yes": RNG.choice(["Yes", "No"], N).tolist(),
    "bit": RNG.choice(["0", "1"], N).tolist(),
    "tier": RNG.choice(["Gold", "Silver", "Bronze"], N).tolist(),
    "genre": RNG.choice(["Comedy", "Drama", "Action", "Horror"], N).tolist(),
    "line": [str(1 + row % 7) for row in range(N)],
    "part": [str(1 + row * 7 % 37) for row in range(N)],
    "tens": [str(10 * (1 + row % 7)) for row in range(N)],
    "shuffled": RNG.permutation(np.concatenate([np.arange(1, 1 + k) for k in RNG.integers(1, 12, 400)]))[:N].astype(
        str
    ),
    "seconds": RNG.integers(100, 400, N).astype(str),
    "length": [f"{length // 60}:{length % 60:02d}" for length in RNG.integers(100, 400, N)],
    "of item": [f"{1980 + item}-0{1 + item % 9}-11" for item in _I],
    "of user": [f"{1975 + user % 40}-0{1 + user % 9}-15" for user in _U],
    "average": [f"{3 + item / 50:.2f}" for item in _I],
}


def table(**columns):
    """Return a file: header -> which of the values above, "_" for a blank in a header."""
    return pd.DataFrame({header: VALUES[values] for header, values in columns.items()})


def roles_of(columns):
    return detect(pd.DataFrame({header: VALUES[values] for header, values in columns.items()})).roles.as_dict()


LANGUAGES = {
    "German": "Bestell-Nr.=order Kunden-Nr.=user Artikel-Nr.=item Artikelbezeichnung=label Menge=weight "
    "Einzelpreis=price "
    "Bestelldatum=time Warengruppe=kind",
    "German, short": "Belegdatum=time Kunde=user Artikel=item Stück=weight",
    "German, library": "Mitgliedsnummer=user Buch=item Bewertung=rating Datum=time",
    "Spanish": "ID~Cliente=user Código~de~producto=item Descripción=label Cantidad=weight Precio~unitario=price "
    "Fecha~de~pedido=time Nº~pedido=order",
    "Spanish, films": "usuario=user película=item puntuación=rating fecha=time",
    "Italian": "Codice~cliente=user Codice~articolo=item Descrizione=label Quantità=weight Prezzo=price "
    "Data~ordine=time",
    "Italian, votes": "Utente=user Prodotto=item Voto=rating Data=time",
    "Portuguese": "ID~do~cliente=user Código~do~produto=item Nome~do~produto=label Quantidade=weight Preço=price "
    "Data~da~compra=time",
    "Portuguese, books": "usuário=user livro=item avaliação=rating data=time",
    "Dutch": "Klant=user Product=item Omschrijving=label Hoeveelheid=weight Stukprijs=price Besteldatum=time "
    "Ordernummer=order",
    "Dutch, members": "lidnummer=user artikelcode=item aantal=weight aankoopdatum=time",
    "Polish": "ID~klienta=user Kod~produktu=item Nazwa~produktu=label Ilość=weight Cena=price Data~zamówienia=time "
    "Numer~zamówienia=order",
    "Polish, votes": "Użytkownik=user Towar=item Ocena=rating Data=time",
    "Russian": "Код~клиента=user Артикул=item Наименование=label Количество=weight Цена=price Дата~заказа=time",
    "Russian, short": "Покупатель=user Товар=item Кол-во=weight Дата=time",
    "Chinese": "用户ID=user 商品编号=item 商品名称=label 数量=weight 单价=price 下单时间=time 订单号=order",
    "Chinese, behaviour": "会员号=user 商品=item 行为类型=behaviour 时间=time",
    "Japanese": "顧客ID=user 商品コード=item 商品名=label 数量=weight 単価=price 注文日時=time 注文番号=order",
    "Japanese, votes": "会員番号=user 作品=item 評価=rating 日付=time",
    "French": "N°~client=user Référence~produit=item Désignation=label Quantité=weight Prix~unitaire=price "
    "Date~de~commande=time N°~commande=order",
    "French, films": "Utilisateur=user Film=item Note=rating Date=time",
    "English, camel": "customerId=user productSku=item productName=label unitsSold=weight unitPrice=price "
    "orderedAt=time",
    "English, signs": "Member~#=user Item~Code=item Qty=weight Date~Ordered=time Genre=genre",
    "English, music": "listener=user track=item playedAt=time",
    "English, mail": "purchaser_email=mail sku=item purchase_date=time",
    "nothing": "a=user b=item c=time",
    "numbers": "column~1=user column~2=item column~3=rating column~4=time",
    "nothing with names": "c1=item c2=user c3=label c4=time c5=rating",
    "mail": "wer=mail was=label wann=time",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_headers_are_understood_in_many_languages(language):
    columns = dict(part.replace("~", " ").split("=") for part in LANGUAGES[language].split())
    expected = {role: header for header, role in columns.items() if role not in ("kind", "genre")}
    expected = {"user" if role == "mail" else role: header for role, header in expected.items()}
    if "item" not in expected:
        expected["item"] = expected.pop("label")
    assert roles_of(columns) == expected


@pytest.mark.parametrize(
    ("columns", "user", "refused"),
    [
        (
            {"order_id": "order", "product": "label", "new_customer": "yes", "date": "time"},
            None,
            "Yes and No|No and Yes",
        ),
        ({"mail": "mail", "product": "label", "first_time_buyer": "yes"}, "mail", "Yes"),
        ({"email": "mail", "sku": "item", "is_member": "bit"}, "email", "0 and 1|1 and 0"),
        ({"card": "user", "sku": "item", "account": "tier"}, "card", "3 different words"),
        ({"email": "mail", "product": "label", "loyalty member": "tier"}, "email", "3 different words"),
        ({"order": "order", "sku": "item", "position": "line"}, None, "counts the lines"),
        ({"order": "order", "sku": "item", "line_no": "shuffled"}, None, "counts the lines"),
        ({"order": "order", "sku": "item", "posten": "tens"}, None, "counts the lines"),
        ({"genre": "genre", "movie": "label", "date": "time"}, None, ""),
        ({"Listener Genre": "genre", "track": "label", "played_at": "time"}, None, ""),
        ({"age group": "kind", "song": "label", "played_at": "time"}, None, ""),
    ],
)
def test_a_flag_a_tier_a_line_number_or_a_genre_is_no_user(columns, user, refused):
    found = detect(pd.DataFrame({header: VALUES[values] for header, values in columns.items()}))
    assert found.roles.user == user
    reasons = " ".join(found.refused.get("user", {}).values())
    assert not refused or any(words in reasons for words in refused.split("|"))


@pytest.mark.parametrize(
    ("columns", "item"),
    [
        ({"user": "user", "duration": "seconds"}, None),
        ({"user": "user", "length": "length", "date": "time"}, None),
        ({"user": "user", "track_length": "length", "track": "label"}, "track"),
        ({"order": "order", "item": "tens", "material": "item", "customer": "user"}, "material"),
        ({"listener_id": "user", "episode_no": "part", "show_title": "label"}, "show_title"),
        ({"user": "user", "product_no": "item", "product": "label"}, "product_no"),
    ],
)
def test_a_duration_or_a_line_number_is_no_item(columns, item):
    assert roles_of(columns).get("item") == item


@pytest.mark.parametrize(
    "header",
    ["release_date", "Erscheinungsdatum", "premiere", "fecha de estreno", "上映日期", "発売日", "d", "date"],
)
def test_a_date_of_the_item_is_no_time(header):
    found = roles_of({"user": "user", "movie": "label", "rating": "rating", header: "of item"})
    assert found == {"user": "user", "item": "movie", "rating": "rating"}


@pytest.mark.parametrize(
    "header",
    ["birthday", "dob", "Geburtsdatum", "date of birth", "生日", "member_since", "Registration Date", "signup", "x"],
)
def test_a_date_of_the_user_is_no_time(header):
    assert roles_of({"user": "user", "item": "item", header: "of user"}) == {"user": "user", "item": "item"}
    assert roles_of({"user": "user", "item": "item", header: "of user", "order_date": "time"})["time"] == "order_date"


@pytest.mark.parametrize(
    ("columns", "time"),
    [
        ({"ship_date": "time", "order_date": "time"}, "order_date"),
        ({"updated_at": "time", "created_at": "time"}, "created_at"),
        ({"shipped_at": "time"}, "shipped_at"),
        ({"minutes": "seconds"}, None),
    ],
)
def test_the_time_is_that_of_the_event_where_there_is_one(columns, time):
    assert roles_of({"user": "user", "item": "item", **columns}).get("time") == time


@pytest.mark.parametrize(
    ("date", "clock"),
    [("Order date", "Order time"), ("Datum", "Uhrzeit"), ("fecha", "hora"), ("日期", "时间"), ("Date", "Time")],
)
def test_a_time_of_day_in_a_column_of_its_own_belongs_to_the_date(date, clock):
    for columns in ({date: "day", clock: "clock"}, {clock: "clock", date: "day"}):
        found = roles_of({"user": "user", "item": "item", **columns})
        assert (found["time"], found["clock"]) == (date, clock)
    alone = roles_of({"user": "user", "item": "item", clock: "clock"})
    assert "time" not in alone and "clock" not in alone
    assert "clock" not in roles_of({"user": "user", "item": "item", date: "time", clock: "clock"})


def test_a_rating_is_the_users_own():
    found = roles_of(
        {"user": "user", "movie": "label", "average_rating": "average", "imdb_rating": "average", "stars": "rating"}
    )
    assert found["rating"] == "stars"
    assert "rating" not in roles_of({"user": "user", "item": "item", "avg_rating": "average"})
    assert "rating" not in roles_of({"user": "user", "item": "item", "rating": "yes"})


@pytest.mark.parametrize("header", ["clicked", "is_purchased", "gekauft", "refunded", "target", "取消"])
def test_yes_and_no_of_an_outcome_are_its_role(header):
    assert roles_of({"user": "user", "item": "item", header: "bit"})["outcome"] == header
    assert roles_of({"user": "user", "item": "item", header: "yes"})["outcome"] == header


def test_minutes_are_a_weight_and_no_time():
    assert roles_of({"user": "user", "item": "item", "minutes_watched": "seconds"})["weight"] == "minutes_watched"


def test_what_only_was_left_over_is_said():
    assert detect(table(a="user", b="item", c="time")).by_elimination == ("user", "item")
    assert detect(table(user="user", item="item")).by_elimination == ()


def test_columns_of_lists_and_objects_are_passed_over():
    head = pd.DataFrame({"user": ["a", "b"], "item": ["x", "y"], "tags": [["p"], None], "more": [None, {"a": 1}]})
    assert plain_columns(head) == ["user", "item"]
    assert detect_roles(head).as_dict() == {"user": "user", "item": "item"}


def test_a_known_export_is_called_by_its_name():
    shop = table(
        Email="mail", Name="order", **{"Lineitem name": "label", "Lineitem quantity": "weight", "Lineitem sku": "item"}
    )
    found = detect(shop)
    assert (found.known_as, found.roles.user, found.roles.item) == ("a Shopify orders export", "Email", "Lineitem sku")


@pytest.mark.parametrize(("code", "name"), [("No.", "Description"), ("EAN", "Titel"), ("pzn", "article")])
def test_the_code_beside_the_name_of_an_item_is_the_item(code, name):
    names = [f"Blue Mug {n % 9}" for n in range(90)]
    head = pd.DataFrame(
        {"customer": [f"u{n % 13}" for n in range(90)], code: [f"A{n % 9}" for n in range(90)], name: names}
    )
    roles = detect(head).roles
    assert (roles.item, roles.label) == (code, name)
    other = head.assign(**{code: [f"A{n % 8}" for n in range(90)]})
    assert detect(other).roles.label != name  # it is the code of something else


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["from_user", "to_user"], {"user": "from_user", "item": "to_user"}),
        (["Ausweisnummer", "Mediennummer", "Ausleihdatum"], {"user": "Ausweisnummer", "item": "Mediennummer"}),
        (["Sold-To", "Material", "Order Qty"], {"user": "Sold-To", "item": "Material", "weight": "Order Qty"}),
        (["Member", "Course", "Enrolled"], {"user": "Member", "item": "Course", "time": "Enrolled"}),
        (["Kundennr", "Fahrzeug", "Start", "Ende"], {"user": "Kundennr", "item": "Fahrzeug", "time": "Start"}),
        (["Студент", "Курс", "Дата записи"], {"user": "Студент", "item": "Курс"}),
        (["Plate", "Page", "Page Views"], {"user": "Plate", "weight": "Page Views"}),
        (["Comprador", "Evento", "Entradas"], {"user": "Comprador", "weight": "Entradas"}),
    ],
)
def test_words_of_lenders_sellers_and_fans(columns, expected):
    head = pd.DataFrame({column: [f"x{n % 9}" for n in range(20)] for column in columns})
    if "weight" in expected:
        head[expected["weight"]] = "2"
    if "time" in expected:
        head[expected["time"]] = [f"2024-01-{1 + n:02}" for n in range(20)]
    assert expected.items() <= detect_roles(head).as_dict().items()


def test_of_very_many_columns_known_headers_and_the_first_others_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at.MOST_LOOKED_AT == 300, "as docs/data.md says; here fewer, which takes less time"
    monkeypatch.setattr(looked_at, "MOST_LOOKED_AT", 30)
    n = 20
    head = pd.DataFrame({f"c{at}": [str(k % 3) for k in range(n)] for at in range(50)})
    head = head.assign(user=[f"u{k % 4}" for k in range(n)], item=[f"i{k % 5}" for k in range(n)])
    seen = columns_looked_at(head)
    assert seen == [*head.columns[:30], "user", "item"]
    found = detect(head)
    assert (found.roles.user, found.roles.item) == ("user", "item")
    told = [doubt.matter for doubt in column_doubts(head, found, found.roles)]
    assert "of 52 columns only 32 were looked at: those with known headers and the first others" in told
    assert columns_looked_at(head[["user", "item"]]) == ["user", "item"]


def test_where_very_many_columns_are_left_none_is_taken_by_its_values():
    head = pd.DataFrame({f"c{at}": [f"a{at}" for _ in range(20)] for at in range(120)})
    head = head.assign(c7=[f"user{k % 4}" for k in range(20)], c9=[f"m{k % 5}@example.org" for k in range(20)])
    assert detect(head).roles.user is None and detect(head[["c7", "c9", "c10"]]).roles.user is not None
