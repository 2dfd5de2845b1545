"""The jobs by which an operator steps in, run on a real instance and a real ledger."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ops_platform.adapters.ledger import silences
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.definitions import compose
from ops_platform.domain.incidents import State
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.settings.model import Settings
from ops_platform_tests.defs.dagster_world import settings_in
from ops_platform_tests.operations.delivery_world import World, world_around

OPS = {
    "silence_alerts": "silence_matching",
    "expire_silence": "expire_one",
    "retry_alerts": "retry_each",
    "resolve_incidents": "resolve_each",
}
WORD = {"author": "ana", "reason": "the input is late"}


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a ledger and a Slack in the present, which Dagster lives in too."""
    with world_around(emptied_ledger) as made:
        made.clock.advance(now() - made.clock())
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of two accounts."""
    return settings_in(tmp_path)


def _launch(
    world: World, settings: Settings, job: str, **fields: Any
) -> tuple[bool, dict[str, Any], str]:
    """Run a job; return whether it succeeded, its output's metadata, and what a failure said."""
    done = _run(world, settings, job, **fields)
    return done.success, _metadata(done), _said(done)


def _run(world: World, settings: Settings, job: str, **fields: Any) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return (
            compose(settings)
            .resolve_job_def(job)
            .execute_in_process(
                run_config={"ops": {OPS[job]: {"config": {**WORD, **fields}}}},
                resources={"ledger": world.ledger},
                instance=instance,
                raise_on_error=False,
            )
        )


def _metadata(done: dg.ExecuteInProcessResult) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for event in done.all_events:
        if event.is_successful_output:
            told = event.step_output_data.metadata.items()
            found |= {name: _plain(value) for name, value in told}
    return found


def _plain(value: dg.MetadataValue[Any]) -> Any:
    if isinstance(value, dg.TableMetadataValue):
        return [record.data for record in value.records]
    return value.value


def _said(done: dg.ExecuteInProcessResult) -> str:
    failures = (event.step_failure_data for event in done.all_events if event.is_step_failure)
    return "".join(
        str(failure.user_failure_data.description)
        for failure in failures
        if failure.user_failure_data
    )


def test_a_silence_is_made_and_ended(world: World, settings: Settings) -> None:
    """What it mutes, its number and its end are in the output."""
    world.failed_run("run-1")

    done, told, _ = _launch(world, settings, "silence_alerts", flow="Train*", hours=1.5)

    assert done
    assert (told["mutes"], told["open_incidents_muted"]) == ("flow Train*", 1)
    with world.ledger.transaction() as tx:
        (made,) = silences.active(tx, now())
    assert (made.id, made.author, made.reason) == (told["silence_id"], "ana", WORD["reason"])
    assert (made.ends_at - made.created_at).total_seconds() == 5400

    done, told, _ = _launch(world, settings, "expire_silence", silence_id=made.id)

    assert (done, told) == (True, {"messages_released": 0})


def test_a_dry_run_tells_only(world: World, settings: Settings) -> None:
    """As on the command line."""
    done, told, _ = _launch(world, settings, "silence_alerts", flow="A", dry_run=True)

    assert (done, told["silence_id"]) == (True, 0)


def test_a_dead_message_is_made_due(world: World, settings: Settings) -> None:
    """Each message is a row of the output."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method="chat.postMessage", error="invalid_blocks", times=2))
    world.deliver()
    number = world.alert(incident).id

    done, told, _ = _launch(world, settings, "retry_alerts", incident_ids=[incident])

    assert done
    assert told["outcomes"] == [
        {"id": str(number), "done": True, "told": f"alert {number} is due now"}
    ]
    assert world.alert(incident).state == "pending"


def test_an_incident_is_resolved_once(world: World, settings: Settings) -> None:
    """The second run fails, and says why in its first line."""
    incident = world.failed_run("run-1")

    first, _, _ = _launch(world, settings, "resolve_incidents", incident_ids=[incident])
    second, _, said = _launch(world, settings, "resolve_incidents", incident_ids=[incident])

    assert (first, second) == (True, False)
    assert said.startswith(f"incident {incident} is resolved already since ")
    assert world.incident(incident).state is State.RESOLVED


@pytest.mark.parametrize(
    ("job", "fields", "sentence"),
    [
        ("silence_alerts", {"flow": ""}, "This would mute everything: give one of account"),
        ("silence_alerts", {"flow": "A", "hours": -1}, "-1 hours cannot be meant"),
        ("silence_alerts", {"flow": "A", "hours": 1e9}, "more than 0 and at most 8,784"),
        ("silence_alerts", {"flow": "A", "hours": math.inf}, "inf hours cannot be meant"),
        ("silence_alerts", {"flow": "A", "hours": math.nan}, "nan hours cannot be meant"),
        ("silence_alerts", {"flow": "A", "author": ""}, "say who you are"),
        ("expire_silence", {"silence_id": 0}, "There is no silence 0 that holds"),
        ("retry_alerts", {"alert_ids": []}, "Nothing is named"),
        ("retry_alerts", {"alert_ids": [999_999]}, "There is no alert 999999"),
        ("resolve_incidents", {"incident_ids": []}, "Nothing is named"),
        ("resolve_incidents", {"incident_ids": ["x"], "reason": ""}, "say why"),
    ],
)
def test_what_cannot_be_meant_fails_with_a_sentence(
    world: World, settings: Settings, job: str, fields: dict[str, Any], sentence: str
) -> None:
    """Instead of a traceback of ours."""
    done, _, said = _launch(world, settings, job, **fields)

    assert not done
    assert sentence in said


def test_a_refusal_is_written_without_the_error_behind_it(world: World, settings: Settings) -> None:
    """Its sentence says all; what raised it is nothing to put right."""
    done = _run(world, settings, "expire_silence", silence_id=0)

    (failed,) = [event.step_failure_data for event in done.all_events if event.is_step_failure]
    assert failed.error is not None
    assert "RefusedError" not in failed.error.to_string()


@pytest.mark.parametrize("job", OPS)
def test_the_launchpad_shows_what_to_fill_in(settings: Settings, job: str) -> None:
    """All fields that are needed stand there, empty: launched as it is, it does nothing."""
    definition = compose(settings).resolve_job_def(job)

    shown = definition.run_config

    assert shown is not None
    config = shown["ops"][OPS[job]]["config"]
    assert (config["author"], config["reason"]) == ("", "")
    assert dg.validate_run_config(definition, shown)
