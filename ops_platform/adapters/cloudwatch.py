"""CloudWatch: dashboards, and custom metrics that are sent once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.domain.cloudwatch_ports import Receipt, Took
from ops_platform.domain.metric_data import Datum

_HOUR = timedelta(hours=1)
_NOT_THERE = "ResourceNotFound"
# Nothing reached CloudWatch. A timeout or a connection that broke later tells nothing.
_NOT_SENT = frozenset(
    {"ConnectTimeoutError", "EndpointConnectionError", "NoCredentialsError", "ParamValidationError"}
)


class CloudWatchClient(Protocol):
    """What we use of boto3's client of CloudWatch; it must not repeat a call by itself."""

    def get_dashboard(self, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Return a dashboard."""
        ...

    def put_dashboard(self, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Put a dashboard."""
        ...

    def put_metric_data(self, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Take data."""
        ...

    def get_metric_statistics(self, **arguments: Any) -> Mapping[str, Any]:  # noqa: ANN401
        """Return statistics of a series."""
        ...


class CloudWatch:
    """The API of CloudWatch; fulfils `DashboardStore` and `MetricSink`."""

    def __init__(self, client: CloudWatchClient, caller: PatientCaller | None = None) -> None:
        self._client = client
        self._caller = caller or PatientCaller()

    def dashboard(self, name: str) -> str | None:
        """Return a dashboard's JSON, None if there is none."""
        try:
            answer = self._caller.call(
                "GetDashboard",
                f"read the dashboard {name}",
                self._client.get_dashboard,
                DashboardName=name,
            )
        except AwsError as error:
            if _NOT_THERE not in error.code:
                raise
            return None
        return str(answer["DashboardBody"])

    def put_dashboard(self, name: str, body: str) -> list[str]:
        """Put a dashboard in place of what has its name; return what CloudWatch warns of."""
        doing = f"put the dashboard {name}"
        try:
            answer = self._caller.call(
                "PutDashboard",
                doing,
                self._client.put_dashboard,
                DashboardName=name,
                DashboardBody=body,
            )
        except AwsError as error:
            told = _messages(getattr(error.__cause__, "response", {}))
            if not told:
                raise
            raise AwsError(f"Could not {doing}: {' '.join(told)}", code=error.code) from error
        return _messages(answer)

    def send(self, namespace: str, data: Sequence[Datum]) -> Receipt:
        """Send data once, all or nothing."""
        try:
            with explained(f"send metrics to {namespace}"):
                self._client.put_metric_data(
                    Namespace=namespace, MetricData=[datum.for_aws() for datum in data]
                )
        except AwsError as error:
            return Receipt(_what_became(error), str(error))
        return Receipt(Took.TAKEN)

    def has(self, namespace: str, datum: Datum) -> bool:
        """Tell whether there is any sample of the datum's series in its hour."""
        series = datum.for_aws()
        answer = self._caller.call(
            "GetMetricStatistics",
            f"see whether {namespace} has {datum.metric}",
            self._client.get_metric_statistics,
            Namespace=namespace,
            MetricName=series["MetricName"],
            Dimensions=series["Dimensions"],
            StartTime=datum.hour,
            EndTime=datum.hour + _HOUR,
            Period=int(_HOUR.total_seconds()),
            Statistics=["SampleCount"],
        )
        return bool(answer["Datapoints"])


def _what_became(error: AwsError) -> Took:
    """Tell what an error means: AWS has answered and refused, or nobody knows."""
    response = getattr(error.__cause__, "response", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    is_refused = 400 <= status < 500  # noqa: PLR2004 (HTTP's own numbers)
    return Took.REFUSED if is_refused or error.code in _NOT_SENT else Took.UNCLEAR


def _messages(answer: Mapping[str, Any]) -> list[str]:
    """Return what CloudWatch says of a dashboard's parts; of an error it writes the key small."""
    key = "ashboardValidationMessages"
    found: Iterable[Mapping[str, Any]] = answer.get(f"D{key}") or answer.get(f"d{key}") or []
    return [f"{each.get('DataPath', '')}: {each.get('Message', '')}".strip(": ") for each in found]
