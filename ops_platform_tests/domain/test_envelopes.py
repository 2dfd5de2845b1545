"""Bodies of messages become events, or are handed back whole."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ops_platform.domain.envelopes import parse
from ops_platform.domain.events import Attempt, Event, ExecutionEvent, JobEvent
from ops_platform_tests import nasty
from ops_platform_tests.build import (
    RUN,
    a_failure,
    a_job_event,
    an_execution_event,
    an_instance_event,
    body,
)

SAMPLES = Path(__file__).parents[1] / "samples"
CONTAINER_INSTANCE = "arn:aws:ecs:eu-west-1:222222222222:container-instance/flows_Batch/0f4e9c1a"


CUT_OFF = "A Batch job failed; its description was cut off."


def _at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-02T{clock}+00:00")


EXPECTED: dict[str, Event] = {
    "batch_job_state_change": a_job_event(
        id="c8f9c4b5-76e5-d76a-f980-7011e206042b",
        time=_at("12:05:41"),
        job_id="4a0e8f6c-52a9-4f0f-9a2f-2f3b1f1c7d11",
        definition="metaflow_9f2c:7",
        status="FAILED",
        status_reason="Essential container in task exited",
        created_at=_at("12:00:05.250"),
        started_at=_at("12:02:01.004"),
        stopped_at=_at("12:05:40.980"),
        attempts=(
            Attempt(
                started_at=_at("12:01:01.004"),
                stopped_at=_at("12:01:39.750"),
                exit_code=137,
                reason="OutOfMemoryError: Container killed due to memory usage",
                log_stream="metaflow_9f2c/default/6d1c",
                container_instance=CONTAINER_INSTANCE,
            ),
            Attempt(
                started_at=_at("12:02:01.004"),
                stopped_at=_at("12:05:40.980"),
                exit_code=1,
                reason="Essential container in task exited",
                log_stream="metaflow_9f2c/default/77ab",
                container_instance=CONTAINER_INSTANCE,
            ),
        ),
        max_attempts=2,
        exit_code=1,
        container_reason="Essential container in task exited",
        log_stream="metaflow_9f2c/default/77ab",
        container_instance=CONTAINER_INSTANCE,
        vcpus=2.0,
        memory_mib=8192,
        gpus=1,
    ),
    "batch_job_queue_blocked": a_job_event(
        id="9d3b2a60-1f0e-4c52-8f41-6b7d0c9e5a13",
        time=_at("12:20:00"),
        aws_account_id="111111111111",
        job_id="de3a7bc1-0f5d-4b0c-8a44-2b7f1f0f6f02",
        job_name="ana-SimulateFlow-1772452805250-simulate-2-0",
        queue="large",
        definition="metaflow_41aa:1",
        blocked=True,
        status_reason=(
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement"
            " (vCPU/memory/GPU) is higher than that can be met by the CE(s) attached to the"
            " job queue."
        ),
        created_at=_at("12:00:05.250"),
        max_attempts=1,
        vcpus=999,
        flow="SimulateFlow",
        step="simulate",
        run_id="1772452805250",
        task_id="2",
        retry=0,
    ),
    "step_functions_execution_status_change": an_execution_event(
        id="315c1398-40ff-a850-213b-158f73e60175",
        time=_at("12:05:42"),
        status="FAILED",
        started_at=_at("12:00:00.125"),
        stopped_at=_at("12:05:41.500"),
        error="States.TaskFailed",
        cause="Essential container in task exited",
    ),
    "ecs_container_instance_state_change": an_instance_event(
        id="8952ba83-7be2-4ab5-9c32-6687532d15a2",
        time=_at("12:01:11"),
        instance_arn=CONTAINER_INSTANCE,
        version=14801,
        instance_type="m5.2xlarge",
        availability_zone="eu-west-1b",
        cpu_units=8192,
        memory_mib=31398,
    ),
}


def _sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def _job(*, time: str = "2026-03-02T12:00:00Z", **detail: Any) -> bytes:
    envelope = json.loads(body(a_job_event()))
    return json.dumps(envelope | {"time": time, "detail": envelope["detail"] | detail}).encode()


def test_there_is_a_sample_of_each_kind_of_event() -> None:
    """One whole envelope each, and no kind without one."""
    kinds = {json.loads(path.read_bytes())["detail-type"] for path in SAMPLES.glob("*.json")}

    assert kinds == set(nasty.KINDS)
    assert {path.stem for path in SAMPLES.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_sample_parses_to_exactly_its_event(name: str) -> None:
    """Every field, however deep AWS has it."""
    assert parse(_sample(name)) == EXPECTED[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_secret_of_a_message_is_in_its_event(name: str) -> None:
    """Neither of the environment, nor of the command, nor of a cause that repeats them."""
    event = parse(_sample(name))

    assert b"secret" in _sample(name) or name.startswith("ecs")
    assert "secret" not in repr(event)
    assert b"secret" not in msgspec.json.encode(event)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_fields_aws_adds_one_day_are_skipped(name: str) -> None:
    """In the envelope and in the detail, whatever they hold."""
    sample = json.loads(_sample(name))
    sample["new"] = sample["detail"]["new"] = {"deep": [{"er": None}]}

    assert parse(json.dumps(sample).encode()) == EXPECTED[name]


@pytest.mark.parametrize(
    "event",
    [
        a_job_event(),
        a_job_event(blocked=True),
        a_job_event(run_id="17", task_id="3", retry=1),
        a_failure(),
        an_instance_event(),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_that_becomes_a_message_comes_back_as_it_was(event: Event) -> None:
    """So the tests' builders build what the parser reads."""
    assert parse(body(event)) == event


@pytest.mark.parametrize(
    ("parameters", "run_id", "owner"),
    [
        (
            {"metaflow.user": "SFN", "metaflow.owner": "ana", "metaflow.run_id": RUN},
            f"sfn-{RUN}",
            "ana",
        ),
        ({"metaflow.user": "ana", "metaflow.run_id": "17"}, "17", "ana"),
        ({"metaflow.user": "SFN"}, None, None),
        ({}, None, None),
    ],
)
def test_run_and_owner_are_metaflows(
    parameters: dict[str, str], run_id: str | None, owner: str | None
) -> None:
    """Under Step Functions the user is a machine, and the run is the execution."""
    event = parse(_job(parameters=parameters))

    assert isinstance(event, JobEvent)
    assert (event.run_id, event.owner) == (run_id, owner)


@pytest.mark.parametrize(
    ("parameters", "task"),
    [
        ({"metaflow.task_id": "3", "metaflow.retry_count": "2"}, ("3", 2)),
        ({"metaflow.task_id": "3", "metaflow.retry_count": "no number"}, ("3", None)),
        ({"metaflow.user": "ana"}, (None, None)),
        (
            {"metaflow.user": "SFN", "metaflow.task_id": "3", "metaflow.retry_count": "2"},
            (None, None),
        ),
    ],
)
def test_task_and_retry_are_those_of_an_interactive_run(
    parameters: dict[str, str], task: tuple[str | None, int | None]
) -> None:
    """Under Step Functions the job itself is the task, with all its attempts."""
    event = parse(_job(parameters=parameters))

    assert isinstance(event, JobEvent)
    assert (event.task_id, event.retry) == task


@pytest.mark.parametrize(
    ("container", "owner"),
    [
        ({"command": ["bash", "-c", "step work --tag owner:zoe"]}, "zoe"),
        ({"command": ["bash", "-c", "step work"], "reason": "no owner: none"}, "ana"),
        ({"command": None, "reason": "owner:"}, "ana"),
        ({"command": "--tag owner:zoe"}, "ana"),
        ({"environment": [{"name": "X", "value": "--tag owner:zoe"}]}, "ana"),
        (None, "ana"),
    ],
    ids=range(6),
)
def test_the_owner_of_the_runs_tag_comes_first(
    container: dict[str, Any] | None, owner: str
) -> None:
    """Metaflow's owner of a promoted flow is the robot that deployed it."""
    event = parse(_job(container=container, statusReason="owner:"))

    assert isinstance(event, JobEvent)
    assert event.owner == owner
    assert "zoe" not in repr(event).replace("owner='zoe'", "")


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (None, None),
        ("", ""),
        ("The service is unavailable.", "The service is unavailable."),
        ("User: x password=secret", "User: x password=[redacted]"),
        ('{"StatusReason": "Host EC2 terminated.", "Container": 1}', "Host EC2 terminated."),
        ('{"JobId": "x"}', None),
        ('{"JobId": "x", "StatusReason": "password=secret"}', "password=[redacted]"),
        ('{"StatusReason": "a\\u0000b"}', "a\ufffdb"),
        (' {"Container": {"Environment": [{"Value": "secr', CUT_OFF),
        ('{"StatusReason": 5}', CUT_OFF),
        ('{"a": ' + "[" * 20_000, CUT_OFF),
        ('Failed: {"Container": {"Environment": [{"Value": "secret"}]}}', CUT_OFF),
        (json.dumps('{"Container": {"Environment": [{"Value": "secret"}]}}'), CUT_OFF),
        ('\ufeff{"Container": {"Environment": []}}', CUT_OFF),
        ("The Environment is missing.", "The Environment is missing."),
    ],
    ids=range(15),
)  # fmt: skip
def test_of_a_cause_only_what_may_be_shown_is_kept(cause: str | None, shown: str | None) -> None:
    """A failed job's description holds the environment, whole or cut."""
    event = parse(body(a_failure(cause=cause)))

    assert isinstance(event, ExecutionEvent)
    assert event.cause == shown


@pytest.mark.parametrize(
    ("given_input", "expected"),
    [
        ('{"Parameters": "{}"}', True),
        ('{"Parameters": {}}', False),
        ('{"Parameters": "{}", "order": 1}', False),
        ("{}", False),
        ("[]", False),
        ("", False),
        (None, False),
        ("not JSON", False),
        ('{"Parameters": ' + "[" * 100_000, False),
    ],
    ids=range(9),
)
def test_an_input_of_metaflows_is_told_from_others(
    given_input: str | None, *, expected: bool
) -> None:
    """Its one key holds a JSON text."""
    envelope = json.loads(body(a_failure()))
    envelope["detail"]["input"] = given_input

    event = parse(json.dumps(envelope).encode())

    assert isinstance(event, ExecutionEvent)
    assert event.metaflow_input is expected


def test_secrets_in_what_somebody_wrote_of_a_job_are_not_kept() -> None:
    """Whoever terminates a job gives its reason, and a container says why it failed."""
    said = "stopped, see https://ana:hunter2@example.com and xoxb-1234-abcdefghij"
    given = {"status": "FAILED", "status_reason": said, "container_reason": said}
    event = parse(body(a_job_event(**given, attempts=(Attempt(reason=said),))))

    assert isinstance(event, JobEvent)
    assert "hunter2" not in str(event)
    assert "abcdefghij" not in str(event)
    assert "[redacted]" in str(event.status_reason)
