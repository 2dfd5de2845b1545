"""The demo: four flows, deployed and triggered with stock Metaflow, as a user would."""

import sys
from dataclasses import dataclass
from pathlib import Path

from ops_platform.embedded.aws.account import EmbeddedAccount
from ops_platform.embedded.metaflow_environment import metaflow_environment
from ops_platform.embedded.processes import Program
from ops_platform.embedded.up import Edition, Progress

FLOWS = Path(__file__).with_name("flows")
# What a user would type, twice.
_CREATE_AND_TRIGGER = """
set -e
flow=$1 branch=$2; shift 2
"$flow_python" "$flow" $branch step-functions create
"$flow_python" "$flow" $branch step-functions trigger "$@"
"""
# Whoever comes once the simulation's job waits stands behind it.
_AFTER_THE_BLOCKER = """
"$flow_python" -m ops_platform.embedded.demo.await_blocked stuck || exit
"""
_DEPLOYED_WITHIN = 240.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """A flow in an account, and whose it is; ``comes_last`` to a queue that another one blocks."""

    flow: str
    account: str
    owner: str
    branch: str = "--production"
    comes_last: bool = False


# Two at a time: a deployment keeps one core busy. The one with the longest story comes first.
ROUNDS = (
    (
        Deployment("train_demand_models", "staging", "grace"),
        Deployment("forecast_demand", "production", "ada"),
    ),
    (
        Deployment("simulate_city", "staging", "ada"),
        Deployment("forecast_demand", "staging", "ada"),
    ),
)
# Nobody waits for its deployment: it goes on while the others run.
LATECOMER = Deployment("survey_streets", "staging", "grace", comes_last=True)


def run_demo(edition: Edition, progress: Progress) -> None:
    """Deploy and trigger the flows, the last of them in the background."""
    for together in ROUNDS:
        edition.run([_program(edition, deployment) for deployment in together], progress)
    edition.programs.start(_program(edition, LATECOMER))


def _program(edition: Edition, deployment: Deployment) -> Program:
    """Return the program that deploys and triggers one flow, and then ends."""
    (account,) = (it for it in edition.accounts if it.name == deployment.account)
    title = deployment.flow.title().replace("_", "")
    return Program(
        name=f"{title} in {account.name}",
        command=_command(edition, deployment),
        environment={
            **edition.environment,
            **_metaflow(edition, account, owner=deployment.owner),
            "flow_python": sys.executable,
        },
        folder=edition.state.demo,
        log=edition.state.logs / f"demo-{deployment.flow}-{account.name}.log",
        ready_within=_DEPLOYED_WITHIN,
        ends=True,
    )


def _command(edition: Edition, deployment: Deployment) -> list[str]:
    flow = str(FLOWS / f"{deployment.flow}.py")
    parameters: list[str] = []
    if deployment.flow == "train_demand_models":
        feed = edition.state.demo / "price-feed"
        feed.mkdir(mode=0o700, exist_ok=True)
        parameters = ["--feed", str(feed)]
    script = _AFTER_THE_BLOCKER * deployment.comes_last + _CREATE_AND_TRIGGER
    return ["sh", "-c", script, "demo", flow, deployment.branch, *parameters]


def _metaflow(edition: Edition, account: EmbeddedAccount, *, owner: str) -> dict[str, str]:
    shared_s3 = None if account.endpoint_url == edition.shared_s3 else edition.shared_s3
    return metaflow_environment(account, edition.state.aws, user=owner, shared_s3=shared_s3)
