"""The operations platform for Metaflow on AWS Batch and Step Functions.

One Dagster code location that watches the jobs and executions of every flow, tells a flow's
owner what went wrong, and keeps the queues moving.

The map, and the one arrow along which imports point::

    cli, defs  ->  operations  ->  adapters  ->  domain

``domain`` decides and is pure; ``adapters`` speak to the world, one file per system;
``operations`` are the verbs, called by Dagster and the command line alike; ``defs`` is all that
knows Dagster. ``embedded`` is the laptop edition and stands apart; only the CLI starts it.
"""
