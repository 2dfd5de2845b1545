"""Rollups: the facts of an hour, what metrics make of them, and how they are read."""
