"""``python -m grouprec.ui.server run app.py``: Streamlit's own command with our limits of connections."""

from streamlit.web.cli import main

from grouprec.ui.server import connections

connections.limit()
main(prog_name="streamlit")
