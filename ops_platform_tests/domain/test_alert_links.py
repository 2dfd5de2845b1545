"""Where an alert leads: to the run, the task, the log, and its own page."""

import re
from typing import Any

import pytest

from ops_platform.domain.alert_message import Message, render
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Kind
from ops_platform_tests.build import NOON, RUN
from ops_platform_tests.stories import LINKS, NO_LINKS, a_root_failure, a_story, check, shown


def _render(**changes: Any) -> Message:
    message = render(a_story(**changes), NOON)
    check(message, called=["U0ADA00001"])
    return message


def test_an_alert_links_run_task_execution_log_and_history() -> None:
    """Each by the address that identity makes of it."""
    story = a_story()
    text = shown(render(story, NOON))

    task = LINKS.task("TrainFlow", f"sfn-{RUN}", "work", "5b0e9d3c-job")
    history = LINKS.history("production", "fraud", "TrainFlow")
    assert f"<{LINKS.run('TrainFlow', f'sfn-{RUN}')}|Run>" in text
    assert f"<{task}|First failed task>" in text
    assert f"<{LINKS.execution(str(story.incident.execution_arn))}|Execution>" in text
    assert f"<{LINKS.log('metaflow_9f2c/default/1')}|Log>" in text
    assert f"<{history}|History>" in text


@pytest.mark.parametrize(
    ("task", "attempt"), [({}, 1), ({"task_id": "17", "retry": 2}, 2), ({"task_id": "17"}, 0)]
)
def test_the_task_is_linked_with_its_last_attempt(task: dict[str, Any], attempt: int) -> None:
    """Of a run by hand, each attempt is a job of its own, and the task has Metaflow's id."""
    job = a_root_failure(0, exits=(1, 1), **task)

    url = LINKS.task("TrainFlow", f"sfn-{RUN}", "work", task.get("task_id", job.latest.job_id))

    assert f"<{url}?attempt={attempt}|First failed task>" in shown(_render(job=job))


def test_without_a_ui_or_a_job_there_are_fewer_links() -> None:
    """No empty ones."""
    message = _render(links=NO_LINKS, job_id=None, step=None, log_stream=None)

    assert re.findall(r"\|([\w ]+)>", message.blocks[-1]["elements"][0]["text"]) == ["Execution"]


def test_a_link_that_is_too_long_is_left_out() -> None:
    """Nobody would miss it, and the message could not be posted with it."""
    assert "|Log>" not in shown(_render(log_stream="s" * 600))


def test_a_run_by_hand_links_its_task_only_if_the_task_is_known() -> None:
    """The id of its job is not that of its task."""
    by_hand: dict[str, Any] = {"kind": Kind.INTERACTIVE_FAILED, "run_id": "1741"}

    assert "First failed task" not in shown(_render(**by_hand))
    job = a_root_failure(0, task_id="17", retry=0, step="fit")
    link = "/TrainFlow/1741/fit/17?attempt=0|First failed task>"
    assert link in shown(_render(**by_hand, job=job))


def test_links_without_a_ui_still_lead_to_the_consoles() -> None:
    """Those of AWS are always known."""
    names = re.findall(r"\|([\w ]+)>", shown(_render(links=Links("eu-west-1"))))

    assert names[-2:] == ["Execution", "Log"]


@pytest.mark.parametrize("kind", Kind)
def test_an_alert_names_its_incident_for_the_command_line(kind: Kind) -> None:
    """Whatever it is about: `ops-platform incidents show` takes it from there."""
    last = shown(_render(kind=kind)).splitlines()[-1]

    assert "Incident `0123456789abcdef`" in last
