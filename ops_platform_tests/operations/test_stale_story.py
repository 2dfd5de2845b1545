"""From a job that can never start to what its owner reads: judged, warned, cancelled, told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.operations.cleaned import Cleaned
from ops_platform.operations.tell_stale_jobs import settle_warnings, tell_queues, warn_owners
from ops_platform_tests.build import ACCOUNT
from ops_platform_tests.operations.delivery_world import World as Slack
from ops_platform_tests.operations.delivery_world import world_around
from ops_platform_tests.operations.failing_runs import Run
from ops_platform_tests.operations.stale_world import World as Account

RUN = Run("night", account=ACCOUNT, owner="ada", jobs=0)


@dataclass
class World:
    """An account whose stale jobs are cleaned, and the Slack in which that is told."""

    account: Account
    slack: Slack

    def clean(self, *, minutes: float) -> Cleaned:
        """Clean the account after so many minutes, as the schedule does, and deliver."""
        self.account.wait(minutes=minutes)
        done, now = self.account.clean(), self.account.clock()
        ledger, policy = self.account.ledger, self.slack.policy
        tell_queues(
            ledger, ACCOUNT, looked_at=done.queues, blocked=done.blocked, policy=policy, now=now
        )
        warn_owners(ledger, ACCOUNT, done.judged, policy=policy, now=now)
        settle_warnings(ledger, ACCOUNT, done.concerns, policy=policy, now=now)
        self.slack.until_quiet()
        return done

    def heard(self, job_id: str) -> None:
        """Let the events arrive that tell how a job is."""
        self.slack.came(RUN.arn, self.account.batch.event(job_id))

    def told(self) -> list[str]:
        """Return the notifications of all messages in the account's channel, and the threads'."""
        return [each.text for each in self.slack.inbox.messages("#alerts-production")]


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give an account in which owners are warned five minutes before, and an empty Slack."""
    with world_around(emptied_ledger) as slack:
        account = Account(emptied_ledger, slack.clock)
        account.want(warn_before=timedelta(minutes=5))
        yield World(account, slack)


def test_an_unfit_job_is_warned_of_cancelled_and_its_run_explained(world: World) -> None:
    """Two messages: the warning, which is over, and the run's, which says all."""
    job = world.account.unfit(run=RUN.name, owner="ada")
    world.clean(minutes=11)
    (warning,) = world.told()
    assert "A job of TrainFlow does not start in production, step `work`: " in warning
    assert "999 vCPUs" in warning

    done = world.clean(minutes=5)
    assert [each.job_id for each in done.cancelled] == [job]
    world.heard(job)
    world.slack.came(RUN.arn, RUN.execution(world.account.clock(), "FAILED"))
    world.clean(minutes=10)

    over, *others = world.told()
    assert over.startswith("The warning about TrainFlow in production is over after ")
    (failed,) = (text for text in others if "failed" in text)
    assert "TrainFlow failed in production: a job could not start, step `work`: " in failed
    assert "999 vCPUs" in failed
    (message,) = (each for each in world.slack.messages("production") if each.text == failed)
    for part in (
        "*Why it could not start*",
        "*What to change*",
        "wanted 999",
        "waited for 15 min 59 s",
    ):
        assert part in str(message.blocks)


def test_a_job_that_starts_in_time_was_only_warned_of(world: World) -> None:
    """Somebody gave the queue a larger environment."""
    job = world.account.unfit(run=RUN.name)
    world.clean(minutes=11)
    world.account.batch.start(job)
    world.heard(job)

    done = world.clean(minutes=5)

    assert done.cancelled == ()
    over, note = world.told()
    assert over.startswith("TrainFlow recovered in production after ")
    assert note.endswith(": the job started.")


def test_a_queue_that_is_at_fault_is_told_and_nothing_is_cancelled(world: World) -> None:
    """Until it is repaired, and moves again."""
    world.account.batch.environment("flows-spot", state="DISABLED")
    job = world.account.submit(run=RUN.name)
    done = world.clean(minutes=130)
    assert done.cancelled == ()
    (blocked,) = (text for text in world.told() if text.startswith("Queue flows is blocked"))
    assert "disabled" in blocked

    world.account.batch.environment("flows-spot", state="ENABLED")
    world.account.batch.start(job)
    world.heard(job)
    world.clean(minutes=10)

    assert any(text.startswith("Queue flows recovered in production") for text in world.told())
