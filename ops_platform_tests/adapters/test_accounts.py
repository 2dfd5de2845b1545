"""Each account's clients carry that account's credentials, and keep them fresh."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.aws_session import session
from ops_platform.domain.errors import PlatformError
from ops_platform.settings.accounts import Account
from ops_platform_tests.adapters.canned_aws import Answer, Request, canned_aws

_ROLE = "arn:aws:iam::111111111111:role/ops-platform"


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide every credential this machine may have, and the service that hands out more."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def test_an_emulator_never_sees_real_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint is signed for with a dummy key, whatever the environment holds."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    with canned_aws(lambda _: Answer.of({})) as aws:
        AccountClients(aws.account).sqs.list_queues()

    (request,) = aws.requests
    assert "Credential=embedded/" in request.headers["Authorization"]
    assert "ops-platform" in request.headers["User-Agent"]


def test_a_role_is_assumed(emulated_account: Account) -> None:
    """The caller is the role, not who assumed it."""
    account = emulated_account.model_copy(
        update={"role_arn": _ROLE, "external_id": "shared-secret"}
    )

    caller = session(account).client("sts", endpoint_url=account.endpoint_url)

    arn = caller.get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::111111111111:assumed-role/ops-platform/ops-platform"


def test_a_role_is_assumed_again_before_its_credentials_expire() -> None:
    """A code server runs for weeks; a role's credentials last an hour."""
    assumed: list[str] = []

    def answer(request: Request) -> Answer:
        if "Action=AssumeRole" not in request.text:
            return Answer.of({})
        assumed.append(request.text)
        return _role_credentials(f"KEY{len(assumed)}", lasting=timedelta(minutes=5))

    with canned_aws(answer) as aws:
        clients = AccountClients(
            aws.account.model_copy(update={"role_arn": _ROLE, "external_id": "shared-secret"})
        )
        clients.sqs.list_queues()
        clients.sqs.list_queues()

    assert all("ExternalId=shared-secret" in text for text in assumed)
    signed = [it.headers["Authorization"] for it in aws.requests if it.text not in assumed]
    assert ["KEY1" in signed[0], "KEY2" in signed[1]] == [True, True]


@pytest.mark.usefixtures("no_credentials")
def test_a_profile_is_used_as_it_is_and_may_assume_a_role(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform's own credentials may be a profile's too; they assume the role."""
    (tmp_path / "credentials").write_text(
        "[ops]\naws_access_key_id = OPSKEY\naws_secret_access_key = secret\n"
    )
    with canned_aws(lambda _: _role_credentials("ROLEKEY", lasting=timedelta(hours=1))) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        account = aws.account.model_copy(update={"endpoint_url": None})
        AccountClients(account.model_copy(update={"profile": "ops"})).sqs.list_queues()
        monkeypatch.setenv("AWS_PROFILE", "ops")
        AccountClients(account.model_copy(update={"role_arn": _ROLE})).sqs.list_queues()

    signed = [it.headers["Authorization"].split("=")[1].split("/")[0] for it in aws.requests]
    assert signed == ["OPSKEY", "OPSKEY", "ROLEKEY"]


def test_a_client_is_made_once(emulated_account: Account) -> None:
    """Making one reads and parses the service's description, which takes a while."""
    clients = AccountClients(emulated_account)

    assert clients.sqs is clients.sqs
    assert clients.logs is clients.logs
    assert clients.step_functions is clients.step_functions


def test_a_missing_profile_is_a_clear_error(emulated_account: Account) -> None:
    """It names the account and where to look."""
    account = emulated_account.model_copy(
        update={"endpoint_url": None, "profile": "no-such-profile"}
    )

    with pytest.raises(PlatformError, match=r"'emulated'.*no-such-profile.*profile"):
        _ = AccountClients(account).sqs


@pytest.mark.usefixtures("no_credentials")
def test_no_credentials_to_assume_a_role_with_is_a_clear_error(emulated_account: Account) -> None:
    """It says what to do about it."""
    account = emulated_account.model_copy(update={"endpoint_url": None, "role_arn": _ROLE})

    with pytest.raises(AwsError, match="AWS_PROFILE"):
        _ = AccountClients(account).sqs


def test_importing_the_adapters_does_not_import_boto3() -> None:
    """Loading the code location must not pay for it."""
    adapters = ("accounts", "logs", "sqs", "step_functions")
    imports = "".join(f"import ops_platform.adapters.{name}\n" for name in adapters)
    check = f"import sys\n{imports}sys.exit('botocore' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def _role_credentials(key: str, *, lasting: timedelta) -> Answer:
    expires = datetime.now(UTC) + lasting
    return Answer(
        "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
        f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
        f"<SessionToken>t</SessionToken><Expiration>{expires.isoformat()}</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
