"""``ops-platform incidents``: failed runs, listed and shown."""

from ops_platform.domain.incidents import incident_id
from ops_platform_tests.build import EXECUTION_ARN, REGION, RUN
from ops_platform_tests.cli.command_line import Platform

DOCUMENTED = {
    "id", "account", "flow", "run_id", "kind", "state", "owner", "opened_at", "failed_jobs",
    "collateral_jobs", "steps", "reason", "error", "log_url", "alerts_sent",
}  # fmt: skip
BEYOND = {
    "branch", "execution_arn", "execution_url", "job_id", "log_stream", "project", "run_url",
    "step",
}  # fmt: skip


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
        "reason": "user exception",
        "error": "Essential container in task exited; exit code 137",
        "alerts_sent": 0,
    }


def test_one_incident_is_shown_with_its_alerts_and_its_message(told: Platform) -> None:
    """The keys of the list, what became of each alert, and what it would have said."""
    shown = told.record("incidents", "show", incident_id(EXECUTION_ARN), "--json")
    assert set(shown) == DOCUMENTED | BEYOND | {"alerts", "message"}
    assert shown["message"]["text"].startswith("`ana`: TrainFlow failed in production. ")
    assert shown["message"]["blocks"][0]["type"] == "header"
    (alert,) = shown["alerts"]
    assert (alert["revision"], alert["state"], alert["attempts"]) == (1, "withheld", 0)


def test_people_get_a_line_for_each_fact(told: Platform) -> None:
    """Without --json it is text."""
    done = told.run("incidents", "show", incident_id(EXECUTION_ARN))
    assert done.exit_code == 0
    facts = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert (facts["reason"], facts["failed_jobs"]) == ("user exception", "2")


def test_an_unknown_incident_is_refused_with_a_hint(told: Platform) -> None:
    """Nothing is printed that a program could take for an incident."""
    done = told.run("incidents", "show", "nothing", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "There is no incident 'nothing'; `ops-platform incidents list` shows" in done.stderr


def test_states_narrow_the_list(told: Platform) -> None:
    """Every state is listed unless one is asked for."""
    assert len(told.rows("incidents", "--status", "OPEN")) == 2
    assert told.rows("incidents", "--status", "resolved") == []
