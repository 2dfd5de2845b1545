"""The HTTP API of AWS Batch for jobs, in the place of moto's, which runs them in Docker."""

from moto.batch.exceptions import ClientException
from moto.batch.models import batch_backends
from moto.batch.responses import BatchResponse
from moto.batch.urls import url_paths

from ops_platform.embedded.aws.batch.answers import Body, answer, page, required
from ops_platform.embedded.aws.batch.description import describe, summarise
from ops_platform.embedded.aws.batch.listing import of_array, of_queue, page_size, required_owner
from ops_platform.embedded.aws.batch.model import Job, JsonObject, now_ms
from ops_platform.embedded.aws.batch.queues import Queue
from ops_platform.embedded.aws.batch.scheduler import Scheduler
from ops_platform.embedded.aws.batch.submission import read_submission
from ops_platform.embedded.aws.gaps import Gap

_RESPONSE = "moto.batch.responses:BatchResponse"
_RUNS_IN_DOCKER = "moto runs a job in Docker, with neither queues, capacity, nor attempts."
_MAX_DESCRIBED = 100
_ARRAY_SIZES = range(2, 10_001)


class JobApi:
    """Answers the requests about jobs from our scheduler."""

    def __init__(self, scheduler: Scheduler, account_id: str, region: str) -> None:
        self._scheduler = scheduler
        self._account_id = account_id
        self._region = region

    def submit_job(self, body: Body) -> JsonObject:
        """Accept a job for a definition and a queue that exist and take jobs."""
        backend = batch_backends[self._account_id][self._region]
        definition = backend.get_job_definition(body["jobDefinition"])
        if definition is None or definition.status != "ACTIVE":
            raise ClientException(f"JobDefinition {body['jobDefinition']} does not exist")
        if definition.type != "container" or definition.container_properties is None:
            raise ClientException("The embedded edition runs single-container jobs only")
        size = (body.get("arrayProperties") or {}).get("size")
        if size is not None and size not in _ARRAY_SIZES:
            raise ClientException("The size of an array must be between 2 and 10000")
        with self._scheduler.changes:
            queue = self._queue(body["jobQueue"])
            if queue.state != "ENABLED" or queue.is_deleted:
                raise ClientException(f"JobQueue {queue.arn} is not ENABLED")
            spec = read_submission(body, definition, queue)
            job = self._scheduler.submit(spec, array_size=size or 0)
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
            jobs, token = page(
                self._asked_for(body),
                lambda job: job.sequence,
                body,
                most=page_size(body),
                seconds=self._scheduler.timing.page_token,
            )
            return {"jobSummaryList": [summarise(job) for job in jobs], **token}

    def cancel_job(self, body: Body) -> JsonObject:
        """Cancel a job; a success also where it has started and nothing happens."""
        self._scheduler.cancel(required(body, "jobId"), str(required(body, "reason")))
        return {}

    def terminate_job(self, body: Body) -> JsonObject:
        """Terminate a job."""
        self._scheduler.terminate(required(body, "jobId"), str(required(body, "reason")))
        return {}

    def get_job_queue_snapshot(self, body: Body) -> JsonObject:
        """Show the first RUNNABLE jobs of a queue, each with since when it is at its place."""
        with self._scheduler.changes:
            front = self._queue(required(body, "jobQueue")).front()
        jobs = [{"jobArn": job.arn, "earliestTimeAtPosition": since} for job, since in front]
        return {"frontOfQueue": {"jobs": jobs, "lastUpdatedAt": now_ms()}}

    def gaps(self) -> list[Gap]:
        """Return what of moto this API stands in for."""
        return [
            Gap(f"{_RESPONSE}.submitjob", _RUNS_IN_DOCKER, answer(self.submit_job)),
            Gap(f"{_RESPONSE}.describejobs", _RUNS_IN_DOCKER, answer(self.describe_jobs)),
            Gap(
                f"{_RESPONSE}.listjobs",
                "moto lists jobs without pages and ignores most filters.",
                answer(self.list_jobs),
            ),
            Gap(f"{_RESPONSE}.canceljob", _RUNS_IN_DOCKER, answer(self.cancel_job)),
            Gap(f"{_RESPONSE}.terminatejob", _RUNS_IN_DOCKER, answer(self.terminate_job)),
            Gap(
                f"{_RESPONSE}.getjobqueuesnapshot",
                "moto has no GetJobQueueSnapshot.",
                answer(self.get_job_queue_snapshot),
                is_new=True,
            ),
            Gap(
                "moto.batch.urls:url_paths",
                "moto has no GetJobQueueSnapshot.",
                url_paths | {"{0}/v1/getjobqueuesnapshot": BatchResponse.dispatch},
            ),
        ]

    def _asked_for(self, body: Body) -> list[Job]:
        owner = required_owner(body)
        if owner == "jobQueue":
            return of_queue(self._scheduler.all_jobs(), self._queue(body[owner]), body)
        # There are no multi-node jobs here, and of what is no array there are no children.
        parents = self._scheduler.find([body[owner]])
        return [child for parent in parents for child in of_array(parent, body)]

    def _queue(self, name_or_arn: str) -> Queue:
        queue = self._scheduler.registry.queue(name_or_arn)
        if queue is None:
            raise ClientException(f"JobQueue {name_or_arn} does not exist")
        return queue
