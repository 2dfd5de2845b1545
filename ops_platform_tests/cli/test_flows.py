"""``ops-platform flows``."""

from ops_platform_tests.cli.command_line import Platform


def test_flows_are_listed_with_their_runs_by_outcome(told: Platform) -> None:
    """Flows of the same name in two accounts are two; the last run tells how one is doing."""
    rows = told.rows("flows")
    counts = ("account", "project", "flow", "runs", "succeeded", "failed", "running")
    assert [[row[key] for key in counts] for row in rows] == [
        ["production", "fraud", "TrainFlow", 2, 0, 1, 1],
        ["staging", None, "TrainFlow", 1, 0, 1, 0],
    ]
    assert (rows[0]["status"], rows[0]["last_run_id"]) == ("RUNNING", "sfn-run-3")


def test_the_status_of_a_flow_is_that_of_its_last_run(told: Platform) -> None:
    """So that one can ask for the flows that are broken now."""
    assert [row["account"] for row in told.rows("flows", "--status", "failed")] == ["staging"]


def test_no_flows_are_an_empty_array_or_a_sentence(platform: Platform) -> None:
    """An empty platform is no error."""
    assert platform.rows("flows") == []
    assert platform.run("flows", "list").stdout == "No flows.\n"
