"""What the columns of a rollup hold: its dimensions and its numbers, in words."""

from collections.abc import Iterable
from typing import Final

from ops_platform.domain.metric import Metric

DIMENSIONS: Final = {
    "account": "The AWS account, by its name in the settings.",
    "queue": "The job queue of Batch.",
    "definition": "The job definition of Batch, with its revision.",
    "flow": "The Metaflow flow.",
    "step": "The step of the flow.",
    "owner": "Whose the run is.",
    "project": "The Metaflow project.",
    "branch": "The branch of the project.",
    "instance_type": "The type of the instance that the attempt was placed on.",
    "availability_zone": "The zone of that instance.",
    "compute_environment": "The compute environment of that instance.",
    "state": "The state of the job.",
    "status": "How it ended, or RUNNING for a start.",
    "outcome": "What came of it.",
    "reason": "Why it failed, as far as its events tell.",
    "kind": "Of which kind the event is, or the incident.",
    "channel": "The Slack channel.",
    "verdict": "What the cleanup decided.",
}
NUMBERS: Final = {
    "count": "How many there were.",
    "sum": "All their values together, in the metric's unit.",
    "min": "The least value; none where the count is 0.",
    "max": "The greatest value, or the highest level within the time.",
    "p50": "The median, between neighbours by linear interpolation.",
    "p90": "What 90 % of the values do not exceed.",
    "p99": "What 99 % of the values do not exceed.",
    "last": "The level at the end.",
    "share": "A part of a whole, from 0 to 1.",
}


def dimensions_of(metrics: Iterable[Metric]) -> list[str]:
    """Return the dimensions that any of the metrics has, in the order they are declared."""
    return list(dict.fromkeys(name for metric in metrics for name in metric.dimensions))


def numbers_of(metrics: Iterable[Metric]) -> list[str]:
    """Return the numbers that any of the metrics shows, in the order of ``NUMBERS``."""
    shown = {name for metric in metrics for name in metric.fields}
    return [name for name in NUMBERS if name in shown]
