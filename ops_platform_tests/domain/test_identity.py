"""Metaflow's names, AWS's names, and the addresses made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.identity import (
    Links,
    MachineName,
    arn_tail,
    flow_asset,
    machine_name,
    parse_machine_name,
    rule_name,
    run_id,
)

HASHED = "fraud_detection.user.ana_maria.a_flow_with_a_long_long_name_-abcdefghij234567"


@pytest.mark.parametrize(
    ("name", "project", "branch", "flow"),
    [
        ("TrainFlow", None, None, "TrainFlow"),
        ("_flow2", None, None, "_flow2"),
        ("fraud.prod.TrainFlow", "fraud", "prod", "TrainFlow"),
        ("fraud.prod.blue.TrainFlow", "fraud", "prod.blue", "TrainFlow"),
        ("fraud.test.blue.TrainFlow", "fraud", "test.blue", "TrainFlow"),
        ("fraud.user.ana.TrainFlow", "fraud", "user.ana", "TrainFlow"),
        ("fraud.user.ana.maria.TrainFlow", "fraud", "user.ana.maria", "TrainFlow"),
        ("fraud.user.ana-maria@x.TrainFlow", "fraud", "user.ana-maria@x", "TrainFlow"),
        ("fraud.user.prod.TrainFlow", "fraud", "user.prod", "TrainFlow"),
        ("my_project.prod.prod.prod", "my_project", "prod.prod", "prod"),
        (HASHED, "fraud_detection", None, None),
        ("nightly-training", None, None, None),
        ("order processing", None, None, None),
        ("fraud.staging.TrainFlow", "fraud", None, None),
        ("Fraud.prod.TrainFlow", "Fraud", None, None),
        ("2fast", None, None, None),
        ("TrainFlow/label", None, None, None),
        ("", None, None, None),
    ],
)
def test_a_state_machines_name_tells_project_branch_and_flow(
    name: str, project: str | None, branch: str | None, flow: str | None
) -> None:
    """As far as Metaflow, or whoever chose another name, put them there."""
    assert parse_machine_name(name) == MachineName(project, branch, flow)


def test_the_sample_of_a_hashed_name_is_as_long_as_metaflow_makes_it() -> None:
    """Sixty characters, a dash, sixteen of a hash."""
    assert len(HASHED) == 77


@given(st.text(max_size=100))
def test_any_name_can_be_read(name: str) -> None:
    """Foreign state machines may be called anything."""
    assert parse_machine_name(name).flow != ""


@pytest.mark.parametrize(
    ("arn", "tail"),
    [
        ("arn:aws:batch:eu-west-1:1:job-queue/flows", "flows"),
        ("arn:aws:batch:eu-west-1:1:job-definition/metaflow_9f2c:7", "metaflow_9f2c:7"),
        ("arn:aws:states:eu-west-1:1:stateMachine:fraud.prod.TrainFlow", "fraud.prod.TrainFlow"),
        ("flows", "flows"),
        ("", ""),
    ],
)
def test_the_tail_of_an_arn_is_the_name_in_it(arn: str, tail: str) -> None:
    """With a revision, where there is one."""
    assert arn_tail(arn) == tail


def test_a_state_machines_arn_holds_its_name() -> None:
    """All of it, a label of a Distributed Map included."""
    arn = "arn:aws:states:eu-west-1:1:stateMachine:fraud.prod.TrainFlow"

    assert machine_name(arn) == "fraud.prod.TrainFlow"
    assert machine_name(f"{arn}/label") == "fraud.prod.TrainFlow/label"
    assert machine_name("none") == "none"


def test_the_run_of_an_execution_has_metaflows_prefix() -> None:
    """Whatever AWS called the execution."""
    assert run_id("0b5f_2c") == "sfn-0b5f_2c"


LINKS = Links(region="eu-west-1", metaflow_ui="https://ui.example/")


def test_runs_and_tasks_are_linked_as_metaflows_ui_routes_them() -> None:
    """A task's id is its job's id."""
    assert LINKS.run("F", "sfn-1") == "https://ui.example/F/sfn-1"
    assert LINKS.task("F", "sfn-1", "train", "4a-0") == "https://ui.example/F/sfn-1/train/4a-0"


def test_without_a_ui_there_is_no_link_to_it() -> None:
    """AWS's consoles are always there."""
    links = Links(region="eu-west-1")

    assert links.run("F", "sfn-1") is None
    assert links.task("F", "sfn-1", "work", "4a-0") is None


def test_an_execution_is_linked_to_its_console() -> None:
    """By its ARN, whose colons stay."""
    assert LINKS.execution("arn:aws:states:eu-west-1:1:execution:F:1") == (
        "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1"
        "#/v2/executions/details/arn:aws:states:eu-west-1:1:execution:F:1"
    )


def test_a_log_is_linked_with_the_consoles_odd_quoting() -> None:
    """Twice quoted, with a dollar for the percent sign."""
    assert LINKS.log("m/default/6d 1c") == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
        "#logsV2:log-groups/log-group/$252Faws$252Fbatch$252Fjob"
        "/log-events/m$252Fdefault$252F6d$25201c"
    )


@given(st.text(max_size=40))
def test_no_name_breaks_out_of_a_link(name: str) -> None:
    """Nothing in an address needs escaping in markup or ends it."""
    addresses = (
        LINKS.run(name, name),
        LINKS.task(name, name, name, name),
        LINKS.execution(name),
        LINKS.log(name),
    )

    assert not any(set(address or "") & set('<>|"`\\ \n\t') for address in addresses)


def test_a_flow_has_its_history_in_dagster() -> None:
    """The page is that of the asset whose key the runs are reported under."""
    links = Links("us-east-1", dagster="https://dagster.example/")
    page = links.history("staging", "demand", "TrainFlow")
    assert page == "https://dagster.example/assets/flows/staging/demand/TrainFlow?view=events"
    assert flow_asset("staging", None, "TrainFlow") == ["flows", "staging", "TrainFlow"]


def test_without_pages_there_are_no_links() -> None:
    """Neither Metaflow's UI nor Dagster has an address by default."""
    links = Links("us-east-1")
    assert (links.history("staging", None, "F"), links.run("F", "1")) == (None, None)


def test_a_rule_is_called_like_its_machine_while_that_is_short() -> None:
    """As Metaflow has it: a long name is cut and hashed."""
    assert rule_name("shop.prod.Forecast") == "shop.prod.Forecast"
    assert rule_name("x" * 64) == "x" * 64
    long = rule_name("x" * 65)
    assert (len(long), long[:48]) == (64, f"{'x' * 47}-")
