"""A look at what runs in production: does it drift from the record, whose locks are done with?"""

from dataclasses import dataclass

from ops_platform.adapters.ledger import deployments, flow_locks
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.checks import DRIFT
from ops_platform.domain.deployed_machines import DeployedMachines
from ops_platform.domain.deployments import Deployment, judge_drift
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Finding
from ops_platform.domain.flow_locks import FlowLock
from ops_platform.domain.identity import rule_name
from ops_platform.domain.pull_requests import PullRequests

_PLATFORM = "ops_platform"


@dataclass(frozen=True, slots=True)
class Seen:
    """A deployment on record, and whether what runs is still it."""

    deployment: Deployment
    finding: Finding


def look_for_drift(ledger: Ledger, production: DeployedMachines, account: str) -> list[Seen]:
    """Hold each machine on record against what runs, and note what was found.

    What cannot be asked is told as not known, and the rest goes on.
    """
    with ledger.transaction() as tx:
        known = [each.deployment for each in deployments.current(tx, account)]
    seen = [Seen(each, _judged(each, production)) for each in known]
    with ledger.transaction() as tx:
        for each in seen:
            machine = each.deployment.machine
            deployments.note_drift(tx, account, machine, each.finding, ledger.now())
    return seen


def release_done_locks(ledger: Ledger, pulls: PullRequests, account: str) -> list[FlowLock]:
    """Release the locks of pull requests that were merged or closed; return these.

    Where the host cannot be asked, a lock is kept: a second pull request would else take the
    change of the first back.
    """
    with ledger.transaction() as tx:
        held = flow_locks.held(tx, account)
    released = []
    for lock in held:
        if reason := _over(lock, pulls):
            with ledger.transaction() as tx:
                now = ledger.now()
                flow_locks.release(tx, lock, actor=_PLATFORM, reason=reason, now=now)
            released.append(lock)
    return released


def _judged(deployment: Deployment, production: DeployedMachines) -> Finding:
    name = deployment.machine
    rule = deployment.rule.name if deployment.rule else rule_name(name)
    try:
        return judge_drift(deployment, production.machine(name), production.rule(rule))
    except PlatformError as error:
        return DRIFT.unchecked("not-answered", str(error))


def _over(lock: FlowLock, pulls: PullRequests) -> str | None:
    """Return why a lock is held by nobody any more, None if it is, or if nobody knows."""
    if lock.repository is None or lock.pull_request is None:
        return None
    try:
        pull = pulls.get(lock.repository, lock.pull_request)
    except PlatformError:
        return None
    if pull is not None and pull.is_open:
        return None
    return f"{lock.holder} was merged or closed." if pull else f"{lock.holder} is gone."
