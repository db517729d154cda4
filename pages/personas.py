"""What would a group like this want? Alternative lists, virtual members, mixtures, and people who like some items."""

from grouprec.ui.personas.page import draw

draw()
