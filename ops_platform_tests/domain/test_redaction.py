"""What must not reach a channel is taken out, and nothing else."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.redaction import SECRETS, redact

# Put together here, so that no scanner takes this file for a leak.
_XOXB = "xox" + "b-123456789012-abcdefghijkl"
_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
_JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
_PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEsecret\nsecret==\n"

SEEN: list[tuple[str, str, str]] = [
    ("private key", f"{_PEM}-----END RSA PRIVATE KEY----- done",
     "-----BEGIN RSA PRIVATE KEY-----[redacted] done"),
    ("private key", _PEM, "-----BEGIN RSA PRIVATE KEY-----[redacted]"),
    ("Slack token", f"post as {_XOXB}, failed", "post as xoxb-[redacted], failed"),
    ("Slack webhook", "https://hooks.slack.com/services/T0/B0/secret failed",
     "https://hooks.slack.com/services/[redacted] failed"),
    ("AWS access key", f"InvalidAccessKeyId: {_KEY}.", "InvalidAccessKeyId: AKIA[redacted]."),
    ("AWS access key", f"'{_KEY.replace('AKIA', 'ASIA')}'", "'ASIA[redacted]'"),
    ("GitHub token", "clone with ghp_" + "secretsecretsecret1", "clone with ghp_[redacted]"),
    ("web token", f"jwt {_JWT} expired", "jwt eyJ[redacted] expired"),
    ("Metaflow's headers and tokens", 'METAFLOW_SERVICE_HEADERS={"x-api-key": "secret"} x',
     "METAFLOW_SERVICE_HEADERS=[redacted] x"),
    ("Metaflow's headers and tokens", """'METAFLOW_SERVICE_HEADERS': '{"a": "secret"}', 'B': 1""",
     "'METAFLOW_SERVICE_HEADERS': [redacted], 'B': 1"),
    ("Metaflow's headers and tokens", "export METAFLOW_PRODUCTION_TOKEN=flow-0-secret && x",
     "export METAFLOW_PRODUCTION_TOKEN=[redacted] && x"),
    ("header", '{"x-api-key": "secret", "accept": "*/*"}',
     '{"x-api-key": [redacted], "accept": "*/*"}'),
    ("header", "X-Api-Key: secret", "X-Api-Key: [redacted]"),
    ("header", "Authorization: Basic c2VjcmV0", "Authorization: [redacted]"),
    ("header", "{'Authorization': 'Bearer secret.secret'}", "{'Authorization': [redacted]}"),
    ("bearer", "curl -H bearer secretsecret", "curl -H bearer [redacted]"),
    ("AWS secret", "aws secret=secret/+secret x", "aws secret=[redacted] x"),
    ("AWS secret", "AWS_SECRET_ACCESS_KEY: 'secret'", "AWS_SECRET_ACCESS_KEY: [redacted]"),
    ("AWS secret", '"aws_session_token": "secret=="', '"aws_session_token": [redacted]'),
    ("signature of a URL", "GET /x?X-Amz-Signature=secret&X-Amz-Date=1 403",
     "GET /x?X-Amz-Signature=[redacted]&X-Amz-Date=1 403"),
    ("password of a URL", "postgresql://ops:secret@db:5432/x refused",
     "postgresql://ops:[redacted]@db:5432/x refused"),
    ("password of a URL", "redis://:secret@cache", "redis://:[redacted]@cache"),
    ("assignment", "connect(host='db', password='secret pass')",
     "connect(host='db', password=[redacted])"),
    ("assignment", '{"client_secret": "secret", "a": 1}', '{"client_secret": [redacted], "a": 1}'),
    ("assignment", "DB_PASSWORD=secret;x", "DB_PASSWORD=[redacted];x"),
    ("assignment", "api_key=secret", "api_key=[redacted]"),
]  # fmt: skip

READABLE = [
    "KeyError: 'password'",
    "SyntaxError: unexpected token: ')'",
    "token = next(tokens)",
    "secret: none was set",
    "The password is wrong.",
    "s3://bucket/key: 403",
    "http://localhost:8080/x?a=b",
    "bearer of bad news",
    "2026-03-02T12:00:00 AKIA is a prefix",
    "ValueError: xox-y",
    "ana@example.com: see https://ui/F/sfn-1",
    "aws secretsmanager get-secret-value",
]


@pytest.mark.parametrize(("kind", "text", "shown"), SEEN, ids=lambda value: str(value)[:30])
def test_a_secret_is_taken_out(kind: str, text: str, shown: str) -> None:
    """What stands around it stays, so that a reader knows what was there."""
    assert kind in {secret.name for secret in SECRETS}
    assert redact(text) == shown
    assert "secret" not in shown.lower().replace("secret_", "").replace("_secret", "").replace(
        "aws secret", ""
    )


def test_each_kind_has_a_row_above() -> None:
    """One more kind is one entry there and one row here."""
    assert {kind for kind, _, _ in SEEN} == {secret.name for secret in SECRETS}


@pytest.mark.parametrize("text", READABLE)
def test_what_is_no_secret_stays(text: str) -> None:
    """An error has to be read."""
    assert redact(text) == text


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    """What was redacted once is as it is."""
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "piece",
    ["xoxb-", "://", "://a:", "eyJ", "eyJa.", "AKIA", "-----BEGIN PRIVATE KEY-----", "bearer ",
     'password="', "METAFLOW_SERVICE_HEADERS={", "x-api-key:", "aws_", "secret=", "'", "a"],
)  # fmt: skip
def test_a_hostile_text_costs_no_time(piece: str) -> None:
    """As much as we ever read of a log, of nothing but beginnings."""
    began = time.perf_counter()
    redact(piece * (64_000 // len(piece)))
    assert time.perf_counter() - began < 1
