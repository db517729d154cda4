"""A run after its training: events come in, users move, groups and lists follow."""
