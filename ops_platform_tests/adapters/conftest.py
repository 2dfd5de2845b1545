"""An emulated AWS account for the tests of the AWS adapters."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from ops_platform.adapters.accounts import AccountClients
from ops_platform.settings.accounts import Account


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    """Start an emulator on a free loopback port for as long as the tests run."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def emulated_account(emulator_url: str) -> Account:
    """Return the settings of an account at the emulator."""
    return Account(
        name="emulated",
        aws_account_id="123456789012",
        region="eu-west-1",
        endpoint_url=emulator_url,
        event_queue_url=f"{emulator_url}/123456789012/events",
    )


@pytest.fixture(scope="session")
def emulated(emulated_account: Account) -> AccountClients:
    """Return the clients of the emulated account."""
    return AccountClients(emulated_account)
