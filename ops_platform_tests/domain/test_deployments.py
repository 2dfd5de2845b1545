"""Drift and locks: each verdict by its reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ops_platform.domain.deployed_machines import DeployedMachine, Rule
from ops_platform.domain.deployments import (
    Deployment,
    digest_of,
    judge_drift,
)
from ops_platform.domain.flow_locks import FlowLock, judge_lock
from ops_platform.domain.promotions import Kind, Status, status_of
from ops_platform_tests.compiled_flows import CompiledFlow

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FLOW = CompiledFlow()


def _machine(flow: CompiledFlow = FLOW) -> DeployedMachine:
    return DeployedMachine(
        arn="arn:m", name="m", definition=flow.text(), role_arn="role", revision="2", created_at=NOW
    )


def _rule(expression: str = "rate(1 day)", *, enabled: bool = True) -> Rule:
    return Rule(name="m", expression=expression, enabled=enabled, description=None, targets=())


def _deployment(**changes: object) -> Deployment:
    made = Deployment(
        account="production",
        machine="m",
        machine_arn="arn:m",
        promotion_id="p",
        kind=Kind.PROMOTE,
        digest=digest_of(_machine()),
        version_arn="arn:m:1",
        revision="1",
        rule=_rule(),
        code_url=FLOW.code,
        deployed_at=NOW,
        deployed_by="ana",
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("deployment", "machine", "rule", "reason"),
    [
        (None, None, None, "new"),
        (None, _machine(), _rule(), "unadopted"),
        (_deployment(), None, None, "gone"),
        (_deployment(), _machine(), _rule(), "as-deployed"),
        (_deployment(), _machine(FLOW.but_first(memory="9000")), _rule(), "changed-definition"),
        (
            _deployment(),
            _machine(FLOW.but(code="s3://metaflow/metaflow/Forecast/data/ee/ee11")),
            _rule(),
            "changed-code",
        ),
        (_deployment(), _machine(CompiledFlow(revision=2)), _rule(), "changed-definition"),
        (_deployment(), replace(_machine(), role_arn="other"), _rule(), "changed-definition"),
        (_deployment(), _machine(), _rule("rate(2 days)"), "changed-schedule"),
        (_deployment(), _machine(), _rule(enabled=False), "changed-schedule"),
        (_deployment(), _machine(), None, "changed-schedule"),
        (_deployment(rule=None), _machine(), _rule(), "changed-schedule"),
        (_deployment(rule=None), _machine(), None, "as-deployed"),
    ],
)
def test_each_drift_has_its_reason(
    deployment: Deployment | None,
    machine: DeployedMachine | None,
    rule: Rule | None,
    reason: str,
) -> None:
    """What passes is what we deployed, or nothing at all."""
    found = judge_drift(deployment, machine, rule)
    assert found.reason == reason
    assert found.passed is (reason in {"new", "as-deployed", "unadopted"})


def test_what_differs_each_time_is_no_drift() -> None:
    """The same flow compiled once more."""
    again = _machine(CompiledFlow())
    assert judge_drift(_deployment(), again, _rule()).reason == "as-deployed"


def test_the_change_of_a_schedule_is_told() -> None:
    """What it was and what it is."""
    found = judge_drift(_deployment(), _machine(), _rule(enabled=False))
    assert "rate(1 day) is now rate(1 day) (disabled)" in found.message


def test_a_machine_that_is_none_of_metaflows_has_a_digest_of_its_own() -> None:
    """It cannot be one of ours."""
    machine = DeployedMachine(
        arn="a", name="m", definition="{}", role_arn="r", revision=None, created_at=NOW
    )
    assert judge_drift(_deployment(), machine, _rule()).reason == "changed-definition"


def _lock(pull_request: int | None = 12, promotion: str = "p", repository: str = "a/b") -> FlowLock:
    return FlowLock(
        account="production",
        machine="m",
        promotion_id=promotion,
        repository=repository,
        pull_request=pull_request,
        taken_by="ana",
        taken_at=NOW,
    )


@pytest.mark.parametrize(
    ("held", "wanted", "reason"),
    [
        (None, _lock(), "free"),
        (_lock(), _lock(promotion="q"), "free"),
        (_lock(13), _lock(), "held"),
        (_lock(repository="c/d"), _lock(), "held"),
        (_lock(None), _lock(), "held"),
        (_lock(None), _lock(None), "free"),
        (_lock(None), _lock(None, "q"), "held"),
    ],
)
def test_a_lock_is_one_pull_requests(held: FlowLock | None, wanted: FlowLock, reason: str) -> None:
    """Another promotion of the same one goes on with it."""
    assert judge_lock(held, wanted, NOW).reason == reason


def test_the_holder_of_a_lock_is_named() -> None:
    """With who took it and when."""
    found = judge_lock(_lock(13), _lock(), NOW + timedelta(hours=2))
    assert found.message == "a/b#13 holds m, taken by ana 2 h ago."
    assert judge_lock(_lock(None), _lock(), NOW).message.startswith("p of ana holds m")


def test_without_entries_a_promotion_runs() -> None:
    """It was asked for just now."""
    assert status_of(()) is Status.RUNNING
