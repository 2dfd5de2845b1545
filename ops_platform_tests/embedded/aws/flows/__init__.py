"""Metaflow flows that the tests deploy."""
