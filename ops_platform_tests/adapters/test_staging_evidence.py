"""What ran in Staging, read from the emulator: each run by the definition that it ran."""

import io
import tarfile
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.staging_evidence import StagingEvidence
from ops_platform.domain.identity import Links
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.software import software_of
from ops_platform.domain.staging_runs import StagingRun, Wanted, judge_staging
from ops_platform.settings.accounts import Account
from ops_platform_tests.compiled_flows import COMMIT, CompiledFlow
from ops_platform_tests.embedded.aws.accounts import eventually

ROLE = "arn:aws:iam::111111111111:role/metaflow"
LINKS = Links("us-east-1", metaflow_ui="https://metaflow.example.com")
CODE = b"print('flow')\n"


class Staging:
    """A machine of its own in the emulated account."""

    def __init__(
        self,
        clients: AccountClients,
        account: Account,
        name: str | None = None,
        flow: str | None = None,
    ) -> None:
        self._client = clients.step_functions
        self._s3 = clients.s3
        self.flow = flow or f"F{uuid4().hex[:8]}"
        self.name = name or f"shop.test.main.{self.flow}"
        prefix = f"arn:aws:states:{account.region}:{account.aws_account_id}:stateMachine:"
        self.arn = f"{prefix}{self.name}"
        self.evidence = StagingEvidence(clients, machine_prefix=prefix, links=LINKS)

    def runs(self, branch: str | None = None) -> list[StagingRun]:
        """Return what ran, by the name that the flow has in production."""
        return list(self.evidence.runs_of(f"shop.prod.{self.flow}", branch))

    def deploy(self, flow: CompiledFlow, code: bytes = CODE) -> None:
        """Deploy a flow with its code package."""
        bucket, key = f"evidence-{uuid4().hex[:8]}", "aa/bb"
        self._s3.create_bucket(Bucket=bucket)
        self._s3.put_object(Bucket=bucket, Key=key, Body=_package(code))
        text = flow.but(code=f"s3://{bucket}/{key}").text()
        if self._exists():
            self._client.update_state_machine(stateMachineArn=self.arn, definition=text)
        else:
            self._client.create_state_machine(name=self.name, definition=text, roleArn=ROLE)

    def run(self, name: str) -> StagingRun:
        """Start a run and wait for its end: it fails, since its job definition is nobody's."""
        self._client.start_execution(stateMachineArn=self.arn, name=name)
        found = eventually(lambda: self._ended(name))
        assert found is not None
        return found

    def _ended(self, name: str) -> StagingRun | None:
        found = self.runs()
        return next((e for e in found if e.run_id == f"sfn-{name}" and e.ended_at), None)

    def _exists(self) -> bool:
        listed = self._client.list_state_machines()["stateMachines"]
        return self.name in {each["name"] for each in listed}


def _package(code: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in {".mf_meta/INFO": b"{}", "flow.py": code}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return packed.getvalue()


def test_a_run_tells_which_code_it_ran(emulated: AccountClients, emulated_account: Account) -> None:
    """Commit, clean or not, and the files of its package; not those of what is deployed now."""
    staging = Staging(emulated, emulated_account)
    staging.deploy(CompiledFlow())
    first = staging.run("first")
    staging.deploy(CompiledFlow(commit="d" * 40, is_dirty=True), b"other\n")
    second = staging.run("second")
    assert [each.run_id for each in staging.runs()] == [
        "sfn-second",
        "sfn-first",
    ]
    again = next(e for e in staging.runs() if e.run_id == first.run_id)
    assert (again.commit, again.is_dirty, again.status) == (COMMIT, False, "FAILED")
    assert again.files == {"flow.py": sha256(CODE).hexdigest()}
    assert (second.commit, second.is_dirty) == ("d" * 40, True)
    assert again.software == software_of(read_machine(CompiledFlow().text()))
    assert again.link == "https://metaflow.example.com/Forecast/sfn-first"


def test_it_is_what_the_check_judges(emulated: AccountClients, emulated_account: Account) -> None:
    """A run of this commit that failed proves nothing."""
    staging = Staging(emulated, emulated_account)
    staging.deploy(CompiledFlow())
    staging.run("first")
    wanted = Wanted(COMMIT, {"flow.py": sha256(CODE).hexdigest()}, timedelta(days=7))
    runs = staging.runs()
    found = judge_staging(staging.name, runs, wanted, now=datetime.now(UTC))
    assert (found.reason, found.link) == ("failed", runs[0].link)


def test_a_machine_that_never_was_has_no_runs(
    emulated: AccountClients, emulated_account: Account
) -> None:
    """Nor is that an error."""
    assert Staging(emulated, emulated_account).runs() == []


def test_a_branch_whose_name_metaflow_cut_is_found(
    emulated: AccountClients, emulated_account: Account
) -> None:
    """By what its definition says of the flow."""
    cut = f"shop.test.{uuid4().hex}{uuid4().hex}"[:60] + "-abcdefghijklmnop"
    staging = Staging(emulated, emulated_account, cut)
    staging.deploy(CompiledFlow(flow=staging.flow))
    staging.run("first")
    assert [each.run_id for each in staging.runs()] == ["sfn-first"]


def test_runs_of_the_branch_itself_come_first(
    emulated: AccountClients, emulated_account: Account
) -> None:
    """Other branches may run the flow every hour, and each look costs a call."""
    own = Staging(emulated, emulated_account)
    own.deploy(CompiledFlow(flow=own.flow))
    own.run("first")
    busy = Staging(emulated, emulated_account, f"shop.test.busy.{own.flow}", own.flow)
    busy.deploy(CompiledFlow(flow=own.flow))
    busy.run("later")
    assert [each.run_id for each in own.runs()] == ["sfn-later", "sfn-first"]
    assert [each.run_id for each in own.runs("Main")] == ["sfn-first", "sfn-later"]
