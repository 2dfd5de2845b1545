"""How the queues of Batch stand, as far as the events of their jobs and instances tell."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ops_platform.adapters.ledger import jobs as ledger_jobs
from ops_platform.adapters.ledger.queries import one_of
from ops_platform.adapters.ledger.runs import FLOW, OWNER
from ops_platform.adapters.ledger.schema import (
    cancellations,
    container_instances,
    jobs,
    queues,
    runs,
)
from ops_platform.domain.cancelling import Outcome
from ops_platform.domain.capacity import Holder, Size
from ops_platform.domain.identity import arn_tail
from ops_platform.domain.lifecycle import Job, later
from ops_platform.domain.queue_past import Ended, QueuePast
from ops_platform.domain.staleness import Decision, Why

_HOLDING = ("STARTING", "RUNNING")
_CPU_UNITS = 1024  # ECS's, of one vCPU
_OF_RUN = (runs.c.account == jobs.c.account) & (runs.c.run_id == jobs.c.run_id)


def last_start(tx: sa.Connection, account: str, queue_arn: str) -> datetime | None:
    """Return when a job of a queue last started, None if no event has told of any."""
    of_queue = (jobs.c.account == account) & (jobs.c.queue == arn_tail(queue_arn))
    # Of a job whose STARTING was missed, that it runs tells as much.
    running = of_queue & jobs.c.status.in_(_HOLDING)
    starting_at = tx.scalar(sa.select(sa.func.max(jobs.c.starting_at)).where(of_queue))
    return later(starting_at, tx.scalar(sa.select(sa.func.max(jobs.c.started_at)).where(running)))


def holders(tx: sa.Connection, account: str, queue_arns: Collection[str]) -> list[Holder]:
    """Return by flow and owner who has jobs that started in these queues, the largest first."""
    vcpus = sa.func.coalesce(sa.func.sum(jobs.c.vcpus), 0)
    flow, owner = sa.func.coalesce(jobs.c.flow, FLOW), sa.func.coalesce(jobs.c.owner, OWNER)
    query = (
        sa.select(flow, owner, vcpus, sa.func.count())
        .select_from(jobs.outerjoin(runs, _OF_RUN))
        .where(jobs.c.account == account, one_of(jobs.c.queue, list(map(arn_tail, queue_arns))))
        .where(jobs.c.status.in_(_HOLDING), jobs.c.array_size.is_(None))
        .group_by(flow, owner)
        .order_by(vcpus.desc(), flow, owner)
    )
    return [Holder(*row) for row in tx.execute(query)]


def waiting(tx: sa.Connection, account: str, job_ids: Collection[str]) -> dict[str, Job]:
    """Return those jobs that the ledger knows, with flow and owner of their run if need be."""
    found = ledger_jobs.load(tx, account, job_ids)
    unnamed = [job for job in found.values() if not (job.latest.flow and job.latest.owner)]
    known = _runs(tx, account, {job.latest.run_id for job in unnamed if job.latest.run_id})
    named = {job.latest.job_id: _named(job, known) for job in unnamed}
    return found | named


def registered_sizes(tx: sa.Connection, account: str) -> Mapping[str, Size]:
    """Return how much container instances register at most, by instance type.

    The most that was seen: a job is not to be called too large for an instance that had room.
    """
    table = container_instances.c
    query = (
        sa.select(table.instance_type, sa.func.max(table.cpu_units), sa.func.max(table.memory_mib))
        .where(table.account == account, table.instance_type.is_not(None))
        .where(table.cpu_units.is_not(None), table.memory_mib.is_not(None))
        .group_by(table.instance_type)
    )
    return {row[0]: Size(row[1] / _CPU_UNITS, row[2]) for row in tx.execute(query)}


def last_ended(
    tx: sa.Connection, account: str, queue: str, *, reason: Why | None = None
) -> Ended | None:
    """Return which job of a queue was cancelled last, for whatever reason or that one."""
    of = cancellations.c
    run = sa.func.coalesce(of.run_id, of.job_id)
    query = (
        sa.select(of.job_id, run, of.judged_at)
        .where(of.account == account, of.queue == queue, of.verdict == Decision.CANCEL)
        .where(of.outcome.not_in([Outcome.REFUSED, Outcome.STARTED]))
        .where(of.reason == reason if reason is not None else sa.true())
        .order_by(of.judged_at.desc(), of.id.desc())
        .limit(1)
    )
    found = tx.execute(query).one_or_none()
    return None if found is None else Ended(*found)


def past(tx: sa.Connection, account: str, queue: str, *, after: datetime | None) -> QueuePast:
    """Return what befell a queue; ``after`` is when it last started a job."""
    mine = (queues.c.account == account) & (queues.c.queue == queue)
    ended = last_ended(tx, account, queue, reason=Why.STUCK)
    in_vain = ended is not None and (after is None or ended.at >= after)
    return QueuePast(
        out_of_order_at=tx.scalar(sa.select(queues.c.out_of_order_at).where(mine)),
        ended=ended if in_vain else None,
    )


def note_out_of_order(
    tx: sa.Connection, account: str, names: Collection[str], now: datetime
) -> None:
    """Remember that jobs wait in these queues since they are out of order."""
    if not names:
        return
    rows = [{"account": account, "queue": name, "out_of_order_at": now} for name in sorted(names)]
    statement = insert(queues).values(rows)
    changed = {"out_of_order_at": statement.excluded.out_of_order_at}
    key = ["account", "queue"]
    tx.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def _runs(
    tx: sa.Connection, account: str, run_ids: Iterable[str]
) -> dict[str, tuple[str | None, str | None]]:
    wanted = sorted(run_ids)
    if not wanted:
        return {}
    query = sa.select(runs.c.run_id, FLOW, OWNER).where(
        runs.c.account == account, one_of(runs.c.run_id, wanted)
    )
    return {row[0]: (row[1], row[2]) for row in tx.execute(query)}


def _named(job: Job, known: Mapping[str, tuple[str | None, str | None]]) -> Job:
    flow, owner = known.get(job.latest.run_id or "", (None, None))
    latest = msgspec.structs.replace(
        job.latest, flow=job.latest.flow or flow, owner=job.latest.owner or owner
    )
    return msgspec.structs.replace(job, latest=latest)
