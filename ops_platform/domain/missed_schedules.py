"""The incident of a flow that should have started and did not."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime

from ops_platform.domain.cron import Cron
from ops_platform.domain.identity import machine_name, parse_machine_name
from ops_platform.domain.incidents import Incident, Kind, State, digest_of, incident_id
from ops_platform.domain.ports import LastRun, Machine, NoRun, ScheduleRule
from ops_platform.domain.reasons import Reason
from ops_platform.domain.schedules import Missed, Rate, judge

_STATES = {
    "RUNNING": "still runs",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timed out",
    "ABORTED": "was aborted",
    "PENDING_REDRIVE": "waits for its redrive",
}
# Beyond nine, a message that counts each missed start of a flow that is due by the minute would be
# edited again and again.
_MILESTONES = (10, 20, 50, 100, 200, 500, 1000)


def last_missed(
    rules: Iterable[tuple[ScheduleRule, Cron | Rate]],
    *,
    since: datetime,
    last_start: datetime | None,
    until: datetime,
) -> tuple[ScheduleRule, Missed] | None:
    """Return which rule of a state machine missed a start last, None if every one was on time."""
    judged = (
        (rule, judge(schedule, since=since, last_start=last_start, until=until))
        for rule, schedule in rules
    )
    missed = ((rule, verdict) for rule, verdict in judged if isinstance(verdict, Missed))
    return max(missed, key=lambda pair: pair[1].expected, default=None)


def missed_id(rule: ScheduleRule, expected: datetime) -> str:
    """Return the id of the incident of one start that a rule missed."""
    return incident_id(f"{rule.arn}@{expected.isoformat()}")


def missed_incident(
    machine: Machine,
    *,
    account: str,
    rule: ScheduleRule,
    missed: Missed,
    last_run: LastRun | NoRun,
) -> Incident:
    """Return the incident of a start that was missed; it has no run, hence no run id."""
    name = parse_machine_name(machine_name(machine.arn))
    return Incident(
        id=missed_id(rule, missed.expected),
        account=account,
        flow=machine.flow or name.flow or machine_name(machine.arn),
        run_id="",
        execution_arn=None,
        machine_arn=machine.arn,
        kind=Kind.MISSED_SCHEDULE,
        state=State.OPEN,
        owner=machine.owner,
        project=name.project,
        branch=name.branch,
        started_at=None,
        opened_at=missed.expected,
        failed_jobs=0,
        collateral_jobs=0,
        steps={},
        reason=Reason.MISSED_SCHEDULE,
        error=explain_missed(rule, missed, last_run),
        step=None,
        job_id=None,
        log_stream=None,
        failing=digest_of([]),
    )


def explain_missed(rule: ScheduleRule, missed: Missed, last_run: LastRun | NoRun) -> str:
    """Return which rule should have started a run when, and what ran last."""
    subject = f"The rule {rule.name}, {rule.expression},"
    expected = f"{_at(missed.expected)}{_count(missed.starts)}"
    return f"{subject} should have started a run at {expected}. {_last(last_run)}"


def _count(starts: int) -> str:
    if starts == 1:
        return ""
    reached = bisect_right(_MILESTONES, starts)
    number = f"at least {_MILESTONES[reached - 1]:,}" if reached else str(starts)
    return f", and {number} starts are missed by now"


def _last(run: LastRun | NoRun) -> str:
    if isinstance(run, NoRun):
        return "It has never run."
    how = _STATES.get(run.status, f"is {run.status}")
    return f"The last run, {run.run_id}, started at {_at(run.started_at)} and {how}."


def _at(moment: datetime) -> str:
    return f"{moment:%F %H:%M} UTC"
