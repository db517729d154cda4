"""Who are my users? The map, the groups on it, the users behind any selection, and one group closely."""

from grouprec.ui.groups.page import draw

draw()
