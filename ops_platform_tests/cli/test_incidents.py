"""``ops-platform incidents``: failed runs, listed, shown and resolved."""

import pytest

from ops_platform.cli.incident_record import in_words
from ops_platform.domain.incidents import incident_id
from ops_platform.domain.story import Track
from ops_platform_tests.build import EXECUTION_ARN, NOON, REGION, RUN
from ops_platform_tests.cli.command_line import Platform
from ops_platform_tests.operations.delivery_world import World

DOCUMENTED = {
    "id", "account", "flow", "run_id", "kind", "state", "owner", "opened_at", "failed_jobs",
    "collateral_jobs", "steps", "reason", "error", "log_url", "alerts_sent",
}  # fmt: skip
BEYOND = {
    "branch", "execution_arn", "execution_url", "failing", "job_id", "log_stream", "machine_arn",
    "project", "resolved_at", "resolved_by", "run_url", "started_at", "step",
}  # fmt: skip
SHOWN = {"alerts", "exception", "jobs", "log", "message", "messages", "track"}


def test_every_incident_is_listed_with_what_is_documented(told: Platform) -> None:
    """The last opened comes first; scripts may rely on the keys."""
    rows = told.rows("incidents")
    assert [row["run_id"] for row in rows] == ["sfn-run-2", f"sfn-{RUN}"]
    assert all(set(row) == DOCUMENTED | BEYOND for row in rows)
    documented = {key: rows[1][key] for key in DOCUMENTED}
    log_url = documented.pop("log_url")
    assert log_url.startswith(f"https://{REGION}.console.aws.amazon.com/cloudwatch/home")
    assert documented == {
        "id": incident_id(EXECUTION_ARN),
        "account": "production",
        "flow": "TrainFlow",
        "run_id": f"sfn-{RUN}",
        "kind": "run_failed",
        "state": "open",
        "owner": "ana",
        "opened_at": "2026-03-02T12:00:46.500Z",
        "failed_jobs": 2,
        "collateral_jobs": 2,
        "steps": {
            "start": {"failed": 0, "collateral": 0, "succeeded": 1},
            "work": {"failed": 2, "collateral": 2, "succeeded": 1},
        },
        "reason": "killed by a signal",
        "error": "Essential container in task exited; exit code 137 (SIGKILL)",
        "alerts_sent": 0,
    }


def test_one_incident_is_shown_with_all_that_is_known(told: Platform) -> None:
    """How its flow did, its jobs, what became of each alert, and what it would have said."""
    shown = told.record("incidents", "show", incident_id(EXECUTION_ARN), "--json")
    assert set(shown) == DOCUMENTED | BEYOND | SHOWN
    assert shown["message"]["text"].startswith("`ana`: TrainFlow failed in production")
    assert shown["message"]["blocks"][0]["type"] == "header"
    assert [each["part"] for each in shown["messages"]] == ["message", "details/0001"]
    assert shown["messages"][0]["text"] == shown["message"]["text"]
    (alert,) = shown["alerts"]
    assert (alert["part"], alert["state"], alert["reason"]) == ("message", "withheld", "replayed")
    assert shown["track"]["failures_in_a_row"] == 1
    assert (shown["log"], shown["exception"]) == (None, None)
    assert [(job["job_id"], job["reason"], job["attempts"]) for job in shown["jobs"]] == [
        ("root-2", "killed by a signal", 1),
        ("root-1", "user exception", 2),
    ]


def test_people_get_a_line_for_each_fact_and_tables(told: Platform) -> None:
    """Without --json it is text, the messages last."""
    done = told.run("incidents", "show", incident_id(EXECUTION_ARN))
    assert done.exit_code == 0
    head, track, jobs, alerts, messages = done.stdout.split("\n\n")[:5]
    facts = dict(line.split(maxsplit=1) for line in head.splitlines())
    assert (facts["kind"], facts["failed_jobs"]) == ("run_failed", "2")
    assert track.startswith("1st failure in a row; no success is known")
    assert [line.split()[0] for line in jobs.splitlines()] == ["JOBS", "STEP", "work", "work"]
    assert "withheld" in alerts
    assert messages.startswith("MESSAGES\n--- #alerts-production, message\n`ana`: TrainFlow")


@pytest.mark.parametrize(
    ("track", "words"),
    [
        (Track(3, NOON, NOON), "3rd failure in a row; last success 2026-03-02T12:00:00.000Z."),
        (
            Track(1, None, NOON),
            "1st failure in a row; no success is known since 2026-03-02T12:00:00.000Z.",
        ),
        (Track(1, None, None), "1st failure in a row; no success is known."),
    ],
)
def test_how_a_flow_did_is_a_sentence(track: Track, words: str) -> None:
    """Of what is known."""
    assert in_words(track) == words


def test_an_operator_resolves_what_no_run_will(world: World, platform_of: Platform) -> None:
    """What was resolved already is said on standard error, and makes the exit code 1."""
    incident = world.failed_run("run-1")
    word = ("incidents", "resolve", incident, "--by", "ana", "--reason", "the flow is gone")

    first, second = platform_of.run(*word), platform_of.run(*word)

    assert (first.exit_code, first.stdout) == (0, f"Incident {incident} is resolved.\n")
    assert (second.exit_code, second.stdout) == (1, "")
    assert second.stderr.startswith(f"Error: Incident {incident} is resolved already since ")
    (row,) = platform_of.rows("incidents", "--status", "resolved")
    assert row["resolved_by"] == "ana: the flow is gone"


def test_resolving_needs_a_reason(world: World, platform_of: Platform) -> None:
    """And an incident that exists; else nothing is done."""
    incident = world.failed_run("run-1")

    for given in ((incident,), (incident, "nothing", "--reason", "gone")):
        done = platform_of.run("incidents", "resolve", *given)
        assert (done.exit_code, done.stdout) == (2, "")

    assert platform_of.rows("incidents", "--status", "resolved") == []


def test_an_unknown_incident_is_refused_with_a_hint(told: Platform) -> None:
    """Nothing is printed that a program could take for an incident."""
    done = told.run("incidents", "show", "nothing", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "There is no incident 'nothing'; `ops-platform incidents list` shows" in done.stderr


def test_states_narrow_the_list(told: Platform) -> None:
    """Every state is listed unless one is asked for."""
    assert len(told.rows("incidents", "--status", "OPEN")) == 2
    assert told.rows("incidents", "--status", "resolved") == []
