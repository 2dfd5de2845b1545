"""``ops-platform jobs explain``."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ops_platform.clock import now
from ops_platform_tests.adapters.canned_aws import CannedAws, canned_aws
from ops_platform_tests.build import ACCOUNT_ID, REGION, bodies
from ops_platform_tests.cli.command_line import Platform
from ops_platform_tests.fake_batch_http import over_http
from ops_platform_tests.fake_queues import FakeQueues
from ops_platform_tests.fakes import FakeClock

_ACCOUNT = """
[accounts.{name}]
aws_account_id = "{number}"
region = "{region}"
endpoint_url = "{url}"
event_queue_url = "{url}/{number}/events"
alerts = "observe"
"""


@pytest.fixture
def batch() -> FakeQueues:
    """Give a Batch with one queue, twenty minutes ago."""
    made = FakeQueues(FakeClock(now() - timedelta(minutes=20)))
    made.queue("flows")
    return made


@pytest.fixture
def aws(batch: FakeQueues) -> Iterator[CannedAws]:
    """Give that Batch over HTTP."""
    with canned_aws(over_http(batch.api)) as made:
        yield made


@pytest.fixture
def platform(database_url: str, tmp_path: Path, aws: CannedAws) -> Platform:
    """Give the command line on two accounts, of which the second is that Batch's."""
    numbers = {"staging": "111111111111", "production": ACCOUNT_ID}
    urls = {"staging": "http://127.0.0.1:1", "production": aws.url}
    file = tmp_path / "ops_platform.toml"
    file.write_text(
        "".join(
            _ACCOUNT.format(name=name, number=number, region=REGION, url=urls[name])
            for name, number in numbers.items()
        )
    )
    environ = {"OPS_PLATFORM_CONFIG": str(file), "OPS_PLATFORM_DATABASE_URL": database_url}
    # Else an address where nobody listens is tried for a minute.
    return Platform(environ | {"AWS_MAX_ATTEMPTS": "1"})


def _hear(platform: Platform, batch: FakeQueues, *job_ids: str) -> None:
    file = Path(platform.environ["OPS_PLATFORM_CONFIG"]).with_name("events.jsonl")
    file.write_bytes(b"\n".join(bodies([batch.event(job_id) for job_id in job_ids])))
    platform.record("events", "replay", str(file))


def test_a_job_that_can_never_start_is_explained(platform: Platform, batch: FakeQueues) -> None:
    """As one object: cause, remedy, the figures compared, and what becomes of it."""
    job = batch.submit(vcpus=999, run="run-1")
    _hear(platform, batch, job)

    found = platform.record("jobs", "explain", job, "--json")
    named = ("account", "job_id", "status", "queue", "flow", "step", "run_id", "owner", "attempt")
    assert [found[key] for key in named] == [
        "production", job, "RUNNABLE", "flows", "TrainFlow", "work", "sfn-run-1", "ana", 1,
    ]  # fmt: skip
    assert (found["cause"], found["fault"], found["told_by"]) == ("too many vCPUs", "job", "Batch")
    assert found["explanation"] == (
        "The job asks for 999 vCPUs; the most that queue flows has is 4 vCPUs (r5.xlarge)."
    )
    assert found["advice"].startswith("Ask for at most 4 vCPUs: @resources(cpu=4, memory=4096)")
    assert found["evidence"][0] == {
        "what": "vCPUs",
        "asked": "999",
        "available": "at most 4 (r5.xlarge)",
    }
    assert (found["verdict"], found["why"], found["policy"]) == (
        "cancel",
        "fits nothing",
        "default",
    )
    assert found["next"].endswith("The account observes only, so that nothing is cancelled.")
    assert found["waited"].startswith(("19 min", "20 min"))
    assert (found["cancellations"], found["waits_for"], found["trouble"]) == ([], [], [])


def test_people_read_why_and_what_to_do(platform: Platform, batch: FakeQueues) -> None:
    """Then the figures as a table."""
    job = batch.submit(vcpus=999)
    _hear(platform, batch, job)

    done = platform.run("jobs", "explain", job)
    assert (done.exit_code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["account", "production"]
    assert "The job asks for 999 vCPUs; the most that queue flows has is 4 vCPUs" in done.stdout
    assert "EVIDENCE" in lines
    assert lines[lines.index("EVIDENCE") + 1].split() == ["WHAT", "ASKED", "AVAILABLE"]
    assert "CANCELLATIONS" not in lines


def test_long_lists_are_cut_for_people(platform: Platform, batch: FakeQueues) -> None:
    """Programs read all of it."""
    array = batch.submit_array(25)
    _hear(platform, batch, array)

    assert "… and 5 more; --json has them all." in platform.run("jobs", "explain", array).stdout
    assert len(platform.record("jobs", "explain", array, "--json")["waits_for"]) == 25


def test_a_job_without_events_is_looked_for_in_the_account_given(
    platform: Platform, batch: FakeQueues
) -> None:
    """Or in all of them, of which one may not answer."""
    job = batch.submit()
    given = platform.record("jobs", "explain", job, "--account", "production", "--json")
    assert given["status"] == "RUNNABLE"
    assert platform.record("jobs", "explain", job, "--json")["account"] == "production"


def test_where_batch_does_not_answer_the_ledger_does(platform: Platform, batch: FakeQueues) -> None:
    """The exit code tells programs that something could not be asked."""
    job = batch.submit()
    _hear(platform, batch, job)
    batch.api.forbidden.add("DescribeJobs")

    done = platform.run("jobs", "explain", job, "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert done.stderr.startswith("Warning: Could not describe 1 jobs: AccessDeniedException")
    assert (found["told_by"], found["explanation"]) == ("the ledger", "It is RUNNABLE.")
    assert found["runnable_since"] is not None
    assert len(found["trouble"]) == 1


def test_a_job_nobody_knows_is_an_error(platform: Platform) -> None:
    """Which says what could not be asked."""
    done = platform.run("jobs", "explain", "nothing")
    assert done.exit_code == 2
    first, second = done.stderr.splitlines()
    assert first == "Error: Neither Batch nor the ledger knows a job 'nothing' in any account."
    assert second.startswith("Error: Could not describe 1 jobs: EndpointConnectionError")
    alone = platform.run("jobs", "explain", "nothing", "--account", "production")
    assert alone.stderr == (
        "Error: Neither Batch nor the ledger knows a job 'nothing' in account production.\n"
    )


def test_an_account_that_is_not_in_the_settings_is_an_error(platform: Platform) -> None:
    """The text names those that there are."""
    done = platform.run("jobs", "explain", "job", "--account", "nothing")
    assert done.exit_code == 2
    assert "There is no account 'nothing'; known are: production, staging." in done.stderr
