"""Each flow's history: its runs that ended since one last asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ops_platform.adapters.ledger import executions
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.identity import machine_name


@dataclass(frozen=True, slots=True)
class FlowRun:
    """A run that ended; ``seq`` is its place in the account's order of changes."""

    seq: int
    account: str
    project: str | None
    flow: str
    branch: str | None
    run_id: str
    owner: str | None
    status: str
    execution_arn: str
    started_at: datetime | None
    stopped_at: datetime

    @property
    def duration(self) -> timedelta | None:
        """How long it ran, redrives included."""
        return self.stopped_at - self.started_at if self.started_at else None


def flow_runs_after(ledger: Ledger, account: str, seq: int, *, limit: int = 200) -> list[FlowRun]:
    """Return the account's runs that ended after the change numbered ``seq``, in that order."""
    with ledger.transaction() as tx:
        return list(map(_flow_run, executions.ended_after(tx, account, seq, limit)))


def _flow_run(row: Mapping[str, Any]) -> FlowRun:
    return FlowRun(
        seq=row["seq"],
        account=row["account"],
        project=row["project"],
        flow=row["flow_name"] or machine_name(row["machine_arn"]),
        branch=row["branch"],
        run_id=row["run_id"],
        owner=row["owner"],
        status=row["status"],
        execution_arn=row["execution_arn"],
        started_at=row["started_at"],
        stopped_at=row["stopped_at"] or row["changed_at"],
    )
