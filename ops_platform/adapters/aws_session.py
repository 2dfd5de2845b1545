"""Sessions of boto3 whose credentials renew themselves. Imported only where a call is made."""

from functools import partial
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
)

from ops_platform.adapters.aws_errors import AwsError

if TYPE_CHECKING:
    from ops_platform.settings.accounts import Account

_SESSION_NAME = "ops-platform"
# An emulator wants a signature but does not check it, and must never see a real key.
_EMULATOR_KEY = "embedded"

CLIENT_CONFIG = Config(
    connect_timeout=3,
    # Above the queue's long poll; three attempts stay below a sensor's timeout of 60 seconds.
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 3},
    # As many as the queue adapter has threads, and some for the other services.
    max_pool_connections=16,
    user_agent_extra="ops-platform",
)

ONE_ATTEMPT = Config(retries={"mode": "standard", "total_max_attempts": 1})
"""What a client differs in whose calls must not be repeated where the answer was lost."""


def session(account: "Account") -> boto3.Session:
    """Return a session with the account's credentials: its role, profile, emulator or the default.

    A role is assumed with the platform's own credentials when the first call is made, and again
    before its credentials expire.
    """
    core = botocore.session.Session(profile=account.profile)
    if account.endpoint_url:
        core.set_credentials(_EMULATOR_KEY, _EMULATOR_KEY)
    if account.role_arn:
        source, core = core, botocore.session.Session()
        provider = _AssumedRole(account, source)
        core.register_component("credential_provider", CredentialResolver([provider]))
    core.set_default_client_config(CLIENT_CONFIG)
    return boto3.Session(botocore_session=core, region_name=account.region)


class _AssumedRole(CredentialProvider):
    """Hands botocore the credentials of the account's role, which botocore then keeps fresh."""

    METHOD = "assume-role"

    def __init__(self, account: "Account", source: botocore.session.Session) -> None:
        super().__init__(source)
        self._account = account

    def load(self) -> DeferredRefreshableCredentials:
        """Return credentials that are fetched when first used and again before they expire."""
        account, credentials = self._account, self.session.get_credentials()
        if credentials is None:
            raise AwsError(
                f"No AWS credentials to assume {account.role_arn} with, for account"
                f" '{account.name}'. Run the platform under an IAM role of its own, or set"
                " AWS_PROFILE.",
                code="NoCredentialsError",
            )
        extra = {"RoleSessionName": _SESSION_NAME, "ExternalId": account.external_id}
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=partial(
                self.session.create_client,
                region_name=account.region,
                endpoint_url=account.endpoint_url,
                config=CLIENT_CONFIG,
            ),
            source_credentials=credentials,
            role_arn=str(account.role_arn),
            extra_args={key: value for key, value in extra.items() if value},
        )
        return DeferredRefreshableCredentials(fetcher.fetch_credentials, self.METHOD)
