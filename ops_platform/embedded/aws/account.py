"""An emulated AWS account as seen from outside: its names, its addresses, how to start it.

Nothing here imports moto, so that the command line can start an account in a process of its own.
"""

import http.client
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops_platform.settings.edition import ACCOUNTS, REGION

EVENT_QUEUE = "ops-platform-events"
EVENT_DEAD_LETTER_QUEUE = f"{EVENT_QUEUE}-dead-letter"
FORWARDING_STACK = "ops-platform-event-forwarding"
METAFLOW_BUCKET = "metaflow"
READY_PATH = "/ops-platform/account"
"""Where an account says its id once it is provisioned."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded"}


@dataclass(frozen=True, slots=True)
class EmbeddedAccount:
    """One emulated AWS account: a process of its own on a loopback port."""

    name: str
    account_id: str
    port: int
    region: str = REGION

    @property
    def endpoint_url(self) -> str:
        """The address every AWS client of this account talks to."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def event_queue_url(self) -> str:
        """The SQS queue that EventBridge forwards this account's events into."""
        return f"{self.endpoint_url}/{self.account_id}/{EVENT_QUEUE}"

    @property
    def dead_letter_queue_url(self) -> str:
        """The SQS queue for events that could not be handled."""
        return f"{self.endpoint_url}/{self.account_id}/{EVENT_DEAD_LETTER_QUEUE}"

    @property
    def dynamodb_table(self) -> str:
        """The table in which Metaflow keeps the width of a foreach."""
        return f"metaflow-{self.name}"

    def role_arn(self, role: str = "metaflow") -> str:
        """Return the ARN of a role of this account."""
        return f"arn:aws:iam::{self.account_id}:role/{role}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which any AWS client, and the AWS CLI, reaches this account."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }


def metadata_folder(folder: Path) -> Path:
    """Return where tasks and clients keep Metaflow's metadata, in the folder of the accounts."""
    return folder / "metaflow"


def staging(port: int) -> EmbeddedAccount:
    """Return the staging account of the embedded edition."""
    return EmbeddedAccount("staging", ACCOUNTS["staging"], port)


def production(port: int) -> EmbeddedAccount:
    """Return the production account, which owns Metaflow's shared datastore."""
    return EmbeddedAccount("production", ACCOUNTS["production"], port)


def command(
    account: EmbeddedAccount,
    folder: Path,
    *,
    shared_s3: str | None = None,
    parent: int | None = None,
    timing: Mapping[str, float] | None = None,
) -> list[str]:
    """Return the command line that runs an account in the foreground.

    Args:
        account: The account to emulate.
        folder: Where its jobs have their working folders and Metaflow its local metadata; it may
            be shared by the accounts.
        shared_s3: The endpoint of the account that owns the shared datastore; None if this one
            does.
        parent: The process id without which the account ends itself; by default that of the
            process that starts the command.
        timing: Seconds by the names of ``timing.Timing``, where they are to differ.
    """
    line = [sys.executable, "-m", "ops_platform.embedded.aws"]
    line += ["--name", account.name, "--account", account.account_id]
    line += ["--port", str(account.port), "--folder", str(folder)]
    line += ["--shared-s3", shared_s3] if shared_s3 else []
    line += ["--parent", str(parent)] if parent else []
    for name, seconds in (timing or {}).items():
        line += ["--timing", f"{name}={seconds}"]
    return line


def is_ready(account: EmbeddedAccount) -> bool:
    """Tell whether this very account answers on its port."""
    connection = http.client.HTTPConnection("127.0.0.1", account.port, timeout=2)
    try:
        connection.request("GET", READY_PATH)
        return connection.getresponse().read() == account.account_id.encode()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
