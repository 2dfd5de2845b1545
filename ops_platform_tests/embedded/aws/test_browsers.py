"""Web sites must not reach the emulated AWS, where a job is a process on this machine."""

import http.client
from http import HTTPStatus

import pytest

from ops_platform_tests.embedded.aws.accounts import Aws

SIGNED_FOR_BATCH = (
    "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/batch/aws4_request,"
    " SignedHeaders=host, Signature=x"
)


def _ask(aws: Aws, method: str, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", aws.account.port, timeout=5)
    try:
        connection.request(method, path, body="{}" if method != "GET" else None, headers=headers)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
@pytest.mark.parametrize("sent", ["Origin", "Sec-Fetch-Site"])
def test_a_page_in_a_browser_is_refused(aws: Aws, method: str, sent: str) -> None:
    """Neither a request nor the question whether one would be allowed gets through."""
    headers = {"Authorization": SIGNED_FOR_BATCH, sent: "https://example.org"}

    answer = _ask(aws, method, "/v1/describejobqueues", headers)

    assert answer.status == HTTPStatus.FORBIDDEN
    assert answer.getheader("Access-Control-Allow-Origin") is None


def test_a_program_is_answered(aws: Aws) -> None:
    """The same request, without what only browsers send."""
    answer = _ask(aws, "POST", "/v1/describejobqueues", {"Authorization": SIGNED_FOR_BATCH})

    assert answer.status == HTTPStatus.OK
