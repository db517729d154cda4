"""Known exports: by their headers, with the roles of their columns."""

import pandas as pd
import pytest

from grouprec.data.roles.columns import ROLES
from grouprec.data.roles.header_words import simple_name
from grouprec.data.roles.presets import PRESETS, find_preset

# Headers as the exports write them, with the columns that are the user, the item and the time.
EXPORTS = {
    "a Shopify orders export": (
        "Name,Email,Financial Status,Paid at,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Id",
        "Email,Lineitem sku,Created at",
    ),
    "a WooCommerce report of orders": (
        "Date,Order #,N. Revenue (formatted),Status,Customer,Customer type,Product(s),Items sold,Coupon(s)",
        "Customer,Product(s),Date",
    ),
    "a WooCommerce export of order lines": (
        "Order Number,Order Status,Order Date,Email (Billing),Item #,SKU,Item Name,Quantity (- Refund),Item Cost",
        "Email (Billing),SKU,Order Date",
    ),
    "a Magento export of order items": (
        "increment_id,created_at,status,customer_email,sku,name,qty_ordered,price", "customer_email,sku,created_at",
    ),
    "a Google Analytics 4 export": (
        "event_date,event_timestamp,event_name,user_pseudo_id,items.item_id,items.item_name,items.price",
        "user_pseudo_id,items.item_id,event_timestamp",
    ),
    "Amazon reviews": (
        "reviewerID,asin,reviewerName,overall,summary,unixReviewTime,reviewTime", "reviewerID,asin,unixReviewTime",
    ),
    "an Amazon order report of a seller": (
        "amazon-order-id,purchase-date,buyer-email,sku,product-name,quantity-purchased,item-price",
        "buyer-email,sku,purchase-date",
    ),
    "an Amazon order history": (
        "Order Date,Purchase Price Per Unit,Quantity,Title,ASIN/ISBN (Product Code),Category,Survey ResponseID",
        "Survey ResponseID,ASIN/ISBN (Product Code),Order Date",
    ),
    "Instacart orders": (
        "order_id,product_id,add_to_cart_order,reordered,user_id,order_number", "user_id,product_id,",
    ),
    "RetailRocket events": ("timestamp,visitorid,event,itemid,transactionid", "visitorid,itemid,timestamp"),
    "Ta-Feng transactions": (
        "TRANSACTION_DT,CUSTOMER_ID,AGE_GROUP,PRODUCT_SUBCLASS,PRODUCT_ID,AMOUNT,ASSET,SALES_PRICE",
        "CUSTOMER_ID,PRODUCT_ID,TRANSACTION_DT",
    ),
    "MovieLens ratings": ("userId,movieId,rating,timestamp", "userId,movieId,timestamp"),
    "a Goodreads library": ("Book Id,Title,My Rating,Average Rating,Date Read,Date Added,User",
    "User,Book Id,Date Added"),
    "Goodreads reviews": ("user_id,book_id,review_id,rating,date_added,read_at", "user_id,book_id,date_added"),
    "Last.fm plays": ("user,artist,album,track,utc_time", "user,track,utc_time"),
    "Last.fm play counts": ("user,artist-mbid,artist-name,plays", "user,artist-name,"),
    "a Spotify streaming history": (
        "ts,username,ms_played,master_metadata_track_name,spotify_track_uri,skipped", "username,spotify_track_uri,ts",
    ),
    "Spotify playlists": ("pid,pos,track_uri,track_name,modified_at", "pid,track_uri,modified_at"),
    "Yelp reviews": ("review_id,user_id,business_id,stars,useful,funny,cool,text,date", "user_id,business_id,date"),
    "Steam reviews": ("recommendationid,steamid,appid,app_name,timestamp_created,voted_up",
    "steamid,appid,timestamp_created"),
    "Steam purchases and hours": ("user-id,game-title,behavior-name,value", "user-id,game-title,"),
}  # fmt: skip


def file_of(headers):
    return pd.DataFrame({header: ["x", "y"] for header in headers.split(",")})


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_known_by_its_headers(name):
    headers, expected = EXPORTS[name]
    preset, roles = find_preset(file_of(headers))
    assert preset.name == name
    assert [roles.get(role, "") for role in ("user", "item", "time")] == expected.split(",")


def test_all_presets_are_tried_here_and_name_real_roles():
    assert {preset.name for preset in PRESETS} >= set(EXPORTS)
    for preset in PRESETS:
        assert set(preset.roles) <= set(ROLES)
        options = [
            option for value in [preset.signs.replace(" ", "|"), *preset.roles.values()] for option in value.split("|")
        ]
        assert all(option == simple_name(option) or "_" in option for option in options), preset.name


def test_the_first_column_that_is_filled_is_taken_and_one_that_is_missing_stays_open():
    table = file_of("event_timestamp,event_name,user_id,user_pseudo_id,item_id")
    assert find_preset(table)[1]["user"] == "user_id"
    table["user_id"] = [None, "x"]
    roles = find_preset(table)[1]
    assert roles["user"] == "user_pseudo_id"
    assert "weight" not in roles and roles["rating"] == ""


def test_another_file_is_no_known_export():
    assert find_preset(file_of("user_id,item_id,timestamp")) is None
