"""What comments on a pull request ask for, and what they do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.pull_commands import Command, Slip, Verb, parse


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("run sanity checks", Command(Verb.CHECK)),
        ("productionize flow", Command(Verb.PROMOTE)),
        ("roll back flow", Command(Verb.ROLL_BACK)),
        ("unlock flow", Command(Verb.UNLOCK)),
        ("soteria status", Command(Verb.STATUS)),
        ("soteria help", Command(Verb.HELP)),
        ("Run Sanity  Checks", Command(Verb.CHECK)),
        ("`productionize flow`", Command(Verb.PROMOTE)),
        ("  productionize flow \r\n\n", Command(Verb.PROMOTE)),
        ("```productionize flow Forecast```", Command(Verb.PROMOTE, "Forecast")),
        ("productionize flow `Forecast` --canary", Command(Verb.PROMOTE, "Forecast", canary=True)),
        ("PRODUCTIONIZE FLOW --CANARY Forecast", Command(Verb.PROMOTE, "Forecast", canary=True)),
        ("run sanity checks flows/forecast_demand.py",
         Command(Verb.CHECK, "flows/forecast_demand.py")),
        ("roll back flow TrainDemandModels", Command(Verb.ROLL_BACK, "TrainDemandModels")),
    ],
)  # fmt: skip
def test_a_command_is_understood(comment: str, expected: Command) -> None:
    """Case and backticks are forgiven; a flow keeps its case."""
    assert parse(comment) == expected


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "```",
        "Looks good to me!",
        "> run sanity checks",
        "Please run sanity checks",
        "run sanity checks\nand then productionize flow",
        "run sanity checks before you ask me for another review, would you?",
        "I would run the flow once more",
        "flow",
        "help",
        "productionize flow " + "x" * 300,
    ],
)
def test_talk_is_left_alone(comment: str) -> None:
    """Quotes, sentences and several lines are between people."""
    assert parse(comment) is None


@pytest.mark.parametrize(
    ("comment", "meant", "why"),
    [
        ("run sanity check", Verb.CHECK, "It is not written so."),
        ("run sanity-checks Forecast", Verb.CHECK, "It is not written so."),
        ("productionise flow", Verb.PROMOTE, "It is not written so."),
        ("productionize flows Forecast", Verb.PROMOTE, "It is not written so."),
        ("rollback flow Forecast", Verb.ROLL_BACK, "It is not written so."),
        ("productionize", Verb.PROMOTE, "It is not written so."),
        ("unlok flow", Verb.UNLOCK, "It is not written so."),
        ("soteria stats", Verb.STATUS, "It is not written so."),
        ("productionize flow --force", Verb.PROMOTE, "It knows no --force."),
        ("run sanity checks --canary", Verb.CHECK, "It knows no --canary."),
        ("roll back flow One Two", Verb.ROLL_BACK, "It takes one flow at a time."),
        ("soteria help me", Verb.HELP, "It takes nothing more."),
        ("productionize flow $(id)", Verb.PROMOTE, "This is no name of a flow"),
    ],
)
def test_a_slip_is_answered(comment: str, meant: Verb, why: str) -> None:
    """With the command that was meant."""
    found = parse(comment)
    assert isinstance(found, Slip)
    assert (found.meant, found.why.startswith(why)) == (meant, True)


@given(st.text(max_size=400))
def test_any_comment_is_read_without_a_fault(comment: str) -> None:
    """And nothing but the name of a flow ever gets out of it."""
    found = parse(comment)
    if isinstance(found, Command) and found.flow is not None:
        assert found.flow.replace("/", "").replace(".", "").replace("-", "").isidentifier()


@pytest.mark.parametrize("verb", Verb)
def test_a_command_is_written_as_it_is_read(verb: Verb) -> None:
    """Its usage without the brackets is a command."""
    command = parse(verb.usage.replace("[FLOW]", "Forecast").replace("[", "").replace("]", ""))
    assert isinstance(command, Command)
    assert parse(str(command)) == command
