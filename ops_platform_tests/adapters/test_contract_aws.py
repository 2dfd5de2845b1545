"""The suite for real accounts stays runnable, although it is not run here against one."""

import os
import subprocess
import sys
from pathlib import Path

from ops_platform.adapters.accounts import AccountClients
from ops_platform_tests.adapters.aws_worlds import StepFunctionsWorld, logs_world, sqs_world

_SUITE = Path(__file__).with_name("contract_aws.py")
_SERIAL = ("-p", "no:xdist", "-p", "no:cacheprovider", "-q")


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("OPS_CONTRACT")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *_SERIAL, *arguments, str(_SUITE)],
        env={**clean, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_read_only_suite_passes_on_an_emulator(
    emulated: AccountClients, emulator_url: str
) -> None:
    """With every variable set as the document says."""
    machines = StepFunctionsWorld(emulated.step_functions)
    with sqs_world(emulated, patience=0) as queue, logs_world(emulated) as logs:
        logs.write("job/default/1", ["hello"])
        done = _run(
            OPS_CONTRACT_ENDPOINT_URL=emulator_url,
            OPS_CONTRACT_STATE_MACHINE_ARN=machines.deploy_flow(flow="TrainFlow", owner="ana"),
            OPS_CONTRACT_QUEUE_URL=queue.url,
            OPS_CONTRACT_LOG_GROUP=logs.log_group,
            OPS_CONTRACT_LOG_STREAM="job/default/1",
        )

    assert "17 passed" in done.stdout, done.stdout


def test_a_missing_variable_is_named() -> None:
    """It fails, for a skipped test would look like a passed one."""
    done = _run()

    assert done.returncode == 1
    assert "Set OPS_CONTRACT_STATE_MACHINE_ARN" in done.stdout
    assert "skipped" not in done.stdout


def test_writing_must_be_asked_for() -> None:
    """Only then are the tests that create queues collected."""
    reading = _run("--collect-only")
    writing = _run("--collect-only", OPS_CONTRACT_WRITE="1")

    assert "TestRealQueue" not in reading.stdout
    assert "TestRealQueue" in writing.stdout
