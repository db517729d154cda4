"""What numbers of lists cost and bring, at the prices that the reader gives."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from grouprec.core.tables import highest
from grouprec.ranking.group_lists import LENGTH
from grouprec.report import tables
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, state
from grouprec.ui.what_if import charts as what_if_charts
from grouprec.ui.what_if import words

MONEY_HELP = (
    "A hit is a listed item that the user really took in the held-out part. Hits are those of the measured lists, for "
    "so many users: those who took nothing at all then have none. Costs are those of making the lists. Any currency."
)
COST_HELP = "Of making one list. At first, what a further list brings on average where a hit is worth 1"
MOST = 1e12
MONEY_COLUMNS = {
    "n_groups": "Lists",
    "hits": "Hits",
    "worth": "Their value",
    "cost": "Costs",
    "net": "After costs",
    "net_low": "At least",
    "net_high": "At most",
}


def draw(run: Run, value: pd.DataFrame, n: int) -> None:
    """Draw what numbers of lists bring after their costs, as the reader prices lists and hits."""
    metrics = state.metrics(run)
    curve, tested = tables.of(value, "precision@10"), int(metrics.get("n_test_users", 0))
    takes = metrics.get("takes") or {}
    active, first = takes.get("active", 1.0), "At first, those who were tested"
    if takes:  # it is known how many take nothing: then all users can be counted on
        tested, first = (
            int(metrics["n_users"]),
            f"At first, all. Of 100, {100 * active:.0f} took something in the held-out part",
        )
    if curve.empty:
        return
    cards.section("What it costs and brings", MONEY_HELP)
    inputs = st.columns(4, gap="medium")
    with inputs[0]:
        cost = number_from_url("Cost of a list", "cost", usual_cost(curve, tested * active), COST_HELP)
    with inputs[1]:
        worth = number_from_url("Value of a hit", "hit", 1.0, "What it brings that a user takes a listed item")
    with inputs[2]:
        reached = number_from_url("Users who see a list", "reach", tested, first)
    table = money(curve, int(reached) * active, cost, worth)
    st.markdown(words.money_answer(table, n))
    st.plotly_chart(
        what_if_charts.money_curve(table, n),
        key="what_if_money",
        config=charts.QUIET_CONFIG,
        alt="What the lists bring after their costs, by their number; the table below has the numbers",
    )
    with st.expander("As a table"):
        shown = table.rename(columns=MONEY_COLUMNS).round(0).astype(int)
        st.dataframe(shown, hide_index=True, key="what_if_money_table", height=300, alt="Hits, value and costs")
        cards.download("Download", lambda: table, "money.csv", "what_if_download_money")


def number_from_url(label: str, name: str, default: float, explanation: str) -> float:
    """Draw a number of at least 0 that is in the URL; what is no number there counts as not said."""
    key = f"what_if_{name}"
    try:
        asked = float(st.query_params.get(name, default))
    except ValueError:
        asked = default
    st.session_state[key] = float(asked if math.isfinite(asked) and 0 <= asked <= MOST else default)

    def write() -> None:
        st.query_params[name] = f"{st.session_state[key]:.12g}"

    return st.number_input(label, 0.0, MOST, step=1.0, format="%g", key=key, on_change=write, help=explanation)


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


def usual_cost(curve: pd.DataFrame, n_users: float) -> float:
    """Return a cost of a list to begin with: the hits that a further one brings on average, to one digit, at least 1.

    Args:
        curve, n_users: as in :func:`money`.
    """
    best = highest(curve, "value")
    more = best["n_groups"] - curve["n_groups"].min()
    hits = (best["value"] - curve["value"].iloc[0]) * LENGTH * n_users / max(more, 1)
    return max(float(f"{hits:.0e}"), 1.0)
