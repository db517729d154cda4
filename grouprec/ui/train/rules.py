"""The form of the list rules: strategy, diversity, and what never stands on a list."""

from __future__ import annotations

from typing import Any

import streamlit as st

from grouprec.core.language import _
from grouprec.ranking.rules import ListRules
from grouprec.ranking.strategies import STRATEGIES
from grouprec.ui.cards import plain
from grouprec.ui.forms import changed


def list_rules() -> dict[str, Any]:
    """Draw how lists are made and what never stands on them; return only what differs from the defaults."""
    defaults = ListRules()
    left, right = st.columns(2)
    with left:
        strategy = st.selectbox(
            _("How members' wishes become one list"),
            list(STRATEGIES),
            list(STRATEGIES).index(defaults.strategy),
            format_func=lambda name: _(STRATEGIES[name].title),
            key="train_strategy",
            persist_state="session",
        )
        st.caption(plain(f"{_(STRATEGIES[strategy].explanation)} ({STRATEGIES[strategy].cite})"))
    diversity = right.slider(
        _("Diversity"),
        0.0,
        1.0,
        defaults.diversity,
        0.05,
        key="train_diversity",
        persist_state="session",
        help=_("0 lists what is wanted most, 1 what differs most from what stands above it."),
    )
    new_items = right.number_input(
        _("New items in every ten"),
        0,
        5,
        defaults.new_items,
        key="train_new_items",
        persist_state="session",
        help=_(
            "Places for items of the items file that nobody has yet, where their attributes, texts or embeddings tell "
            "who would want them."
        ),
    )
    values = {"strategy": strategy, "diversity": diversity, "new_items": new_items, **_exclusions()}
    return changed(values, defaults)


def _exclusions() -> dict[str, Any]:
    """Draw what is never listed."""
    texts = {
        "label_words": (
            _("Never list items with these words"),
            _("for example POSTAGE"),
            _("Whole words of an item's label."),
        ),
        "categories": (
            _("Never list these categories"),
            _("for example department=toys"),
            _("An item attribute and its value."),
        ),
        "items": (_("Never list these item ids"), _("for example 85123A"), _("What is out of stock, say.")),
    }
    values: dict[str, Any] = {}
    *columns, share = st.columns(4)
    for column, (name, (label, example, about)) in zip(columns, texts.items(), strict=True):
        with column:
            chosen = st.multiselect(
                label,
                [],
                accept_new_options=True,
                placeholder=example,
                key=f"train_{name}",
                persist_state="session",
                help=_("{about} Type one and press Enter; several are possible.").format(about=about),
            )
            values[name] = tuple(text.strip() for text in chosen if text.strip())
    with share:
        percent = st.number_input(
            _("Most owners (%)"),
            0,
            100,
            100,
            5,
            key="train_owned_share",
            persist_state="session",
            help=_(
                "What more than this share of a group's members have is not listed for it; 100 switches the rule off."
            ),
        )
    return values | {"owned_share": percent / 100}
