"""Definitions are read for the flow's name and owner alone, however odd they are."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.step_functions import StepFunctions
from ops_platform.adapters.step_functions_definitions import read_definition
from ops_platform.domain.ports import Machine
from ops_platform_tests.adapters.canned_aws import Answer, canned_aws
from ops_platform_tests.adapters.metaflow_definition import TOKEN, metaflow_definition

_ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:train"
_NOBODY = Machine(arn=_ARN, flow=None, owner=None)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["States", "StartAt", "start", "Parameters"]), inner)
    ),
    max_leaves=8,
)


def _tagged(command: object) -> Machine:
    definition = metaflow_definition(flow="TrainFlow", owner="robot")
    _start(definition)["ContainerOverrides"]["Command"] = command
    return read_definition(_ARN, json.dumps(definition))


def _start(definition: dict[str, Any]) -> dict[str, Any]:
    job: dict[str, Any] = definition["States"]["start"]["Parameters"]
    return job


def test_a_flow_is_known_by_its_environment_too() -> None:
    """Machines of older Metaflow versions name the flow only there."""
    definition = metaflow_definition(flow="TrainFlow", owner="ana")
    del _start(definition)["Parameters"]["metaflow.flow_name"]

    assert read_definition(_ARN, json.dumps(definition)) == Machine(_ARN, "TrainFlow", "ana")


def test_a_machine_without_an_owner_is_not_of_metaflow() -> None:
    """The owner is what Metaflow itself looks for before it overwrites a machine."""
    definition = metaflow_definition(flow="TrainFlow", owner="ana")
    del _start(definition)["Parameters"]["metaflow.owner"]

    assert read_definition(_ARN, json.dumps(definition)) == _NOBODY


def test_the_first_state_may_have_any_name() -> None:
    """StartAt tells which it is."""
    definition = metaflow_definition(flow="TrainFlow", owner="ana")
    definition["States"] = {"begin": definition["States"]["start"]}
    definition["StartAt"] = "begin"

    assert read_definition(_ARN, json.dumps(definition)) == Machine(_ARN, "TrainFlow", "ana")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H4sIAAAAAAAAA6tWKkktLlGyUlAqLU4t",
        "null",
        "[]",
        '{"StartAt": "a", "States": {}}',
        "{\x00}",
    ],
    ids=["hidden", "compressed", "null", "list", "no-start", "nul"],
)
def test_what_cannot_be_read_is_a_machine_without_a_flow(text: str) -> None:
    """A definition may be encrypted, compressed or not ours."""
    assert read_definition(_ARN, text) == _NOBODY


@given(st.text() | _JSON.map(json.dumps))
def test_no_definition_is_an_error(text: str) -> None:
    """Whatever AWS answers, the caller gets a machine."""
    assert read_definition(_ARN, text).arn == _ARN


def test_the_production_token_stays_in_aws() -> None:
    """Nothing that is returned holds it."""
    definition = metaflow_definition(flow="TrainFlow", owner="ana")

    assert TOKEN not in repr(read_definition(_ARN, json.dumps(definition)))


def test_throttling_is_waited_out() -> None:
    """A busy account answers the second time."""
    definition = json.dumps(metaflow_definition(flow="TrainFlow", owner="ana"))
    described = {"stateMachineArn": _ARN, "definition": definition}
    answers = iter([Answer.error("ThrottlingException"), Answer.of(described)])

    with canned_aws(lambda _: next(answers)) as aws:
        machines = StepFunctions(AccountClients(aws.account).step_functions)

        assert machines.describe(_ARN) == Machine(_ARN, "TrainFlow", "ana")


def test_a_malformed_arn_is_no_machine() -> None:
    """Events come from outside; what they name need not exist."""
    with canned_aws(lambda _: Answer.error("InvalidArn")) as aws:
        machines = StepFunctions(AccountClients(aws.account).step_functions)

        assert machines.describe("no arn at all") is None


def test_a_forbidden_machine_is_a_clear_error() -> None:
    """It names the machine and says where to allow it."""
    with (
        canned_aws(lambda _: Answer.error("AccessDeniedException")) as aws,
        pytest.raises(AwsError, match=rf"{_ARN}.*policy"),
    ):
        StepFunctions(AccountClients(aws.account).step_functions).describe(_ARN)


def test_the_owner_that_a_tag_names_wins() -> None:
    """Who deployed a promoted flow is a robot; nothing else of the command is kept."""
    machine = _tagged(["bash", "-c", f"export T={TOKEN} && python f.py step --tag owner:ana x"])

    assert machine == Machine(_ARN, "TrainFlow", "ana")
    assert TOKEN not in repr(machine)


@pytest.mark.parametrize("command", [[], ["python f.py"], "a text", None, [1, {"a": 2}]])
def test_a_command_without_a_tag_leaves_the_owner_as_it_is(command: object) -> None:
    """Of whatever shape it is."""
    assert _tagged(command) == Machine(_ARN, "TrainFlow", "robot")


def test_a_machine_whose_definition_is_encrypted_is_foreign() -> None:
    """Metaflow encrypts none, and we may not decrypt those of others."""
    with canned_aws(lambda _: Answer.error("KmsAccessDeniedException")) as aws:
        machines = StepFunctions(AccountClients(aws.account).step_functions)

        assert machines.describe(_ARN) == _NOBODY


def test_the_revision_of_a_machine_is_told() -> None:
    """It is not what makes two machines the same."""
    described = {"stateMachineArn": _ARN, "definition": "{}", "revisionId": "r2"}
    with canned_aws(lambda _: Answer.of(described)) as aws:
        machine = StepFunctions(AccountClients(aws.account).step_functions).describe(_ARN)

    assert machine == _NOBODY
    assert machine is not None
    assert machine.revision == "r2"
