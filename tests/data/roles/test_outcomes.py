"""Rows that came to nothing: by an order's status, or by yes and no."""

import pandas as pd
import pytest

from grouprec.data.roles.outcomes import came_to_nothing, is_flag, tells_outcome


def column(name, *values):
    return pd.Series(list(values), name=name, dtype=object)


@pytest.mark.parametrize(
    ("name", "values", "nothing"),
    [
        ("clicked", ["1", "0", "1.0", None], [False, True, False, False]),
        ("liked", ["True", "False", None, "TRUE"], [False, True, False, False]),
        ("is_purchased", ["yes", "no"], [False, True]),
        ("gekauft", ["ja", "nein"], [False, True]),
        ("是否购买", ["是", "否"], [False, True]),
        ("target", [1, 0], [False, True]),
        ("refunded", ["0", "1", None], [False, True, False]),
        ("isReturned", [True, False], [True, False]),
        ("storniert", ["Ja", "Nein"], [True, False]),
        ("skipped", ["false", "true"], [False, True]),
        ("No Show", ["Yes", "No", None], [True, False, False]),
        ("Stage", ["Closed Won", "Closed Lost", "Negotiation"], [False, True, False]),
        ("status", ["completed", "Cancelled", "refunded", "pending", None], [False, True, True, False, False]),
        ("Financial Status", ["paid", "partially_refunded", "voided"], [False, False, True]),
        ("order_state", ["shipped", "not cancelled", "payment failed", "on hold"], [False, False, True, False]),
        ("Status", ["versendet", "storniert", "Retoure", "Teilretoure"], [False, True, True, False]),
        ("estado", ["entregado", "cancelado", "devuelto", "reembolsado"], [False, True, True, True]),
        ("stato", ["spedito", "annullato", "rimborsato", "reso"], [False, True, True, True]),
        ("status", ["entregue", "cancelado", "devolvido", "estornado"], [False, True, True, True]),
        ("status", ["verzonden", "geannuleerd", "terugbetaald"], [False, True, True]),
        ("status", ["zrealizowane", "anulowane", "zwrócone"], [False, True, True]),
        ("статус", ["доставлен", "отменён", "возврат"], [False, True, True]),
        ("订单状态", ["已完成", "已取消", "退款成功"], [False, True, True]),
        ("ステータス", ["完了", "キャンセル", "返品"], [False, True, True]),
        ("statut", ["livrée", "annulée", "remboursée"], [False, True, True]),
    ],
)  # fmt: skip
def test_what_came_to_nothing_is_known_in_many_languages(name, values, nothing):
    given = column(name, *values)
    assert tells_outcome(given)
    assert came_to_nothing(given)[0].tolist() == nothing


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("state", ["NY", "CA"]),
        ("marital_status", ["single", "married"]),
        ("clicks", ["0", "7"]),
        ("liked", ["a lot", "a little"]),
        ("verified_purchase", ["Y", "N"]),
        ("accepts_marketing", ["yes", "no"]),
        ("reordered", ["0", "1"]),
        ("status", ["1", "2"]),
        ("note", ["cancelled", "refunded"]),
        ("status", [f"cancelled {n}" for n in range(60)]),
    ],
)
def test_other_columns_tell_no_outcome(name, values):
    assert not tells_outcome(column(name, *values))


def test_the_values_that_say_so_are_counted_the_most_first():
    counts = came_to_nothing(column("status", "refunded", "ok", "cancelled", "cancelled"))[1]
    assert list(counts.items()) == [("cancelled", 2), ("refunded", 1)]


@pytest.mark.parametrize(
    ("values", "digits", "flag"),
    [
        (["Yes", "No", None], False, True),
        (["ja", "nein"], False, True),
        (["0", "1"], True, True),
        (["0", "1"], False, False),
        ([1.0, 0.0], True, True),
        ([True, False], True, True),
        (["yes", "no", "maybe"], True, False),
        ([None], True, False),
    ],
)
def test_flags_are_yes_and_no_and_nothing_else(values, digits, flag):
    assert is_flag(column("x", *values), digits=digits) is flag
