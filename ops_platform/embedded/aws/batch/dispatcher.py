"""What Batch does with the head of each queue: place it, explain why not, or give it up."""

from collections.abc import Callable
from dataclasses import dataclass

from ops_platform.embedded.aws.batch.blocking import after_native_cancel, code_of, why_blocked
from ops_platform.embedded.aws.batch.compute import ComputeEnvironment
from ops_platform.embedded.aws.batch.fleet import NoInstance
from ops_platform.embedded.aws.batch.instances import Instance
from ops_platform.embedded.aws.batch.model import Job, now_ms
from ops_platform.embedded.aws.batch.queues import Queue
from ops_platform.embedded.aws.batch.registry import Registry


@dataclass(frozen=True, slots=True)
class HeadListener:
    """Whom to tell what becomes of the head of a queue."""

    placed: Callable[[Job, Instance, ComputeEnvironment], None]
    blocked: Callable[[Job], None]
    given_up: Callable[[Job, str], None]


class Dispatcher:
    """Serves the queues of an account in turn; the scheduler's lock guards it.

    ``patience`` are the seconds after which a head that finds no room is looked into.
    """

    def __init__(self, registry: Registry, listener: HeadListener, *, patience: float) -> None:
        self._registry = registry
        self._listener = listener
        self._patience = patience

    def settle(self) -> None:
        """Let instances come and go, and jobs onto them."""
        for environment in self._registry.environments.values():
            environment.settle()
        for queue in self._registry.by_priority():
            self._serve(queue)

    def _serve(self, queue: Queue) -> None:
        """Start jobs from the head; the first that finds no room holds up all behind it."""
        while (head := queue.head) is not None:
            if not self._place(queue, head) and not self._is_given_up(queue, head):
                return

    def _place(self, queue: Queue, head: Job) -> bool:
        """Put a job into the first compute environment that has room for it, or will have."""
        for environment in queue.environments:
            found = environment.place(head.job_id, head.spec.size)
            if isinstance(found, Instance):
                queue.remove(head)
                head.status_reason = head.blocked_by = None
                self._listener.placed(head, found, environment)
                return True
            if found is NoInstance.YET:
                return False
        return False

    def _is_given_up(self, queue: Queue, head: Job) -> bool:
        """Say what blocks a queue; tell whether its time limit has ended the job."""
        waited = now_ms() - queue.head_since()
        if waited < self._patience * 1000:
            return False
        reason = why_blocked(head.spec.size, queue.environments)
        if reason != head.blocked_by:
            head.blocked_by = head.status_reason = reason
            if reason is not None:
                self._listener.blocked(head)
        limit = queue.limit_for(code_of(reason)) if reason else None
        if limit is None or waited < limit.seconds * 1000:
            return False
        self._listener.given_up(head, after_native_cancel(limit.reason))
        return True
