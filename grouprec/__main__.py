"""``python -m grouprec``: the same as the ``grouprec`` command."""

from grouprec.cli import main

main()
