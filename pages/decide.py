"""How many lists are enough, and who approves them? One slider, what it brings, who each list is for."""

from grouprec.ui.decide.page import draw

draw()
