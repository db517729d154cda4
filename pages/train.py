"""What will it cost, and how is it going?"""

from grouprec.ui.train.page import draw

draw()
