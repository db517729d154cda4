"""What people get of whom little is known, how items that nobody has are found, and what repeats change."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, Glossary, _, commas
from grouprec.report import findings, sentences, tables
from grouprec.runs.store import Run
from grouprec.ui import charts, state
from grouprec.ui.compare import parts

COLD_HELP = N_("The same people each time, with all but a few of their items forgotten. Bars are 95 % intervals.")
COLD_WORDS = Glossary(
    {
        "cold items": "Cold items",
        "catalogue": "Catalogue",
        "attributes": "Attributes",
        "random": "Random",
    }
)
COLD_WIDTHS = {"Among": {"width": 82}, "By": {"width": 132}, "Users": {"width": 50}}
TASKS = Glossary({"new items": "New items", "repeats allowed": "Repeats allowed"})


def cold_start(run: Run, regime: str) -> None:
    """Draw what people get of whom little is known, and how items that nobody has are found."""
    users, items = state.table_or_none(run, "cold_users"), state.table_or_none(run, "cold_items")
    if users is None and items is None:
        st.markdown(_(parts.MISSING))
        return
    sides = st.columns(2, gap="medium") if users is not None and items is not None else [st.container()]
    if users is not None:
        with sides[0]:
            _cold_users(users)
    if items is not None:
        with sides[-1]:
            _cold_items(items)


def _cold_users(users: pd.DataFrame) -> None:
    """Draw what people get of whom few items are known."""
    rows = tables.of(users).rename(columns={"n_known": "count"}).sort_values("count")
    curves = {_cold_title(str(name)): curve for name, curve in rows.groupby("method", sort=False)}
    ours, popular = _cold_title("individual"), _cold_title("popularity")
    said = findings.cold_users_answer(curves, ours, popular)
    parts.say(_("**New people.** {curves}").format(curves=said), _(COLD_HELP))
    alt = _("{ndcg} by number of known items, for {curves}").format(ndcg=parts.NDCG, curves=commas(curves))
    picture, numbers = parts.views()
    with picture:
        parts.draw(charts.by_count(curves, _("known items"), parts.NDCG, ours), "cold", alt)
    titled = rows.assign(title=rows["method"].map(_cold_title))
    shown = tables.with_interval(titled, {"count": N_("Known items"), "title": N_("Lists"), "n_users": N_("Users")})
    with numbers:
        parts.numbers_table(shown, "cold_users", users, "cold_users.csv")


def _cold_items(items: pd.DataFrame) -> None:
    """Draw how items that nobody has are found."""
    rows = tables.of(items)
    parts.say(_("**New items.** {rows}").format(rows=findings.cold_items_answer(rows)))
    rows["method"] = [COLD_WORDS.get(name) or name.replace("_", " ").capitalize() for name in rows["method"]]
    rows["among"] = [COLD_WORDS.get(name) or name.capitalize() for name in rows["among"]]
    shown = tables.with_interval(rows, {"among": N_("Among"), "method": N_("By"), "n_users": N_("Users")})
    parts.numbers_table(shown, "cold_items", items, "cold_items.csv", COLD_WIDTHS)


def _cold_title(method: str) -> str:
    return {"individual": _("Personal predictions")}.get(method, sentences.method_title(method))


def repeats(run: Run, regime: str) -> None:
    """Draw what personal lists reach with new items only, and where items may be listed again."""
    table = state.table_or_none(run, "repeats")
    if table is None:
        st.markdown(_(parts.MISSING))
        return
    rows = tables.of(table)
    parts.say(findings.repeats_answer(rows, bool(state.metrics(run).get("repeats"))))
    names = {"individual": _("Personal lists"), "own_frequency": _("What each person took most")}
    method = rows["method"].map(lambda name: names.get(str(name), sentences.method_title(str(name))))
    pairs = zip(rows["task"], method.str.lower(), strict=True)
    rows = rows.assign(
        title=[
            _("{title}: {value}").format(title=TASKS.get(task) or task.capitalize(), value=one) for task, one in pairs
        ]
    )
    drawn = rows.assign(ours=rows["method"] == "individual", regime="")
    picture, numbers = parts.views()
    with picture:
        parts.draw(
            charts.method_dots(drawn, {}, parts.NDCG),
            "repeats",
            _("{ndcg} with new items only and with repeats allowed").format(ndcg=parts.NDCG),
        )
    with numbers:
        parts.numbers_table(
            tables.with_interval(rows, {"title": N_("Task"), "n_users": N_("Users")}), "repeats", table, "repeats.csv"
        )
