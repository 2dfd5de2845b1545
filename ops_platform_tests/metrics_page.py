"""The tables of docs/metrics.md, as the declarations of the metrics make them."""

from ops_platform.domain.job_rollups import OF_ATTEMPT, OF_JOB
from ops_platform.domain.metric import Metric
from ops_platform.domain.rollups import METRICS, OF_INSTANCE, OF_RUN

# The longer first: an attempt has what a job has.
SETS = {"attempt": OF_ATTEMPT, "job": OF_JOB, "run": OF_RUN, "host": OF_INSTANCE}
_SPREAD = "count, sum, min, max, p50, p90, p99"


def metric_rows() -> list[str]:
    """Return the rows of the table of metrics."""
    return [_row(metric) for metric in METRICS.values()]


def dimensions() -> set[str]:
    """Return every dimension that a metric has."""
    return {name for metric in METRICS.values() for name in metric.dimensions}


def _row(metric: Metric) -> str:
    numbers = ", ".join(metric.fields)
    cells = (
        f"`{metric.name}`",
        metric.unit,
        metric.description,
        "spread" if numbers == _SPREAD else numbers,
        _by(metric.dimensions),
        f"`{metric.aws}`" if metric.aws else "",
    )
    return f"| {' | '.join(cells)} |"


def _by(names: tuple[str, ...]) -> str:
    for word, known in SETS.items():
        if names[: len(known)] == known:
            return ", ".join((f"*{word}*", *names[len(known) :]))
    return ", ".join(names)
