"""Metaflow flows that fail as they are told to, and write down how it really was."""
