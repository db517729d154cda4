"""Broken files of every kind, and what becomes of them: read, or refused in a sentence, in time and within memory."""
