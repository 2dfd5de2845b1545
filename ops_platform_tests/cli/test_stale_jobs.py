"""``ops-platform stale-jobs`` and ``cancellations list``, on a fake Batch over HTTP."""

import json
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ops_platform.clock import now
from ops_platform_tests.adapters.canned_aws import canned_aws
from ops_platform_tests.build import ACCOUNT_ID, REGION
from ops_platform_tests.cli.command_line import Platform
from ops_platform_tests.fake_batch_http import over_http
from ops_platform_tests.fake_queues import FakeQueues
from ops_platform_tests.fakes import FakeClock

Row = dict[str, Any]


@pytest.fixture
def batch() -> FakeQueues:
    """Give an account with two queues; in one a job waits for three hours that fits nothing."""
    batch = FakeQueues(FakeClock(now() - timedelta(hours=3)))
    batch.queue("flows")
    batch.queue("quiet")
    batch.submit(job_id="giant", vcpus=999, flow="SimulateCity", step="start")
    batch.submit(job_id="behind")
    return batch


@pytest.fixture
def platform(batch: FakeQueues, database_url: str, tmp_path: Path) -> Iterator[Platform]:
    """Give the command line on that account."""
    with canned_aws(over_http(batch.api)) as aws:
        file = tmp_path / "ops_platform.toml"
        file.write_text(
            f"""
[[accounts]]
name = "production"
aws_account_id = "{ACCOUNT_ID}"
region = "{REGION}"
endpoint_url = "{aws.url}"
event_queue_url = "{aws.url}/{ACCOUNT_ID}/events"
alerts = "observe"
stale_jobs = "enforce"
"""
        )
        yield Platform(
            {"OPS_PLATFORM_CONFIG": str(file), "OPS_PLATFORM_DATABASE_URL": database_url}
        )


def _json(platform: Platform, *arguments: str, code: int = 0) -> list[Row]:
    done = platform.run(*arguments, "--json")
    assert done.exit_code == code, done.output
    return list(json.loads(done.stdout))


def test_it_is_a_dry_run_unless_told_otherwise(platform: Platform, batch: FakeQueues) -> None:
    """Though the account's mode is to enforce."""
    done = platform.run("stale-jobs")

    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].split() == [
        "ACCOUNT", "QUEUE", "JOB", "ID", "FLOW", "STEP", "AGE", "VERDICT", "REASON", "OUTCOME",
        "DIAGNOSIS",
    ]  # fmt: skip
    assert lines[1].split()[:6] == ["production", "flows", "giant", "SimulateCity", "start", "3"]
    assert "2 jobs wait in production, the oldest for 3 h" in done.stdout
    assert "1 would be cancelled, 1 warned about, 0 kept, 1 queue is blocked." in done.stdout
    assert "The queue flows is blocked: " in done.stdout
    assert batch.status("giant") == "RUNNABLE"
    assert _json(platform, "cancellations", "list") == []
    assert _json(platform, "incidents", "list") == []


def test_what_is_held_back_is_told_with_the_way_to_insist(
    platform: Platform, batch: FakeQueues
) -> None:
    """Else nobody who reads the dry run knows that the queue's fault spares the jobs."""
    batch.environment("flows-spot", state="DISABLED")

    shown = platform.run("stale-jobs", "--queue", "flows").stdout

    assert "held back, since the queue is at fault: --enforce --despite-fault --reason" in shown


def test_programs_get_all_of_it(platform: Platform) -> None:
    """The figures compared, and what AWS was asked."""
    (account,) = _json(platform, "stale-jobs", "--queue", "flows")

    giant, behind = account["jobs"]
    assert (giant["job_id"], giant["verdict"], giant["reason"]) == (
        "giant",
        "cancel",
        "fits nothing",
    )
    assert giant["evidence"][0]["asked"] == "999"
    assert behind["blocker"] == "giant"
    assert (account["waiting"], account["unfinished"], account["trouble"]) == (2, False, [])
    assert {"verdict": "cancel", "reason": "fits nothing", "jobs": 1} in account["counts"]
    assert account["calls"]["ListJobs"] == 2
    assert account["blocked"][0]["queue"] == "flows"


def test_enforcing_cancels_and_records(platform: Platform, batch: FakeQueues) -> None:
    """The record names whose word it was."""
    (account,) = _json(platform, "stale-jobs", "--enforce", "--by", "ana", "--reason", "it is ours")

    assert batch.status("giant") == "FAILED"
    assert account["jobs"][0]["outcome"] == "cancelled"
    (row,) = _json(platform, "cancellations", "list")
    shown = ("job_id", "account", "queue", "flow", "step", "verdict", "reason", "outcome")
    assert [row[name] for name in shown] == [
        "giant", "production", "flows", "SimulateCity", "start", "cancel", "fits nothing",
        "cancelled",
    ]  # fmt: skip
    assert "999" in row["diagnosis"]
    assert row["asked_by"] == "ana by hand: it is ours"
    assert row["judged_at"] is not None
    assert platform.run("cancellations", "list").stdout.splitlines()[0].startswith("JUDGED AT")


def test_the_record_can_be_narrowed(platform: Platform) -> None:
    """As all lists can."""
    _json(platform, "stale-jobs", "--enforce")
    found = {
        narrowing: len(_json(platform, "cancellations", "list", *shlex.split(narrowing)))
        for narrowing in (
            "--queue flows",
            "--queue quiet",
            "--flow SimulateCity --status cancelled --since 1h",
            "--status refused",
            "--status 'already gone'",
            "--account production --limit 1",
        )
    }

    assert list(found.values()) == [1, 0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--queue", "flow"], "production has no queue named flow. It has flows, quiet."),
        (["--account", "prod"], "There is no account 'prod'; did you mean production?"),
        (["--despite-fault"], "--despite-fault goes with --enforce."),
        (["--enforce", "--despite-fault"], "--despite-fault needs --reason"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    platform: Platform, arguments: list[str], sentence: str
) -> None:
    """With what could."""
    done = platform.run("stale-jobs", *arguments)

    assert done.exit_code == 2
    assert sentence in done.stderr


def test_an_account_that_cannot_be_read_is_an_exit_code(
    platform: Platform, batch: FakeQueues
) -> None:
    """And a sentence that says what to do."""
    batch.api.forbidden = {"ListJobs"}

    done = platform.run("stale-jobs")

    assert done.exit_code == 1
    assert "Error: production: " in done.stderr
    assert "Allow this action" in done.stderr
    assert "Not all of it was looked at." in done.stdout


@pytest.mark.parametrize("command", [("stale-jobs",), ("jobs", "explain", "evil")])
def test_what_others_have_named_cannot_steer_the_terminal(
    platform: Platform, batch: FakeQueues, command: tuple[str, ...]
) -> None:
    """A flow may be called anything, and the advice names it."""
    batch.end("giant", "FAILED")
    batch.end("behind")
    batch.submit(job_id="evil", vcpus=999, flow="Evil\x1b[2J", step="st\x9dep")

    done = platform.run(*command)

    assert "Evil\\x1b[2J" in done.stdout
    assert not {"\x1b", "\x9d"} & set(done.output)
