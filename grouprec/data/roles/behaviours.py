"""What people do with items, and how much it says of their taste. Words compare without case, accents and signs."""

from __future__ import annotations

from collections.abc import Mapping

from grouprec.data.roles.header_words import header_words, simple_name

_WEIGHTS = {
    0.0: (
        "refund refunded return returned cancel cancelled canceled remove_from_cart removefrombasket remove "
        "dislike disliked "
        "skip skipped unlike hide abandon remove_from_wishlist storno retoure devolucion reso zwrot возврат 取消 "
        "退款 退货 返品"
    ),
    1.0: (
        "view viewed page_view pv detail click clicked visit impression play played listen listened watch watched "
        "rate rated "
        "view_item productview view_product seen read open select_item pageview angesehen ansicht klick vista visto "
        "visualización visualizzazione visualização bekeken weergave wyświetlenie obejrzane просмотр клик 浏览 "
        "点击 曝光 閲覧 "
        "クリック 視聴 vue consultation clic"
    ),
    2.0: (
        "cart add_to_cart basket add_to_basket wishlist collect save saved favourite favorite fav like liked share "
        "add_to_wishlist begin_checkout warenkorb merkliste carrito favorito carrello preferito carrinho winkelwagen "
        "winkelmand favoriet koszyk ulubione корзина избранное 加购 加购物车 收藏 喜欢 カート カート追加 "
        "お気に入り panier favori"
    ),
    3.0: (
        "purchase purchased buy bought order ordered transaction checkout sale sold kauf gekauft bestellung "
        "compra comprado "
        "acquisto acquistato comprou aankoop gekocht zakup kupione покупка куплено заказ 购买 下单 支付 成交 購入 "
        "注文 achat "
        "acheté commande"
    ),
}  # fmt: skip
BEHAVIOUR_WEIGHTS = {simple_name(word): weight for weight, words in _WEIGHTS.items() for word in words.split()}
DEFAULT_BEHAVIOUR_WEIGHT = 1.0
_BEGUN = frozenset(["start", "started", "begin", "begun", "initiate", "initiated", "reached", "abandoned"])


def behaviour_weight(name: str, weights: Mapping[str, float]) -> float | None:
    """Return the weight of a behaviour by its name, else by its words ("Placed Order", "cart_item_added"); None for no
    known word. What undoes something weighs as that, else the strongest word counts.

    Args:
        weights: simple name -> weight.
    """
    if (whole := weights.get(simple_name(name))) is not None:
        return whole
    words = set(header_words(name))
    known = [weights[word] for word in words & weights.keys()]
    if not known:
        return None
    strongest = 0.0 if min(known) == 0 else max(known)
    return min(strongest, 2.0) if words & _BEGUN else strongest
