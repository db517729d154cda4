"""Tables -> a dataset: cleaned, counted and parted, with a report of every step."""
