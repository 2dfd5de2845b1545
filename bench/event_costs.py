"""What AWS asks for an event on its way to a number, in the reference design and here.

The reference is AWS's sample for monitoring Batch: for each event an Express workflow of six states
that looks into DynamoDB and writes to SQS, from which a Lambda function takes one message a call
and writes a line of metrics to CloudWatch Logs. Here EventBridge gives the event to SQS, which
gives ten at once to who asks; the computing is on machines that are there for other reasons.
List prices of us-east-1 as of March 2026, in US dollars, without free tiers. Assumed are 200 ms
and 64 MB of a workflow, 100 ms and 128 MB of a call, and a line of 1 KB; EventBridge takes nothing
for AWS's own events, and neither design has its metrics' monthly price in here.
"""

from collections.abc import Iterator

from bench.results import Result

_MILLION = 1_000_000
_EXPRESS_REQUEST = 1.00 / _MILLION
_EXPRESS_GB_SECOND = 0.00001667
_STANDARD_TRANSITION = 25.00 / _MILLION
_LAMBDA_REQUEST = 0.20 / _MILLION
_LAMBDA_GB_SECOND = 0.0000166667
_SQS_REQUEST = 0.40 / _MILLION
_DYNAMODB_READ = 0.125 / _MILLION / 2  # eventually consistent: half a unit
_LOG_GB = 0.50

_TRANSITIONS = 6
_EXPRESS = _EXPRESS_REQUEST + 0.2 * 64 / 1024 * _EXPRESS_GB_SECOND
_STANDARD = _TRANSITIONS * _STANDARD_TRANSITION
_CALL = _LAMBDA_REQUEST + 0.1 * 128 / 1024 * _LAMBDA_GB_SECOND
_BESIDE = _CALL + 3 * _SQS_REQUEST + _DYNAMODB_READ + _LOG_GB / 1024**2
_OURS = (1 + 0.1 + 0.1) * _SQS_REQUEST  # sent alone; received and deleted by tens


def event_costs() -> Iterator[Result]:
    """Tell the price of a million events."""
    yield Result(
        name="(d) a million events here: 1.2 requests of SQS each",
        measured=_dollars(_OURS),
    )
    yield Result(
        name="(d) as the reference has it: an Express workflow, one Lambda call, SQS, DynamoDB",
        measured=f"{_dollars(_EXPRESS + _BESIDE)}, {(_EXPRESS + _BESIDE) / _OURS:.0f} times ours",
    )
    yield Result(
        name="(d) of that the workflow and the call alone",
        measured=f"{_dollars(_EXPRESS)} and {_dollars(_CALL)}",
    )
    yield Result(
        name="(d) the same with a Standard workflow of six state transitions",
        measured=f"{_dollars(_STANDARD + _BESIDE)}, {(_STANDARD + _BESIDE) / _OURS:.0f} times ours",
    )


def _dollars(an_event: float) -> str:
    return f"{an_event * _MILLION:.2f} USD"
