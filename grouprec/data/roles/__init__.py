"""What columns mean: by the words of their headers and by their values; and what is in doubt."""
