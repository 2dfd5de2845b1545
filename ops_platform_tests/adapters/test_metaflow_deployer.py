"""Metaflow's deployment in a process of its own: what it is given, how it ends, what is told."""

import sys
import time
from pathlib import Path

import pytest

from ops_platform.adapters.metaflow_deployer import DeployedFlow, MetaflowDeployer
from ops_platform.domain.errors import PlatformError


def test_metaflows_refusal_is_told(tmp_path: Path) -> None:
    """Without what a flow itself printed."""
    (tmp_path / "flow.py").write_text("print('noise')\nraise ValueError('no')\n")
    flow = DeployedFlow(folder=str(tmp_path), flow="flow.py", python=sys.executable)
    deployer = MetaflowDeployer(flow, {"METAFLOW_SFN_IAM_ROLE": "arn:role"})
    with pytest.raises(PlatformError, match=r"did not deploy flow\.py: ValueError: no"):
        deployer.prepare()


def test_a_refusal_is_told_without_credentials(tmp_path: Path) -> None:
    """It goes on record, and a flow's exception may name them."""
    (tmp_path / "flow.py").write_text(
        "import os\nraise ValueError(os.environ['AWS_SECRET_ACCESS_KEY'] + ' is no good')\n"
    )
    flow = DeployedFlow(folder=str(tmp_path), flow="flow.py", python=sys.executable)
    environment = {"METAFLOW_SFN_IAM_ROLE": "arn:role", "AWS_SECRET_ACCESS_KEY": "wJalr"}
    with pytest.raises(PlatformError, match=r"ValueError: \*\*\* is no good"):
        MetaflowDeployer(flow, environment).prepare()


def test_a_deployment_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """With all that it started."""
    (tmp_path / "flow.py").write_text("import os, time\nos.fork()\ntime.sleep(60)\n")
    flow = DeployedFlow(folder=str(tmp_path), flow="flow.py", python=sys.executable)
    environment = {"METAFLOW_SFN_IAM_ROLE": "arn:role"}
    with pytest.raises(PlatformError, match="within 1 s"):
        MetaflowDeployer(flow, environment, seconds=1.0).deploy()


def test_without_a_role_nothing_is_deployed(tmp_path: Path) -> None:
    """Metaflow would end with a traceback."""
    flow = DeployedFlow(folder=str(tmp_path), flow="flow.py", python=sys.executable)
    with pytest.raises(PlatformError, match="METAFLOW_SFN_IAM_ROLE is not set"):
        MetaflowDeployer(flow, {})


def test_only_what_it_is_given_goes_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the platform's environment."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    (tmp_path / "flow.py").write_text("import os\nprint(sorted(os.environ))\n")
    flow = DeployedFlow(folder=str(tmp_path), flow="flow.py", python=sys.executable)
    printed = MetaflowDeployer(flow, {"METAFLOW_SFN_IAM_ROLE": "arn:role"}).prepare()
    assert "SLACK_BOT_TOKEN" not in printed
    assert "METAFLOW_SFN_IAM_ROLE" in printed


def test_nothing_that_a_deployment_started_outlives_it(tmp_path: Path) -> None:
    """It has production's credentials in its environment."""
    child = "import os, time; os.close(1); os.close(2); time.sleep(60)"
    (tmp_path / "flow.py").write_text(
        "import subprocess, sys\n"
        f"done = subprocess.Popen([sys.executable, '-c', {child!r}], stderr=subprocess.DEVNULL,"
        " stdout=subprocess.DEVNULL)\nprint(done.pid)\n"
    )
    flow = DeployedFlow(folder=str(tmp_path), flow="flow.py", python=sys.executable)
    printed = MetaflowDeployer(flow, {"METAFLOW_SFN_IAM_ROLE": "arn:role"}).prepare()
    deadline = time.monotonic() + 5
    while _runs(int(printed)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(int(printed))


def _runs(pid: int) -> bool:
    """Tell whether a process is there, and is no mere entry that waits to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
