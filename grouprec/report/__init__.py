"""A run in words, tables and files: sentences, HTML, sheet, CSV. No Streamlit."""
