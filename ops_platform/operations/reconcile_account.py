"""Reconcile an account as the settings want it, whoever asks."""

from collections.abc import Callable
from datetime import datetime, timedelta

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.ports import Executions
from ops_platform.operations.policy import alert_policy
from ops_platform.operations.reconcile_executions import Reconciled, Reconciler
from ops_platform.settings.model import Settings


def reconcile_account(
    account: str,
    settings: Settings,
    *,
    ledger: Ledger,
    api: Executions,
    clock: Callable[[], datetime],
    seconds: float | None = None,
    show: Callable[[int], None] = lambda _: None,
) -> Reconciled:
    """Read the account's executions and fill what events missed.

    Args:
        account: Its name.
        settings: How long one looks back, and what is alerted.
        ledger: Where what is found goes.
        api: The account's Step Functions.
        clock: Tells the time.
        seconds: Stop after that time, to go on the next time; None for as long as it takes.
        show: Told how many executions were read so far.
    """
    timing = settings.timing
    reconciler = Reconciler(
        ledger=ledger,
        api=api,
        account=account,
        policy=alert_policy(settings),
        clock=clock,
        look_back=timedelta(hours=timing.alert_max_age_hours),
        interval=timedelta(minutes=timing.reconcile_minutes),
        show=show,
    )
    return reconciler.reconcile(seconds=seconds)
