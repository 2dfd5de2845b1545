"""The platform's memory in Postgres: one module per noun, each a few functions over a transaction."""
