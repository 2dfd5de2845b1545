"""A lock on a flow released by somebody's word."""

from ops_platform.adapters.ledger import flow_locks
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.flow_locks import FlowLock


def unlock(ledger: Ledger, account: str, machine: str, *, who: str, why: str) -> FlowLock:
    """Release the lock on a machine, whoever has it; return what was released.

    Raises:
        PlatformError: Nobody holds it.
    """
    now = ledger.now()
    with ledger.transaction() as tx:
        held = flow_locks.holder(tx, account, machine)
        if held is None:
            raise PlatformError(f"Nobody holds {machine} in {account}.")
        flow_locks.release(tx, held, actor=who, reason=why, now=now)
    return held
