"""What numbers of lists cost and bring, at the prices that the reader gives."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, Glossary, _, decimal, full_stop, passage
from grouprec.core.tables import row_at
from grouprec.ranking.group_lists import LENGTH
from grouprec.report import tables
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, state
from grouprec.ui.decide import charts as decide_charts
from grouprec.ui.decide import words
from grouprec.ui.kept import Worth

MONEY_HELP = N_(
    "A hit is a listed item that the user really took in the held-out part. Hits are those of the measured lists, for "
    "so many users: those who took nothing at all then have none. Costs are those of making the lists. Any currency."
)
INPUTS = {
    "cost": (N_("Cost of a list"), N_("Of making one list")),
    "hit": (
        N_("Value of a hit"),
        N_("What it brings that a user takes a listed item. At first, the items' median margin or price"),
    ),
    "reach": (N_("Users who see a list"), ""),
}
MOST = 1e12
MONEY_COLUMNS = Glossary(
    {
        "n_groups": "Lists",
        "hits": "Hits",
        "worth": "Their value",
        "cost": "Costs",
        "net": "After costs",
        "net_low": "At least",
        "net_high": "At most",
    }
)


def draw(run: Run, worth: Worth, n: int) -> None:
    """Draw the prices, and what numbers of lists bring after their costs where the reader gave one.

    Args:
        n: the chosen number of lists, 0 for personal ones.
    """
    if tables.of(worth.value, "precision@10").empty:
        st.markdown(_("This run did not measure what a price needs; train it again to see its lists in money."))
        return
    table = priced(run, worth)
    usual = usual_prices(run)
    for column, (name, (label, help_text)) in zip(st.columns(3, gap="medium"), INPUTS.items(), strict=True):
        with column:
            number_from_url(_(label), name, usual[name], _(help_text) or reach_help(run))
    st.markdown(words.money_answer(table, n), help=_(MONEY_HELP))
    metric(run, worth, n)
    left, right = st.columns([3, 2], gap="medium")
    left.plotly_chart(
        decide_charts.money_curve(table, n),
        key="decide_money",
        config=charts.QUIET_CONFIG,
        alt=_("What the lists bring after their costs, by their number; the table beside it has the numbers"),
    )
    with right:
        free = not table["cost"].any()  # then what is left is the value itself
        shown = table.drop(columns=["cost", "net"] if free else []).rename(columns=MONEY_COLUMNS).round(0).astype(int)
        st.dataframe(
            shown,
            hide_index=True,
            key="decide_money_table",
            height=240,
            column_config={
                str(name): st.column_config.NumberColumn(format="localized", width=45 if at == 0 else 70)
                for at, name in enumerate(shown)
            },
            alt=_("Hits, value and costs"),
        )
        cards.download(_("Download"), lambda: table, "money.csv", "decide_download_money")


def asked() -> bool:
    """Return whether the link says a price, so that money is what somebody wants to see."""
    return bool(set(INPUTS) & set(st.query_params))


def metric(run: Run, worth: Worth, n: int, short: str = "") -> None:
    """Draw what a number of lists brings after its costs, where a price is known.

    Args:
        short: its title where there is little room; what it is stands behind the mark then.
    """
    if not n or not known(run) or tables.of(worth.value, "precision@10").empty:
        return
    row = row_at(priced(run, worth).set_index("n_groups"), n)
    between = _("95 % interval: {net_low} to {net_high}").format(
        net_low=cards.count(row["net_low"]), net_high=cards.count(row["net_high"])
    )
    title = _("Worth after costs") if row["cost"] else _("What they take is worth")
    explanation = _("{between}. Prices: under *In money*.").format(between=between)
    st.metric(
        short or title, cards.count(row["net"]), help=passage(full_stop(title), explanation) if short else explanation
    )


def known(run: Run) -> bool:
    """Return whether money can be told: the reader gave a price, or the items have a margin or a price."""
    return bool({"cost", "hit"} & set(st.query_params)) or item_worth(run) is not None


def priced(run: Run, worth: Worth) -> pd.DataFrame:
    """Return :func:`money` at the prices of the URL, the usual ones where it says none."""
    usual = usual_prices(run)
    asked = {name: asked_number(name, usual[name]) for name in INPUTS}
    reached = int(asked["reach"]) * active_share(run)
    return money(tables.of(worth.value, "precision@10"), reached, asked["cost"], asked["hit"])


def usual_prices(run: Run) -> dict[str, float]:
    """Return the prices to begin with, by their name in the URL."""
    metrics = state.metrics(run)
    reach = int(metrics["n_users"] if metrics.get("takes") else metrics.get("n_test_users", 0))
    hit = item_worth(run) or 1.0
    return {"cost": 0.0, "hit": hit, "reach": float(reach)}


def item_worth(run: Run) -> float | None:
    """Return what a taken item brings by the file: its median margin, else price; None where it has neither."""
    items = state.table(run, "items")
    for name in ("margin", "price"):
        column = next((one for one in items.columns if str(one).casefold() == name), None)
        if column is not None and pd.api.types.is_numeric_dtype(items[column]) and items[column].median() > 0:
            return float(f"{items[column].median():.3g}")
    return None


def active_share(run: Run) -> float:
    """Return which share of users takes something; 1 where it is not known, as then only such users count."""
    return float((state.metrics(run).get("takes") or {}).get("active", 1.0))


def reach_help(run: Run) -> str:
    """Say whom the number of users who see a list begins with."""
    if not state.metrics(run).get("takes"):
        return _("At first, those who were tested")
    return _("At first, all. Of 100, {run} took something in the held-out part").format(
        run=decimal(100 * active_share(run))
    )


def asked_number(name: str, default: float) -> float:
    """Return a number of at least 0 of the URL; what is no number there counts as not said."""
    try:
        asked = float(st.query_params.get(name, default))
    except ValueError:
        return default
    return asked if math.isfinite(asked) and 0 <= asked <= MOST else default


def number_from_url(label: str, name: str, default: float, explanation: str) -> None:
    """Draw a number of at least 0 that is in the URL (:func:`asked_number`)."""
    key = f"what_if_{name}"
    st.session_state[key] = asked_number(name, default)

    def write() -> None:
        st.query_params[name] = f"{st.session_state[key]:.12g}"

    st.number_input(label, 0.0, MOST, step=1.0, format="%g", key=key, on_change=write, help=explanation)


ENDS = {"": "value", "_low": "low", "_high": "high"}


def money(curve: pd.DataFrame, n_users: float, cost: float, value: float) -> pd.DataFrame:
    """Return what every number of lists brings and costs, when every user is shown their list once.

    Args:
        curve: n_groups, ascending, and precision@10 (the share of the ten listed items that are hits, on held-out
            users) as value, low, high.
        n_users: who are shown a list and take something.
        cost: of making one list.
        value: of one hit, in the same money.
    Returns:
        n_groups, hits (of all users), worth (value of the hits), cost, net, net_low, net_high (worth less cost, with
        the 95 % interval of the hits).
    """
    per_point = LENGTH * n_users
    costs = curve["n_groups"] * cost
    net = {f"net{end}": curve[name] * per_point * value - costs for end, name in ENDS.items()}
    hits = curve["value"] * per_point
    return pd.DataFrame({"n_groups": curve["n_groups"], "hits": hits, "worth": hits * value, "cost": costs, **net})
