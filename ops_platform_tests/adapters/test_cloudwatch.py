"""What becomes of a request when CloudWatch has a bad day."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_patience import PatientCaller
from ops_platform.adapters.cloudwatch import CloudWatch
from ops_platform.domain.cloudwatch_ports import Took
from ops_platform.domain.metric_data import Datum
from ops_platform.settings.accounts import Account
from ops_platform_tests.adapters.canned_aws import Answer, canned_aws

_DATUM = Datum("m", (), datetime(2026, 3, 2, 9, tzinfo=UTC), "Count", (1.0,), (1.0,))


def _cloudwatch(account: Account) -> CloudWatch:
    return CloudWatch(AccountClients(account).cloudwatch, PatientCaller(sleep=lambda _: None))


@pytest.mark.parametrize(
    ("status", "code", "took"),
    [
        (400, "InvalidParameterValue", Took.REFUSED),
        (400, "Throttling", Took.REFUSED),
        (403, "AccessDenied", Took.REFUSED),
        (500, "InternalServiceError", Took.UNCLEAR),
        (503, "ServiceUnavailable", Took.UNCLEAR),
    ],
)
def test_only_what_aws_refuses_was_surely_not_taken(status: int, code: str, took: Took) -> None:
    """And a request is never repeated by itself: what arrives twice counts twice."""
    with canned_aws(lambda _: Answer.error(code, status=status)) as aws:
        receipt = _cloudwatch(aws.account).send("N", [_DATUM])

        assert receipt.took is took
        assert len(aws.requests) == 1
    assert "Could not send metrics to N" in receipt.error


def test_where_nobody_listens_nothing_was_taken() -> None:
    """It can be sent again at once."""
    account = Account(
        name="gone", aws_account_id="123456789012", region="eu-west-1",
        endpoint_url="http://127.0.0.1:1",
    )  # fmt: skip

    assert _cloudwatch(account).send("N", [_DATUM]).took is Took.REFUSED


class _Refusing:
    """A client that refuses dashboards as AWS's model says."""

    def put_dashboard(self, **_: Any) -> Mapping[str, Any]:
        """Refuse."""
        wrong = {"DataPath": "/widgets/0", "Message": "Should match exactly one schema"}
        answer: Any = {
            "Error": {"Code": "InvalidParameterInput", "Message": "The dashboard is invalid"},
            "dashboardValidationMessages": [wrong],
        }
        raise ClientError(answer, "PutDashboard")

    get_dashboard = put_metric_data = get_metric_statistics = put_dashboard


def test_what_cloudwatch_says_of_a_refused_dashboard_is_told() -> None:
    """Where in it, and what is wrong there."""
    with pytest.raises(AwsError) as raised:
        CloudWatch(_Refusing()).put_dashboard("d", "{}")

    assert str(raised.value) == (
        "Could not put the dashboard d: /widgets/0: Should match exactly one schema"
    )
