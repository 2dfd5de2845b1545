"""One running account for the tests of a worker, and an empty queue for each test."""

from collections.abc import Iterator

import pytest

from ops_platform.embedded.aws.shortages import LACKS_VARIABLE, MUTE_VARIABLE
from ops_platform_tests.embedded.aws.accounts import Aws, running, staging_on_free_port
from ops_platform_tests.embedded.aws.queue_plans import LACKING, MUTE


@pytest.fixture(scope="session")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A running staging account that owns its datastore."""
    account = staging_on_free_port()
    folder = tmp_path_factory.mktemp("aws")
    troubles = {LACKS_VARIABLE: LACKING, MUTE_VARIABLE: MUTE}
    with running(account, folder, environment=troubles):
        yield Aws(account, folder)


@pytest.fixture
def aws(shared_aws: Aws) -> Iterator[Aws]:
    """The account, in which no job of an earlier test is left."""
    yield shared_aws
    shared_aws.end_jobs()
