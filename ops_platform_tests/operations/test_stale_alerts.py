"""A run whose job was cancelled because it could not start is one message, with the diagnosis."""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.adapters.ledger import cancellations
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.bursts import BurstRule, By
from ops_platform.domain.cancelling import Outcome, cancel_reason
from ops_platform.domain.identity import RUN_PREFIX
from ops_platform.domain.incidents import incident_id
from ops_platform.domain.reasons import STALE_ERROR, TIME_LIMIT_MARK
from ops_platform.embedded.slack_inbox.store import Message
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.operations.stale_runs import (
    ADVICE,
    SENTENCE,
    cancelled,
    dragged,
    judged,
    waiting_job,
)

RUN = Run("run", jobs=0)
OF_LIMIT = f"{TIME_LIMIT_MARK} due to reason: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def asked(world: World, run: Run = RUN, **changes: Any) -> None:
    """Record that the end of the run's stale job is about to be asked for."""
    with world.ledger.transaction() as tx:
        now = world.clock()
        assert cancellations.ask(tx, judged(run, now), now=now, asked_by="schedule", **changes)


def text_of(message: Message) -> str:
    """Return all that a message says."""
    parts = (block.get("text") or {} for block in message.blocks)
    small = (each for block in message.blocks for each in block.get("elements", ()))
    return "\n".join([message.text, *(str(part.get("text")) for part in (*parts, *small))])


def the_message(world: World) -> str:
    """Deliver until all is told; return what the only message says, which has no thread."""
    world.settle()
    world.until_quiet()
    (message,) = world.messages()
    assert world.thread() == []
    return text_of(message)


@pytest.mark.parametrize("seed", range(4))
def test_a_cancelled_job_and_its_failed_run_are_one_message(world: World, seed: int) -> None:
    """In whatever order their events come, and with the siblings that ended with it."""
    asked(world)
    events = cancelled(RUN, world.clock())
    random.Random(seed).shuffle(events)
    for event in events:
        incident = world.came(RUN.arn, event)

    text = the_message(world)

    assert "TrainFlow failed in staging: a job could not start, step `work`" in text
    assert f"*Why it could not start*\n{SENTENCE}\n*What to change*\n{ADVICE}" in text
    assert "• vCPUs: wanted 999, found at most 4 (r5.xlarge)" in text
    assert "waited for 15 min in queue `flows` · policy `rule 1`" in text
    assert "1 job failed in step `work`, 2 others were stopped with it." in text
    assert (world.incident(incident).reason, world.edits()) == ("cancelled as stale", 0)


def test_what_is_heard_only_after_the_message_changes_nothing_of_it(world: World) -> None:
    """A sibling that ends late is one more that was stopped with it."""
    asked(world)
    stale, one, other, end = cancelled(RUN, world.clock())
    world.came(RUN.arn, stale, one, end)
    world.settle()
    world.until_quiet()
    world.came(RUN.arn, other)
    world.update()

    text = the_message(world)

    assert "2 others were stopped with it." in text
    assert SENTENCE in text
    assert world.edits() == 1


def test_a_run_that_was_stopped_in_the_jobs_place_was_not_aborted_by_a_person(
    world: World,
) -> None:
    """The record knows which job it was, though that ended with its run."""
    now = world.clock()
    asked(world, execution_arn=RUN.arn)
    with world.ledger.transaction() as tx:
        (row,) = cancellations.of_run(tx, "staging", f"{RUN_PREFIX}{RUN.name}")
        cancellations.settle(tx, row.id, Outcome.RUN_STOPPED, now=now)
    stale = waiting_job(
        RUN, now, id="ended", status="FAILED", time=now, stopped_at=now + timedelta(seconds=2),
        terminated=True, status_reason="Aborted by AWS Step Functions",
    )  # fmt: skip
    why = cancel_reason(judged(RUN, now), now)
    end = RUN.execution(now, "ABORTED", error=STALE_ERROR, cause=why)
    world.came(RUN.arn, end, stale, *dragged(RUN, now))

    text = the_message(world)

    assert "TrainFlow was stopped in staging: a job could not start, step `work`" in text
    assert f"{SENTENCE}\n*What to change*\n{ADVICE}" in text
    assert f"`stale-{RUN.name}` waited for 15 min" in text
    assert "3 jobs were stopped with it." in text
    assert "person" not in text


def test_what_a_queues_own_rule_cancelled_says_what_batch_means(world: World) -> None:
    """Nothing was recorded of it, and nobody has to know AWS's words."""
    world.came(RUN.arn, *cancelled(RUN, world.clock(), OF_LIMIT))

    text = the_message(world)

    assert "*cancelled by a time-limit action* in step `work`: MISCONFIGURATION:JOB_RESOU" in text
    assert "no instance of the queue's compute environments is large enough" in text
    assert "it asked for 999 vCPUs and 4,096 MiB of memory" in text
    assert "2 others were stopped with it." in text


def test_what_was_known_of_the_job_tells_more_than_batchs_own_reason(world: World) -> None:
    """As when its owner had been warned before the queue's rule was quicker."""
    with world.ledger.transaction() as tx:
        now = world.clock()
        cancellations.warn(tx, judged(RUN, now), now=now, asked_by="schedule")
    world.came(RUN.arn, *cancelled(RUN, world.clock(), OF_LIMIT))

    text = the_message(world)

    assert "*cancelled by a time-limit action* in step `work`: too many vCPUs" in text
    assert f"{SENTENCE}\n*What to change*\n{ADVICE}" in text


def test_without_a_record_the_jobs_own_reason_tells(world: World) -> None:
    """As after the ledger was lost."""
    world.came(RUN.arn, *cancelled(RUN, world.clock()))

    text = the_message(world)

    assert f"RUNNABLE for 15 min, and it can never start. {SENTENCE} {ADVICE}" in text
    assert "ops_platform cancelled" not in text


def test_a_run_by_hand_whose_job_was_cancelled_says_why(world: World) -> None:
    """It has no execution around it."""
    now = world.clock()
    asked(world)
    by_hand: dict[str, Any] = {"run_id": "1767", "task_id": "2", "retry": 0}
    stale = waiting_job(
        RUN, now, id="ended", status="FAILED", time=now, stopped_at=now, cancelled=True,
        status_reason=cancel_reason(judged(RUN, now), now), **by_hand,
    )  # fmt: skip
    world.came(RUN.arn, stale)

    text = the_message(world)

    assert "TrainFlow failed in staging, run by hand: a job could not start" in text
    assert f"{SENTENCE}\n*What to change*\n{ADVICE}" in text
    assert world.incident(incident_id("staging/TrainFlow/1767")).job_id == "stale-run"


def test_many_cancelled_runs_of_one_cause_are_one_message(world: World) -> None:
    """As of any other cause."""
    world.configure(bursts=(BurstRule(By.CAUSE, 5, timedelta(minutes=5)),))
    for number in range(6):
        run = Run(f"run-{number}", flow=f"Flow{number}", jobs=0)
        asked(world, run)
        world.came(run.arn, *cancelled(run, world.clock()))

    world.settle()
    world.until_quiet()

    (message,) = world.messages()
    assert "6 runs failed in staging: cancelled as stale" in message.text
    assert f"It can never start. {SENTENCE[:20]}".casefold() in text_of(message).casefold()


def test_a_silence_mutes_what_was_cancelled_too(world: World) -> None:
    """It is an incident like any other."""
    world.silenced(flow="TrainFlow")
    asked(world)
    world.came(RUN.arn, *cancelled(RUN, world.clock()))
    world.settle()

    assert world.deliver() == ["pending"]
    world.wait(hours=1)
    assert world.deliver() == ["sent"]
