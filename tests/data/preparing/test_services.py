"""Lines of orders that are no product."""

import numpy as np
import pandas as pd
import pytest

from grouprec.data.preparing.services import find_services, is_service


@pytest.mark.parametrize(
    "name",
    [
        "POSTAGE", "Dotcom Postage", "Shipping", "Standard shipping", "UPS Ground shipping", "Shipping fee",
        "Delivery charge",
        "Carriage", "Handling fee", "Bank Charges", "Service fee", "Tip", "Gratuity", "Gift Card 50", "E-Gift Card",
        "Discount",
        "Gift voucher £20.00", "Free sample", "SAMPLES", "Manual", "Store credit", "Gift wrapping", "Sales tax",
        "Adjust bad debt",
        "Versandkosten DHL", "Versandkostenpauschale", "Porto", "Rabatt 10%", "Trinkgeld", "Geschenkgutschein",
        "Nachnahmegebühr",
        "Gastos de envío", "Envío gratis", "Propina", "Tarjeta regalo 30", "Descuento", "Spese di spedizione", "Mancia",
        "Buono regalo", "Sconto", "Frete", "Custos de envio", "Gorjeta", "Vale presente", "Verzendkosten", "Fooi",
        "Cadeaubon",
        "Koszt dostawy", "Przesyłka kurierska", "Karta podarunkowa", "Rabat", "Доставка курьером", "Чаевые", "Скидка",
        "Подарочный сертификат", "运费", "邮费补差价", "优惠券", "小费", "送料", "代引き手数料", "ギフトカード",
        "クーポン割引",
        "Frais de port", "Livraison express", "Pourboire", "Carte cadeau 50€", "Remise",
    ],
)  # fmt: skip
def test_services_are_known_by_their_names(name):
    assert is_service(name)


@pytest.mark.parametrize(
    "name",
    [
        "Shipping container toy", "Gift card holder", "Delivery truck", "Tip top shoes", "Sample sale dress",
        "Carriage clock",
        "Postage stamp album", "Manual coffee grinder", "Voucher wallet", "Muster Tapete", "Porto Rotwein",
        "Service plate",
        "Insurance for dummies", "Standard lamp", "Free range eggs", "Small bowl", "First class", "Donation box",
        "Home", "Gift set",
        "Discount supermarket game", "送料込みTシャツ", "サンプル収納ケース", "Royal Mail van", "Bon bons", "", "A117",
    ],
)  # fmt: skip
def test_products_are_no_services(name):
    assert not is_service(name)


@pytest.mark.parametrize("name", ["Insurance", "Deposits and deposit", "Tips", "Tax", "Donation", "Delivery"])
def test_where_rows_are_no_lines_of_orders_a_service_may_be_what_is_offered(name):
    assert not is_service(name, ordered=False)


@pytest.mark.parametrize("name", ["Postage", "Versandkosten DHL", "Shipping insurance", "Gift voucher 20", "优惠券"])
def test_postage_and_vouchers_are_services_in_any_row(name):
    assert is_service(name, ordered=False)


def found(codes, labels=None):
    ids, items = np.unique(np.array(codes, dtype=object), return_inverse=True)
    services, names = find_services(items, ids, None if labels is None else pd.Series(labels))
    return [str(code) for code in ids[services]], names


def test_odd_codes_among_codes_with_digits_are_services():
    products = [f"{n}A" for n in range(40)]
    assert found([*products, "POST", "M", "PADS"])[0] == ["M", "POST"]
    assert found([*"ABCDM"])[0] == [], "letters only, so a letter is nothing odd"
    labels = [*["Mug"] * 40, "CRUK commission", "Pads to match"]
    assert found([*products, "CRUK", "PADS"], labels)[0] == ["CRUK"]


def test_the_first_and_the_last_name_of_an_item_count():
    assert found(["1", "1", "2", "2"], ["Postage", "Postage", "Mug", "sample"]) == (["1"], ["Postage"])
    assert found(["1", "2"], [None, "Postage"])[0] == ["2"]


def test_services_come_by_their_rows():
    codes = ["1", "2", "2", "3"]
    assert found(codes, ["Shipping", "Discount", "Discount", "Mug"])[1] == ["Discount", "Shipping"]
    assert found([])[0] == []
