"""The tab of personas: a group as a handful of typical members, and groups that do not exist yet."""
