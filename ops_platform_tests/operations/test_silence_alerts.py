"""Muting by name for a while: who may do so, what it holds back, and what is told in the end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ops_platform.adapters.ledger import outbox_lists, schema, silences
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.operations.by_hand import LONGEST_WORD, RefusedError
from ops_platform.operations.silence_alerts import SHOWN, Silenced, expire, in_words, silence
from ops_platform_tests.operations.delivery_world import World, world_around
from ops_platform_tests.operations.failing_runs import Run


@pytest.fixture
def world(emptied_ledger: Ledger) -> Iterator[World]:
    """Give a test an empty ledger and an empty Slack."""
    with world_around(emptied_ledger) as made:
        yield made


def _silence(world: World, patterns: dict[str, str | None], **changes: Any) -> Silenced:
    given: dict[str, Any] = {
        "who": "ana",
        "why": "the input is late",
        "now": world.clock(),
        "ends_at": world.clock() + timedelta(hours=2),
        "accounts": ["staging", "production"],
    }
    return silence(world.ledger, patterns, **given | changes)


def test_a_silence_mutes_what_matches_all_of_its_names(world: World) -> None:
    """It tells which open incidents these are by now."""
    world.happened(Run("run-1", flow="TrainFlow"))
    wanted = world.happened(Run("run-2", flow="ScoreFlow"))
    world.happened(Run("run-3", flow="ScoreFlow", account="production"))

    made = _silence(world, {"account": "stag*", "flow": "Score*"})

    assert [incident.id for incident in made.mutes] == [wanted]
    assert in_words(made.silence) == "account stag*, flow Score*"
    world.settle()
    world.deliver()
    assert len(world.messages()) == 1
    assert [row.incident_id for row in world.waiting()] == [wanted]


def test_what_is_resolved_is_not_counted(world: World) -> None:
    """Nobody has to care for it any more."""
    world.resolved_by_hand(world.failed_run("run-1"))

    assert _silence(world, {"flow": "*"}).muted == 0


def test_a_dry_run_writes_nothing(world: World) -> None:
    """But tells all the same."""
    incident = world.failed_run("run-1")

    made = _silence(world, {"flow": "TrainFlow"}, dry_run=True)

    assert (made.silence.id, [each.id for each in made.mutes]) == (0, [incident])
    with world.ledger.transaction() as tx:
        assert silences.active(tx, world.clock()) == []


def test_an_expired_silence_releases_what_it_held_back(world: World) -> None:
    """By whose word and why is recorded."""
    world.failed_run("run-1")
    made = _silence(world, {"flow": "TrainFlow"})
    world.settle()
    world.deliver()
    with world.ledger.transaction() as tx:
        assert outbox_lists.held_back(tx) == {made.silence.id: 1}

    ended = expire(world.ledger, made.silence.id, who="ben", why="it is here", now=world.clock())

    assert (ended.released, ended.silence.expired_by) == (1, "ben: it is here")
    assert world.deliver() == ["sent"]


def test_only_a_silence_that_holds_can_be_ended(world: World) -> None:
    """One that is over, or never was, is named."""
    made = _silence(world, {"flow": "TrainFlow"})
    word: dict[str, Any] = {"who": "ben", "why": "it is here", "now": world.clock()}
    expire(world.ledger, made.silence.id, **word)

    with pytest.raises(RefusedError, match=r"no silence \d+ that holds; `ops-platform silences"):
        expire(world.ledger, made.silence.id, **word)


@pytest.mark.parametrize(
    ("patterns", "changes", "sentence"),
    [
        ({}, {}, "This would mute everything: give one of account, project, flow, owner"),
        ({"flow": ""}, {}, "This would mute everything"),
        ({"flow": "A"}, {"everything": True}, "Give names or everything, but not both"),
        ({"account": "prod"}, {}, "There is no account 'prod'; did you mean production"),
        ({"flow": "A"}, {"who": " "}, "say who you are"),
        ({"flow": "A"}, {"why": ""}, "say why, in a few words"),
        ({"flow": "A"}, {"why": "x" * (LONGEST_WORD + 1)}, "more than 500 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    world: World, patterns: dict[str, str | None], changes: dict[str, Any], sentence: str
) -> None:
    """With a sentence that says what to give."""
    with pytest.raises(RefusedError, match=sentence):
        _silence(world, patterns, **changes)


def test_of_many_only_those_that_are_shown_are_kept(world: World) -> None:
    """The others are counted as they come, here in two batches."""
    incident = world.incident(world.failed_run("run-1"))
    at = incident.opened_at
    row = msgspec.to_builtins(incident, builtin_types=(datetime,))
    others = [
        row | {"id": f"{number:016}", "opened_at": at + timedelta(seconds=number)}
        for number in range(1, 1500)
    ]
    with world.ledger.transaction() as tx:
        tx.execute(sa.insert(schema.incidents), others)

    made = _silence(world, {"flow": "TrainFlow"})

    assert (made.muted, len(made.mutes)) == (1500, SHOWN)
    assert made.mutes[0].id == "0000000000001499"


def test_an_account_of_others_can_be_muted_by_its_number(world: World) -> None:
    """The ledger keeps what is not in the settings under it."""
    made = _silence(world, {"account": "999999999999"})

    assert in_words(made.silence) == "account 999999999999"


def test_a_silence_that_is_over_already_is_refused(world: World) -> None:
    """It would mute nothing."""
    with pytest.raises(RefusedError, match="2026-03-02 12:00 UTC is over already"):
        _silence(world, {"flow": "A"}, ends_at=world.clock())


def test_everything_can_be_muted_by_saying_so(world: World) -> None:
    """As while Slack is being moved."""
    world.failed_run("run-1")

    made = _silence(world, {}, everything=True)

    assert (in_words(made.silence), made.muted) == ("everything", 1)
