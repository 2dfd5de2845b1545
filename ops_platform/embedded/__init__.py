"""The laptop edition: AWS accounts, Postgres, a Slack inbox and a demo, on one machine."""
