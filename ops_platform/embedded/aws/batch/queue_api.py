"""The HTTP API of AWS Batch for job queues, in the place of moto's."""

import re
from collections.abc import Mapping
from typing import Any

from moto.batch.exceptions import ClientException
from moto.batch.models import batch_backends

from ops_platform.embedded.aws.batch.answers import Body, answer, described, required, state_of
from ops_platform.embedded.aws.batch.blocking import ACTIONABLE
from ops_platform.embedded.aws.batch.model import JsonObject
from ops_platform.embedded.aws.batch.queues import Queue, Rank, TimeLimit
from ops_platform.embedded.aws.batch.scheduler import Scheduler
from ops_platform.embedded.aws.gaps import Gap, Moto

_RESPONSE = "moto.batch.responses:BatchResponse"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_MOST_ENVIRONMENTS = 3
_LONGEST_LIMIT = 86_400


class QueueApi:
    """Answers the requests about job queues from our scheduler."""

    def __init__(self, scheduler: Scheduler, account_id: str, region: str) -> None:
        self._scheduler = scheduler
        self._queues = scheduler.registry.queues
        self._account_id = account_id
        self._region = region

    def create(self, body: Body) -> JsonObject:
        """Create a queue, which takes jobs at once."""
        name = str(required(body, "jobQueueName"))
        if not _NAME.fullmatch(name):
            raise ClientException(f"{name} is no name for a job queue")
        with self._scheduler.changes:
            if name in self._queues:
                raise ClientException(f"Job queue {name} already exists")
            self._queues[name] = queue = Queue(
                name=name,
                arn=f"arn:aws:batch:{self._region}:{self._account_id}:job-queue/{name}",
                state=state_of(body, "ENABLED"),
                priority=int(required(body, "priority")),
                ranks=self._ranks(required(body, "computeEnvironmentOrder")),
                time_limits=self._time_limits(body),
            )
        self._backend.tag_resource(queue.arn, body.get("tags") or {})
        return _names(queue)

    def update(self, body: Body) -> JsonObject:
        """Change what is given; jobs that wait stay where they are."""
        with self._scheduler.changes:
            queue = self._existing(body)
            state = state_of(body, queue.state)
            if body.get("computeEnvironmentOrder") is not None:
                queue.ranks = self._ranks(required(body, "computeEnvironmentOrder"))
            if body.get("jobStateTimeLimitActions") is not None:
                queue.time_limits = self._time_limits(body)
            if body.get("priority") is not None:
                queue.priority = int(body["priority"])
            queue.state = state
            self._scheduler.changes.notify_all()
            return _names(queue)

    def delete(self, body: Body) -> JsonObject:
        """Delete a queue that is disabled, and end its jobs."""
        with self._scheduler.changes:
            queue = self._existing(body)
            if queue.state != "DISABLED":
                raise ClientException("Cannot delete, the job queue must be DISABLED")
            self._scheduler.delete_queue(queue)
        return {}

    def describe(self, body: Body) -> JsonObject:
        """Describe job queues, all of them or those named."""
        with self._scheduler.changes:
            shown, token = described(self._queues, body, "jobQueues")
            return {"jobQueues": [self._detail(queue) for queue in shown], **token}

    def gaps(self) -> list[Gap]:
        """Return what of moto this API stands in for."""
        missing = "moto's job queues know no time limits and reach no scheduler."
        return [
            Gap(f"{_RESPONSE}.createjobqueue", missing, answer(self.create)),
            Gap(f"{_RESPONSE}.updatejobqueue", missing, answer(self.update)),
            Gap(f"{_RESPONSE}.deletejobqueue", missing, answer(self.delete)),
            Gap(f"{_RESPONSE}.describejobqueues", missing, answer(self.describe)),
        ]

    def _detail(self, queue: Queue) -> JsonObject:
        return {
            **_names(queue),
            "state": queue.state,
            "status": "DELETING" if queue.is_deleted else "VALID",
            "statusReason": "JobQueue Healthy",
            "priority": queue.priority,
            "computeEnvironmentOrder": [
                {"order": rank.order, "computeEnvironment": rank.environment.arn}
                for rank in queue.ranks
            ],
            "tags": self._backend.list_tags_for_resource(queue.arn),
            "jobStateTimeLimitActions": [
                {
                    "reason": limit.reason,
                    "state": "RUNNABLE",
                    "maxTimeSeconds": limit.seconds,
                    "action": "CANCEL",
                }
                for limit in queue.time_limits
            ],
        }

    def _ranks(self, order: list[Mapping[str, Any]]) -> list[Rank]:
        if len(order) > _MOST_ENVIRONMENTS:
            raise ClientException("A job queue has at most 3 compute environments")
        ranks = []
        for entry in sorted(order, key=lambda entry: int(entry["order"])):
            environment = self._scheduler.registry.environment(entry["computeEnvironment"])
            if environment is None:
                raise ClientException(f"{entry['computeEnvironment']} does not exist")
            if not environment.is_valid:
                raise ClientException(f"{environment.arn} is not VALID")
            ranks.append(Rank(int(entry["order"]), environment))
        return ranks

    def _time_limits(self, body: Body) -> list[TimeLimit]:
        return [self._time_limit(each) for each in body.get("jobStateTimeLimitActions") or ()]

    def _time_limit(self, action: Mapping[str, Any]) -> TimeLimit:
        shortest = self._scheduler.timing.shortest_time_limit
        seconds = int(required(action, "maxTimeSeconds"))
        if not shortest <= seconds <= _LONGEST_LIMIT:
            raise ClientException(
                f"maxTimeSeconds must be between {shortest:.0f} and {_LONGEST_LIMIT}"
            )
        if action.get("state") != "RUNNABLE" or action.get("action") != "CANCEL":
            raise ClientException("A time limit is for the state RUNNABLE and the action CANCEL")
        if action.get("reason") not in ACTIONABLE:
            raise ClientException(f"Reason must be one of {', '.join(sorted(ACTIONABLE))}")
        return TimeLimit(str(action["reason"]), seconds)

    def _existing(self, body: Body) -> Queue:
        name = str(required(body, "jobQueue"))
        found = self._scheduler.registry.queue(name)
        if found is None:
            raise ClientException(f"Job queue {name} does not exist")
        return found

    @property
    def _backend(self) -> Moto:
        return batch_backends[self._account_id][self._region]


def _names(queue: Queue) -> JsonObject:
    return {"jobQueueName": queue.name, "jobQueueArn": queue.arn}
