"""The sensor that delivers alerts, and what of it Dagster shows."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from ops_platform.adapters.ledger import leases
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.embedded.slack_inbox.workspace import channel
from ops_platform.operations.deliver_alerts import LEASE
from ops_platform_tests.defs.dagster_world import Dagster, metadata, settings_in
from ops_platform_tests.fakes import FakeLogs
from ops_platform_tests.operations.delivery_world import end_of_run

SENSOR = "deliver_alerts"


@pytest.fixture
def inbox() -> Iterator[SlackInbox]:
    """Give a Slack with the channels of both accounts."""
    names = ("alerts-staging", "alerts-production")
    with SlackInbox(channels=map(channel, names)) as running:
        yield running


@pytest.fixture
def dagster(emptied_ledger: Ledger, inbox: SlackInbox, tmp_path: Path) -> Dagster:
    """Give the sensors, and a run that has just failed."""
    dagster = Dagster(settings_in(tmp_path), emptied_ledger, inbox.api_url)
    dagster.accounts.send("staging", *end_of_run("run-1", "staging", now(), "FAILED"))
    dagster.tick("ingest_events_staging")
    return dagster


def test_a_delivered_alert_is_an_observation_that_leads_to_its_message(
    dagster: Dagster, inbox: SlackInbox
) -> None:
    """Who looks at Dagster finds the message in Slack, and the run it tells of."""
    ticked = dagster.tick(SENSOR)
    assert ticked.skip_message == "Alerts: 2 sent."
    (observed,) = ticked.asset_events
    assert observed.asset_key.path == ["alerts", "staging"]
    assert observed.description == "TrainFlow sfn-run-1: message sent"
    told = metadata(observed)
    (message, _page) = inbox.messages("#alerts-staging")
    assert str(told.pop("message")).startswith(f"{inbox.url}/archives/{message.channel}/p")
    assert len(str(told.pop("incident"))) == 16
    assert told == {
        "flow": "TrainFlow",
        "run_id": "sfn-run-1",
        "channel": "#alerts-staging",
        "part": "message",
        "why": "first notification",
    }


def test_a_tick_with_nothing_due_says_so(dagster: Dagster) -> None:
    """After the alert is out there is nothing to do."""
    dagster.tick(SENSOR)
    ticked = dagster.tick(SENSOR)
    assert (ticked.skip_message, ticked.asset_events) == ("No alert is due.", [])


def test_a_tick_beside_another_sender_says_so(dagster: Dagster, inbox: SlackInbox) -> None:
    """It leaves all to the one that has the lease, even one in the same process."""
    with dagster.ledger.transaction() as tx:
        leases.take(tx, LEASE, holder="another", now=now(), length=timedelta(minutes=2))
    assert dagster.tick(SENSOR).skip_message == "Another sender is at work."
    assert inbox.messages() == []


def test_a_failed_delivery_is_an_observation_with_the_reason(
    dagster: Dagster, inbox: SlackInbox
) -> None:
    """What Slack said is shown, and the tick itself does not fail."""
    inbox.fail(Fault(method="chat.postMessage", error="invalid_blocks", times=2))
    ticked = dagster.tick(SENSOR)
    assert ticked.skip_message == "Alerts: 1 dead, 1 pending."
    (_plain, observed) = ticked.asset_events
    assert metadata(observed)["reason"] == "invalid_blocks"


def test_the_end_of_the_log_is_read_before_the_alert_is_told(
    dagster: Dagster, inbox: SlackInbox
) -> None:
    """The exception that broke the run stands in its first words."""
    stream = "metaflow_9f2c/default/1"
    traceback = ["Traceback (most recent call last):", '  File "flow.py", line 3']
    dagster.accounts.job_logs = FakeLogs({stream: [*traceback, "ValueError: no feed"]})
    end = end_of_run("run-2", "production", now(), "FAILED")
    job = structs.replace(end[0], log_stream=stream)
    dagster.accounts.send("production", job, *end[1:])
    dagster.tick("ingest_events_production")
    dagster.tick(SENSOR)
    (message, *_) = inbox.messages("#alerts-production")
    assert "ValueError: no feed" in message.text
