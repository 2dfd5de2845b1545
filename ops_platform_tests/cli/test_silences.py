"""``ops-platform silences``: muting by name."""

import json
from datetime import timedelta

import pytest

from ops_platform.clock import now
from ops_platform_tests.cli.command_line import Platform
from ops_platform_tests.operations.delivery_world import World

WORD = ("--by", "ana", "--reason", "the input is late")
ADD = ("silences", "add", "--flow", "Train*")


def test_a_silence_tells_what_it_mutes_now(world: World, platform_of: Platform) -> None:
    """In a sentence and a table."""
    incident = world.failed_run("run-1")

    done = platform_of.run(*ADD, "--for", "2h", *WORD)

    sentence, heading, row = done.stdout.splitlines()
    assert done.exit_code == 0
    assert sentence.startswith("Silence ")
    assert " mutes flow Train* until " in sentence
    assert sentence.endswith("Z: 1 open incident now.")
    assert heading.split()[:2] == ["ID", "ACCOUNT"]
    assert row.split()[:3] == [incident, "staging", "TrainFlow"]


def test_programs_get_the_silence(world: World, platform_of: Platform) -> None:
    """With the number of incidents, and the ids of the first."""
    incident = world.failed_run("run-1")

    end = f"{now() + timedelta(days=300):%Y-%m-%d}"

    made = platform_of.record(*ADD, "--until", end, *WORD, "--json")

    assert (made["muted"], made["mutes"]) == (1, [incident])
    assert (made["flow"], made["author"], made["reason"], made["ends_at"]) == (
        "Train*",
        "ana",
        "the input is late",
        f"{end}T00:00:00.000Z",
    )


def test_only_the_first_are_shown(world: World, platform_of: Platform) -> None:
    """The number is that of all."""
    for number in range(22):
        world.failed_run(f"run-{number}")

    lines = platform_of.run(*ADD, "--for", "2h", *WORD).stdout.splitlines()
    made = platform_of.record(*ADD, "--for", "2h", *WORD, "--json")

    assert (made["muted"], len(made["mutes"])) == (22, 20)
    assert lines[0].endswith(": 22 open incidents now.")
    assert (len(lines), lines[-1]) == (23, "... and 2 more.")


def test_a_dry_run_writes_nothing(platform: Platform) -> None:
    """And says what would be."""
    done = platform.run(*ADD, "--for", "2h", *WORD, "--dry-run")

    assert done.stdout.startswith("It would mute flow Train* until ")
    assert platform.run("silences", "list").stdout == "No silences.\n"


def test_those_that_hold_are_listed(world: World, platform_of: Platform) -> None:
    """With what they hold back; those that are over only if asked for."""
    world.failed_run("run-1")
    for number in range(2):
        platform_of.run(*ADD, "--for", f"{number + 1}h", *WORD)
    world.settle()
    world.deliver()

    first, second = platform_of.rows("silences")
    ended = platform_of.run("silences", "expire", str(second["id"]), *WORD)

    assert (first["holds_back"], second["holds_back"]) == (0, 1)
    assert (first["state"], first["account"]) == ("active", None)
    assert ended.stdout == (
        f"Silence {second['id']} is over; 1 message that it held back is due.\n"
    )
    assert [row["id"] for row in platform_of.rows("silences")] == [first["id"]]
    over = {row["id"]: row for row in platform_of.rows("silences", "--all")}[second["id"]]
    assert (over["state"], over["expired_by"]) == ("over", "ana: the input is late")


def test_an_ended_silence_is_json_too(platform: Platform) -> None:
    """With the number of messages that it held back."""
    made = platform.record(*ADD, "--for", "2h", *WORD, "--json")

    ended = platform.record("silences", "expire", str(made["id"]), *WORD, "--json")

    assert (ended["id"], ended["released"]) == (made["id"], 0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--flow", "A", *WORD), "Give either --for or --until."),
        (
            ("--flow", "A", "--for", "2h", "--until", "2030-01-01", *WORD),
            "Give either --for or --until.",
        ),
        (("--flow", "A", "--for", "soon", *WORD), "'soon' is no time to come; write 2h, 3d"),
        (("--flow", "A", "--for", "367d", *WORD), " is more than a year away. Silence it for less"),
        (("--flow", "A", "--for", "999999d", *WORD), " is more than a year away"),
        (("--flow", "A", "--until", "2020-01-01", *WORD), "2020-01-01 00:00 UTC is over already"),
        (("--for", "2h", *WORD), "Give either --everything, or one or more of --account"),
        (("--flow", "", "--for", "2h", *WORD), "Give either --everything, or one or more"),
        (("--flow", "A", "--everything", "--for", "2h", *WORD), "Give either --everything, or"),
        (
            ("--account", "prod", "--for", "2h", *WORD),
            "There is no account 'prod'; did you mean production?",
        ),
        (("--flow", "A", "--for", "2h", "--by", "ana"), "--reason"),
        (("--flow", "A", "--for", "2h", "--reason", "late", "--by", " "), "say who you are"),
        (("--flow", "A", "--for", "2h", "--by", "ana", "--reason", " "), "say why"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_meant_is_refused(
    platform: Platform, arguments: tuple[str, ...], sentence: str
) -> None:
    """With exit code 2, and nothing for a program to read."""
    done = platform.run("silences", "add", *arguments, "--json")

    assert (done.exit_code, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_a_silence_that_does_not_hold_cannot_be_ended(platform: Platform) -> None:
    """The list shows those that do."""
    done = platform.run("silences", "expire", "7", *WORD)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "There is no silence 7 that holds" in done.stderr


def test_for_means_from_now_on(platform: Platform) -> None:
    """And everything has to be asked for."""
    made = platform.run("silences", "add", "--everything", "--for", "90s", *WORD, "--json")

    ends_at = json.loads(made.stdout)["ends_at"]
    assert ends_at < f"{now() + timedelta(minutes=2):%Y-%m-%dT%H:%M:%S}"
