"""Tests of the ledger, on a real Postgres."""
