"""``ops-platform incidents``: failed runs, listed, shown and resolved."""

from typing import Any

import pytest

from ops_platform.adapters.ledger import incidents, job_logs
from ops_platform.cli.incident_record import in_words
from ops_platform.domain.incidents import Kind, incident_id
from ops_platform.domain.job_log import LogAbsence
from ops_platform.domain.story import JobLog, Track
from ops_platform_tests.build import EXECUTION_ARN, NOON, REGION, RUN, an_incident
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
    head, track, steps, jobs, alerts, messages = done.stdout.split("\n\n")[:6]
    facts = dict(line.split(maxsplit=1) for line in head.splitlines())
    assert (facts["kind"], facts["failed_jobs"]) == ("run_failed", "2")
    assert "steps" not in facts
    assert track.startswith("1st failure in a row; no success is known")
    assert [line.split() for line in steps.splitlines()] == [
        ["STEPS"],
        ["STEP", "FAILED", "COLLATERAL", "SUCCEEDED"],
        ["work", "2", "2", "1"],
        ["start", "0", "0", "1"],
    ]
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


@pytest.mark.parametrize(
    "kind", sorted(set(Kind) - {Kind.RUN_FAILED, Kind.RUN_TIMED_OUT, Kind.RUN_ABORTED})
)
def test_what_has_no_execution_is_shown_too(
    world: World, platform_of: Platform, kind: Kind
) -> None:
    """Its links are those there are."""
    bare: dict[str, Any] = {
        "execution_arn": None,
        "machine_arn": None,
        "run_id": "",
        "job_id": None,
        "steps": {},
    }
    incident = an_incident(kind=kind, account="staging", log_stream=None, **bare)
    with world.ledger.transaction() as tx:
        incidents.save(tx, incident)

    shown = platform_of.record("incidents", "show", incident.id, "--json")
    (row,) = platform_of.rows("incidents")

    assert (shown["kind"], shown["execution_url"], shown["run_url"]) == (kind, None, None)
    assert (shown["track"], shown["jobs"], shown["alerts"]) == (None, [], [])
    assert shown["messages"][0]["channel"] == "#alerts-staging"
    assert row["kind"] == kind
    assert platform_of.run("incidents", "show", incident.id).exit_code == 0


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        (
            JobLog("ValueError: late", "line 1\n\x1b[31mline 2", truncated=True, absence=None),
            "LOG\n...\nline 1\n\\x1b[31mline 2\n",
        ),
        (
            JobLog(None, None, truncated=False, absence=LogAbsence.MISSING),
            "LOG\nNo log: missing.\n",
        ),
    ],
)
def test_the_end_of_the_log_is_shown(
    world: World, platform_of: Platform, log: JobLog, shown: str
) -> None:
    """As text that cannot steer a terminal; and why there is none."""
    incident = world.incident(world.failed_run("run-1"))
    with world.ledger.transaction() as tx:
        where: dict[str, Any] = {"log_stream": None, "fetched_at": NOON}
        job_logs.save(tx, incident.account, str(incident.job_id), log, **where)

    found = platform_of.record("incidents", "show", incident.id, "--json")

    assert (found["exception"], found["log"]["tail"]) == (log.exception, log.tail)
    assert shown in platform_of.run("incidents", "show", incident.id).stdout


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
