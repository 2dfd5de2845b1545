"""Executions succeed, fail, and are stopped as in Step Functions."""

import json

from ops_platform_tests.embedded.aws.accounts import Aws, Json, eventually, task

ABORT = "Aborted by AWS Step Functions"


def _only(state: Json) -> Json:
    return {"StartAt": "only", "States": {"only": {**state, "End": True}}}


def _map(definition: str, **more: object) -> Json:
    each = task(definition)
    each["Parameters"] |= {
        "ContainerOverrides": {"Environment": [{"Name": "ITEM", "Value.$": "$"}]}
    }
    return _only({"Type": "Map", "ItemsPath": "$.items", "Iterator": _only(each), **more})


def _branch(definition: str, name: str) -> Json:
    return _only(task(definition, name))


def test_a_task_hands_on_the_keys_that_its_output_path_names(aws: Aws) -> None:
    """Metaflow reads JobId and Parameters of one task in the next."""
    arn = aws.start(_only(task(aws.definition("true", parameters={"step": "a"}))))
    output = json.loads(aws.until_ended(arn)["output"])
    assert output.keys() == {"JobId", "Parameters"}
    assert output["Parameters"] == {"step": "a"}


def test_a_state_after_branches_reads_one_value_of_each(aws: Aws) -> None:
    """The join of a split names its parents' tasks by such paths."""
    definition = aws.definition("true")
    join = {"Type": "Pass", "Parameters": {"first.$": "$.[0].JobId", "last.$": "$[1].JobId"}}
    branches = [_branch(definition, name) for name in ("one", "two")]
    split = {"Type": "Parallel", "Branches": branches, "Next": "join"}
    arn = aws.start({"StartAt": "split", "States": {"split": split, "join": join | {"End": True}}})
    output = json.loads(aws.until_ended(arn)["output"])
    ids = [job["jobId"] for job in aws.jobs_of(arn)]
    assert output == {"first": ids[0], "last": ids[1]}


def test_an_execution_without_a_name_gets_one_and_its_tasks_know_it(aws: Aws) -> None:
    """The run id of a flow is the name of its execution."""
    state = task(aws.definition("true"))
    state["Parameters"]["Parameters"] = {"metaflow.run_id.$": "$$.Execution.Name"}
    arn = aws.start(_only(state))
    aws.until_ended(arn)
    (job,) = aws.jobs_of(arn)
    assert job["parameters"]["metaflow.run_id"] == arn.rpartition(":")[2] != "None"


def test_a_failed_task_leaves_the_job_as_the_cause(aws: Aws) -> None:
    """The cause is DescribeJobs in PascalCase, as AWS writes it."""
    arn = aws.start(_only(task(aws.definition("sh", "-c", "exit 4"))))
    execution = aws.until_ended(arn)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(execution["cause"])
    assert cause["Attempts"][0]["Container"]["ExitCode"] == 4
    assert {"Name": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"} in (
        cause["Container"]["Environment"]
    )


def test_step_functions_hears_of_a_jobs_end_a_while_later(aws: Aws) -> None:
    """What fails within that while is a root failure too, not collateral."""
    arn = aws.start(_only(task(aws.definition("false"))))
    stopped = aws.until_ended(arn)["stopDate"].timestamp() * 1000
    (job,) = aws.jobs_of(arn)
    assert stopped - job["stoppedAt"] >= 500


def test_a_failed_iteration_ends_its_siblings(aws: Aws) -> None:
    """Two fail by themselves before the stop; the others are terminated after it."""
    script = 'case "$ITEM" in bad*) sleep 0.3; exit 1;; esac; sleep 60'
    items = {"items": ["bad1", "good1", "bad2", "good2", "good3"]}
    arn = aws.start(_map(aws.definition("sh", "-c", script)), input=json.dumps(items))
    execution = aws.until_ended(arn)
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(execution["cause"])["StatusReason"] == "Essential container in task exited"

    eventually(lambda: all(job["status"] == "FAILED" for job in aws.jobs_of(arn)))
    stop = execution["stopDate"].timestamp() * 1000
    jobs = aws.jobs_of(arn)
    root = [job for job in jobs if job["stoppedAt"] <= stop]
    assert [job["container"]["exitCode"] for job in root] == [1, 1]
    collateral = [job for job in jobs if job["stoppedAt"] > stop]
    assert [(job["statusReason"], job["isTerminated"]) for job in collateral] == [(ABORT, True)] * 3


def test_the_history_tells_what_was_aborted_and_then_ends(aws: Aws) -> None:
    """Nothing follows the terminal event; each sibling has its TaskStateAborted."""
    items = {"items": ["bad", "good", "good"]}
    definition = aws.definition("sh", "-c", 'test "$ITEM" = good && sleep 60')
    arn = aws.start(_map(definition), input=json.dumps(items))
    aws.until_ended(arn)
    eventually(lambda: all(job["status"] == "FAILED" for job in aws.jobs_of(arn)))
    history = aws.history(arn)
    types = [event["type"] for event in history]
    assert types[-1] == "ExecutionFailed"
    assert types.count("TaskFailed") == types.count("MapIterationFailed") == 1
    assert types.count("TaskStateAborted") == types.count("MapIterationAborted") == 2
    aborted = {
        event["mapIterationAbortedEventDetails"]["index"]
        for event in history
        if event["type"] == "MapIterationAborted"
    }
    assert aborted == {1, 2}


def test_a_failed_branch_ends_the_other_branches(aws: Aws) -> None:
    """The cause is that of the branch which failed."""
    branches = [
        _branch(aws.definition("sleep", "60"), "long"),
        _branch(aws.definition("sh", "-c", "exit 9"), "broken"),
    ]
    arn = aws.start(_only({"Type": "Parallel", "Branches": branches}))
    execution = aws.until_ended(arn)
    assert json.loads(execution["cause"])["JobName"] == "broken"
    eventually(lambda: all(job["status"] == "FAILED" for job in aws.jobs_of(arn)))
    assert [job["statusReason"] for job in aws.jobs_of(arn) if job["jobName"] == "long"] == [ABORT]
    assert "ParallelStateFailed" in [event["type"] for event in aws.history(arn)]


def test_a_stopped_execution_is_aborted_with_its_jobs(aws: Aws) -> None:
    """Error and cause are those of the caller; the event says ABORTED."""
    arn = aws.start(_only(task(aws.definition("sleep", "60"))))
    eventually(lambda: [job for job in aws.jobs_of(arn) if job["status"] == "RUNNING"])
    aws.client("stepfunctions").stop_execution(executionArn=arn, error="Ops", cause="on request")
    execution = aws.execution(arn)
    assert execution["status"] == "ABORTED"
    assert (execution["error"], execution["cause"]) == ("Ops", "on request")
    eventually(lambda: [job for job in aws.jobs_of(arn) if job["status"] == "FAILED"])
    (job,) = aws.jobs_of(arn)
    assert job["stoppedAt"] > execution["stopDate"].timestamp() * 1000
    assert [e["type"] for e in aws.history(arn)][-2:] == ["TaskStateAborted", "ExecutionAborted"]
    statuses = [event["detail"]["status"] for event in aws.events(resource=arn)]
    assert statuses == ["RUNNING", "ABORTED"]


def test_an_execution_can_be_stopped_as_soon_as_it_is_started(aws: Aws) -> None:
    """No job of it is left running, though it may not have been submitted yet."""
    arn = aws.start(_only(task(aws.definition("sleep", "60"))))
    aws.client("stepfunctions").stop_execution(executionArn=arn)
    assert aws.execution(arn)["status"] == "ABORTED"
    assert aws.history(arn)[-1]["type"] == "ExecutionAborted"
    running = {"RUNNABLE", "STARTING", "RUNNING"}
    eventually(lambda: not running & {job["status"] for job in aws.all_jobs()})


def test_an_execution_that_lasts_too_long_times_out_with_its_jobs(aws: Aws) -> None:
    """As with --workflow-timeout."""
    arn = aws.start(_only(task(aws.definition("sleep", "60"))) | {"TimeoutSeconds": 2})
    execution = aws.until_ended(arn)
    assert execution["status"] == "TIMED_OUT"
    assert "stopDate" in execution
    eventually(lambda: [job for job in aws.jobs_of(arn) if job["status"] == "FAILED"])
    assert aws.history(arn)[-1]["type"] == "ExecutionTimedOut"
    assert aws.events(resource=arn)[-1]["detail"]["status"] == "TIMED_OUT"


def test_executions_are_listed_newest_first_with_pages(aws: Aws) -> None:
    """By status, and in pages, which is how the platform finds what it has missed."""
    machine = aws.machine(_only({"Type": "Pass"}))
    client = aws.client("stepfunctions")
    arns = [client.start_execution(stateMachineArn=machine)["executionArn"] for _ in range(3)]
    for arn in arns:
        aws.until_ended(arn)
    pages = client.get_paginator("list_executions").paginate(
        stateMachineArn=machine, statusFilter="SUCCEEDED", PaginationConfig={"PageSize": 2}
    )
    listed = [e for page in pages for e in page["executions"]]
    assert {e["executionArn"] for e in listed} == set(arns)
    assert listed == sorted(listed, key=lambda e: e["stopDate"], reverse=True)


def test_a_history_can_be_read_backwards(aws: Aws) -> None:
    """The last event first, as a reader of failures wants it."""
    arn = aws.start(_only({"Type": "Pass"}))
    aws.until_ended(arn)
    events = aws.client("stepfunctions").get_execution_history(
        executionArn=arn, reverseOrder=True, maxResults=1
    )["events"]
    assert [event["type"] for event in events] == ["ExecutionSucceeded"]
