"""A real flow of a real repository: compiled in the sandbox, deployed by Metaflow, rolled back."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.deployed_machines import AwsDeployedMachines
from ops_platform.adapters.flow_compiler import FlowCompiler
from ops_platform.adapters.git import GitRepositories, Remote
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.adapters.metaflow_deployer import DeployedFlow, MetaflowDeployer
from ops_platform.adapters.sandbox import LocalSandbox
from ops_platform.domain.checkouts import Source
from ops_platform.domain.compiled_flow import Compilation
from ops_platform.domain.definition_shape import shape
from ops_platform.domain.deployers import Expected, PromotionPolicy
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.promotions import Kind, Request, Status, request_id
from ops_platform.domain.provenance import provenance
from ops_platform.embedded.metaflow_environment import metaflow_environment
from ops_platform.operations.check_flow import FlowRules, check_flow
from ops_platform.operations.promote_flow import Promoter
from ops_platform.operations.roll_back_flow import RollBack
from ops_platform.settings.accounts import Account
from ops_platform.settings.promotion import InstanceTypeSettings, QueueSettings
from ops_platform_tests.embedded.aws.accounts import Aws, running, staging_on_free_port
from ops_platform_tests.git_world import GitRepository
from ops_platform_tests.ledger_world import POLICY

FLOW = """
from metaflow import FlowSpec, project, resources, schedule, step
@project(name="shop")
@schedule({schedule})
class Forecast(FlowSpec):
    @resources(memory={memory})
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        {end}
if __name__ == "__main__":
    Forecast()
"""
MACHINE = "shop.prod.Forecast"
QUEUE = QueueSettings(
    name="metaflow",
    max_vcpus=8,
    instance_types=(InstanceTypeSettings(name="r5.xlarge", vcpus=4, memory_mib=32_768),),
)


class RealPromotions:
    """Pull requests of one repository, promoted to one account."""

    def __init__(self, aws: Aws, ledger: Ledger, folder: Path) -> None:
        self._account = aws.account
        self._ledger = ledger
        self._folder = folder
        self.repository = GitRepository(folder / "repository")
        self._environment = metaflow_environment(aws.account, folder / "metaflow", user="soteria")
        settings = Account(
            name="production",
            aws_account_id=aws.account.account_id,
            region=aws.account.region,
            endpoint_url=aws.account.endpoint_url,
        )
        self.production = AwsDeployedMachines(
            AccountClients(settings),
            region=aws.account.region,
            aws_account_id=aws.account.account_id,
        )

    def promote(self, number: int, **flow: str) -> Recorded:
        """Commit a flow to a pull request and promote that commit, as CI would have it."""
        text = FLOW.format(**{"schedule": "daily=True", "memory": "5000", "end": "pass", **flow})
        commit = self.repository.commit({"flows/forecast.py": text}, pull_request=number)
        source = Source("acme/flows", f"refs/pull/{number}/head", commit)
        remotes = {"acme/flows": Remote(self.repository.url)}
        repositories = GitRepositories(remotes, self._folder / "checkouts")
        with repositories.check_out(source) as checkout:
            return self._promoted(f"{checkout.folder}/flows", number, commit)

    def _promoted(self, folder: str, number: int, commit: str) -> Recorded:
        tags = ("--tag", f"commit:{commit}", "--tag", "owner:ada")
        production_token = self._token()
        compilation = Compilation(
            folder=folder,
            flow="forecast.py",
            python=sys.executable,
            create=tags,
            queues={"metaflow": "EC2"},
        )
        rules = FlowRules(queues=[QUEUE.queue()])
        checked = check_flow(FlowCompiler(LocalSandbox()), compilation, rules, prefix="flows")
        compiled = checked.compiled
        if compiled is None or checked.definition is None:
            expected = Expected("", MACHINE, None)
        else:
            rule = compiled.rule
            expected = Expected(
                shape(checked.definition), MACHINE, rule.expression if rule else None
            )
        deployer = MetaflowDeployer(
            DeployedFlow(
                folder=folder,
                flow="forecast.py",
                python=sys.executable,
                options=("--production",),
                create=(*tags, *production_token),
            ),
            self._environment,
        )
        promoter = Promoter(
            ledger=self._ledger,
            production=self.production,
            alerts=POLICY,
            deployer=lambda: deployer,
            policy=PromotionPolicy(),
            clock=self._ledger.now,
        )
        return promoter.promote(
            self._request(Kind.PROMOTE, number, commit), checked.report, expected
        )

    def _token(self) -> tuple[str, ...]:
        """Return what makes Metaflow go on with the namespace of what runs."""
        machine = self.production.machine(MACHINE)
        token = machine and provenance(read_machine(machine.definition)).production_token
        return ("--authorize", token) if token else ()

    def roll_back(self, number: int) -> Recorded:
        """Roll the flow back as a pull request."""
        back = RollBack(
            ledger=self._ledger, production=self.production, alerts=POLICY, clock=self._ledger.now
        )
        return back.roll_back(self._request(Kind.ROLL_BACK, number, None))

    def _request(self, kind: Kind, number: int, commit: str | None) -> Request:
        return Request(
            id=request_id(kind, number, commit),
            kind=kind,
            account="production",
            machine=MACHINE,
            actor="ana",
            reason="productionize flow",
            requested_at=datetime.now(UTC),
            repository="acme/flows",
            pull_request=number,
            commit=commit,
            owner="ada",
        )


@pytest.fixture
def promotions(
    tmp_path_factory: pytest.TempPathFactory, ledger: Ledger, tmp_path: Path
) -> Iterator[RealPromotions]:
    """Give an account of its own, empty."""
    account = staging_on_free_port()
    folder = tmp_path_factory.mktemp("aws")
    with running(account, folder):
        yield RealPromotions(Aws(account, folder), ledger, tmp_path)


def _memory(production: AwsDeployedMachines) -> str:
    machine = production.machine(MACHINE)
    assert machine is not None
    return "5000" if '"5000"' in machine.definition else "6000"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_real_flow_is_promoted_replaced_and_rolled_back(promotions: RealPromotions) -> None:
    """Definition and schedule are right at every step, and failing checks refuse it."""
    production = promotions.production
    broken = promotions.promote(1, end="nothing()")
    assert (broken.status, production.machine(MACHINE)) == (Status.REFUSED, None)
    assert "pylint" in str(broken.entries[0].detail)

    first = promotions.promote(1)
    assert first.status is Status.SUCCEEDED, first.entries[-1].message
    rule = production.rule(MACHINE)
    assert rule is not None
    assert (_memory(production), rule.expression, rule.enabled) == (
        "5000", "cron(0 0 * * ? *)", True,
    )  # fmt: skip

    second = promotions.promote(1, memory="6000", schedule="hourly=True")
    assert second.status is Status.SUCCEEDED, second.entries[-1].message
    assert any("memory" in str(each.detail.get("changes")) for each in second.entries)
    hourly = production.rule(MACHINE)
    assert hourly is not None
    assert (_memory(production), hourly.expression) == ("6000", "cron(0 * * * ? *)")

    back = promotions.roll_back(1)
    assert back.status is Status.SUCCEEDED, back.entries[-1].message
    assert (_memory(production), production.rule(MACHINE)) == ("5000", rule)


def test_metaflows_refusal_is_told(tmp_path: Path) -> None:
    """Without what a flow itself printed."""
    (tmp_path / "flow.py").write_text("print('noise')\nraise ValueError('no')\n")
    flow = DeployedFlow(folder=str(tmp_path), flow="flow.py", python=sys.executable)
    deployer = MetaflowDeployer(flow, {"METAFLOW_SFN_IAM_ROLE": "arn:role"})
    with pytest.raises(PlatformError, match=r"did not deploy flow\.py: ValueError: no"):
        deployer.prepare()


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
