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


@dataclass(frozen=True, slots=True)
class Locks:
    """The locks that were released, and those of which nobody knows whether they are done with."""

    released: tuple[FlowLock, ...]
    unknown: tuple[FlowLock, ...]


def release_done_locks(ledger: Ledger, pulls: PullRequests, account: str) -> Locks:
    """Release the locks of pull requests that were merged or closed.

    Where the host does not tell of one, its lock is kept: a second pull request would else take the
    change of the first back.
    """
    with ledger.transaction() as tx:
        held = [each for each in flow_locks.held(tx, account) if each.pull_request is not None]
    still_open = {lock.machine: _is_open(lock, pulls) for lock in held}
    done = tuple(lock for lock in held if still_open[lock.machine] is False)
    for lock in done:
        with ledger.transaction() as tx:
            reason, now = f"{lock.holder} was merged or closed.", ledger.now()
            flow_locks.release(tx, lock, actor=_PLATFORM, reason=reason, now=now)
    return Locks(done, tuple(lock for lock in held if still_open[lock.machine] is None))


def _judged(deployment: Deployment, production: DeployedMachines) -> Finding:
    name = deployment.machine
    rule = deployment.rule.name if deployment.rule else rule_name(name)
    try:
        return judge_drift(deployment, production.machine(name), production.rule(rule))
    except PlatformError as error:
        return DRIFT.unchecked("not-answered", str(error))


def _is_open(lock: FlowLock, pulls: PullRequests) -> bool | None:
    """Tell whether the pull request of a lock is open; None if nobody knows.

    A host says of what a token may not see that there is none, so that says nothing.
    """
    try:
        pull = pulls.get(lock.repository or "", lock.pull_request or 0)
    except PlatformError:
        return None
    return pull.is_open if pull else None
