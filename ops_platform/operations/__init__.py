"""Verbs: one module for each thing the platform does, called by Dagster and the CLI alike."""
