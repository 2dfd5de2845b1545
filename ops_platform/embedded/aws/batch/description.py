"""A job as DescribeJobs, ListJobs and the events of Batch show it."""

from collections import Counter

from ops_platform.embedded.aws.batch.model import Attempt, Job, JsonObject, Status

_SUMMARY = (
    "jobArn",
    "jobId",
    "jobName",
    "createdAt",
    "startedAt",
    "stoppedAt",
    "status",
    "statusReason",
    "jobDefinition",
    "shareIdentifier",
    "arrayProperties",
    "isCancelled",
    "isTerminated",
)


def present(values: JsonObject) -> JsonObject:
    """Leave out what is not known, as AWS does."""
    return {name: value for name, value in values.items() if value is not None}


def describe(job: Job) -> JsonObject:
    """Return the JobDetail of DescribeJobs."""
    spec = job.spec
    detail: JsonObject = present(
        {
            "jobArn": job.arn,
            "jobName": spec.name,
            "jobId": job.job_id,
            "jobQueue": spec.queue_arn,
            "shareIdentifier": spec.share,
            "status": job.status.value,
            "statusReason": job.status_reason,
            "attempts": [_attempt(attempt) for attempt in job.attempts],
            "createdAt": job.created_at,
            "startedAt": job.started_at,
            "stoppedAt": job.stopped_at,
            "retryStrategy": _retry_strategy(job),
            "dependsOn": [{"jobId": job_id} for job_id in spec.depends_on],
            "jobDefinition": spec.definition_arn,
            "parameters": dict(spec.parameters),
            "container": _container(job),
            "tags": dict(spec.tags),
            "propagateTags": spec.propagate_tags,
            "platformCapabilities": ["EC2"],
            "arrayProperties": _array(job),
            "isCancelled": job.cancelled or None,
            "isTerminated": job.terminated or None,
        }
    )
    if spec.timeout_seconds is not None:
        detail["timeout"] = {"attemptDurationSeconds": spec.timeout_seconds}
    return detail


def summarise(job: Job) -> JsonObject:
    """Return the JobSummary of ListJobs, which has neither parameters nor tags."""
    detail = describe(job)
    last = job.attempts[-1] if job.attempts else None
    container = {"exitCode": last.exit_code, "reason": last.reason} if last else {}
    summary = {name: detail[name] for name in _SUMMARY if name in detail}
    return summary | ({"container": present({**container})} if container else {})


def _retry_strategy(job: Job) -> JsonObject:
    rules = [
        {
            "action": rule.action,
            "onStatusReason": rule.on_status_reason,
            "onReason": rule.on_reason,
            "onExitCode": rule.on_exit_code,
        }
        for rule in job.spec.exit_rules
    ]
    return {"attempts": job.spec.attempts, "evaluateOnExit": rules}


def _attempt(attempt: Attempt) -> JsonObject:
    return present(
        {
            "container": present(
                {
                    "containerInstanceArn": attempt.instance_arn,
                    "taskArn": attempt.task_arn,
                    "exitCode": attempt.exit_code,
                    "reason": attempt.reason,
                    "logStreamName": attempt.log_stream,
                    "networkInterfaces": [],
                }
            ),
            "startedAt": attempt.started_at,
            "stoppedAt": attempt.stopped_at,
            "statusReason": attempt.status_reason,
        }
    )


def _container(job: Job) -> JsonObject:
    shown = job.current or (job.attempts[-1] if job.attempts else None)
    details = dict(job.spec.container)
    if shown is None:
        return details
    started = shown.started_at is not None
    return details | present(
        {
            "containerInstanceArn": shown.instance_arn,
            "taskArn": shown.task_arn,
            "logStreamName": shown.log_stream if started else None,
            "exitCode": shown.exit_code,
            "reason": shown.reason,
            "networkInterfaces": [],
        }
    )


def _array(job: Job) -> JsonObject | None:
    if job.array_index is not None:
        return {"index": job.array_index}
    if not job.children:
        return None
    counts = Counter(child.status for child in job.children)
    return {
        "size": len(job.children),
        "statusSummary": {status.value: counts[status] for status in Status},
    }
