"""What changes when something happens? The held-out part replayed before one's eyes, or events sent by hand."""

from grouprec.ui.updates.page import draw

draw()
