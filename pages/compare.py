"""Which method should I trust? Every method on the same held-out interactions, and the same across runs."""

from grouprec.ui.compare.page import draw

draw()
