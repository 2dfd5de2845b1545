"""All that knows Dagster, but for the composition root: shells of a few lines around operations."""
