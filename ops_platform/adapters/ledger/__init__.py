"""The platform's memory in Postgres: one module per noun, functions over a transaction."""
