"""What do I show them, and why? A group's list beside the alternatives, and any user's own list."""

from grouprec.ui.recommendations.page import draw

draw()
