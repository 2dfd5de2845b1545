"""``ops-platform jobs``."""

from ops_platform_tests.build import RUN
from ops_platform_tests.cli.command_line import Platform


def test_jobs_are_listed_with_where_they_belong(told: Platform) -> None:
    """Each names its account, flow, step, run and owner."""
    rows = {row["job_id"]: row for row in told.rows("jobs")}
    root = rows["root-2"]
    named = ("account", "status", "flow", "step", "run_id", "owner", "queue", "exit_code")
    assert [root[key] for key in named] == [
        "production", "FAILED", "TrainFlow", "work", f"sfn-{RUN}", "ana", "flows", 137,
    ]  # fmt: skip
    assert len(rows) == 7


def test_jobs_come_newest_first(told: Platform) -> None:
    """By when they last changed."""
    changed = [row["changed_at"] for row in told.rows("jobs")]
    assert changed == sorted(changed, reverse=True)


def test_people_get_a_table(told: Platform) -> None:
    """A heading, and a line for each job."""
    done = told.run("jobs", "list", "--account", "staging")
    assert done.exit_code == 0
    heading, line = done.stdout.splitlines()
    assert heading.split()[:6] == ["ACCOUNT", "JOB", "ID", "STATUS", "FLOW", "STEP"]
    account, _, *rest = line.split()
    assert [account, *rest[:3]] == ["staging", "FAILED", "TrainFlow", "work"]


def test_no_jobs_are_an_empty_array_or_a_sentence(platform: Platform) -> None:
    """An empty platform is no error."""
    assert platform.rows("jobs") == []
    assert platform.run("jobs", "list").stdout == "No jobs.\n"
