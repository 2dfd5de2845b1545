"""Know the state machines of an account: which are Metaflow's, and which are gone.

What a machine is costs a call to find out, and is remembered. A machine that is deployed again
keeps its ARN, so each is looked at again now and then.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from ops_platform.adapters.aws_errors import FORBIDDEN, AwsError
from ops_platform.adapters.ledger import state_machines
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.state_machines import Remembered
from ops_platform.domain.ports import Executions, ListedMachine, Machine
from ops_platform.operations.time_budget import TimeBudget

METAFLOW_AGAIN = timedelta(hours=1)
FOREIGN_AGAIN = timedelta(days=1)
# So many are looked at again at a time, so that it never takes long.
AGAIN_AT_ONCE = 100
_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Found:
    """Metaflow's state machines, and why others could not be read."""

    machines: tuple[Remembered, ...]
    trouble: tuple[str, ...]


def find_state_machines(
    ledger: Ledger, api: Executions, *, account: str, budget: TimeBudget
) -> Found:
    """Return Metaflow's state machines, the one read the longest time ago first.

    What could be found out is kept if time is up or AWS does not answer any more.

    Raises:
        AwsError: AWS does not answer. That it forbids to read one of them is no such error.
        TimeIsUpError: There was not enough time to look at all that are new.
    """
    listed = {machine.arn: machine for machine in api.list_machines()}
    with ledger.transaction() as tx:
        known = state_machines.load(tx, account)
    trouble: list[str] = []
    wanted = iter(_to_describe(listed, known, budget))
    while chunk := list(islice(wanted, _CHUNK)):
        _describe(ledger, api, chunk, account=account, budget=budget, trouble=trouble)
    with ledger.transaction() as tx:
        known = state_machines.load(tx, account)
    metaflow = [each for each in known.values() if each.is_metaflow and each.arn in listed]
    return Found(tuple(sorted(metaflow, key=_longest_ago)), tuple(trouble))


def _to_describe(
    listed: Mapping[str, ListedMachine], known: Mapping[str, Remembered], budget: TimeBudget
) -> list[str]:
    """Return the machines that are new, and of the others those not looked at for long."""
    now = budget.clock()
    new = [
        arn
        for arn, machine in listed.items()
        if arn not in known or known[arn].described_at < machine.created_at
    ]
    again = [
        each
        for each in known.values()
        if each.arn not in new
        and (
            each.arn not in listed
            or now - each.described_at >= (METAFLOW_AGAIN if each.is_metaflow else FOREIGN_AGAIN)
        )
    ]
    oldest = sorted(again, key=lambda each: each.described_at)[:AGAIN_AT_ONCE]
    return [*new, *(each.arn for each in oldest)]


def _describe(
    ledger: Ledger,
    api: Executions,
    arns: Iterable[str],
    *,
    account: str,
    budget: TimeBudget,
    trouble: list[str],
) -> None:
    described: list[tuple[str, Machine | None]] = []
    try:
        described.extend(_answers(api, arns, budget, trouble))
    finally:
        gone = [arn for arn, machine in described if machine is None]
        there = [machine for _, machine in described if machine is not None]
        with ledger.transaction() as tx:
            state_machines.remember(tx, account, there, now=budget.clock())
            state_machines.forget(tx, account, gone)


def _answers(
    api: Executions, arns: Iterable[str], budget: TimeBudget, trouble: list[str]
) -> Iterator[tuple[str, Machine | None]]:
    for arn in arns:
        budget.check()
        try:
            yield arn, api.describe(arn)
        except AwsError as error:
            if error.code not in FORBIDDEN:
                raise
            trouble.append(str(error))


def _longest_ago(machine: Remembered) -> tuple[bool, float, str]:
    until = machine.reconciled_until
    return (until is not None, until.timestamp() if until else 0.0, machine.arn)
