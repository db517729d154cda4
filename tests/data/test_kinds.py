"""Exports of the real world, a small one of each kind: what becomes of them from the file on."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.finding import find_roles
from grouprec.data.preparing.prepare import prepare
from grouprec.data.roles.columns import ChoiceError

N_USERS, N_ITEMS, N = 40, 12, 480
RNG = np.random.default_rng(3)
ITEMS = RNG.integers(0, N_ITEMS, N)
MOMENTS = pd.to_datetime(np.sort(RNG.integers(1_650_000_000, 1_700_000_000, N)), unit="s").floor("min")
NAMES = ("Red Mug", "Tin Box", "Oak Lamp")


def events(**columns):
    """Return a file of shop events, with these columns beside user_id and item_id (None takes one away)."""
    table = {
        "user_id": [f"K{10_000 + row % N_USERS}" for row in range(N)],
        "item_id": [f"A{100 + item}" for item in ITEMS],
        **columns,
    }
    return pd.DataFrame({name: values for name, values in table.items() if values is not None})


def done(tmp_path, table, name="shop.csv", **options):
    path = tmp_path / name
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)
    return prepare(path, **options)


def doubts(result):
    return result.doubts


def dropped(result):
    table = result.report.table()
    return {row.step: row.dropped for row in table.itertuples() if row.dropped}


def period(result):
    return [dt.datetime.fromtimestamp(seconds, dt.UTC) for seconds in (result.first_time, result.last_time)]


EXPECTED = [MOMENTS[0].to_pydatetime().replace(tzinfo=dt.UTC), MOMENTS[-1].to_pydatetime().replace(tzinfo=dt.UTC)]
SHORT_DE = ("Jan", "Feb", "Mrz", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")
SHORT_IT = ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic")
MONTHS_RU = (
    "января", "февраля", "марта", "апреля", "мая", "июня", "июля", "августа", "сентября", "октября", "ноября",
    "декабря",
)  # fmt: skip
TIMES = {
    "compact": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "compact to the minute": lambda t: t.strftime("%Y%m%d%H%M"),
    "report": lambda t: t.strftime("%b %d, %Y %I:%M:%S %p UTC"),
    "short am": lambda t: f"{t.month}/{t.day}/{t:%y} {t.hour % 12 or 12}:{t:%M}{'am' if t.hour < 12 else 'pm'}",
    "milliseconds": lambda t: t.strftime("%Y-%m-%d %H:%M:%S,000"),
    "German": lambda t: f"{t.day}. {SHORT_DE[t.month - 1]} {t.year} {t:%H:%M} Uhr",
    "Italian": lambda t: f"{t.day:02d}-{SHORT_IT[t.month - 1]}-{t.year} {t:%H:%M}",
    "Russian": lambda t: f"{t.day} {MONTHS_RU[t.month - 1]} {t.year} г. {t:%H:%M}",
    "Chinese": lambda t: f"{t.year}年{t.month}月{t.day}日 {t:%H:%M}",
    "ticks": lambda t: str(int(t.timestamp()) * 10**7 + 621_355_968_000_000_000),
    "Excel": lambda t: f"{t.timestamp() / 86_400 + 25_569:.8f}",
    "units": lambda t: str(int(t.timestamp()) * 1000 ** (t.minute % 4)),
    "log": lambda t: t.strftime("%d/%b/%Y:%H:%M:%S +0000"),
    "offset": lambda t: (t + pd.Timedelta(hours=2)).strftime("%d.%m.%Y %H:%M:%S +0200"),
    "two forms": lambda t: t.strftime("%d.%m.%Y %H:%M" if t.minute % 2 else "%Y-%m-%dT%H:%M"),
    "year first": lambda t: t.strftime("%y/%m/%d %H:%M"),
}


@pytest.mark.parametrize("form", TIMES)
def test_times_of_many_forms_are_read_whole(tmp_path, form):
    result = done(tmp_path, events(date=[TIMES[form](moment) for moment in MOMENTS]))
    assert period(result) == EXPECTED
    assert "times that cannot be read" not in dropped(result)


def test_a_date_and_a_time_of_day_are_joined(tmp_path):
    days, clocks = MOMENTS.strftime("%d.%m.%Y").tolist(), MOMENTS.strftime("%H:%M").tolist()
    assert period(done(tmp_path, events(Uhrzeit=clocks, Datum=days))) == EXPECTED


@pytest.mark.parametrize("bad", ["soon", "1899-12-30", "2099-01-01", "0000-00-00"])
def test_times_that_are_none_are_counted_with_an_example(tmp_path, bad):
    texts = [bad if row % 10 == 0 else str(moment) for row, moment in enumerate(MOMENTS)]
    result = done(tmp_path, events(date=texts))
    assert dropped(result)["times that cannot be read"] == 48
    assert any(f"48 of 480 times in column 'date' cannot be read, such as '{bad}'" in doubt for doubt in doubts(result))


AMOUNTS = np.round(RNG.gamma(2, 400, N) + 1, 2)


def german(value):
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


NUMBERS = {
    "German": german,
    "euros behind": lambda value: f"{german(value)} €",
    "dollars before": lambda value: f"${value:,.2f}",
    "some with a sign": lambda value: f"€{value:.2f}" if int(value) % 3 else f"{value:.2f}",
    "spaces": lambda value: f"{value:,.2f}".replace(",", "\u202f").replace(".", ","),
    "apostrophes": lambda value: f"CHF {value:,.2f}".replace(",", "’"),
    "formula": lambda value: f'="{value:.2f}"',
}


@pytest.mark.parametrize("form", NUMBERS)
def test_amounts_of_many_forms_are_read_whole(tmp_path, form):
    settings = {"weighting": "none", "winsorise": 1.0, "min_item_users": 1}
    written = done(
        tmp_path, events(amount=[NUMBERS[form](value) for value in AMOUNTS]), settings=Preparation(**settings)
    )
    plain = done(tmp_path, events(amount=AMOUNTS), "plain.csv", settings=Preparation(**settings))
    np.testing.assert_allclose(written.dataset.train.weights, plain.dataset.train.weights)
    assert written.roles.weight == "amount" and not written.report.doubts


def test_pieces_and_kilos_stand_in_one_column(tmp_path):
    texts = ["0,250" if row % 3 == 0 else "1,500" if row % 3 == 1 else "2" for row in range(N)]
    result = done(tmp_path, events(quantity=texts), settings=Preparation(weighting="none", min_item_users=1))
    assert result.dataset.train.weights.max() < 20, "1,500 is one and a half"


def test_quantities_that_are_none_and_currencies_are_said(tmp_path):
    texts = ["many" if row % 10 == 0 else f"{'$' if row % 2 else '€'}{row}" for row in range(1, N + 1)]
    said = " ".join(doubts(done(tmp_path, events(amount=texts))))
    assert "48 of 480 quantities in column 'amount' cannot be read, such as 'many'" in said
    assert "several currencies ($, €)" in said and "--map weight=COLUMN" in said


def test_a_comma_that_nothing_explains_is_said(tmp_path):
    said = doubts(done(tmp_path, events(price=[f"1,{500 + row}" for row in range(N)])))
    assert any("1,500 is read as 1500, but nothing tells" in doubt for doubt in said)


def test_ids_half_with_a_point_are_the_same_users(tmp_path):
    users = [f"{40_000 + row % N_USERS}{'.0' if row % 3 else ''}" for row in range(N)]
    people = tmp_path / "users.csv"
    pd.DataFrame({"customer_id": range(40_000, 40_040), "country": ["FR", "DE"] * 20}).to_csv(people, index=False)
    result = done(tmp_path, events(user_id=users), users=people)
    assert result.n_users == N_USERS
    assert set(result.dataset.user_attributes["country"]) == {"FR", "DE"}


def test_ids_of_bytes_are_text(tmp_path):
    table = events()
    table["item_id"] = [item.encode() for item in table["item_id"]]
    assert set(done(tmp_path, table, "shop.parquet").dataset.item_ids) == {f"A{100 + n}" for n in range(N_ITEMS)}


def test_ids_that_excel_ruined_are_named(tmp_path):
    result = done(tmp_path, events(item_id=[f"4.{item:02d}E+12" for item in ITEMS]))
    assert any("the items in column 'item_id' look like '4.00E+12'" in doubt for doubt in doubts(result))


def test_service_lines_are_left_out_counted_and_kept_by_a_setting(tmp_path):
    table = events(description=[f"{NAMES[item % 3]} {item}" for item in ITEMS], quantity=["1"] * N)
    extra = table.head(60).assign(
        item_id=["VK"] * 40 + ["GS"] * 20, description=["Versandkosten"] * 40 + ["Gutschein"] * 20
    )
    both = pd.concat([table, extra])
    result = done(tmp_path, both)
    assert (dropped(result)["service lines"], result.n_items) == (60, N_ITEMS)
    assert any("60 rows are service lines and left out (Versandkosten, Gutschein)" in doubt for doubt in doubts(result))
    assert any("--set data.drop_services=false" in doubt for doubt in doubts(result))
    kept = done(tmp_path, both, settings=Preparation(drop_services=False))
    assert kept.n_items == N_ITEMS + 2 and "service lines" not in dropped(kept)


@pytest.mark.parametrize("named", [("Grand Total", "All products"), ("C1", "Total"), ("Gesamtsumme", "Alle Artikel")])
def test_a_sum_at_the_end_is_no_user_and_no_item(tmp_path, named):
    user, item = named
    table = events()
    total = table.tail(1).assign(user_id=user if user != "C1" else table["user_id"].iloc[0], item_id=item)
    result = done(tmp_path, pd.concat([table, total]))
    assert (result.n_users, result.n_items, dropped(result)["sums at the end"]) == (N_USERS, N_ITEMS, 1)
    assert any("the last rows sum up all others" in doubt for doubt in doubts(result))


def test_a_customer_called_total_with_rows_of_its_own_stays(tmp_path):
    table = events()
    table.loc[table["user_id"] == table["user_id"].iloc[-1], "user_id"] = "Total"
    assert table["user_id"].iloc[-1] == "Total"
    result = done(tmp_path, table)
    assert result.n_users == N_USERS and "sums at the end" not in dropped(result)


def test_what_a_bank_offers_is_no_service_line_unless_it_stands_in_orders(tmp_path):
    names = [("Insurance", "Deposit")[item] if item < 2 else f"Fund {item}" for item in (i % 20 for i in ITEMS)]
    result = done(tmp_path, events(item_id=names))
    assert result.n_items == len(set(names)) and "service lines" not in dropped(result)
    in_orders = done(tmp_path, events(item_id=names, quantity=["1"] * N))
    assert in_orders.n_items == len(set(names)) - 2 and dropped(in_orders)["service lines"]


def test_a_shop_that_sells_services_keeps_them(tmp_path):
    names = [("Gift card", "Gift voucher", "Mug")[item % 3] + f" {item}" for item in ITEMS]
    result = done(tmp_path, events(description=names))
    assert result.n_items == N_ITEMS
    assert any("too many to be left out" in doubt for doubt in doubts(result))


@pytest.mark.parametrize(
    ("column", "values", "n"),
    [
        ("clicked", ["0", "1", "1"], 160),
        ("liked", [True, False, True], 160),
        ("status", ["completed", "cancelled", "refunded"], 320),
        ("storniert", ["ja", "nein", "nein"], 160),
    ],
)
def test_rows_that_came_to_nothing_are_left_out_and_named(tmp_path, column, values, n):
    table = events(**{column: [values[row % 3] for row in range(N)]})
    result = done(tmp_path, table)
    assert dropped(result)["came to nothing"] == n
    assert any(f"{n} rows came to nothing and are left out (column '{column}'" in doubt for doubt in doubts(result))
    without = done(tmp_path, table, roles={"outcome": ""})
    assert "came to nothing" not in dropped(without) and not doubts(without), "somebody has decided"


def test_a_second_outcome_is_ignored_and_named(tmp_path):
    result = done(tmp_path, events(clicked=["0", "1"] * (N // 2), purchased=["0", "1"] * (N // 2)))
    assert result.roles.outcome == "clicked"
    assert any("column 'purchased' looks like an outcome (0, 1) and is ignored" in doubt for doubt in doubts(result))


def test_a_status_on_the_first_line_of_an_order_holds_for_all_of_it(tmp_path):
    status = ["refunded" if row % 12 == 0 else "paid" if row % 4 == 0 else None for row in range(N)]
    table = events(order_id=[str(row // 4) for row in range(N)], status=status)
    assert dropped(done(tmp_path, table))["came to nothing"] == N // 12 * 4


def test_dates_of_something_else_are_named(tmp_path):
    release = [f"{1980 + item}-03-11" for item in ITEMS]
    result = done(tmp_path, events(release_date=release))
    assert result.roles.time is None and result.split == "user"
    assert any("'release_date' holds dates, but not those of what happened" in doubt for doubt in doubts(result))


def test_roles_by_elimination_are_said_and_those_chosen_are_not(tmp_path):
    table = events().set_axis(["a", "b"], axis=1)
    said = " ".join(doubts(done(tmp_path, table)))
    assert "the user is 'a' only because no other column was left" in said and "the item is 'b'" in said
    assert doubts(done(tmp_path, table, roles={"user": "a", "item": "b"})) == []


def test_a_role_without_evidence_is_asked_for(tmp_path):
    path = tmp_path / "orders.csv"
    events(user_id=None, order_id=[str(row // 6) for row in range(N)], line=[1 + row % 6 for row in range(N)]).to_csv(
        path, index=False
    )
    with pytest.raises(
        ChoiceError, match=r"'orders\.csv'.*'line' was not taken.*--map user=COLUMN, one of: item_id, order_id, line"
    ):
        find_roles(path, {})
    assert find_roles(path, {"user": "order_id"}).user == "order_id"


def test_a_known_export_is_named_in_the_report(tmp_path):
    table = events(rating=RNG.integers(1, 6, N), timestamp=[int(moment.timestamp()) for moment in MOMENTS])
    result = done(tmp_path, table.rename(columns={"user_id": "userId", "item_id": "movieId"}))
    assert result.report.steps[0][3] == "'shop.csv', MovieLens ratings"


def test_a_plain_file_has_no_doubts(tmp_path):
    table = events(quantity=["1"] * N, price=["2.50"] * N, date=[str(moment) for moment in MOMENTS])
    assert doubts(done(tmp_path, table)) == []
