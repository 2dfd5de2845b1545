"""The settings of stale jobs, as the judge has them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ops_platform.domain.stale_policy import Policy, Target
from ops_platform.operations.stale_job_policy import stale_policies
from ops_platform_tests.build import a_job_event
from ops_platform_tests.build_stale import a_waiting_job
from ops_platform_tests.settings.files import ACCOUNT, load_file

RULES = """
[stale_jobs]
stuck_minutes = 90
warn_minutes = 30
[[stale_jobs.rules]]
queue = "gpu-*"
gpu = true
stuck_minutes = 720
warn_minutes = 0
[[stale_jobs.rules]]
flow = "Train*"
owner = "ana"
end = "run"
by_age = true
[[stale_jobs.rules]]
queue = "etl"
foreign_jobs = true
unfit_minutes = 5
"""


def test_by_default_the_numbers_of_the_docs_hold(tmp_path: Path) -> None:
    """A quarter of an hour for what can never start, two hours for what is stuck."""
    policies = stale_policies(load_file(tmp_path, ACCOUNT))

    assert policies.of(a_waiting_job()) == Policy()
    assert (policies.breaker_runs, policies.most) == (10, 50)


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (
            {"queue": "gpu-spot", "gpus": 1},
            {"name": "rule 1", "stuck_after": timedelta(hours=12), "warn_before": None},
        ),
        (
            {"queue": "gpu-spot", "owner": "ana"},
            {"name": "rule 2", "target": Target.RUN, "by_age": True},
        ),
        (
            {"queue": "etl", "flow": None},
            {"name": "rule 3", "foreign": True, "unfit_after": timedelta(minutes=5)},
        ),
        ({"owner": "ben"}, {}),
    ],
)
def test_the_first_rule_that_takes_a_job_changes_its_policy(
    tmp_path: Path, job: dict[str, Any], expected: dict[str, Any]
) -> None:
    """What it leaves out stays as it is for all."""
    policies = stale_policies(load_file(tmp_path, f"{ACCOUNT}{RULES}"))
    usual: dict[str, Any] = {
        "stuck_after": timedelta(minutes=90),
        "warn_before": timedelta(minutes=30),
    }

    assert policies.of(a_waiting_job(a_job_event(**job))) == Policy(**{**usual, **expected})


def test_no_job_is_looked_at_before_the_first_rule_could_speak(tmp_path: Path) -> None:
    """Half an hour before the two hours are over; but what fits nothing is told of at once."""
    policies = stale_policies(load_file(tmp_path, f"{ACCOUNT}{RULES}"))

    assert policies.shortest == timedelta(0)
    assert stale_policies(load_file(tmp_path, ACCOUNT)).shortest == timedelta(minutes=15)


def test_an_exemption_is_the_one_that_was_written(tmp_path: Path) -> None:
    """A value may hold an equals sign of its own."""
    text = '[[stale_jobs.exemptions]]\nreason = "r"\nuntil = 2026-12-31\ntag = "a=b=c"\n'
    (exemption,) = stale_policies(load_file(tmp_path, f"{ACCOUNT}{text}")).default.exemptions

    assert (exemption.tag, exemption.until) == (("a", "b=c"), datetime(2027, 1, 1, tzinfo=UTC))
