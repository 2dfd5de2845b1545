"""Tests of the emulated AWS account."""
