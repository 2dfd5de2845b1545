"""Run the benchmarks: ``make bench``, or ``python -m bench [NAME ...] [--update]``.

Exits with 1 if a target is missed.
"""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from bench import (
    check_flow,
    drain,
    event_costs,
    ingest,
    late_jobs,
    latency,
    promotion,
    rollups,
    stale_jobs,
    starts,
    storm,
    wide_incident,
)
from bench.database import Bench, running
from bench.results import Result, markdown

_RESULTS = Path(__file__).with_name("RESULTS.md")
_WITHOUT_DATABASE: dict[str, Callable[[], Iterator[Result]]] = {
    "help": starts.help_of_the_command,
    "location": starts.code_location,
    "check": check_flow.check_of_ten_steps,
    "promotion": promotion.promotion_without_its_run,
    "latency": latency.alert_latency,
    "event-costs": event_costs.event_costs,
}
_WITH_DATABASE: dict[str, Callable[[Bench], Iterator[Result]]] = {
    "ingest": ingest.ingest_in_memory,
    "drain": drain.drain_over_http,
    "incident": wide_incident.wide_incident,
    "storm": storm.storm_of_failures,
    "late-jobs": late_jobs.late_jobs,
    "stale-jobs": stale_jobs.stale_jobs,
    "rollups": rollups.rollups,
}
_NAMES = (*_WITH_DATABASE, *_WITHOUT_DATABASE)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(_NAMES))
@click.option("--update", is_flag=True, help="Write the table to bench/RESULTS.md.")
def main(names: tuple[str, ...], *, update: bool) -> None:
    """Run the benchmarks of these NAMES, or all of them."""
    results: list[Result] = []
    for result in _measured(names or _NAMES):
        click.echo(f"{result.name}: {result.measured} {result.verdict}", err=True)
        results.append(result)
    click.echo(markdown(results))
    if update:
        _RESULTS.write_text(_document(results))
    sys.exit(any(result.met is False for result in results))


def _measured(names: tuple[str, ...]) -> Iterator[Result]:
    stateful = [_WITH_DATABASE[name] for name in names if name in _WITH_DATABASE]
    if stateful:
        with running() as bench:
            for measure in stateful:
                yield from measure(bench)
    for name in names:
        if name in _WITHOUT_DATABASE:
            yield from _WITHOUT_DATABASE[name]()


def _document(results: list[Result]) -> str:
    machine = f"{platform.python_implementation()} {platform.python_version()}, {_cores()} cores"
    return (
        "# Results of `make bench`\n\n"
        f"Written by `python -m bench --update` on {datetime.now(UTC):%Y-%m-%d}, {machine}.\n"
        "Events are complete EventBridge envelopes of about 5 KB. The floor is measured in the\n"
        "same run: decode the same JSON into the same structs, copy the same rows. The storm has\n"
        "real Postgres and HTTP and the inbox's rate limits, and ticks every ten seconds; the\n"
        "clock skips between ticks. Latency: the embedded edition without settle time, machines\n"
        "that fail at once, 30 runs one after another, no flow running.\n"
        "What an event costs is worked out in `bench/event_costs.py`, with AWS's list prices\n"
        "of us-east-1 as of March 2026 and what is assumed.\n\n"
        f"{markdown(results)}"
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
