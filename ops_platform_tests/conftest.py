"""What holds for every test: a clean environment, quick property tests, and no silent skip."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = ["ops_platform_tests.postgres_fixture", "ops_platform_tests.ledger_fixture"]

# What a developer's shell may hold and no test may depend on.
_FOREIGN = ("AWS_", "DAGSTER_", "METAFLOW_", "MOTO_", "OPS_", "PG", "SLACK_")
# Without these, a test that forgot its endpoint could find real credentials on this machine.
_NO_CREDENTIALS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
_REAL_AWS_SUITE = "contract_aws.py"

settings.register_profile("quick", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("thorough", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure(config: pytest.Config) -> None:
    """Clean the environment, except for the one suite that is meant for a real account."""
    if not any(_REAL_AWS_SUITE in argument for argument in config.args):
        _clean_environment()


def _clean_environment() -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ.update(_NO_CREDENTIALS)


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    """Take back whatever a test, or a library it used, changed in the environment."""
    before = dict(os.environ)
    yield
    # pytest's own variable names the running phase and comes and goes by itself.
    before["PYTEST_CURRENT_TEST"] = os.environ["PYTEST_CURRENT_TEST"]
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.hookimpl(trylast=True)  # after the order was shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that may take longest, so that no worker waits for another's last."""
    items.sort(key=_allowed_seconds, reverse=True)


def _allowed_seconds(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker and marker.args else 0.0


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run on CI in which anything was skipped, since there a skip only hides."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    if skipped := reporter.stats.get("skipped"):
        reporter.write_line(f"{len(skipped)} skipped: on CI every test must run.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
