"""Strategies: envelopes that hold whatever JSON can hold, most of them parseable."""

import json
from typing import Any

from hypothesis import strategies as st

KINDS = (
    "Batch Job State Change",
    "Batch Job Queue Blocked",
    "Step Functions Execution Status Change",
    "ECS Container Instance State Change",
)
# The longest key there may be, of letters that take four bytes and do not compress.
LONG = "".join(chr(0x1F300 + (at * 7919) % 0x2F0) for at in range(508))

texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\\u0000",
            "a\tb\nc\rd\\N",
            "\\.",
            "<!channel> `x` *y*",
            LONG,
            "🧨" * 3000,
            "\u202e\ufeff\uffff",
            '{"StatusReason": "\\u0000"}',
            "{" * 2000,
            "sfn-",
            "half \ud83d a pair",
        ]
    ),
)
keys = st.one_of(st.text(min_size=1, max_size=20), st.sampled_from([LONG, "\x00", "a'; --", "%s"]))
states = st.sampled_from(["RUNNABLE", "STARTING", "FAILED", "SUCCEEDED", "ABORTED", "", "NEW"])
counts = st.sampled_from([0, 1, -1, 137, 2**31 - 1, -(2**31)])
amounts = st.sampled_from(["1", "0.25", "nan", "inf", "-1", "1e400", "9" * 30, "1_0", "x", ""])
millis = st.one_of(st.none(), st.sampled_from([0, 1, 1_772_452_800_000, 253_402_300_799_000]))
times = st.sampled_from(
    [
        "2026-03-02T12:00:00Z",
        "1970-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
        "2026-03-02T23:59:59.999999999+05:45",
    ]
)


def _maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


containers = _maybe(
    exitCode=counts,
    reason=texts,
    logStreamName=texts,
    containerInstanceArn=texts,
    vcpus=counts,
    memory=counts,
    resourceRequirements=st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["VCPU", "MEMORY", "GPU"]), "value": amounts}
        ),
        max_size=3,
    ),
)
attempts = _maybe(container=containers, startedAt=millis, stoppedAt=millis, statusReason=texts)
parameters = st.dictionaries(
    st.sampled_from(
        [f"metaflow.{key}" for key in ("owner", "user", "flow_name", "task_id", "retry_count")]
    ),
    texts,
).flatmap(lambda known: st.sampled_from([known, known | {"metaflow.run_id": "run"}]))
details = st.fixed_dictionaries(
    {
        "jobId": keys,
        "jobName": texts,
        "jobQueue": texts,
        "status": states,
        "executionArn": keys,
        "stateMachineArn": keys,
        "name": st.one_of(keys, st.just("run")),
        "containerInstanceArn": keys,
        "clusterArn": texts,
    },
    optional={
        "jobDefinition": texts,
        "statusReason": texts,
        "createdAt": millis,
        "startedAt": millis,
        "stoppedAt": millis,
        "attempts": st.lists(attempts, max_size=3),
        "container": containers,
        "parameters": parameters,
        "arrayProperties": _maybe(size=counts),
        "isCancelled": st.booleans(),
        "startDate": millis,
        "stopDate": millis,
        "redriveDate": millis,
        "error": texts,
        "cause": texts,
        "input": st.sampled_from(['{"Parameters": "{}"}', "\x00", "{"]),
        "version": counts,
        "ec2InstanceId": texts,
        "attributes": st.lists(
            st.fixed_dictionaries({"name": st.just("ecs.instance-type"), "value": texts})
        ),
        "registeredResources": st.lists(
            st.fixed_dictionaries({"name": st.just("CPU"), "integerValue": counts})
        ),
    },
)
envelopes = st.fixed_dictionaries(
    {
        "id": keys,
        "detail-type": st.sampled_from(KINDS),
        "time": times,
        "account": st.sampled_from(["111111111111", "222222222222", "999999999999"]),
        "region": texts,
        "detail": details,
    }
).map(lambda envelope: json.dumps(envelope).encode())

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
