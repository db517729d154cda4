"""How many lists do I need? One slider over the number of lists: what it buys, who moves, what it costs."""

from grouprec.ui.what_if.page import draw

draw()
