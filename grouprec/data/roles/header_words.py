"""What the words of a header mean: the columns' roles in English, German, Spanish, Italian, Portuguese, Dutch, Polish,
Russian, Chinese, Japanese and French (further languages: header_languages.py). Data, and how names are compared.

A name is compared without case, accents, spaces and signs. Stems stand with what may come before or behind them:
``Kunden-Nr.``, ``ID do cliente``, ``会員番号``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from grouprec.data.roles.header_languages import WORDS as MORE
from grouprec.data.values.common import folded, word_set

# Small words between others: código DE cliente, ID DEL producto.
_SMALL = word_set(
    "ya ng i de del della delle dello dell di da do das dos des du d la le les el los las il der die von van of the на",
)

# What a header says beside its matter: currencies, taxes, units.
_ASIDE = word_set(
    "eur euro euros usd gbp chf pln czk sek nok dkk rub руб uah inr jpy cny rmb brl mxn brutto netto gross net ttc ht",
    "tva iva mwst ust vat btw tax taxes incl inkl included excl exkl inc exc steuer pcs stk szt шт",
    "税込 税抜 含税 円 元",
)
_BRACKETS = re.compile(r"[(（\[【][^(（\[【)）\]】]*[)）\]】]")
# What parts the names of objects inside objects: line_items.sku, Order Lines/Quantity
_INSIDE = re.compile(r"(?<=\w)[./](?=\w)")
_BARE_LEAF = re.compile(r"(?<=\w)\.(?:label|value|text|_text|\$t)$")  # of feeds: author.name.label

_LONGEST = 64  # letters of a name that patterns are tried on: they ask for beginnings of short ones and for ends
_LONG = 5  # letters from which on a word is known within a compound


def simple_name(column: str) -> str:
    """Return a name for comparison: ``Customer ID``, ``customer_id:id`` -> ``customerid``, ``Größe`` -> ``grosse``."""
    return re.sub(r"[\W_]", "", folded(_numbered(column)))


@lru_cache(1 << 14)
def header_names(column: str) -> tuple[str, ...]:
    """Return the forms of a header that patterns are tried on: as it is, without small words, without currencies,
    taxes and what stands in brackets, and of a value inside an object its own name."""
    kept = [word for word in header_words(column) if word not in _SMALL]
    matter = [word for word in header_words(_BRACKETS.sub("", column)) if word not in _SMALL | _ASIDE]
    inside = header_names(innermost(column)) if innermost(column) != column else ()
    if (whole := _BARE_LEAF.sub("", str(column))) != str(column):
        inside = (*inside, *header_names(whole.replace(":", " ")))
    forms = (simple_name(column), "".join(kept), "".join(matter), *inside)
    return tuple(dict.fromkeys(form[-_LONGEST:] for form in forms if form))


def innermost(column: str) -> str:
    """Return the own name of a value inside objects: ``sku`` of ``line_items.sku``."""
    return _INSIDE.split(str(column))[-1]


@lru_cache(1 << 14)
def header_words(column: str) -> tuple[str, ...]:
    """Return the folded words of a header: ``orderLineNo`` -> order, line, no."""
    apart = re.sub(r"(?<=[a-zа-яß-ÿ0-9])(?=[A-ZА-Я])", " ", _numbered(column))
    return tuple(word for word in re.split(r"[\W_]+", folded(apart)) if word)


def _numbered(column: str) -> str:
    """Return a header without a type behind a colon, its sign for "number" as a word."""
    return re.sub("n°", "no", re.sub(r":\w+$", "", str(column).strip()), flags=re.IGNORECASE)


def _any(*words: str) -> str:
    """Return an alternative of folded words, the longest first."""
    distinct = {re.sub(r"[\W_]", "", folded(word)) for line in words for word in line.split()}
    return "|".join(sorted(map(re.escape, distinct), key=len, reverse=True))


def _long(alternative: str) -> str:
    """Return the words of an alternative that are long enough to be known at the end of a compound."""
    return "|".join(word for word in alternative.split("|") if len(word) > 3 or not word.isascii())


def _words(*words: str) -> tuple[str, ...]:
    """Return folded words."""
    return tuple(simple_name(word) for line in words for word in line.split())


_ID = _any(
    "id ids uid uniqueid barcode cardnumber cardno card code no nr num number key uuid guid hash ref pseudoid",
    "identifier cod cd nbr sk",
    "nummer kennung schluessel schlüssel numero número codigo código codice identificador identificatore identifiant",
    "numéro référence kod numer номер код ид идентификатор 编号 編號 编码 編碼 号 號 号码 代码 标识 番号 コード 识别号",
    "卡号 卡號",
    *MORE["id"],
)
_USER = _any(
    "cust acct mbr usr hshd pax",  # as columns of databases are called
    "user users customer customers client clients member members account accounts visitor visitors shopper reviewer",
    "subscriber patient student person guest buyer purchaser consumer listener viewer reader player learner household",
    "cardholder contact borrower attendee learner fan profile profiles patron athlete rider candidate applicant msisdn",
    "soldto soldtoparty soldtopt shipto shiptoparty shiptopt billto billtoparty billtopt loyaltycard guestloyalty",
    "profilename customerloyalty policyholder accountholder insured frequentflyer ffp ffn fromuser "
    "fromuserid sender swiper rater",
    "kundenkarte treuekarte klantkaart kundkort kundekort cartefidélité tarjetafidelidad tarjetacliente cartafedeltà "
    "tesserafedeltà cartãofidelidade",
    "auftraggeber warenempfänger regulierer debitor debitoren "
    "карталояльности картаклиента картапокупателя бонуснаякарта дисконтнаякарта картаучастника "
    "ausweis leser lesers lecteur lettore lector leitor lezer czytelnik читатель låner lånekort lånetagare",
    "студент студента слушатель слушателя учащийся étudiant élève estudiante alumno studente aluno uczeń 学生 学员",
    "读者 讀者 读者证 借书证 借書證 借阅证 图书证",
    "plate licenseplate licenceplate numberplate kennzeichen targa",
    "passenger traveller traveler tenant donor resident payer participant respondent requester kunnr debitor deb",
    "nutzer benutzer kunde kunden käufer kaeufer mitglied mitglieds besteller abonnent teilnehmer haushalt "
    "besucher konto",
    "usuario usuarios cliente clientes comprador miembro socio consumidor abonado utente utenti acquirente "
    "compratore membro",
    "consumatore abbonato utilizador usuário assinante gebruiker gebruikers klant klanten koper lid bezoeker "
    "abonnee debiteur",
    "użytkownik użytkownika klient klienta kupujący kupującego nabywca nabywcy członek odbiorca kontrahent",
    "пользователь пользователя клиент клиента покупатель покупателя заказчик участник посетитель абонент",
    "用户 用戶 客户 客戶 顾客 顧客 会员 會員 买家 買家 买方 消费者 使用者 ユーザー ユーザ 会員 お客様 購入者 "
    "利用者 購買者",
    "utilisateur utilisateurs acheteur membre adhérent abonné visiteur consommateur",
    *MORE["user"],
)
_ITEM = _any(
    "prod prd itm",
    "item items product products sku skus stock article asin isbn movie film book song track artist game recipe "
    "hotel course",
    "business offer content material goods app show video episode restaurant venue poi listing "
    "listitem anime programme program "
    "beer wine",
    "touser touserid targetuser targetuserid toprofile targetprofile followee followeeid recipientuser",
    "vehicle fahrzeug véhicule vehículo veicolo veículo voertuig fahrzeuge medien medium materiale piatto gericht",
    "курс курса curso corso cours kurz 课程 コース",
    "podcast merchandise commodity lineitem productservice bib biblio streamer exhibit vacancy drug ndc medication",
    "oferta oferty menuitem matnr webpage repo mms lexeme publicación anuncio блюдо блюда",
    "artikel produkt produkts ware waren buch titel lied spiel rezept kurs",
    "artículo artículos producto productos libro película canción juego mercancía articolo prodotto prodotti "
    "libro canzone",
    "gioco brano artigo produto produtos livro filme música jogo mercadoria product boek spel",
    "przedmiot przedmiotu produktu towar towaru artykuł artykułu książka utwór pozycja",
    "товар товара товары продукт продукта артикул изделие книга фильм номенклатура номенклатуры",
    "商品 产品 產品 货品 货 物品 宝贝 电影 歌曲 图书 单品 品 製品 アイテム 品目 作品 映画 曲",
    "produit produits livre chanson jeu",
    *MORE["item"],
)
_WHAT = _any(  # what a moment is the moment of
    "txn trx ord purch evt crt sold purchased",
    "invoice order event purchase transaction trans review click created creation rating visit sale sales listen "
    "play played",
    "watched watch bought ordered added bestellt gekauft verkauft besteld gekocht booking booked checkout payment "
    "paid session interaction action rated view viewed",
    "bestell bestellung kauf rechnungs rechnung auftrags erstell erstellt zeit buchungs beleg verkaufs einkaufs",
    "compra pedido factura venta transacción creación evento ordine acquisto fattura vendita transazione "
    "creazione encomenda",
    "venda transação criação bestel aankoop factuur transactie aanmaak zamówienia zakupu transakcji utworzenia faktury",
    "sprzedaży заказа покупки транзакции создания события продажи оплаты чека 下单 购买 订单 交易 付款 支付 创建 "
    "成交 消费 行为",
    "注文 購入 購買 取引 作成 受注 売上 commande achat transaction facture vente création évènement événement",
    *MORE["what"],
)
_WHEN = _any(
    "date time timestamp datetime at ts day dt on datum tag zeit zeitpunkt zeitstempel am op fecha hora data ora "
    "tijd tijdstip",
    "czas дата время 时间 時間 日期 日時 日付 日 时刻 heure horodatage jour tstamp",
    *MORE["when"],
)
_NAME = _any(
    "name title description label desc bezeichnung beschreibung titel nombre descripción título nome descrizione "
    "titolo",
    "descrição naam omschrijving nazwa opis tytuł название наименование описание 名称 名稱 名 标题 名字 タイトル "
    "nom libellé",
    "désignation titre intitulé",
    *MORE["name"],
)

ANY_ID = re.compile(_ID)  # a header that says no more than that it is an id

# Earlier patterns win; each must match the whole of one of the header's forms.
PATTERNS: dict[str, tuple[str, ...]] = {
    "user": (
        f"(?:{_ID})?(?:{_USER})(?:{_ID})?|(?:{_USER})(?:pseudo|record)?(?:{_ID})",
        "uid|cid|userid|username|vid|steamid|fullvisitorid|hhid|householdkey|visitante|cardcode|cardname|codetiers"
        "|appleid(?:number)?",
        "(?:(?:user|customer|buyer|client|member|billing|kunden|cliente)?(?:e?mail|emailaddress|correoelectronico|correo))"
        "|emailbilling|электроннаяпочта|邮箱|電子郵件|メールアドレス|メール|courriel|adressemail|email(?:adresse|adres)",
        f".*(?:{_long(_USER)})s?(?:{_ID})?|.*(?:username|userid|email|mail)(?:address)?|(?:{_USER})(?:full|display|screen)?(?:name|nom|nome|naam|名|名称|氏名|昵称)",
        "login|handle|nickname|phone|phonenumber|telefon|telefono|telephone|手机|手机号|電話番号|iban|visid.*|.*mac",
        # who came once, where nobody is named
        f"(?:session|cookie|device|browser|visit|anonymous|distinct)(?:{_ID})?|ip|ipaddress|sid|mcvisid",
    ),
    "item": (
        f"(?:{_ID})?(?:{_ITEM})s?(?:{_ID})?|(?:{_ITEM})\\d(?:{_ID})|(?:{_ITEM})(?:sku|isbn|asin|code)|(?:{_ITEM})record(?:{_ID})",
        f"iid|pid|aid|ean|gtin|upc|ean13|pzn|barcode|codes?a?barres?|codigos?barras|codiceabarre|strichcode|streepjescode|kodkreskowy|plu|appid|штрихкод|品番|货号|款号|item|.*skus?(?:{_ID})?|art(?:{_ID})|(?:{_ID})art|refart",
        f".*(?:{_long(_ITEM)})s?(?:{_ID})?|ref|reference|referencia|référence|riferimento"
        f"|(?:bookmark|url|page|campaign|post|news|photo|image|question|repository|dish|advert|channel|station|gallery|lesson|tweet"
        f"|module|chapter|attraction|job|link|subreddit|service|treatment|procedure|workout|exercise)(?:{_ID}|name)?|pinid|pins|destination|route"
        "|(?:page|landing|request)(?:page|url|uri|path|location|screen){1,2}|path|uri|screen(?:name|class)",
    ),
    "rating": (
        "rating|ratings|stars|score|overall|reviewoverall|myrating|userrating|" + _any(
            "bewertung sterne wertung puntuación calificación valoración estrellas voto valutazione punteggio stelle",
            "avaliação classificação estrelas beoordeling waardering sterren cijfer ocena gwiazdki оценка рейтинг балл",
            "评分 打分 星级 評価 評点 レーティング note évaluation étoiles",
            *MORE["rating"],
        ),
        ".*(?:rating|stars|score)(?:val|value|given)?|评价|評分",
    ),
    "weight": (
        "quantity|qty|quantities|weight|count|units|" + _any(
            "pieces packs packages bottles seats portions servings flaschen bouteilles botellas",
            "tickets entradas biglietti billets ingressos eintrittskarten liczbasztuk ausleihen",
            "cant stk kwmeng 구매수 판매수 주문수 구매수량 판매수량 주문수량",
            "menge anzahl stück stueck stückzahl stueckzahl cantidad unidades quantità qta qtà pezzi quantidade "
            "qtd qtde",
            "aantal hoeveelheid stuks ilość liczba sztuk количество колво 数量 數量 件数 个数 個数 点数",
            "quantité qté qte",
            *MORE["weight"],
        ),
        "(?:units?|amount)(?:sold|ordered|bought|purchased)|(?:items|net)(?:sold|ordered|quantity|qty)|(?:order|ordered|item|items|sales|purchase|purchased|product|lineitem)(?:quantity|qty|count)|quantity.*|qty.*|"
        "quantitypurchased|bestellmenge|购买数量|購入数|購入数量|注文数|销售数量|количествотовара",
        ".*(?:quantity|qty)|(?:数量|數量|количество|liczba|anzahl).*|.*(?:数量|數量|個数|件数)",
        "amount|" + _any("betrag summe importe monto importo bedrag kwota сумма 金额 金額 montant"),
        "(?:count|num|number|total|n)s?(?:plays|views|clicks|listens|purchases|orders|visits|downloads|loans|rentals)"
        "|(?:plays|views|clicks|listens|purchases|orders|visits|downloads|loans|rentals)(?:count|total)|plays|playcount|clicks|sumclicks?|totalclicks?|(?:unique)?(?:page)?views|listens|watchtime|watchratio|hours|hoursplayed|playtime.*|minutes|minuteswatched|"
        "(?:minutes|hours|seconds)(?:watched|played|listened|viewed|spent|read)|(?:watched|played|listened)(?:minutes|hours|seconds)"
        "|dwelltime|msplayed|playbackcount|numberofplays|wiedergaben",
    ),
    "time": (
        "timestamp|datetime|time|date|ts|unixtime|unixreviewtime|unix|uts|utctime|epoch|when|" + _any(
            "datum zeit zeitpunkt zeitstempel fecha tijd tijdstip czas дата время датавремя 时间 時間 日期 日時 "
            "日付 年月日",
            "horodatage fechahora fechayhora dataora dataeora datahora dataehora dateheure datumzeit datumuhrzeit "
            "时间戳",
            *MORE["when"],
        ),
        f"(?:{_WHAT})s?(?:{_WHEN})(?:utc|ms|gmt|local)?|(?:{_WHEN})(?:{_WHAT})s?|tunein|erdat|audat|buchungstag"
        f"|(?:enrolled|attended|redeemed|loaned|started|start|beginn|beginning|inizio|início|inicio|début)(?:{_WHEN})?(?:utc|gmt|local)?",
        f"(?:{_WHAT})(?:{_WHEN})(?:{_WHEN})|arrival|checkin|.*(?:timestamp|tstamp|datetime|日時|时间|時刻)(?:utc|ms)?",
        f".*(?:{_WHAT})s?(?:{_WHEN})(?:utc|ms)?",
        ".*(?:date|datum|fecha|дата|日期|日付)|(?:fecha|data|date|datum|дата).*|.*at|.*time",
        "(?:timestamp|time|ts)(?:ms|us|ns|utc|gmt)|(?:date|day|time|week|month)(?:key|id|sk)?|yearmonth|monthyear|yyyymm|"
        + _any("dia giorno dzień день jour tag dag día fechadia mes mese monat miesiąc месяц mois maand 月 週 周"),
    ),
    "behaviour": (
        "behaviou?rs?|behaviou?rtype|behaviou?rname|action|actions|actiontype|event|eventtype|eventname|interaction|"
        "interactiontype|" + _any(
            "ereignis aktion verhalten evento acción tipoevento azione comportamento tipodievento ação "
            "gebeurtenis actie",
            "zdarzenie akcja событие действие 行为 行为类型 行為 事件 行動 イベント アクション évènement "
            "événement comportement",
        ),
        "type|activity|activitytype",
    ),
    "order": (
        f"(?:{_ID})?(?:" + _any(
            "txn trx ord invoice order opportunity basket transaction receipt bill ticket purchase session cart visit "
            "reservation booking "
            "bestellung bestell "
            "auftrag",
            "auftrags rechnung rechnungs beleg bon pedido factura ordine fattura scontrino encomenda fatura bestelling",
            "bestel factuur zamówienia zamówienie faktura paragon заказ заказа чек чека 订单 訂單 注文 伝票 受注 "
            "commande facture",
            *MORE["order"],
        ) + f")(?:{_ID})?",
        "usersession|.*session(?:id)?",
    ),
    "price": (
        "(?:unit|item|product|sale|sales|list|lineitem)*prices?(?:usd|eur|gbp)?|unitcost|cost|soldfor|" + _any(
            "pvp preciounidad valorunitario vlunitario",
            "preis einzelpreis stückpreis stueckpreis verkaufspreis precio preciounitario prezzo prezzounitario preço",
            "preçounitário prijs stukprijs eenheidsprijs cena cenajednostkowa цена 价格 單價 单价 售价 価格 単価 "
            "値段 prix prixunitaire",
            *MORE["price"],
        ),
    ),
    "text": (
        "review|reviews|feedback|opinion|remarks?|notes?|(?:review|comment|feedback|answer)?(?:text|body|comments?|message|verbatim)"
        "|reviewcontent|search|(?:search)?(?:query|queries|terms?|phrase|keywords?|words|string)|searchtext|" + _any(
            "bewertungstext rezension kommentar kommentare anmerkung suchbegriff suchbegriffe suchanfrage comentario "
            "comentarios opinión reseña búsqueda términobúsqueda commento commenti recensione ricerca "
            "comentário avaliaçãotexto "
            "commentaire commentaires avis recherche opmerking recensie zoekterm komentarz opinia recenzja fraza отзыв "
            "комментарий запрос поисковыйзапрос 评论 评论内容 评价内容 搜索词 关键词 留言 "
            "レビュー コメント 感想 検索語 "
            ""
            "検索キーワード 口コミ 후기 리뷰 검색어 yorum",
        ),
    ),
    "label": (
        f"description|title|label|(?:{_ITEM})\\d?(?:{_NAME})|(?:{_NAME})(?:{_ITEM})s?",
        f"{_NAME}|arktx|maktx|dscription",
        f".*(?:{_long(_NAME)})",
    ),
}  # fmt: skip

# Moments that are not those of the event: of the item, of the user, or of what came afterwards.
NOT_WHEN = _words(
    "release released publish published publication premiere premiered launch launched birth birthday born dob",
    "signup signedup register registered registration registr joined join membersince since expir expiry expires",
    "expiration valid due founded established installed lastseen lastlogin lastvisit firstseen renewal anniversary",
    "geburt geburts erschein veröffentlich anmelde registrier nacimiento estreno lanzamiento registro alta nascita",
    "uscita iscrizione registrazione nascimento lançamento cadastro inscrição geboorte registratie verschijn",
    "urodzenia premiery rejestracji wydania рождения регистрации выхода релиза 生日 出生 上映 发行 注册 發行 生年",
    "誕生 発売 登録 公開 naissance sortie inscription parution accountcreat usercreat customercreat profilecreat",
    "clientcreat membercreat optin confirm",
    *MORE["not when"],
)
# Moments that come later than the event, but tell of it: taken where there is no better one.
AFTERWARDS = _words(
    "ship shipped shipping shipment deliver delivery dispatch update updated modif changed refund return cancel",
    "liefer versand entrega envío consegna spedizione livraison доставки 发货 配送 出荷 更新 修改 end finish",
    "etl load loaded process processed received inserted ingest ingested extracted sync synced upload uploaded import",
    "imported export exported",
)
# Ratings that others gave, or that are counted and not given.
NOT_RATING = _words(
    "average avg mean median global imdb tmdb metacritic critic critics rottentomatoes community public external",
    "count num number ratings_count durchschnitt promedio media médio średnia средн 平均 moyenne moyen credit",
    "discount",
)
# What groups items or users and is neither.
CATEGORY = _words(
    "genre genres category categories department tier level segment type kind class group brand gender sex country",
    "city region state status language age currency device channel platform kategorie categoría categoria catégorie",
    "kategoria категория жанр 类别 分类 类目 品牌 カテゴリ ジャンル género genere gênero marke marca",
)
DURATION = _words(
    "duration length runtime minutes mins seconds secs hours msplayed playtime elapsed dauer länge duración duração",
    "durata minuti minutos duur czastrwania длительность 时长 時間長 再生時間 durée minuten sekunden",
)
MEASURE = _words(
    "temperature humidity pressure voltage income salary revenue turnover population age",
    "distance elevation altitude pace speed cadence watts calories heartrate steps latitude longitude lat lon lng",
    "balance saldo bouncerate bounce rate percent ratio ctr entfernung distanz höhenmeter "
    "geschwindigkeit breitengrad längengrad kontostand",
)
# What a pivot table writes before the name of a column that it counts or adds up.
COUNTED = re.compile(
    r"(?:number|num|no\.?|\#)[ _]*of\b.*s\b|"
    r"(?:sum|count|average|avg|max|min|total|summe|anzahl|mittelwert|somme|nombre|moyenne|suma|cuenta|promedio|soma|somma|"
    r"conteggio|som|aantal|合計|個数|求和项|计数项)[ _]*(?:of|von|de|di|van|/|:|：)\b",
    re.IGNORECASE,
)
# Several people together: where another column names one of them, that is the user.
TOGETHER = _words("household haushalt family company organisation organization firm team tenant hogar foyer huishouden")
# The number of a part of a work, unless it tells the part from those of all other works.
PART_NUMBER = _words("no nr num number index position nummer numero número numéro номер 号 號 番号 集 话 話")
# What things have and people do not.
TITLE = _words("title titel titre título titolo tytuł название 标题 题名 タイトル")
# What is one of several copies of a work where another column tells the work itself.
WORK = _words("bib biblio biblionumber bibnumber bibid bibrecord mmsid catkey")
# What happens at a place and is not the place, nor what people do in a log of events.
_EVENT = _any("event veranstaltung evento événement evenement wydarzenie мероприятие 活动 活動 公演 イベント 공연")
EVENT = re.compile(f"(?:{_EVENT})(?:{_NAME}|{_ID})?")
# The number of what was booked, which reads as that of a book.
BOOKING = re.compile("book(?:number|no|nr|num|id|ref|reference|code)")
CLOCK = re.compile(
    _any("time hour clock timeofday uhrzeit zeit hora ora tijd godzina czas время 时间 時間 時刻 heure")
    + "|.*time|.*hour|.*zeit"
)


@lru_cache(1 << 16)
def means(role: str, column: str) -> int | None:
    """Return how well a header says that role: 0 for best, None where it does not."""
    for tier, pattern in enumerate(_compiled(role)):
        if any(pattern.fullmatch(name) for name in header_names(column)):
            return tier
    return None


def says(words: tuple[str, ...], column: str) -> bool:
    """Return whether a header holds one of the words: short ones by themselves, long ones in a compound, too."""
    parts = header_words(column)
    whole = "".join(parts)
    return any(word in parts or (word in whole and (len(word) >= _LONG or not word.isascii())) for word in words)


@lru_cache(64)
def _compiled(role: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in PATTERNS[role])


def names_of(columns: Iterable[str]) -> dict[str, str]:
    """Return simple name -> column; of two with one simple name the first.

    Values inside objects are known by their names without the outer ones, too, where no other column is called so.
    """
    found: dict[str, str] = {}
    names = [str(column) for column in columns]
    for column in names:
        found.setdefault(simple_name(column), column)
    for column in names:
        parts = _INSIDE.split(column)
        for inner in range(1, len(parts)):
            found.setdefault(simple_name(".".join(parts[inner:])), column)
    return found
