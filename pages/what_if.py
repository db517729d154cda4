"""How many lists do I need? One slider over the number of lists: what it buys, who moves, what it costs."""

from __future__ import annotations

from grouprec.ui import cards, state, what_if

run = state.require_run()
what_if.explore(run)
cards.trained_note(run, "These numbers of lists")
