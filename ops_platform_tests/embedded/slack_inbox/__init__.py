"""Tests of the Slack inbox."""
