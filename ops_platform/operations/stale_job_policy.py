"""The settings of stale jobs in the terms of the domain."""

from datetime import timedelta
from typing import Any

from ops_platform.domain.exemptions import Exemption
from ops_platform.domain.stale_policy import Policies, Policy, Rule, Target
from ops_platform.settings.model import Settings
from ops_platform.settings.stale_jobs import ExemptionSettings, StaleJobSettings, StaleRule


def stale_policies(settings: Settings) -> Policies:
    """Return what becomes of stale jobs."""
    given = settings.stale_jobs
    exemptions = tuple(map(_exemption, given.exemptions))
    return Policies(
        default=Policy(**_values(given), exemptions=exemptions),
        rules=tuple(_rule(rule, number) for number, rule in enumerate(given.rules, start=1)),
        breaker_runs=given.breaker_runs,
        most=given.most_at_once,
    )


def _rule(given: StaleRule, number: int) -> Rule:
    return Rule(
        name=f"rule {number}",
        account=given.account,
        queue=given.queue,
        flow=given.flow,
        owner=given.owner,
        gpu=given.gpu,
        changes=_values(given),
    )


def _values(given: StaleJobSettings | StaleRule) -> dict[str, Any]:
    """Return what is given, by the names of a policy."""
    values = {
        "unfit_after": _minutes(given.unfit_minutes),
        "stuck_after": _minutes(given.stuck_minutes),
        "by_age": given.by_age,
        "foreign": given.foreign_jobs,
        "target": Target(given.end) if given.end else None,
    }
    found: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    if given.warn_minutes is not None:
        found["warn_before"] = _minutes(given.warn_minutes) if given.warn_minutes else None
    return found


def _minutes(given: int | None) -> timedelta | None:
    return None if given is None else timedelta(minutes=given)


def _exemption(given: ExemptionSettings) -> Exemption:
    return Exemption(
        reason=given.reason,
        until=given.ends_at,
        account=given.account,
        flow=given.flow,
        tag=_pair(given.tag),
        parameter=_pair(given.parameter),
    )


def _pair(given: str | None) -> tuple[str, str] | None:
    if given is None:
        return None
    key, _, pattern = given.partition("=")
    return key, pattern
