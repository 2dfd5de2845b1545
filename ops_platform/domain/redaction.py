"""Tokens and passwords taken out of foreign text before it is kept or shown.

One entry of ``SECRETS`` is one kind. Each begins at a fixed word and is bounded, so that no text
takes long; what only looks a little like a secret is left alone, since the text has to be read.
"""

import re
from dataclasses import dataclass

REDACTED = "[redacted]"
# A value as a shell, JSON or Python shows it: quoted, or up to the next blank or mark.
_VALUE = r"""(?:\[redacted\]|"[^"\n]{1,4096}"|'[^'\n]{1,4096}'|[^\s"',;}\])&]{1,4096})"""
_IS = r"""\\?["']?\s{0,3}[:=]\s{0,3}\\?"""


@dataclass(frozen=True, slots=True)
class Secret:
    """A kind of secret; what ``shape`` captures as ``kept`` stays, to tell what was there."""

    name: str
    shape: re.Pattern[str]


SECRETS = (
    Secret("private key", re.compile(
        r"(?P<kept>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[^-]{1,16384}"
        r"(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?"
    )),
    Secret("Slack token", re.compile(r"(?P<kept>\bxox[a-z]-|\bxapp-)[\w.-]{4,512}")),
    Secret("Slack webhook", re.compile(
        r"(?P<kept>\bhooks\.slack\.com/(?:services|workflows|triggers)/)[\w/-]{1,256}"
    )),
    Secret("AWS access key", re.compile(r"(?P<kept>\b(?:AKIA|ASIA))[A-Z0-9]{12,28}\b")),
    Secret("GitHub token", re.compile(r"(?P<kept>\b(?:gh[opsur]|github_pat)_)\w{16,255}")),
    Secret("web token", re.compile(
        r"(?P<kept>\beyJ)[\w-]{8,4096}\.[\w-]{2,8192}(?:\.[\w-]{0,4096})?"
    )),
    Secret("Metaflow's headers and tokens", re.compile(
        rf"(?P<kept>\b(?:METAFLOW_SERVICE_HEADERS|METAFLOW_SERVICE_AUTH_KEY"
        rf"|METAFLOW_PRODUCTION_TOKEN|metaflow\.production_token){_IS})"
        rf"(?:['\"]?\{{[^}}\n]{{0,4096}}\}}?['\"]?|{_VALUE})"
    )),
    Secret("header", re.compile(
        rf"(?P<kept>(?i:\b(?:x-api-key|x-amz-security-token|private-token|proxy-authorization"
        rf"|set-cookie|authorization)){_IS})(?:(?i:bearer|basic|token)\s{{1,3}})?{_VALUE}"
    )),
    Secret("bearer", re.compile(r"(?P<kept>(?i:\bbearer)\s{1,3})[\w.~+/=-]{8,4096}")),
    Secret("AWS secret", re.compile(
        rf"(?P<kept>(?i:\baws[_ -]?(?:secret[_ -]?access[_ -]?key|secret[_ -]?key|secret"
        rf"|session[_ -]?token)){_IS}){_VALUE}"
    )),
    Secret("signature of a URL", re.compile(
        r"(?P<kept>\bX-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"'<>]{1,4096}"
    )),
    Secret("password of a URL", re.compile(
        r"(?P<kept>://[^\s:/@\"']{0,128}:)[^\s@/\"']{1,512}(?=@)"
    )),
    Secret("assignment", re.compile(
        rf"(?P<kept>(?i:(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key"
        rf"|secret[_-]?key|client[_-]?secret|private[_-]?key|(?:auth|access|refresh|api|bearer)[_-]?token))"
        rf"(?:=|\\?[\"']\s{{0,3}}[:=]\s{{0,3}}\\?)){_VALUE}"
    )),
)  # fmt: skip


def redact(text: str) -> str:
    """Return the text with ``[redacted]`` in the place of each secret that can be recognised."""
    for secret in SECRETS:
        text = secret.shape.sub(rf"\g<kept>{REDACTED}", text)
    return text
