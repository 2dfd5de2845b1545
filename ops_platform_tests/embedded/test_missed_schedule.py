"""A flow deployed by stock Metaflow with @schedule, which the emulated EventBridge never starts."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.schedules import EventBridgeSchedules
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.clock import now
from ops_platform.embedded.aws.account import EmbeddedAccount
from ops_platform.embedded.metaflow_environment import metaflow_environment
from ops_platform.operations.find_missed_schedules import MissedSchedules, find_missed_schedules
from ops_platform.operations.find_state_machines import find_state_machines
from ops_platform.operations.time_budget import TimeBudget
from ops_platform.settings.accounts import Account
from ops_platform_tests.embedded.aws.accounts import running, staging_on_free_port
from ops_platform_tests.ledger_world import POLICY, alerts

FLOW = Path(__file__).parent / "flows" / "each_minute.py"
NAME = "staging"


def _metaflow(account: EmbeddedAccount, folder: Path, *arguments: str) -> None:
    settings = metaflow_environment(account, folder, user="ana")
    done = subprocess.run(
        [sys.executable, str(FLOW), "--production", "step-functions", *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def _look(ledger: Ledger, account: EmbeddedAccount) -> Callable[[], MissedSchedules]:
    clients = AccountClients(
        Account(
            name=NAME,
            aws_account_id=account.account_id,
            region=account.region,
            endpoint_url=account.endpoint_url,
        )
    )
    api = StepFunctions(clients.step_functions)

    def look() -> MissedSchedules:
        find_state_machines(ledger, api, account=NAME, budget=TimeBudget(now))
        return find_missed_schedules(
            ledger,
            account=NAME,
            schedules=EventBridgeSchedules(clients.events),
            starts=api,
            policy=POLICY,
            now=now(),
            grace=timedelta(0),
        )

    return look


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_deployed_flow_that_does_not_start_is_missed_until_it_runs(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Watched from when it is first seen; missed at the next full minute; made up for by hand."""
    account = staging_on_free_port()
    with running(account, tmp_path):
        _metaflow(account, tmp_path, "create")
        look = _look(ledger, account)

        first = look()
        assert (first.machines, first.scheduled, first.opened) == (1, 1, ())
        watched_at = now()

        time.sleep(61 - now().second)
        [incident] = look().opened
        assert (incident.flow, incident.owner, incident.branch) == ("EachMinuteFlow", "ana", "prod")
        assert incident.opened_at - watched_at < timedelta(minutes=1)
        assert str(incident.error).startswith(
            "The rule demo.prod.EachMinuteFlow, cron(* * * * ? *), should have started a run at"
            f" {incident.opened_at:%F %H:%M} UTC. It has never run."
        )

        _metaflow(account, tmp_path, "trigger")
        [resolved] = look().resolved
        assert resolved.id == incident.id
        assert resolved.resolved_at is not None
        assert resolved.resolved_at <= datetime.now(UTC)
        assert str(resolved.resolved_by).startswith("run sfn-")
        assert [alert["state"] for alert in alerts(ledger)] == ["pending"]
