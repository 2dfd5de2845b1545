"""Nouns and decisions: pure Python without Dagster, AWS, a database or a clock."""
