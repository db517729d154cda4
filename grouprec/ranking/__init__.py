"""Users' candidates and groups' lists: made, mixed by strategies, ruled, varied, measured."""
