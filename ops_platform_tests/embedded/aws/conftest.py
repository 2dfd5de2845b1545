"""One running account for the tests of a worker, and an empty queue for each test."""

from collections.abc import Iterator

import pytest

from ops_platform_tests.embedded.aws.accounts import Aws, running, staging_on_free_port


@pytest.fixture(scope="session")
def shared_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """A running staging account that owns its datastore."""
    account = staging_on_free_port()
    folder = tmp_path_factory.mktemp("aws")
    with running(account, folder):
        yield Aws(account, folder)


@pytest.fixture
def aws(shared_aws: Aws) -> Iterator[Aws]:
    """The account, in which no job of an earlier test is left."""
    yield shared_aws
    shared_aws.end_jobs()
