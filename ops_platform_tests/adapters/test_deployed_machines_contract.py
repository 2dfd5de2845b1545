"""The promises of what changes production, kept by the fake and by the adapter."""

import json

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.deployed_machines import AwsDeployedMachines
from ops_platform.domain.deployed_machines import DeployedMachines
from ops_platform_tests.adapters.deployed_machines_contract import (
    ROLE,
    DeployedMachinesContract,
    deployed,
    looked_at,
)
from ops_platform_tests.compiled_flows import CompiledFlow
from ops_platform_tests.fake_production import FakeProduction


class TestFakeProduction(DeployedMachinesContract):
    """The fake cannot lie."""

    @pytest.fixture
    def production(self) -> FakeProduction:
        """Return a fresh fake."""
        return FakeProduction()


def _production(clients: AccountClients) -> AwsDeployedMachines:
    identity = clients.step_functions.meta.region_name
    listed = clients.batch.describe_job_queues()["jobQueues"]
    account = listed[0]["jobQueueArn"].split(":")[4]
    return AwsDeployedMachines(clients, region=identity, aws_account_id=account)


class TestEmulatedProduction(DeployedMachinesContract):
    """The real adapter, over HTTP, against an emulator."""

    @pytest.fixture
    def production(self, emulated: AccountClients) -> DeployedMachines:
        """Return the emulator's account."""
        return _production(emulated)


def test_an_execution_tells_the_definition_that_it_ran(emulated: AccountClients) -> None:
    """Not the one that the machine has by now."""
    production = _production(emulated)
    machine = deployed(production)
    started = production.start(machine.arn, name="before", text="{}")
    production.update(machine.arn, definition=CompiledFlow().text(), role_arn=ROLE)
    answer = emulated.step_functions.describe_state_machine_for_execution(executionArn=started.arn)
    assert answer["definition"] == machine.definition
    production.stop(started.arn, cause="over")


def test_what_a_version_needs_and_is_gone_is_named(emulated: AccountClients) -> None:
    """Its code package and each of its job definitions."""
    production = _production(emulated)
    registered = emulated.batch.register_job_definition(
        jobDefinitionName="contract",
        type="container",
        containerProperties={"image": "python", "vcpus": 1, "memory": 512},
    )["jobDefinitionArn"]
    document = json.loads(CompiledFlow(code="s3://contract-packages/aa/aabb").text())
    for state in document["States"].values():
        state["Parameters"]["JobDefinition"] = registered
    emulated.s3.create_bucket(Bucket="contract-packages")
    emulated.s3.put_object(Bucket="contract-packages", Key="aa/aabb", Body=b"package")
    machine = deployed(production, json.dumps(document))
    assert production.missing(looked_at(production, machine.name)) == []
    emulated.s3.delete_object(Bucket="contract-packages", Key="aa/aabb")
    emulated.batch.deregister_job_definition(jobDefinition=registered)
    assert production.missing(machine) == [
        f"the job definition {registered}",
        "the code package s3://contract-packages/aa/aabb",
    ]
