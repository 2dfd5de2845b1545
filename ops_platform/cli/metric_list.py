"""The metrics there are, for people and programs."""

from textwrap import wrap

import click

from ops_platform.cli.output import Row
from ops_platform.domain.metric import Metric
from ops_platform.domain.rollups import METRICS

_WIDTH = 80


def metric_rows() -> list[Row]:
    """Return what is to be known of each metric."""
    return [_row(metric) for metric in METRICS.values()]


def show_metric_list() -> None:
    """Print the metrics, each with its description whole."""
    noun = None
    for metric in METRICS.values():
        if metric.noun is not noun:
            noun = metric.noun
            click.echo(f"{noun.upper()}\n")
        for line in _lines(metric):
            click.echo(line)
        click.echo()


def _row(metric: Metric) -> Row:
    return {
        "name": metric.name,
        "noun": metric.noun,
        "unit": metric.unit,
        "description": metric.description,
        "dimensions": list(metric.dimensions),
        "values": {name: list(values) for name, values in metric.closed},
        "fields": list(metric.fields),
        "aws": metric.aws,
    }


def _lines(metric: Metric) -> list[str]:
    by = f"  by: {', '.join(metric.dimensions)}"
    return [
        f"{metric.name} ({metric.unit})",
        f"  {metric.description}",
        f"  shows: {', '.join(metric.fields)}",
        *(wrap(by, _WIDTH, subsequent_indent=" " * 6) if metric.dimensions else []),
        *([f"  in AWS: {metric.aws}"] if metric.aws else []),
    ]
