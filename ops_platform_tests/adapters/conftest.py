"""An emulated AWS account, and a Slack inbox, for the tests of the adapters."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.slack import SlackNotifier
from ops_platform.embedded.aws.account import staging
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.settings.accounts import Account
from ops_platform_tests.adapters.slack_world import notifier_at, patient_inbox
from ops_platform_tests.embedded.aws.accounts import free_port, running


@pytest.fixture(scope="session")
def emulated_account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Run an account of the embedded edition for as long as the tests run."""
    account = staging(free_port())
    with running(account, tmp_path_factory.mktemp("account")):
        yield Account(
            name="emulated",
            aws_account_id=account.account_id,
            region=account.region,
            endpoint_url=account.endpoint_url,
            event_queue_url=account.event_queue_url,
        )


@pytest.fixture(scope="session")
def emulator_url(emulated_account: Account) -> str:
    """Return the address the account answers at."""
    return str(emulated_account.endpoint_url)


@pytest.fixture(scope="session")
def emulated(emulated_account: Account) -> AccountClients:
    """Return the clients of the emulated account."""
    return AccountClients(emulated_account)


@pytest.fixture
def inbox() -> Iterator[SlackInbox]:
    """Run an inbox."""
    with patient_inbox() as running:
        yield running


@pytest.fixture
def notifier(inbox: SlackInbox) -> SlackNotifier:
    """Return a notifier for it."""
    return notifier_at(inbox.api_url)
