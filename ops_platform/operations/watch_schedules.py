"""Know by which schedule a state machine should start, and since when that is watched."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ops_platform.adapters.ledger import schedules as ledger_schedules
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.schedules import Watched
from ops_platform.domain.cron import Cron
from ops_platform.domain.identity import machine_name
from ops_platform.domain.incidents import Incident
from ops_platform.domain.ports import Machine, ScheduleRule, Schedules
from ops_platform.domain.schedules import Rate, Unreadable, parse


class Over(StrEnum):
    """Why nobody waits any more for a run that was missed."""

    MACHINE_GONE = "the state machine is gone"
    RULE_GONE = "the rule is gone"
    DISABLED = "the rule was disabled"
    CHANGED = "the schedule was changed"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A state machine with its enabled rules, those that we can read.

    ``since`` is since when they are watched, None if there is none. ``unreadable`` says what is
    wrong with the others, when they are first seen. ``over`` is why there is no rule.
    """

    machine: Machine
    since: datetime | None
    rules: tuple[tuple[ScheduleRule, Cron | Rate], ...]
    unreadable: tuple[str, ...]
    over: Over | None

    def why_over(self, incident: Incident) -> Over | None:
        """Return why nobody waits any more for the run of an incident, None if somebody does."""
        if self.over is not None:
            return self.over
        is_older = self.since is None or incident.opened_at <= self.since
        return Over.CHANGED if is_older else None


def watch_schedule(
    ledger: Ledger, schedules: Schedules, watched: Watched, *, account: str, now: datetime
) -> Scheduled:
    """Return by which rules a machine should start; the watch begins anew when they change.

    Raises:
        AwsError: They cannot be read; what was known of them stays as it was.
    """
    rules = schedules.rules(watched.arn)
    enabled = [rule for rule in rules if rule.enabled]
    arns = " ".join(rule.arn for rule in enabled) or None
    expressions = "; ".join(rule.expression for rule in enabled) or None
    since, is_new = watched.scheduled_since, (arns, expressions) != (watched.rule, watched.schedule)
    if is_new:
        since = now if enabled else None
        with ledger.transaction() as tx:
            ledger_schedules.watch(
                tx, account, watched.arn, rule=arns, schedule=expressions, since=since
            )
    read = [(rule, parse(rule.expression)) for rule in enabled]
    return Scheduled(
        machine=watched.machine,
        since=since,
        rules=tuple((rule, known) for rule, known in read if not isinstance(known, Unreadable)),
        unreadable=tuple(
            _unreadable(watched.arn, rule, known)
            for rule, known in read
            if is_new and isinstance(known, Unreadable)
        ),
        over=None if enabled else Over.DISABLED if rules else Over.RULE_GONE,
    )


def _unreadable(machine_arn: str, rule: ScheduleRule, why: Unreadable) -> str:
    return (
        f"Nobody can tell when {machine_name(machine_arn)} should start: the expression"
        f" {rule.expression!r} of the rule {rule.name} cannot be read, since {why.reason}."
    )
