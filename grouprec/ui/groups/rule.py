"""Who belongs to a group, where its groups are formed by rules: in words, and as SQL and JSON to take along."""

from __future__ import annotations

import streamlit as st

from grouprec.core.language import _
from grouprec.core.tables import row_at
from grouprec.report.sentences import rule_answer
from grouprec.runs.store import Run
from grouprec.ui import state


def draw(run: Run, number: int) -> None:
    """Draw the rule of a group; nothing where it has none, or where an edit has given it other members."""
    rules = state.table_or_none(run, "group_rules")
    if rules is None or number not in rules["group"].to_numpy():
        return
    rule = row_at(rules.set_index("group"), number)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(rule_answer(rule["sentence"]), width="content")
        with st.popover(_("SQL and JSON"), type="tertiary", icon=":material/code:"):
            st.code(rule["sql"], language="sql", wrap_lines=True)
            st.code(rule["json"], language="json", wrap_lines=True)
