"""The checks of the platform over a real ledger, and what Slack is told of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.ledger import incidents, state_machines, watched
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.domain.health import Check, Health, State, Subject, What
from ops_platform.domain.health_rules import Automation, AutomationKind
from ops_platform.domain.incidents import Incident, Kind
from ops_platform.domain.ports import Backlog, EventQueue, Machine
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.operations.check_health import Examiner, home, judge, limit, tell_health
from ops_platform.operations.ingest_events import ingest, record_events
from ops_platform.settings.model import Settings
from ops_platform_tests.build import ACCOUNTS, MACHINE_ARN, NOON, bodies
from ops_platform_tests.defs.dagster_world import NO_DATABASE, settings_in
from ops_platform_tests.fakes import FakeQueue
from ops_platform_tests.ledger_world import empty
from ops_platform_tests.operations.delivery_world import POLICY, World, end_of_run, world_around

INGEST = Subject(Check.INGEST, "staging")
DELIVERY = Subject(Check.DELIVERY, "staging")
RECONCILIATION = Subject(Check.RECONCILIATION, "production")
CLEANUP = Subject(Check.CLEANUP, "staging")
PARSING = Subject(Check.PARSING)
AUTOMATIONS = Subject(Check.AUTOMATIONS)


class DeadQueue(FakeQueue):
    """A queue that AWS does not let us read."""

    def backlog(self) -> Backlog:
        """Refuse."""
        raise AwsError("Could not ask the queue: AccessDenied.", code="AccessDenied")


@dataclass
class Watcher:
    """What looks at the platform each minute, and remembers since when a check does not pass."""

    world: World
    settings: Settings
    queues: dict[str, EventQueue]
    automations: list[Automation] | None = None
    since: dict[Subject, datetime] = field(default_factory=dict)
    cleans: bool = True

    def look(self) -> dict[Subject, Health]:
        """Check all, and have told what changed; stale jobs are looked for, unless nobody does."""
        now = self.world.clock()
        if self.cleans:
            with self.world.ledger.transaction() as tx:
                for account in self.queues:
                    watched.cleaned(tx, account, now)
        examiner = Examiner(self.world.ledger, self.settings, self.queues.__getitem__)
        found = examiner.examine(self.automations, now=now)
        healths = judge(found, self.since, now=now, limit=limit(self.settings))
        self.since = {each.subject: each.since for each in healths if each.since}
        tell_health(self.world.ledger, healths, home=home(self.settings), policy=POLICY, now=now)
        return {each.subject: each for each in healths}

    def watch(self, *, minutes: int) -> dict[Subject, Health]:
        """Look each minute, and deliver; return what was seen last."""
        for _ in range(minutes):
            self.world.wait(minutes=1)
            healths = self.look()
            self.world.deliver()
        return healths

    def failing(self) -> list[str]:
        """Return which checks fail when one looks once more."""
        return [str(each.subject) for each in self.look().values() if each.state is State.FAILS]

    def incident(self, subject: Subject) -> Incident | None:
        """Return the incident of a check."""
        with self.world.ledger.transaction() as tx:
            return incidents.load(tx, subject.incident_id)


@pytest.fixture
def watcher(emptied_ledger: Ledger, tmp_path: Path) -> Iterator[Watcher]:
    """Give a watcher at noon, for two accounts whose queues are empty."""
    with world_around(emptied_ledger) as world:
        queues: dict[str, EventQueue] = {
            name: FakeQueue(clock=world.clock) for name in ACCOUNTS.values()
        }
        yield Watcher(world, settings_in(tmp_path), queues)


def queue_of(watcher: Watcher) -> FakeQueue:
    """Return the queue of staging."""
    queue = watcher.queues["staging"]
    assert isinstance(queue, FakeQueue)
    return queue


def event_arrives(watcher: Watcher, run: str, *, status: str = "SUCCEEDED") -> None:
    """Forward the end of a run that ended just now into the queue of staging."""
    events = end_of_run(run, "staging", watcher.world.clock(), status)
    queue_of(watcher).send(*(body.decode() for body in bodies(events)))


def read_queue(watcher: Watcher) -> None:
    """Do what the ingest sensor does."""
    ingest(
        queue_of(watcher),
        watcher.world.ledger,
        accounts=ACCOUNTS,
        policy=POLICY,
        clock=watcher.world.clock,
        seconds=0.01,
    )


def sensor(watcher: Watcher, name: str, **due: float) -> Automation:
    """Return a sensor that had to tick so long ago."""
    due_at = watcher.world.clock() - timedelta(**due)
    return Automation(name, AutomationKind.SENSOR, is_on=True, due_at=due_at, ticked_at=due_at)


def test_an_empty_platform_is_well(watcher: Watcher) -> None:
    """Nothing has happened yet, so nothing stands still."""
    watcher.automations = []
    healths = watcher.watch(minutes=20)
    assert {each.state for each in healths.values()} == {State.PASSES}
    assert len(healths) == 10
    assert watcher.world.messages() == []


def test_without_automations_nothing_is_said_of_them(watcher: Watcher) -> None:
    """The command line does not know Dagster's ticks."""
    assert AUTOMATIONS not in watcher.look()


def test_a_backlog_that_nobody_reads_is_told_and_resolved_once_it_is_read(
    watcher: Watcher,
) -> None:
    """The message names the queue and the number; an edit says that it is over."""
    event_arrives(watcher, "run-1")
    assert watcher.watch(minutes=15)[INGEST].state is State.SUSPECTED
    assert watcher.world.messages() == []

    watcher.watch(minutes=1)

    (message,) = watcher.world.messages()
    assert "ops_platform stands still in staging" in message.text
    assert "1 message waits in the queue of staging" in message.text
    incident = watcher.incident(INGEST)
    assert incident is not None
    assert (incident.kind, incident.opened_at) == (
        Kind.PLATFORM_STALLED,
        NOON + timedelta(minutes=1),
    )

    read_queue(watcher)
    watcher.watch(minutes=2)

    (message,) = watcher.world.messages()
    assert "recovered" in message.text or "resolved" in message.text.lower()
    resolved = watcher.incident(INGEST)
    assert resolved is not None
    assert resolved.resolved_by == "the check passes again"


def test_a_busy_queue_that_is_read_is_no_backlog(watcher: Watcher) -> None:
    """Something always waits where much happens."""
    for minute in range(20):
        event_arrives(watcher, f"run-{minute}")
        read_queue(watcher)
        event_arrives(watcher, f"late-{minute}")
        assert watcher.watch(minutes=1)[INGEST].state is State.PASSES


def test_a_message_into_a_quiet_queue_is_no_backlog(watcher: Watcher) -> None:
    """It may have come just before one looked."""
    watcher.world.wait(hours=5)
    event_arrives(watcher, "run-1")
    assert watcher.look()[INGEST].state is State.SUSPECTED
    read_queue(watcher)
    assert watcher.watch(minutes=1)[INGEST].state is State.PASSES


def test_what_an_api_told_hides_no_backlog(watcher: Watcher) -> None:
    """Reconciliation writes events too, which came out of no queue."""
    event_arrives(watcher, "run-1")
    for minute in range(17):
        made = end_of_run(f"made-{minute}", "staging", watcher.world.clock(), "SUCCEEDED")
        told = [
            msgspec.structs.replace(event, id=f"api:{minute}:{number}")
            for number, event in enumerate(made)
        ]
        now = watcher.world.clock()
        record_events(watcher.world.ledger, told, accounts=ACCOUNTS, policy=POLICY, now=now)
        healths = watcher.watch(minutes=1)
    assert healths[INGEST].state is State.FAILS


def test_a_queue_that_cannot_be_read_is_told_after_the_limit(watcher: Watcher) -> None:
    """AWS may fail for a moment; a role that is gone stays gone."""
    watcher.queues["staging"] = DeadQueue(clock=watcher.world.clock)
    assert watcher.watch(minutes=14)[INGEST].state is State.SUSPECTED
    assert watcher.watch(minutes=2)[INGEST].findings[0].what is What.QUEUE_UNREADABLE
    (message,) = watcher.world.messages()
    assert "AccessDenied" in message.text


def test_alerts_that_nobody_sends_fail_the_check_and_are_told_once_somebody_does(
    watcher: Watcher,
) -> None:
    """The incident waits in the same outbox; the check shows it meanwhile."""
    watcher.world.failed_run("run-1")
    watcher.world.settle()
    watcher.world.wait(minutes=15)
    assert watcher.failing() == []
    watcher.world.wait(minutes=1)
    assert watcher.failing() == ["staging/delivery"]
    assert watcher.world.messages() == []

    watcher.watch(minutes=1)

    told = [message.text for message in watcher.world.messages()]
    assert any("1 alert of staging should have been sent" in text for text in told)
    watcher.watch(minutes=2)
    incident = watcher.incident(DELIVERY)
    assert incident is not None
    assert incident.resolved_by == "the check passes again"


def test_alerts_that_slack_does_not_take_fail_the_check(watcher: Watcher) -> None:
    """They are tried again and again, so they are never overdue."""
    watcher.world.inbox.fail(Fault(method="chat.postMessage", error="invalid_auth", times=10_000))
    watcher.world.failed_run("run-1")
    assert watcher.watch(minutes=15)[DELIVERY].state is State.SUSPECTED
    healths = watcher.watch(minutes=12)
    assert healths[DELIVERY].state is State.FAILS
    assert [finding.what for finding in healths[DELIVERY].findings] == [What.REFUSED]
    assert "invalid_auth" in healths[DELIVERY].sentence


def test_a_message_that_cannot_be_written_is_refused_and_stands_in_nobodys_way(
    watcher: Watcher,
) -> None:
    """A mistake of ours in one message is seen, and the others are told."""
    watcher.world.failed_run("run-1")
    watcher.world.settle()
    with pytest.raises(ZeroDivisionError):
        watcher.world.deliver(mention=lambda _: str(1 // 0))
    assert watcher.look()[DELIVERY].findings[0].what is What.REFUSED
    assert "cannot be told: ZeroDivisionError" in watcher.look()[DELIVERY].sentence
    watcher.world.failed_run("run-2", account="production")
    watcher.world.settle()
    watcher.world.deliver()
    assert len(watcher.world.messages("production")) == 1


def test_a_dead_alert_fails_the_check_for_a_day(watcher: Watcher) -> None:
    """Somebody shall see it, and nobody has to tidy up after it."""
    watcher.world.inbox.fail(Fault(method="chat.postMessage", error="invalid_blocks", times=3))
    watcher.world.failed_run("run-1")
    watcher.watch(minutes=4)
    assert watcher.look()[DELIVERY].findings[0].what is What.DEAD
    watcher.world.wait(hours=24)
    assert watcher.look()[DELIVERY].state is State.PASSES


def test_one_accounts_outbox_is_not_anothers(watcher: Watcher) -> None:
    """Each channel has its own trouble."""
    watcher.world.failed_run("run-1", account="production")
    watcher.world.wait(hours=1)
    watcher.look()
    watcher.world.wait(minutes=1)
    assert watcher.failing() == ["production/delivery"]


def test_machines_that_are_not_read_fail_the_check_of_their_account(watcher: Watcher) -> None:
    """Until they are read again, what events missed is missed."""
    ledger, now = watcher.world.ledger, watcher.world.clock()
    with ledger.transaction() as tx:
        machine = Machine(arn=MACHINE_ARN, flow="TrainFlow", owner=None)
        state_machines.remember(tx, "production", [machine], now=now)
        state_machines.reconciled(tx, "production", MACHINE_ARN, until=now)
    assert watcher.watch(minutes=14)[RECONCILIATION].state is State.PASSES
    assert watcher.watch(minutes=2)[RECONCILIATION].state is State.FAILS
    with ledger.transaction() as tx:
        now = watcher.world.clock()
        state_machines.reconciled(tx, "production", MACHINE_ARN, until=now)
    assert watcher.look()[RECONCILIATION].state is State.PASSES


def test_messages_that_nobody_understands_fail_the_check(watcher: Watcher) -> None:
    """Ten different ones within the hour."""
    queue_of(watcher).send(*(f"no envelope {number}" for number in range(10)))
    read_queue(watcher)
    watcher.look()
    assert watcher.watch(minutes=1)[PARSING].state is State.FAILS
    watcher.world.wait(hours=1)
    assert watcher.look()[PARSING].state is State.PASSES


def test_an_account_that_is_not_searched_for_stale_jobs_fails_the_check(watcher: Watcher) -> None:
    """After three intervals; until one search has come to its end."""
    watcher.look()
    watcher.cleans = False
    assert watcher.watch(minutes=29)[CLEANUP].state is State.PASSES
    assert watcher.watch(minutes=2)[CLEANUP].state is State.FAILS
    watcher.cleans = True
    assert watcher.look()[CLEANUP].state is State.PASSES


def test_a_sensor_belongs_to_the_check_of_its_account(watcher: Watcher) -> None:
    """What it does not do and that it does not tick are one incident, not two."""
    watcher.automations = [
        sensor(watcher, "ingest_events_staging", minutes=20),
        sensor(watcher, "reconcile_executions_production_schedule", minutes=20),
        sensor(watcher, "report_flow_runs", minutes=20),
    ]
    watcher.look()
    assert watcher.failing() == ["staging/ingest", "production/reconciliation", "automations"]


def test_what_does_not_tick_is_named_before_what_follows_from_it(watcher: Watcher) -> None:
    """One incident, and the first sentence of it is the one to act on."""
    watcher.queues["staging"] = DeadQueue(clock=watcher.world.clock)
    watcher.automations = [sensor(watcher, "ingest_events_staging", minutes=20)]
    found = [finding.what for finding in watcher.look()[INGEST].findings]
    assert found == [What.SILENT, What.QUEUE_UNREADABLE]


def test_trouble_of_the_platform_is_told_where_production_is(watcher: Watcher) -> None:
    """Without an account of its own, it goes to the first that matters."""
    watcher.automations = [sensor(watcher, "report_flow_runs", hours=1)]
    watcher.watch(minutes=2)
    (message,) = watcher.world.messages(home(watcher.settings))
    assert "The sensor report_flow_runs has not ticked for 1 h" in message.text


def test_numbers_alone_edit_no_message_but_another_finding_does(watcher: Watcher) -> None:
    """The minutes go up each time one looks."""
    watcher.automations = [sensor(watcher, "report_flow_runs", hours=1)]
    watcher.watch(minutes=10)
    assert watcher.world.edits() == 0
    watcher.automations.append(sensor(watcher, "find_missed_schedules", hours=1))
    watcher.watch(minutes=3)
    assert watcher.world.edits() == 1


def test_a_check_that_fails_again_is_told_again(watcher: Watcher) -> None:
    """The same incident, opened anew at a later time."""
    stuck = sensor(watcher, "report_flow_runs", hours=1)
    watcher.automations = [stuck]
    watcher.watch(minutes=3)
    watcher.automations = []
    watcher.watch(minutes=3)
    watcher.automations = [stuck]
    watcher.watch(minutes=4)
    incident = watcher.incident(AUTOMATIONS)
    assert incident is not None
    assert (incident.state, incident.opened_at) == ("open", NOON + timedelta(minutes=7))
    (message,) = watcher.world.messages(home(watcher.settings))
    assert any("again" in reply.text for reply in watcher.world.inbox.replies(message))


def test_flapping_opens_nothing(watcher: Watcher) -> None:
    """What is wrong each other time was wrong never twice in a row."""
    stuck = sensor(watcher, "report_flow_runs", hours=1)
    for minute in range(10):
        watcher.automations = [stuck] if minute % 2 else []
        watcher.watch(minutes=1)
    assert watcher.incident(AUTOMATIONS) is None


def test_who_resolves_it_by_hand_is_not_contradicted(watcher: Watcher) -> None:
    """Until the check has passed meanwhile."""
    stuck = sensor(watcher, "report_flow_runs", hours=1)
    watcher.automations = [stuck]
    watcher.watch(minutes=3)
    with watcher.world.ledger.transaction() as tx:
        now = watcher.world.clock()
        incidents.resolve(tx, AUTOMATIONS.incident_id, by="ada: known", now=now)
    watcher.watch(minutes=5)
    incident = watcher.incident(AUTOMATIONS)
    assert incident is not None
    assert incident.resolved_by == "ada: known"


def test_a_ledger_that_does_not_answer_fails_every_check(tmp_path: Path) -> None:
    """It cannot be written down there; Dagster shows it."""
    settings = settings_in(tmp_path)
    ledger, queue = Ledger(NO_DATABASE), FakeQueue(clock=lambda: NOON)
    found = Examiner(ledger, settings, lambda _: queue).examine([], now=NOON)
    since = dict.fromkeys(found, NOON - timedelta(hours=1))
    healths: Sequence[Health] = judge(found, since, now=NOON, limit=limit(settings))
    assert {each.state for each in healths} == {State.FAILS}
    assert {each.findings[0].what for each in healths} == {What.LEDGER_UNREACHABLE}
    assert tell_health(ledger, healths, home="staging", policy=POLICY, now=NOON) == []


def test_two_that_look_at_once_open_one_incident(watcher: Watcher) -> None:
    """The job looks beside the sensor when that one is late."""
    watcher.automations = [sensor(watcher, "report_flow_runs", hours=1)]
    watcher.look()
    watcher.look()
    watcher.look()
    with watcher.world.ledger.transaction() as tx:
        assert len(incidents.recent(tx, Filter(flow="ops_platform"))) == 1


def test_an_emptied_ledger_is_well(watcher: Watcher) -> None:
    """What is gone is not late."""
    watcher.world.failed_run("run-1")
    empty(watcher.world.ledger)
    watcher.world.wait(hours=1)
    watcher.look()
    assert watcher.failing() == []
