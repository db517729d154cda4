"""Exports that many people have: known by headers that no other file has, with the roles of their columns. Data only.

Headers are simple names (:func:`grouprec.data.roles.header_words.simple_name`). Of several columns for a role the first
that is filled is taken; an empty one means that the file has no such column, whatever its names may look like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from grouprec.data.roles.header_words import names_of

_FILLED = 0.9


@dataclass(frozen=True)
class Preset:
    """A kind of export.

    Attributes:
        name: as the report calls it: "a Shopify orders export".
        signs: headers of which each entry has to be there; "a|b" is one or the other.
        roles: role -> headers, "a|b" in the order of preference, "" for none.
    """

    name: str
    signs: str
    roles: Mapping[str, str]


PRESETS = (
    Preset(
        "a Shopify orders export",
        "lineitemname lineitemquantity name",
        {
            "user": "email|customerid|billingname|phone", "item": "lineitemsku|lineitemname", "label": "lineitemname",
            "weight": "lineitemquantity", "price": "lineitemprice", "time": "createdat|paidat", "order": "name|id",
            "outcome": "financialstatus", "rating": "", "behaviour": "",
        },
    ),
    Preset(
        "a WooCommerce report of orders",
        "products itemssold customer|customername|username order|ordernumber",
        {
            "user": "customer|customername|username", "item": "products", "time": "date|orderdate", "label": "",
            "order": "order|ordernumber", "outcome": "status", "weight": "quantity|", "price": "",
            "behaviour": "", "rating": "",
        },
    ),
    Preset(
        "a WooCommerce export of order lines",
        "itemname|productname|lineitemname itemcost|itemtotal|orderlinetotal|itemprice "
        "emailbilling|billingemail|billingemailaddress|customeremail",
        {
            "user": "emailbilling|billingemail|billingemailaddress|customeremail|customeruserid|customerid",
            "item": "sku|itemsku|productsku|productid|itemname|productname",
            "label": "itemname|productname|lineitemname",
            "weight": "quantity|quantityrefund|itemquantity|qty", "price": "itemcost|itemprice",
            "time": "orderdate|date|orderdatetime|paiddate", "order": "ordernumber|orderid",
            "outcome": "orderstatus|status", "behaviour": "", "rating": "",
        },
    ),
    Preset(
        "a Magento export of order items",
        "sku qtyordered",
        {
            "user": "customeremail|customerid|email", "item": "sku", "label": "name|productname",
            "weight": "qtyordered",
            "price": "price|baseprice", "time": "createdat|purchasedate", "order": "incrementid|orderid|ordernumber",
            "outcome": "status|orderstatus|state", "behaviour": "", "rating": "",
        },
    ),
    Preset(
        "a Google Analytics 4 export",
        "eventtimestamp eventname userpseudoid",
        {
            "user": "userid|userpseudoid", "item": "itemsitemid|itemid|itemsitemname|itemname",
            "time": "eventtimestamp",
            "label": "itemsitemname|itemname", "behaviour": "eventname", "weight": "itemsquantity|quantity",
            "price": "itemsprice|price", "order": "ecommercetransactionid|transactionid", "rating": "", "outcome": "",
        },
    ),
    Preset(
        "a Moodle log",
        "eventcontext|ereigniskontext|contextodelevento|contextedelevenement "
        "eventname|ereignisname|nombredelevento|nombreevento|nomdelevenement "
        "userfullname|vollstandigernamedesnutzers|vollstandigername|nombrecompletodelusuario|nomcompletdelutilisateur",
        {
            "user": "userid|userfullname|vollstandigernamedesnutzers|vollstandigername|nombrecompletodelusuario"
            "|nomcompletdelutilisateur",
            "item": "eventcontext|ereigniskontext|contextodelevento|contextedelevenement",
            "behaviour": "eventname|ereignisname|nombredelevento|nombreevento|nomdelevenement",
            "time": "time|zeit|hora|heure", "label": "", "rating": "", "weight": "", "outcome": "", "order": "",
        },
    ),
    Preset(
        "a Universal Analytics export",
        "fullvisitorid productsku|v2productname",
        {
            "user": "fullvisitorid", "item": "productsku|v2productname", "label": "v2productname",
            "time": "visitstarttime|date", "weight": "productquantity", "price": "productprice",
            "order": "transactionid|visitid",
        },
    ),
    Preset(
        "Amazon reviews",
        "reviewerid asin overall",
        {
            "user": "reviewerid", "item": "asin", "rating": "overall", "time": "unixreviewtime|reviewtime", "label": "",
            "weight": "", "outcome": "",
        },
    ),
    Preset(
        "Amazon reviews",
        "userid parentasin|asin rating verifiedpurchase|helpfulvote",
        {
            "user": "userid", "item": "parentasin|asin", "rating": "rating", "time": "timestamp|sorttimestamp",
            "label": "producttitle|", "weight": "", "outcome": "",
        },
    ),
    Preset(
        "Amazon reviews",
        "customerid productid|productparent starrating reviewdate",
        {
            "user": "customerid", "item": "productparent|productid", "rating": "starrating", "time": "reviewdate",
            "label": "producttitle", "weight": "", "outcome": "",
        },
    ),
    Preset(
        "an Amazon order report of a seller",
        "amazonorderid purchasedate sku|asin",
        {
            "user": "buyeremail|buyername|recipientname|shippostalcode", "item": "sku|asin",
            "label": "productname|title",
            "weight": "quantitypurchased|quantity", "price": "itemprice", "time": "purchasedate",
            "order": "amazonorderid", "outcome": "orderstatus|itemstatus", "behaviour": "", "rating": "",
        },
    ),
    Preset(
        "an Amazon order history",
        "orderdate asinisbn|asinisbnproductcode|asin title|productname",
        {
            "user": "surveyresponseid|accountuseremail|orderingcustomeremail|buyername|accountuser",
            "item": "asinisbn|asinisbnproductcode|asin", "label": "title|productname",
            "weight": "quantity|itemquantity",
            "price": "purchaseppu|unitprice|purchasepriceperunit", "time": "orderdate", "order": "orderid",
            "outcome": "orderstatus", "behaviour": "", "rating": "",
        },
    ),
    Preset(
        "Instacart orders",
        "orderid productid addtocartorder",
        {
            "user": "userid", "item": "productid", "label": "productname", "order": "orderid", "time": "orderdate",
            "weight": "", "rating": "", "behaviour": "", "outcome": "",
        },
    ),
    Preset(
        "RetailRocket events",
        "visitorid event itemid",
        {
            "user": "visitorid", "item": "itemid", "behaviour": "event", "time": "timestamp", "order": "transactionid",
            "outcome": "",
        },
    ),
    Preset(
        "Ta-Feng transactions",
        "transactiondt customerid productid",
        {
            "user": "customerid", "item": "productid", "time": "transactiondt", "weight": "amount", "price": "",
            "order": "", "behaviour": "", "rating": "",
        },
    ),
    Preset(
        "MovieLens ratings",
        "userid movieid rating",
        {"user": "userid", "item": "movieid", "rating": "rating", "time": "timestamp", "label": "title", "outcome": ""},
    ),
    Preset(
        "a Goodreads library",
        "bookid myrating averagerating",
        {
            "user": "userid|username|user", "item": "bookid", "label": "title", "rating": "myrating",
            "time": "dateadded|dateread", "weight": "", "outcome": "",
        },
    ),
    Preset(
        "Goodreads reviews",
        "userid bookid rating|isread",
        {
            "user": "userid", "item": "bookid", "rating": "rating", "time": "dateadded|dateupdated|readat",
            "weight": "",
            "label": "title|booktitle", "outcome": "",
        },
    ),
    Preset(
        "Last.fm plays",
        "artist|artistname track|trackname utctime|uts",
        {
            "user": "user|userid|username|usersha1", "item": "track|trackname", "time": "utctime|uts", "weight": "",
            "label": "", "rating": "", "outcome": "",
        },
    ),
    Preset(
        "Last.fm play counts",
        "userid|user|usersha1|usermboxsha1|userssha1 artistmbid|artistname|artname plays",
        {
            "user": "userid|user|usersha1|usermboxsha1|userssha1", "item": "artistname|artname|artistmbid",
            "weight": "plays", "label": "", "outcome": "",
        },
    ),
    Preset(
        "a Spotify streaming history",
        "ts msplayed mastermetadatatrackname|spotifytrackuri",
        {
            "user": "username|user|userid", "item": "spotifytrackuri|mastermetadatatrackname",
            "label": "mastermetadatatrackname", "time": "ts", "weight": "", "rating": "", "behaviour": "",
            "outcome": "skipped",
        },
    ),
    Preset(
        "a Spotify streaming history",
        "endtime artistname trackname msplayed",
        {
            "user": "username|user|userid", "item": "trackname", "time": "endtime", "weight": "", "label": "",
            "rating": "", "behaviour": "",
        },
    ),
    Preset(
        "Spotify playlists",
        "pid trackuri",
        {
            "user": "pid", "item": "trackuri", "label": "trackname", "time": "modifiedat", "weight": "", "rating": "",
            "behaviour": "", "outcome": "",
        },
    ),
    Preset(
        "Reddit posts",
        "author subreddit",
        {"user": "author", "item": "subreddit", "time": "createdutc|created", "label": "", "rating": "", "weight": ""},
    ),
    Preset(
        "Yelp reviews",
        "userid businessid stars|compliment_count|compliment|text",
        {
            "user": "userid", "item": "businessid", "rating": "stars", "time": "date", "weight": "", "label": "",
            "behaviour": "", "outcome": "",
        },
    ),
    Preset(
        "Steam reviews",
        "steamid|authorsteamid appid|itemid",
        {
            "user": "steamid|authorsteamid", "item": "appid|itemid", "label": "appname|gamename|itemname",
            "time": "timestampcreated|unixtimestampcreated", "outcome": "votedup|recommended|recommend", "weight": "",
            "rating": "",
        },
    ),
    Preset(
        "Steam purchases and hours",
        "userid|user gametitle|game behaviorname|behavior|behaviour",
        {
            "user": "userid|user", "item": "gametitle|game", "behaviour": "behaviorname|behavior|behaviour",
            "weight": "value|hours", "label": "",
        },
    ),
)  # fmt: skip


def find_preset(head: pd.DataFrame) -> tuple[Preset, dict[str, str]] | None:
    """Return the preset that a file's headers bear, and its roles: role -> column, "" for none; else None.

    A role whose columns are all missing is not among them: its column may have another name.
    """
    names = names_of(head.columns)
    for preset in PRESETS:
        if all(any(name in names for name in sign.split("|")) for sign in preset.signs.split()):
            found = {role: _filled(options, names, head) for role, options in preset.roles.items()}
            return preset, {
                role: column for role, column in found.items() if column or "" in preset.roles[role].split("|")
            }
    return None


def _filled(options: str, names: Mapping[str, str], head: pd.DataFrame) -> str:
    """Return the first column that is filled, else the one that is filled most, "" where there is none."""
    there = [names[name] for name in options.split("|") if name in names]
    shares = [float(head[column].notna().mean()) for column in there]
    full = next((column for column, share in zip(there, shares, strict=True) if share >= _FILLED), None)
    return full or (there[max(range(len(there)), key=shares.__getitem__)] if any(shares) else "")
