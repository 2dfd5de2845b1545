"""Clean an account of stale jobs as the settings want it, and tell of what was found."""

from collections.abc import Callable
from dataclasses import dataclass

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.batch_queues import AwsBatchQueues
from ops_platform.adapters.instance_types import Ec2InstanceTypes
from ops_platform.adapters.ledger import watched
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.queue_state import registered_sizes
from ops_platform.adapters.run_stopper import StepFunctionsRunStopper
from ops_platform.domain.batch_ports import BatchQueues, InstanceTypes, RunStopper
from ops_platform.domain.stale_policy import Mode
from ops_platform.domain.staleness import Why
from ops_platform.operations.clean_queues import Cleaner
from ops_platform.operations.cleaned import Cleaned
from ops_platform.operations.policy import alert_policy
from ops_platform.operations.stale_job_policy import stale_policies
from ops_platform.operations.tell_stale_jobs import settle_warnings, tell_queues, warn_owners
from ops_platform.settings.model import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a cleaning of one account works with."""

    ledger: Ledger
    queues: BatchQueues
    types: InstanceTypes
    runs: RunStopper


def tools_of(account: str, clients: AccountClients, ledger: Ledger) -> Tools:
    """Return what an account of AWS is cleaned with."""
    types = Ec2InstanceTypes(clients.ec2)
    with ledger.transaction() as tx:
        registered = registered_sizes(tx, account)
    queues = AwsBatchQueues(clients.batch, account=account, types=types, registered=registered)
    runs = StepFunctionsRunStopper(clients.step_functions)
    return Tools(ledger=ledger, queues=queues, types=types, runs=runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is wanted of a cleaning.

    ``enforce`` cancels what is stale, whatever the mode of the account; None goes by its mode.
    ``dry_run`` tells nobody either, and writes nothing. ``despite_fault`` cancels also in a queue
    that is itself at fault. ``asked_by`` answers for it.
    """

    asked_by: str
    enforce: bool | None = None
    dry_run: bool = False
    despite_fault: bool = False
    queue: str | None = None

    def enforces(self, mode: Mode) -> bool:
        """Tell whether stale jobs of an account in that mode are cancelled."""
        by_mode = mode is Mode.ENFORCE if self.enforce is None else self.enforce
        return by_mode and not self.dry_run


def clean_account(
    account: str,
    settings: Settings,
    order: Order,
    *,
    tools: Tools,
    seconds: float | None = None,
    show: Callable[[int], None] = lambda _: None,
) -> Cleaned:
    """Judge the jobs that wait in an account, cancel the stale ones if so ordered, and tell of it.

    Args:
        account: Its name.
        settings: The mode of the account, what is stale, and what is alerted.
        order: What is wanted.
        tools: The account's AWS, and the ledger.
        seconds: Stop after that time, to go on the next time; None for as long as it takes.
        show: Told how many jobs were looked at so far.

    Raises:
        PlatformError: There is no such queue.
    """
    cleaner = Cleaner(
        ledger=tools.ledger,
        api=tools.queues,
        types=tools.types,
        runs=tools.runs,
        account=account,
        policies=stale_policies(settings),
        clock=tools.ledger.now,
        asked_by=order.asked_by,
    )
    done = cleaner.clean(
        enforce=order.enforces(Mode(settings.account(account).stale_jobs)),
        despite_fault=order.despite_fault,
        queue=order.queue,
        settle=not order.dry_run,
        seconds=seconds,
        show=show,
    )
    if not order.dry_run:
        _tell(done, settings, ledger=tools.ledger, asked_by=order.asked_by)
    return done


def _tell(done: Cleaned, settings: Settings, *, ledger: Ledger, asked_by: str) -> None:
    """Tell of blocked queues, and the owners of jobs that would be cancelled."""
    account, policy, now = done.account, alert_policy(settings), ledger.now()
    tell_queues(
        ledger,
        account,
        looked_at=done.queues,
        whole=done.whole,
        blocked=done.blocked,
        policy=policy,
        now=now,
    )
    # Who only looks on warns nobody of a cancellation that does not come.
    if done.enforce:
        warn_owners(ledger, account, done.judged, policy=policy, now=now, asked_by=asked_by)
    if not done.whole:
        return
    exempt = [each.waiting.id for each in done.judged if each.verdict.why is Why.EXEMPT]
    settle_warnings(ledger, account, done.concerns, policy=policy, now=now, exempt=exempt)
    with ledger.transaction() as tx:
        watched.cleaned(tx, account, now)
