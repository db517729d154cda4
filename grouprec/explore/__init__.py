"""Questions to a finished run: names, portraits, edits, reasons, remade lists, virtual groups."""
