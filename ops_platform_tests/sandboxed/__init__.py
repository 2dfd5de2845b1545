"""Tests of what runs inside a sandbox."""
