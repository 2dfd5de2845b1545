"""The HTTP API of AWS Batch for jobs, in the place of moto's, which runs them in Docker."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.batch.exceptions import ClientException
from moto.batch.models import batch_backends
from moto.batch.responses import BatchResponse
from moto.batch.urls import url_paths

from ops_platform.embedded.aws.batch.description import describe, summarise
from ops_platform.embedded.aws.batch.listing import matches, page
from ops_platform.embedded.aws.batch.model import JsonObject, now_ms
from ops_platform.embedded.aws.batch.scheduler import Scheduler
from ops_platform.embedded.aws.batch.submission import read_submission
from ops_platform.embedded.aws.gaps import Gap

Body = Mapping[str, Any]
_RESPONSE = "moto.batch.responses:BatchResponse"
_RUNS_IN_DOCKER = "moto runs a job in Docker, with neither queues, capacity, nor attempts."
_MAX_DESCRIBED = 100


class BatchApi:
    """Answers the requests about jobs from our scheduler."""

    def __init__(self, scheduler: Scheduler, account_id: str, region: str) -> None:
        self._scheduler = scheduler
        self._account_id = account_id
        self._region = region

    def submit_job(self, body: Body) -> JsonObject:
        """Accept a job for a queue and a definition that exist."""
        backend = batch_backends[self._account_id][self._region]
        definition = backend.get_job_definition(body["jobDefinition"])
        queue = backend.get_job_queue(body["jobQueue"])
        if definition is None or definition.status != "ACTIVE":
            raise ClientException(f"JobDefinition {body['jobDefinition']} does not exist")
        if definition.type != "container" or definition.container_properties is None:
            raise ClientException("The embedded edition runs single-container jobs only")
        if queue is None or self._scheduler.queue_front(queue.name) is None:
            raise ClientException(f"JobQueue {body['jobQueue']} does not exist")
        size = (body.get("arrayProperties") or {}).get("size", 0)
        job = self._scheduler.submit(read_submission(body, definition, queue), array_size=size)
        backend.tag_resource(job.arn, job.spec.tags)
        return {"jobArn": job.arn, "jobName": job.spec.name, "jobId": job.job_id}

    def describe_jobs(self, body: Body) -> JsonObject:
        """Describe up to a hundred jobs; unknown ones are left out."""
        names = body.get("jobs") or []
        if len(names) > _MAX_DESCRIBED:
            raise ClientException("Job list must not exceed 100 jobs")
        with self._scheduler.changes:
            return {"jobs": [describe(job) for job in self._scheduler.find(names)]}

    def list_jobs(self, body: Body) -> JsonObject:
        """List the jobs of a queue, or the children of an array job, newest first."""
        with self._scheduler.changes:
            array = body.get("arrayJobId")
            if array:
                found = [child for job in self._scheduler.find([array]) for child in job.children]
            else:
                self._known_queue(body)
                found = [job for job in self._scheduler.all_jobs() if job.parent is None]
            jobs, token = page([job for job in found if matches(job, body)], body)
            return {"jobSummaryList": [summarise(job) for job in jobs], **token}

    def cancel_job(self, body: Body) -> JsonObject:
        """Cancel a job; a success also where it has started and nothing happens."""
        self._scheduler.cancel(body["jobId"], _reason(body))
        return {}

    def terminate_job(self, body: Body) -> JsonObject:
        """Terminate a job."""
        self._scheduler.terminate(body["jobId"], _reason(body))
        return {}

    def get_job_queue_snapshot(self, body: Body) -> JsonObject:
        """Show the first hundred RUNNABLE jobs of a queue."""
        front = self._scheduler.queue_front(_name(body["jobQueue"]))
        if front is None:
            raise ClientException(f"JobQueue {body['jobQueue']} does not exist")
        jobs = [
            {"jobArn": job.arn, "earliestTimeAtPosition": job.head_since or job.runnable_at}
            for job in front
        ]
        return {"frontOfQueue": {"jobs": jobs[:_MAX_DESCRIBED], "lastUpdatedAt": now_ms()}}

    def gaps(self) -> list[Gap]:
        """Return what of moto this API stands in for."""
        return [
            Gap(f"{_RESPONSE}.submitjob", _RUNS_IN_DOCKER, _answer(self.submit_job)),
            Gap(f"{_RESPONSE}.describejobs", _RUNS_IN_DOCKER, _answer(self.describe_jobs)),
            Gap(
                f"{_RESPONSE}.listjobs",
                "moto lists jobs without pages and ignores most filters.",
                _answer(self.list_jobs),
            ),
            Gap(f"{_RESPONSE}.canceljob", _RUNS_IN_DOCKER, _answer(self.cancel_job)),
            Gap(f"{_RESPONSE}.terminatejob", _RUNS_IN_DOCKER, _answer(self.terminate_job)),
            Gap(
                f"{_RESPONSE}.getjobqueuesnapshot",
                "moto has no GetJobQueueSnapshot.",
                _answer(self.get_job_queue_snapshot),
                is_new=True,
            ),
            Gap(
                "moto.batch.urls:url_paths",
                "moto has no GetJobQueueSnapshot.",
                url_paths | {"{0}/v1/getjobqueuesnapshot": BatchResponse.dispatch},
            ),
        ]

    def _known_queue(self, body: Body) -> None:
        queue = body.get("jobQueue")
        if not queue:
            raise ClientException("One of jobQueue, arrayJobId or multiNodeJobId is required")
        if self._scheduler.queue_front(_name(queue)) is None:
            raise ClientException(f"JobQueue {queue} does not exist")


def _name(queue: str) -> str:
    return queue.rpartition("/")[2]


def _reason(body: Body) -> str:
    reason = str(body.get("reason") or "")
    if not body.get("jobId") or not reason:
        raise ClientException("jobId and reason are required")
    return reason


def _answer(operation: Callable[[Body], JsonObject]) -> Callable[[BatchResponse], str]:
    def respond(response: BatchResponse) -> str:
        return json.dumps(operation(json.loads(response.body or "{}")))

    return respond
