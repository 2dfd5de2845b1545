"""``ops-platform alerts``: the outbox for operators, and another try."""

import json
from datetime import timedelta

import pytest

from ops_platform.domain.incidents import incident_id
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform_tests.build import EXECUTION_ARN
from ops_platform_tests.cli.command_line import Platform
from ops_platform_tests.operations.delivery_world import World

POST = "chat.postMessage"
LISTED = {
    "account", "attempts", "channel", "due_at", "flow", "id", "incident_id", "kind", "part",
    "permalink", "reason", "run_id", "sent_at", "silence_id", "state", "told_with", "why",
}  # fmt: skip


def _dead(world: World) -> int:
    """Return the number of a message that Slack refused, blocks and plain text alike."""
    incident = world.failed_run("run-1")
    world.settle()
    world.inbox.fail(Fault(method=POST, error="invalid_blocks", times=2))
    world.deliver()
    return world.alert(incident).id


def test_every_message_is_listed_with_the_run_it_tells_of(told: Platform) -> None:
    """The last touched first; scripts may rely on the keys."""
    rows = told.rows("alerts")

    assert all(set(row) == LISTED for row in rows)
    assert {row["run_id"] for row in rows} >= {"sfn-run-2"}
    assert {(row["state"], row["reason"], row["why"]) for row in rows} == {
        ("withheld", "replayed", "first notification")
    }


@pytest.mark.parametrize(
    ("options", "number"),
    [
        (("--account", "staging"), 1),
        (("--account", "999999999999"), 0),
        (("--status", "WITHHELD"), 2),
        (("--status", "dead"), 0),
        (("--flow", "TrainFlow", "--limit", "1"), 1),
        (("--since", "2h"), 2),
    ],
)
def test_options_narrow_the_list(told: Platform, options: tuple[str, ...], number: int) -> None:
    """As they narrow every list; time is when the message was last touched."""
    assert len(told.rows("alerts", *options)) == number


def test_people_see_a_table(told: Platform) -> None:
    """With what they need to decide what to do."""
    done = told.run("alerts", "list")

    heading = done.stdout.splitlines()[0].split()
    assert heading[:3] == ["ID", "STATE", "ACCOUNT"]
    assert told.run("alerts", "list", "--account", "999999999999").stdout == "No alerts.\n"


def test_what_is_settled_is_due_no_more(told: Platform) -> None:
    """People see when something is still to come; programs see the row as it is."""
    number = told.rows("alerts")[0]["id"]
    incident = told.rows("alerts")[0]["incident_id"]

    assert told.rows("alerts")[0]["due_at"]
    listed = told.run("alerts", "list").stdout.splitlines()
    assert {tuple(line.split()[-2:]) for line in listed[1:]} == {("-", "-")}
    assert "due_at" not in told.run("alerts", "show", str(number)).stdout
    shown = told.run("incidents", "show", str(incident)).stdout.splitlines()
    assert next(line for line in shown if "replayed" in line).split()[-2:] == ["-", "-"]


def test_what_is_dead_is_listed_by_itself(world: World, platform_of: Platform) -> None:
    """With Slack's own word."""
    assert platform_of.run("alerts", "dead").stdout == "No alert is dead.\n"
    number = _dead(world)
    world.failed_run("run-2")

    (row,) = json.loads(platform_of.run("alerts", "dead", "--json").stdout)

    assert (row["id"], row["reason"]) == (number, "invalid_blocks")


def test_one_message_is_shown_with_what_is_next(world: World, platform_of: Platform) -> None:
    """In a sentence, and as its row for programs."""
    number = _dead(world)

    shown = platform_of.record("alerts", "show", str(number), "--json")
    text = platform_of.run("alerts", "show", str(number)).stdout

    assert (shown["id"], shown["state"], shown["incident"]["state"]) == (number, "dead", "open")
    assert shown["next"].startswith("Nothing will deliver it: invalid_blocks.")
    facts = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert facts["slack"] == "Nothing stands in Slack, as far as is known."
    assert facts["next"] == shown["next"]
    assert facts["incident_flow"] == "TrainFlow"


@pytest.mark.parametrize(
    "command",
    [
        ("alerts", "show", "999999"),
        ("alerts", "retry", "999999", "--by", "ana"),
        ("alerts", "preview", "nothing"),
    ],
    ids=" ".join,
)
def test_what_does_not_exist_is_refused_with_a_hint(
    told: Platform, command: tuple[str, ...]
) -> None:
    """Nothing is printed that a program could take for an answer."""
    done = told.run(*command, "--json")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "list` shows them." in done.stderr


def test_a_preview_is_the_messages_in_their_order(told: Platform) -> None:
    """Ready for Slack, though they are withheld."""
    done = told.run("alerts", "preview", incident_id(EXECUTION_ARN), "--json")

    first, page = json.loads(done.stdout)

    assert (done.exit_code, done.stderr) == (0, "")
    assert set(first) == set(page) == {"channel", "part", "text", "blocks"}
    assert (first["channel"], first["part"]) == ("#alerts-production", "message")
    assert first["text"].startswith("`ana`: TrainFlow failed in production")
    assert [block["type"] for block in first["blocks"]][:2] == ["header", "section"]
    assert page["part"] == "details/0001"


def test_people_read_a_preview_as_text(told: Platform) -> None:
    """Each message by where it stands."""
    text = told.run("alerts", "preview", incident_id(EXECUTION_ARN)).stdout

    assert text.startswith("--- #alerts-production, message\n`ana`: TrainFlow failed")
    assert "--- #alerts-production, details/0001\n" in text
    assert "*Failed* 2 Mar 2026 12:00:46 UTC" in text
    assert "Execution (https://eu-west-1.console.aws.amazon.com/states/" in text


def test_a_dead_message_is_sent_again(world: World, platform_of: Platform) -> None:
    """The answer says that it is due, and Slack has it soon."""
    number = _dead(world)

    done = platform_of.run("alerts", "retry", str(number), "--by", "ana", "--reason", "repaired")

    assert (done.exit_code, done.stdout) == (0, f"Alert {number} is due now.\n")
    world.clock.advance(timedelta(minutes=1))
    world.until_quiet()
    assert len(world.messages()) == 1


def test_a_retry_can_name_the_incident(world: World, platform_of: Platform) -> None:
    """And nothing at all is refused."""
    number = _dead(world)
    (row,) = platform_of.rows("alerts")

    done = platform_of.run("alerts", "retry", "--incident", row["incident_id"], "--by", "ana")
    none = platform_of.run("alerts", "retry", "--by", "ana")

    assert (done.exit_code, done.stdout) == (0, f"Alert {number} is due now.\n")
    assert (none.exit_code, none.stdout) == (2, "")
    assert "Nothing is named: give at least one." in none.stderr


def test_a_refusal_makes_the_exit_code_1(world: World, platform_of: Platform) -> None:
    """It is said on standard error; what can be done is done."""
    dead = _dead(world)
    sent = world.alert(world.failed_run("run-2")).id
    world.settle()
    world.deliver()
    numbers = (str(sent), str(dead))

    text = platform_of.run("alerts", "retry", *numbers, "--by", "ana")
    again = platform_of.run("alerts", "retry", str(sent), "--by", "ana", "--json")

    assert (text.exit_code, text.stdout) == (1, f"Alert {dead} is due now.\n")
    assert text.stderr.startswith(f"Error: Alert {sent} stays sent: it stands in Slack since ")
    (outcome,) = json.loads(again.stdout)
    assert (again.exit_code, outcome["id"], outcome["done"]) == (1, str(sent), False)


@pytest.mark.parametrize(
    ("environ", "given", "who"),
    [
        ({"LOGNAME": "ben"}, (), "ben"),
        ({"LOGNAME": "ben"}, ("--by", "ana"), "ana"),
        ({"LOGNAME": "", "USER": "cho"}, ("--reason", "repaired"), "cho: repaired"),
    ],
)
def test_whoever_is_logged_in_says_so(
    world: World,
    platform_of: Platform,
    environ: dict[str, str],
    given: tuple[str, ...],
    who: str,
) -> None:
    """Unless another name is given."""
    number = str(_dead(world))
    platform_of.environ.update(environ)

    assert platform_of.run("alerts", "retry", number, *given).exit_code == 0

    (row,) = platform_of.rows("alerts", "--status", "pending")
    assert row["reason"] == f"retried by {who}"


def test_nobody_cannot_say_so(world: World, platform_of: Platform) -> None:
    """What is done by hand is somebody's word."""
    done = platform_of.run("alerts", "retry", str(_dead(world)), "--by", "")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "say who you are" in done.stderr
