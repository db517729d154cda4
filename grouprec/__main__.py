"""``python -m grouprec``: the same as the ``grouprec`` command."""

from grouprec.cli.main import main

main()
