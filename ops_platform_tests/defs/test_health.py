"""What watches the platform, in a real Dagster instance and beside a real Slack."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_platform.adapters.ledger import alerts, incidents
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queries import Filter
from ops_platform.clock import now
from ops_platform.defs.check_reports import evaluation
from ops_platform.domain.health import Check, Finding, Health, State, Subject, What, subjects
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.store import Message
from ops_platform.embedded.slack_inbox.workspace import channel
from ops_platform_tests.defs.dagster_world import NO_DATABASE, Dagster, settings_in
from ops_platform_tests.defs.health_world import HOUR, Instance, dagster_instance, instance_of
from ops_platform_tests.operations.delivery_world import end_of_run

INGEST = "events/staging:ingest"


@pytest.fixture
def inbox() -> Iterator[SlackInbox]:
    """Give a Slack with the channels of both accounts."""
    names = ("alerts-staging", "alerts-production")
    with SlackInbox(channels=map(channel, names)) as running:
        yield running


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the databases of a Dagster instance in which nothing has happened yet."""
    home = tmp_path_factory.mktemp("dagster")
    with dagster_instance(home):
        pass
    return home


@pytest.fixture
def home(empty_home: Path, tmp_path: Path) -> Path:
    """Give a copy of them."""
    return shutil.copytree(empty_home, tmp_path / "dagster")


@pytest.fixture
def instance(
    emptied_ledger: Ledger, inbox: SlackInbox, tmp_path: Path, home: Path
) -> Iterator[Instance]:
    """Give a Dagster instance in which nothing has ticked yet."""
    dagster = Dagster(settings_in(tmp_path), emptied_ledger, inbox.api_url)
    with instance_of(dagster, home) as made:
        yield made


def told(instance: Instance, inbox: SlackInbox, account: str = "staging") -> list[Message]:
    """Deliver what is due; return what stands in the channel of an account."""
    instance.dagster.tick("deliver_alerts")
    return [each for each in inbox.messages(f"#alerts-{account}") if not each.is_reply]


def suspected(instance: Instance, subject: Subject, what: What) -> None:
    """Have it reported that something is wrong for an hour, but not yet told."""
    finding = Finding(what, "It is.", is_old=False)
    health = Health(subject, State.SUSPECTED, (finding,), now() - HOUR)
    instance.instance.report_runless_asset_event(evaluation(health))


def test_while_all_is_well_every_check_passes(instance: Instance, inbox: SlackInbox) -> None:
    """Each is shown on its asset from the first minute on."""
    instance.all_tick()
    assert instance.watch() == "10 checks pass."
    assert instance.outcomes() == dict.fromkeys(
        (
            "alerts/production:delivery",
            "alerts/staging:delivery",
            "events/production:ingest",
            "events/staging:ingest",
            "executions/production:reconciliation",
            "executions/staging:reconciliation",
            "platform:automations",
            "platform:parsing",
            "production/stale_job_cleanup:cleanup",
            "staging/stale_job_cleanup:cleanup",
        ),
        True,
    )
    assert told(instance, inbox) == []


def test_what_has_not_changed_is_not_reported_each_minute(instance: Instance) -> None:
    """Dagster keeps what is reported for ever."""
    instance.all_tick()
    instance.watch()
    assert len(instance.reported) == 10
    instance.watch()
    assert instance.reported == []


def test_a_sensor_that_was_turned_off_just_now_is_nobodys_concern(instance: Instance) -> None:
    """Somebody is at work."""
    instance.all_tick()
    instance.turn("ingest_events_staging", on=False)
    instance.watch()
    assert instance.watch() == "10 checks pass."


def test_a_sensor_that_stays_off_is_told_and_resolved_once_it_ticks(
    instance: Instance, inbox: SlackInbox
) -> None:
    """The check is red, Slack says which sensor and what to do, and both say when it is over."""
    instance.all_tick(but="ingest_events_staging")
    instance.turn("ingest_events_staging", on=False)
    assert instance.watch() == "10 checks pass."
    assert instance.watch() == "1 of 10 checks fail: staging/ingest."
    assert instance.outcomes()[INGEST] is False
    (message,) = told(instance, inbox)
    assert "The sensor ingest_events_staging is turned off" in message.text

    instance.turn("ingest_events_staging", on=True)
    instance.tick("ingest_events_staging")
    assert instance.watch() == "10 checks pass."
    assert instance.outcomes()[INGEST] is True
    (message,) = told(instance, inbox)
    assert "recovered" in message.text


def test_a_sensor_that_does_not_tick_though_it_is_on_is_told(
    instance: Instance, inbox: SlackInbox
) -> None:
    """Nobody turned it off, so Dagster's daemon has to be looked at."""
    instance.all_tick(but="report_flow_runs")
    instance.watch()
    assert instance.watch() == "1 of 10 checks fail: automations."
    (message,) = told(instance, inbox)
    assert "The sensor report_flow_runs has not ticked for 1 h" in message.text


def test_a_sensor_whose_ticks_fail_is_told_with_its_error(
    instance: Instance, inbox: SlackInbox
) -> None:
    """Dagster itself tells nobody."""
    instance.all_tick(but="report_flow_runs")
    instance.tick("report_flow_runs", error="KeyError: 'branch'\n", failures=360)
    instance.watch()
    assert instance.watch() == "1 of 10 checks fail: automations."
    (message,) = told(instance, inbox)
    assert "fails, 360 ticks in a row for 1 h: KeyError: 'branch'" in message.text


def test_a_sensor_that_failed_just_now_is_not_told(instance: Instance) -> None:
    """A database that was restarted is no news."""
    instance.all_tick()
    instance.tick("report_flow_runs", error="The ledger's database does not answer", failures=5)
    instance.watch()
    assert instance.watch() == "10 checks pass."


def test_a_schedule_that_does_not_tick_is_told(instance: Instance, inbox: SlackInbox) -> None:
    """The one that watches the watcher is watched itself."""
    instance.all_tick(but="watch_the_watcher")
    instance.watch()
    assert instance.watch() == "1 of 10 checks fail: automations."
    (message,) = told(instance, inbox)
    assert "The schedule watch_the_watcher has not ticked for 1 h" in message.text


def test_a_backlog_that_nobody_reads_is_told_in_its_account(
    instance: Instance, inbox: SlackInbox
) -> None:
    """It is remembered, from one tick to the next, since when events wait."""
    instance.all_tick()
    instance.dagster.accounts.send(
        "production", *end_of_run("run-1", "production", now(), "FAILED")
    )
    suspected(instance, Subject(Check.INGEST, "production"), What.EVENTS_WAIT)
    assert instance.watch() == "1 of 10 checks fail: production/ingest."
    (message,) = told(instance, inbox, "production")
    assert "wait in the queue of production" in message.text


def test_a_stuck_outbox_is_red_though_slack_cannot_say_so(
    instance: Instance, inbox: SlackInbox
) -> None:
    """What is to be told of it waits with the others, and goes with them."""
    an_hour_ago = now() - HOUR
    instance.all_tick(but="deliver_alerts")
    instance.dagster.accounts.send(
        "staging", *end_of_run("run-1", "staging", an_hour_ago, "FAILED")
    )
    instance.dagster.tick("ingest_events_staging")
    _make_overdue(instance)
    instance.watch()
    assert instance.watch() == "2 of 10 checks fail: staging/delivery, automations."
    assert inbox.messages("#alerts-staging") == []
    assert len(told(instance, inbox)) == 3


def test_a_ledger_that_does_not_answer_is_red_and_fails_no_tick(tmp_path: Path, home: Path) -> None:
    """Dagster has a database of its own in which it can be shown."""
    with instance_of(Dagster(settings_in(tmp_path), Ledger(NO_DATABASE)), home) as instance:
        instance.all_tick()
        for subject in subjects(["staging", "production"]):
            suspected(instance, subject, What.LEDGER_UNREACHABLE)
        assert instance.watch().startswith("10 of 10 checks fail: ")
        assert "The ledger's database does not answer" in str(instance.told(INGEST).description)


def test_while_the_watcher_ticks_no_run_is_started(instance: Instance) -> None:
    """A run costs a container."""
    instance.all_tick()
    assert instance.schedule() is None


@pytest.mark.parametrize("sensor", ["watch_platform", "deliver_alerts"])
def test_a_watcher_or_sender_that_stands_still_starts_a_run(
    instance: Instance, sensor: str
) -> None:
    """The schedules tick in another thread of the daemon than the sensors."""
    instance.all_tick(but=sensor)
    assert instance.schedule() is not None


def test_a_sender_that_somebody_turned_off_starts_no_run(instance: Instance) -> None:
    """It could do nothing about it."""
    instance.all_tick(but="deliver_alerts")
    instance.turn("deliver_alerts", on=False)
    assert instance.schedule() is None


def test_the_run_tells_what_the_sensor_cannot_and_sends_it(
    instance: Instance, inbox: SlackInbox
) -> None:
    """With all sensors dead, Slack is still told, by the second run at the latest."""
    instance.dagster.accounts.send("staging", *end_of_run("run-1", "staging", now(), "FAILED"))
    instance.dagster.tick("ingest_events_staging")
    for sensor in instance.definitions.sensors or ():
        instance.tick(sensor.name, ago=HOUR)
    assert instance.check()
    assert instance.check()
    assert instance.outcomes()["platform:automations"] is False
    texts = [each.text for each in inbox.messages("#alerts-staging")]
    assert any("TrainFlow failed" in text for text in texts)
    assert any("The sensor watch_platform has not ticked" in text for text in texts)


def test_the_run_leaves_sending_to_the_sensor_while_that_ticks(
    instance: Instance, inbox: SlackInbox
) -> None:
    """Somebody may run it by hand at any time."""
    instance.all_tick()
    instance.dagster.accounts.send("staging", *end_of_run("run-1", "staging", now(), "FAILED"))
    instance.dagster.tick("ingest_events_staging")
    assert instance.check()
    assert set(instance.outcomes().values()) == {True}
    assert inbox.messages("#alerts-staging") == []


def test_the_assets_tell_the_way_of_an_event(instance: Instance) -> None:
    """Each account is a group: its events, what they add up to, and what is told of it."""
    graph = instance.definitions.resolve_asset_graph()
    nodes = {node.key.to_user_string(): node for node in graph.asset_nodes}
    assert sorted(name for name in nodes if not name.startswith("metrics/")) == [
        "alerts/production",
        "alerts/staging",
        "cloudwatch_dashboards",
        "cloudwatch_metrics",
        "event_history",
        "events/production",
        "events/staging",
        "executions/production",
        "executions/staging",
        "flows/production",
        "flows/staging",
        "morning_report",
        "platform",
        "production/stale_job_cleanup",
        "staging/stale_job_cleanup",
    ]
    alerts = nodes["alerts/staging"]
    assert alerts.group_name == "staging"
    assert [key.to_user_string() for key in alerts.parent_keys] == ["executions/staging"]
    assert all(node.description for node in nodes.values())


def _make_overdue(instance: Instance) -> None:
    """Have all messages due half an hour ago."""
    with instance.dagster.ledger.transaction() as tx:
        for row in incidents.recent(tx, Filter()):
            for alert in alerts.of_incident(tx, str(row["id"])):
                alerts.change(tx, alert, due_at=now() - HOUR / 2)
