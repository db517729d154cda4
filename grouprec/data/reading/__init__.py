"""Files of any kind -> tables, and what of them could not be read."""
