"""Lines of an order that are no product: postage, fees, samples, vouchers, discounts, tips. Found by words."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from grouprec.core.arrays import largest_first
from grouprec.data.values.common import compute, folded, folded_texts, word_set
from grouprec.data.values.ids import id_texts

MOST_SERVICES = 0.3  # a shop of which more is services lives from them
_CODED = 0.9  # share of the codes with digits from which on one without is odd

# Words of which a service's name consists, beside small ones; a product has other words, too.
_CORE = word_set(
    "postage shipping carriage freight delivery handling surcharge fee fees gratuity donation giftcard giftvoucher",
    "voucher vouchers coupon discount discounts tip tips adjustment adjust manual sample samples commission",
    "insurance giftwrap giftwrapping rounding restocking storecredit bankcharges amazonfee test tax vat refund",
    "deposit chargeback postagepacking versand versandkosten versandkostenpauschale porto portokosten liefergebuhr",
    "lieferkosten lieferpauschale gebuhr gebuhren bearbeitungsgebuhr gutschein gutscheine geschenkgutschein",
    "geschenkkarte rabatt rabatte trinkgeld muster warenprobe pfand spende nachlass bankgebuhren geschenkverpackung",
    "aufschlag zuschlag mindermengenzuschlag expressversand gutschrift frachtkosten fracht nachnahmegebuhr",
    "expresszuschlag bankspesen envio envios portes propina descuento descuentos tarjetaregalo cupon muestra",
    "muestras recargo comision donacion ajuste flete spedizione spedizioni mancia sconto sconti buonoregalo",
    "cartaregalo campione campioni commissione commissioni trasporto donazione contrassegno frete gorjeta desconto",
    "descontos valepresente cartaopresente cupom amostra amostras taxa verzending verzendkosten bezorgkosten",
    "bezorging fooi korting cadeaubon cadeaukaart kadobon toeslag statiegeld donatie monster administratiekosten",
    "wysylka przesylka przesylki dostawa dostawy rabat napiwek kartapodarunkowa bonpodarunkowy probka probki oplata",
    "prowizja доставка доставки скидка чаевые сертификат подарочныисертификат подарочнаякарта образец образцы",
    "комиссия купон пробник пожертвование livraison fraisdeport fraisport expedition remise pourboire cartecadeau",
    "boncadeau chequecadeau echantillon echantillons fraisbancaires consigne emballagecadeau",
)
# Of these, words that elsewhere are products, topics or places: services only where rows are lines of orders.
_WEAK = word_set(
    "insurance tax vat deposit test tip tips sample samples manual donation commission delivery freight adjustment",
    "muster spende pfand fracht propina muestra muestras comision donacion mancia campione campioni commissione",
    "commissioni trasporto donazione gorjeta amostra amostras taxa fooi statiegeld donatie monster bezorging napiwek",
    "probka probki prowizja dostawa доставка чаевые образец образцы комиссия пробник пожертвование livraison",
    "expedition pourboire echantillon echantillons consigne porto portes flete frete",
)
_SMALL = word_set(
    "free standard express next day same economy priority international domestic worldwide flat rate zone home",
    "order orders cost costs charge charges service services bank bad debt and of for the to a by on with incl inkl",
    "extra small large total sales amount entrega custos ground cod gratis code item product this is dotcom online",
    "shop store amazon paypal ebay dhl ups dpd fedex usps gls hermes royal mail first class second uk eu us de usa",
    "europe int intl eur usd gbp chf p off your gift e digital kosten pauschale fur und der nach gastos coste gasto",
    "cargo bancarios bancario di del do da la le el les des du spese costi costo contributo custo taxas koszt",
    "koszty za op van naar frais bancaires bezplatna darmowa kurier kurierska стоимость за курьером бесплатная",
)
_PHRASES = {
    "gift card": "giftcard", "gift cards": "giftcard", "gift voucher": "giftvoucher", "gift certificate": "giftvoucher",
    "gift wrap": "giftwrap", "gift wrapping": "giftwrap", "store credit": "storecredit", "bank charges": "bankcharges",
    "bank charge": "bankcharges",
    "flat rate": "shipping", "local pickup": "shipping",
    "post and packing": "postage", "postage and packaging": "postage", "p p": "postage",
    "tarjeta regalo": "tarjetaregalo", "tarjeta de regalo": "tarjetaregalo", "buono regalo": "buonoregalo",
    "carta regalo": "cartaregalo", "vale presente": "valepresente", "cartao presente": "cartaopresente",
    "karta podarunkowa": "kartapodarunkowa", "bon podarunkowy": "bonpodarunkowy", "frais de port": "fraisdeport",
    "подарочныи сертификат": "подарочныисертификат", "подарочная карта": "подарочнаякарта",
    "carte cadeau": "cartecadeau",
    "bon cadeau": "boncadeau", "cheque cadeau": "chequecadeau", "frais bancaires": "fraisbancaires",
}  # fmt: skip
_HEADS = {"postage", "giftvoucher", "giftcard", "versandkosten", "gutschein", "geschenkgutschein"}  # "Dotcom postage"
_SIGNS = re.compile(
    "运费|運費|邮费|快递费|配送费|优惠券|優惠券|礼品卡|小费|样品|手续费|手續費|服务费|补差价|差价|差價|"
    "送料|配送料|手数料|ギフトカード|ギフト券|商品券|クーポン|割引|値引|チップ代|サンプル|試供品"
)
_LONGEST = 3  # signs that a Chinese or Japanese name may have beside those of a service
_ANY_SIGN = "|".join([*sorted(_CORE), *(rf"\b{phrase}\b" for phrase in _PHRASES), "p&p", folded(_SIGNS.pattern)])
# Codes without digits among codes with them.
_CODES = word_set(
    "post postage dot m d s b ship shipping fee adj adjust gift voucher porto versand frete tip disc discount",
    "coupon sample samples test delivery freight manual credit misc bankcharges amazonfee carriage charge charges",
)


def is_service(name: str, ordered: bool = True) -> bool:
    """Return whether a name is that of a service and not of a product: ``Versandkosten DHL``, ``Gift voucher 20 €``.

    Args:
        ordered: whether it stands in a line of an order; elsewhere an *insurance* may be what a bank sells.
    """
    words = _service_words(name)
    core = [word for word in words if word in _CORE]
    if not ordered and core and all(word in _WEAK for word in core):
        return False
    if core and all(word in _CORE or word in _SMALL for word in words):
        return True
    if len(words) in (2, 3) and words[-1] in _HEADS and len(words) - len(core) <= 2:
        return True
    rest = _SIGNS.sub("", name)
    return len(rest) < len(name) and len(re.sub(r"[\W\d]", "", rest)) <= _LONGEST


def _service_words(name: str) -> list[str]:
    text = " ".join(word for word in re.split(r"[\W\d_]+", folded(name)) if word)
    for phrase, word in _PHRASES.items():
        text = re.sub(rf"\b{phrase}\b", word, text) if phrase in text else text
    return text.split()


def find_services(
    items: np.ndarray, item_ids: np.ndarray, labels: pd.Series | None, ordered: bool = True
) -> tuple[np.ndarray, list[str]]:
    """Return bool [I], which items are services, and their names, those with the most rows first.

    Args:
        items: int [n] codes into ``item_ids``, -1 where missing.
        item_ids: object [I] of str.
        labels: what the rows call their item; of every item the first and the last one count.
        ordered: whether rows are lines of orders, as a quantity, a price or an order's number tells.
    """
    n_items = len(item_ids)
    first, last = np.zeros(n_items + 1, np.int64), np.zeros(n_items + 1, np.int64)  # the last entry serves the code -1
    first[items[::-1]], last[items] = np.arange(len(items))[::-1], np.arange(len(items))
    coded = np.array([any(sign.isdigit() for sign in code) for code in item_ids], dtype=bool)
    odd = ~coded if n_items and coded.mean() >= _CODED else np.zeros(n_items, dtype=bool)
    names = [item_ids.astype(str)] * 2
    if labels is not None and n_items:
        names = [_texts(labels.iloc[rows[:n_items]]) for rows in (first, last)]
    found = np.zeros(n_items, dtype=bool)
    for at in np.flatnonzero(odd | _may_be_service(names[0])):
        one, other = names[0][at], names[1][at]
        found[at] = (is_service(one, ordered) and is_service(other, ordered)) or (
            odd[at] and _is_odd_service(item_ids[at], one)
        )
    counts = np.bincount(items[items >= 0], minlength=n_items)
    order = [at for at in largest_first(counts) if found[at]]
    return found, [str(names[0][at]) for at in order]


def _may_be_service(names: np.ndarray) -> np.ndarray:
    """Return bool [n], which names hold a word of a service at all: few of many, and quickly found."""
    folded_names = folded_texts(pd.Series(names, dtype="str"))
    found = compute.match_substring_regex(folded_names, _ANY_SIGN)
    return np.asarray(found.fill_null(False))


def _is_odd_service(code: str, name: str) -> bool:
    simple = re.sub(r"\W", "", folded(code))
    return simple in _CODES or any(word in _CORE for word in _service_words(name))


def _texts(labels: pd.Series) -> np.ndarray:
    return id_texts(labels.reset_index(drop=True)).fillna("").to_numpy(dtype=object)
