"""The alerting of the alerting: what watches the platform itself.

Three things that fail in different ways watch each other:

* The sensor ``watch_platform`` looks at all there is, each minute, and reports asset checks.
* The schedule ``watch_the_watcher`` ticks in another thread of Dagster's daemon. When that sensor,
  or the one that sends alerts, stands still, it starts the job ``check_platform``, which looks at
  the same in a process of its own and sends what is due. While all is well it starts nothing.
* The sensor in turn looks at the ticks of the schedule.

What nobody in here can notice: the daemon gone as a whole, the code server gone, Dagster's database
gone, runs that are queued and never started. The alarms of the deployment notice these, from
outside. An asset check that was last evaluated more than half an hour ago is a sign of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.clock import now
from ops_platform.defs.check_reports import (
    Report,
    check_specs,
    evaluation,
    is_due,
    key_of,
    last_reports,
    result,
)
from ops_platform.defs.resources import Accounts, Slack
from ops_platform.defs.ticks import Clockwork, automations, clockworks
from ops_platform.defs.watched_assets import watched_assets
from ops_platform.domain.health import Finding, Health, State, Subject, What
from ops_platform.domain.health_rules import AutomationKind, judge_automations
from ops_platform.operations.check_health import Examiner, home, judge, limit, tell_health
from ops_platform.operations.policy import alert_policy
from ops_platform.settings.model import Settings

SENSOR, SCHEDULE, JOB = "watch_platform", "watch_the_watcher", "check_platform"
SENDER = "deliver_alerts"
INTERVAL = timedelta(seconds=60)
CRON = "*/5 * * * *"


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at the platform, for the settings and the sensors and schedules there are."""

    settings: Settings
    watched: Sequence[Clockwork]

    def look(
        self,
        instance: dg.DagsterInstance,
        ledger: Ledger,
        accounts: Accounts,
        *,
        loaded_at: datetime | None,
    ) -> tuple[list[Health], Mapping[Subject, Report]]:
        """Check all, have told what changed; return it beside what was last reported."""
        at, settings = now(), self.settings
        ticking = automations(instance, self.watched, loaded_at=loaded_at)
        found = Examiner(ledger, settings, accounts.queue).examine(ticking, now=at)
        last = last_reports(instance, found)
        since = {subject: report.since for subject, report in last.items() if report.since}
        healths = judge(found, since, now=at, limit=limit(settings))
        tell_health(ledger, healths, home=home(settings), policy=alert_policy(settings), now=at)
        return healths, last

    def standing_still(self, instance: dg.DagsterInstance, *names: str) -> list[Finding]:
        """Return what is wrong with the ticks of some sensors, in whatever process this is."""
        wanted = [each for each in self.watched if each.name in names]
        ticking = automations(instance, wanted, loaded_at=None)
        return judge_automations(ticking, now=now(), limit=limit(self.settings))


def with_watch(
    platform: dg.Definitions, settings: Settings, *, loaded_at: datetime
) -> dg.Definitions:
    """Return the definitions with what watches them, and the assets that the checks are of.

    From ``loaded_at`` on everything gets its time to tick, as the code now says.
    """
    own = [
        Clockwork(SENSOR, AutomationKind.SENSOR, is_on=True, interval=INTERVAL),
        Clockwork(SCHEDULE, AutomationKind.SCHEDULE, is_on=True, crons=(CRON,)),
    ]
    watch = Watch(settings, [*clockworks(platform), *own])
    senders = (sensor for sensor in platform.sensors or () if sensor.name == SENDER)
    checks = _checks(watch, next(senders))
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.checks(checks),
        executor_def=dg.in_process_executor,
        description="Checks the platform, and sends alerts if the sensor for it does not tick.",
    )
    watching = dg.Definitions(
        assets=watched_assets(settings),
        asset_checks=[checks],
        jobs=[job],
        sensors=[_sensor(watch, loaded_at)],
        schedules=[_schedule(watch)],
    )
    return dg.Definitions.merge(platform, watching)


def _sensor(watch: Watch, loaded_at: datetime) -> dg.SensorDefinition:
    @dg.sensor(
        name=SENSOR,
        description="Checks whether the platform does its work, and tells when it does not.",
        minimum_interval_seconds=int(INTERVAL.total_seconds()),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def watch_platform(
        context: dg.SensorEvaluationContext,
        ledger: dg.ResourceParam[Ledger],
        accounts: dg.ResourceParam[Accounts],
    ) -> dg.SensorResult:
        healths, last = watch.look(context.instance, ledger, accounts, loaded_at=loaded_at)
        due = [
            each
            for each in healths
            if is_due(each, last.get(each.subject), now=now(), heartbeat=limit(watch.settings))
        ]
        return dg.SensorResult(
            skip_reason=_summary(healths), asset_events=[evaluation(each) for each in due]
        )

    return watch_platform


def _checks(watch: Watch, sender: dg.SensorDefinition) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name="look_at_platform",
        specs=check_specs(watch.settings),
        can_subset=True,
        description="Looks at the platform as the sensor watch_platform does.",
    )
    def look_at_platform(
        context: dg.AssetCheckExecutionContext,
        ledger: dg.ResourceParam[Ledger],
        accounts: dg.ResourceParam[Accounts],
        slack: Slack,
    ) -> Iterator[dg.AssetCheckResult]:
        healths, _ = watch.look(context.instance, ledger, accounts, loaded_at=None)
        wanted = context.selected_asset_check_keys
        yield from (result(each) for each in healths if key_of(each.subject) in wanted)
        silent = watch.standing_still(context.instance, SENDER)
        # Who turned it off wanted nothing sent.
        if silent and all(finding.what is not What.TURNED_OFF for finding in silent):
            _send(context, sender, ledger=ledger, accounts=accounts, slack=slack)

    return look_at_platform


def _send(
    context: dg.AssetCheckExecutionContext, sender: dg.SensorDefinition, **resources: object
) -> None:
    """Do once what the sensor does that sends alerts; its lease keeps the two apart."""
    needed = {name: resources[name] for name in sender.required_resource_keys}
    sent = sender(**needed)
    if isinstance(sent, dg.SkipReason):
        context.log.info(sent.skip_message or "")
    if isinstance(sent, dg.SensorResult):
        for event in sent.asset_events:
            context.instance.report_runless_asset_event(event)


def _schedule(watch: Watch) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=SCHEDULE,
        job_name=JOB,
        cron_schedule=CRON,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Starts {JOB} when {SENSOR} or {SENDER} stands still.",
    )
    def watch_the_watcher(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        found = [
            *watch.standing_still(context.instance, SENSOR),
            *(
                finding
                for finding in watch.standing_still(context.instance, SENDER)
                if finding.what is What.SILENT
            ),
        ]
        if not found:
            return dg.SkipReason(f"{SENSOR} and {SENDER} tick.")
        context.log.warning(" ".join(finding.sentence for finding in found))
        return dg.RunRequest()

    return watch_the_watcher


def _summary(healths: Sequence[Health]) -> str:
    failing = [str(each.subject) for each in healths if each.state is State.FAILS]
    if not failing:
        return f"{len(healths)} checks pass."
    return f"{len(failing)} of {len(healths)} checks fail: {', '.join(failing)}."
