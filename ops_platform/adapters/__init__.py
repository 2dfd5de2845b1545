"""The world, one module per system; retries and error handling live here."""
