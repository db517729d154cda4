"""The Personas page: a group as a handful of typical members."""
