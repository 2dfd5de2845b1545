"""``ops-platform executions``."""

from ops_platform_tests.build import EXECUTION_ARN, RUN
from ops_platform_tests.cli.command_line import Platform


def test_executions_are_listed_newest_first(told: Platform) -> None:
    """Each with its state, its flow and the owner that its jobs named."""
    rows = told.rows("executions")
    assert [(row["run_id"], row["status"], row["flow"]) for row in rows] == [
        ("sfn-run-3", "RUNNING", "TrainFlow"),
        ("sfn-run-2", "FAILED", "TrainFlow"),
        (f"sfn-{RUN}", "FAILED", "TrainFlow"),
    ]
    failed = rows[2]
    assert (failed["execution_arn"], failed["owner"]) == (EXECUTION_ARN, "ana")
    assert failed["stopped_at"] == "2026-03-02T12:00:46.500Z"


def test_no_executions_are_an_empty_array_or_a_sentence(platform: Platform) -> None:
    """An empty platform is no error."""
    assert platform.rows("executions") == []
    assert platform.run("executions", "list").stdout == "No executions.\n"
