"""Is this file good enough?"""

from grouprec.ui.data.page import draw

draw()
