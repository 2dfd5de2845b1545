"""The sensor that works off the outbox of alerts."""

import os
import socket
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import dagster as dg

from ops_platform.adapters.ledger import alerts
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.pace import minimum_interval
from ops_platform.defs.resources import Accounts, Slack
from ops_platform.defs.understanding import Understanding
from ops_platform.domain.outbox import State
from ops_platform.operations.deliver_alerts import Delivered, Sender
from ops_platform.operations.find_owner import KnownUsers
from ops_platform.operations.plan_alerts import remind
from ops_platform.operations.policy import alert_policy, composer
from ops_platform.settings.model import Settings


def deliver_alerts_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor that sends what is due, if no other sender is at it."""
    timing = settings.timing
    known = KnownUsers(now)

    @dg.sensor(
        description="Sends the alerts that are due to Slack.",
        minimum_interval_seconds=minimum_interval(timing.delivery_interval_seconds),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def deliver_alerts(
        ledger: dg.ResourceParam[Ledger], accounts: dg.ResourceParam[Accounts], slack: Slack
    ) -> dg.SensorResult | dg.SkipReason:
        policy = alert_policy(settings)
        with ledger.transaction() as tx:
            at = ledger.now()
            remind(tx, policy=policy, now=at)
            if not alerts.are_due(tx, at):
                return dg.SkipReason("No alert is due.")
        notifier = slack.notifier()
        sender = Sender(
            ledger=ledger,
            notifier=notifier,
            composer=composer(settings, notifier, known),
            policy=policy,
            clock=ledger.now,
            holder=f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex}",
            understand=Understanding(ledger, accounts, settings),
            fallback_channel=settings.alerts.fallback_channel,
            lease=timedelta(seconds=timing.delivery_lease_seconds),
            give_up=timedelta(hours=timing.alert_max_age_hours),
        )
        return _report(sender.deliver(seconds=timing.delivery_budget_seconds))

    return deliver_alerts


def _report(delivered: list[Delivered] | None) -> dg.SensorResult | dg.SkipReason:
    if delivered is None:
        return dg.SkipReason("Another sender is at work.")
    if not delivered:
        return dg.SkipReason("No alert is due.")
    counts = Counter(str(each.state) for each in delivered)
    summary = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return dg.SensorResult(
        skip_reason=f"Alerts: {summary}.",
        asset_events=[_observation(each) for each in delivered if _is_news(each)],
    )


def _is_news(delivered: Delivered) -> bool:
    """Tell what a history is kept of: not the pages of a thread, as long as they arrive."""
    return not delivered.part.startswith("details/") or delivered.state is not State.SENT


def _observation(delivered: Delivered) -> dg.AssetObservation:
    incident = delivered.incident
    metadata: dict[str, dg.MetadataValue] = {
        "incident": dg.MetadataValue.text(incident.id),
        "flow": dg.MetadataValue.text(incident.flow),
        "run_id": dg.MetadataValue.text(incident.run_id),
        "channel": dg.MetadataValue.text(delivered.channel or "none"),
        "part": dg.MetadataValue.text(delivered.part),
        "why": dg.MetadataValue.text(str(delivered.why)),
    }
    if delivered.reason:
        metadata["reason"] = dg.MetadataValue.text(delivered.reason)
    if delivered.permalink:
        metadata["message"] = dg.MetadataValue.url(delivered.permalink)
    what = f"{incident.flow} {incident.run_id}: {delivered.part} {delivered.state}"
    return dg.AssetObservation(["alerts", incident.account], description=what, metadata=metadata)
