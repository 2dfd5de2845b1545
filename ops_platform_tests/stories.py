"""Builders for what is told of incidents, nasty ones too, and what every message must keep."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from ops_platform.domain.alert_message import Message, render_plain
from ops_platform.domain.blocks import MOST, weight
from ops_platform.domain.diagnosis import Figure
from ops_platform.domain.events import Attempt
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident, Kind, State, Tally
from ops_platform.domain.job_log import LogAbsence
from ops_platform.domain.lifecycle import Job
from ops_platform.domain.routes import Severity
from ops_platform.domain.standstill import Standstill
from ops_platform.domain.story import JobLog, Story, Track
from ops_platform.embedded.slack_inbox.limits import aggregate, check_blocks
from ops_platform.embedded.slack_inbox.mentions import pings
from ops_platform_tests import nasty
from ops_platform_tests.build import NOON, TASK_EXITED, a_failed_job, an_incident

LINKS = Links("eu-west-1", metaflow_ui="https://ui.example", dagster="https://dagster.example")
NO_LINKS = Links("eu-west-1")
ANA = "<@U0ADA00001>"
PLAIN_LIMIT = 4000
_HOST = "arn:aws:ecs:eu-west-1:222222222222:container-instance/flows/"
# All that Slack may find in brackets: links, dates, and the mentions that we ask for.
_TAG = re.compile(r"<(https://[^<>|]+(\|[^<>]*)?|!date\^\d+\^[^<>|]+\|[^<>]+|@U0ADA00001)>")
_NOT_TEXT = re.compile("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff]")


def a_story(**changes: Any) -> Story:
    """Return the story of an incident; the changes are the story's or else the incident's."""
    of_story = {name: changes.pop(name) for name in Story.__slots__ if name in changes}
    told: dict[str, Any] = {"incident": an_incident(**changes), "links": LINKS, "mention": ANA}
    return Story(**(told | of_story))


def a_root_failure(number: int, *, exits: Sequence[int] = (1,), **changes: Any) -> Job:
    """Return the failure of that number, a second after the one before."""
    attempts = tuple(Attempt(exit_code=code, reason=TASK_EXITED) for code in exits)
    given: dict[str, Any] = {
        "job_id": f"{number:08x}-51f7-4bb3-9f59-5a3a2f6d8a10",
        "started_at": NOON,
        "attempts": attempts,
        "exit_code": exits[-1],
        "log_stream": f"metaflow_{'9f2c' * 14}/default/{number:032x}",
        "container_instance": f"{_HOST}{number:08x}3f4a5b6c",
    }
    return a_failed_job(stop=number + 1, **(given | changes))


def texts_of(message: Message) -> Iterator[str]:
    """Return every text in which Slack reads markup."""
    yield message.text
    for block in message.blocks:
        parts = [block.get("text"), *block.get("elements", ())]
        yield from (part["text"] for part in parts if part and part["type"] == "mrkdwn")


def shown(message: Message) -> str:
    """Return all that a message says, its headline too."""
    headlines = [block["text"]["text"] for block in message.blocks if block["type"] == "header"]
    return "\n".join([*headlines, *texts_of(message)])


def check(message: Message, *, called: Sequence[str] = ()) -> None:
    """Hold a message, and its plain form, against Slack's limits and against all that pings."""
    plain = render_plain(message)
    assert message.text.strip()
    assert len(plain.text) <= PLAIN_LIMIT
    assert plain.blocks == ()
    check_blocks(list(message.blocks))
    assert weight(message.blocks) == aggregate(list(message.blocks)) <= MOST
    for text in (*texts_of(message), plain.text):
        check_text(text)
    assert set(pings(plain.text, list(message.blocks), frozenset({"U0ADA00001"}))) <= set(called)
    assert msgspec.json.encode([message.text, message.blocks])


def check_text(text: str) -> None:
    """Hold a text against what foreign text could do to it."""
    assert "<" not in _TAG.sub("", text)
    assert not re.search(r"(?<!\w)@(channel|here|everyone|group)", text, re.IGNORECASE)
    assert not _NOT_TEXT.search(text)
    assert text.count("`") % 2 == 0


moments = st.just(NOON) | st.datetimes(timezones=st.just(NOON.tzinfo))
maybe_text = st.none() | nasty.texts
maybe_key = st.none() | nasty.keys
numbers = st.integers(0, 10**6)
tallies = st.dictionaries(nasty.keys, st.builds(Tally, numbers, numbers, numbers), max_size=30)
incidents = st.builds(
    Incident,
    id=st.text("0123456789abcdef", min_size=16, max_size=16),
    account=st.sampled_from(["production", "999999999999", nasty.LONG]),
    flow=nasty.keys,
    run_id=nasty.keys | st.just(""),
    execution_arn=maybe_key,
    machine_arn=maybe_key,
    kind=st.sampled_from(Kind),
    state=st.sampled_from(State),
    owner=maybe_key,
    project=maybe_key,
    branch=maybe_key,
    started_at=st.none() | moments,
    opened_at=moments,
    failed_jobs=numbers,
    collateral_jobs=numbers,
    steps=tallies,
    reason=st.sampled_from(["user exception", "unknown"]) | nasty.keys,
    error=maybe_text,
    step=maybe_key,
    job_id=maybe_key,
    log_stream=maybe_key,
    failing=st.just("5d0c"),
    resolved_at=st.none() | moments,
    resolved_by=maybe_text,
)
jobs = st.builds(
    a_root_failure,
    st.integers(0, 10**6),
    exits=st.lists(st.sampled_from([0, 1, 137, 2**31]), min_size=1, max_size=12),
    job_id=nasty.keys,
    step=maybe_key,
    status_reason=maybe_text,
    container_reason=maybe_text,
    stopped_at=st.none() | moments,
    started_at=st.none() | moments,
    log_stream=maybe_key,
    container_instance=maybe_key,
    task_id=maybe_key,
    retry=st.none() | st.integers(0, 9),
)
standstills = st.builds(
    Standstill,
    sentence=nasty.texts,
    advice=nasty.texts,
    cause=maybe_key,
    evidence=st.lists(st.builds(Figure, nasty.texts, nasty.texts, nasty.texts), max_size=12).map(
        tuple
    ),
    waited=st.none() | st.timedeltas(),
    policy=maybe_key,
    job_id=maybe_key,
    step=maybe_key,
    queue=maybe_key,
)
stories = st.builds(
    Story,
    incident=incidents,
    links=st.sampled_from([LINKS, NO_LINKS]),
    mention=st.none() | st.just(ANA),
    track=st.none() | st.builds(Track, numbers, st.none() | moments, st.none() | moments),
    log=st.none()
    | st.builds(
        JobLog, maybe_text, maybe_text, st.booleans(), st.none() | st.sampled_from(LogAbsence)
    ),
    meant_for=maybe_key,
    severity=st.none() | st.sampled_from(Severity),
    job=st.none() | jobs,
    standstill=st.none() | standstills,
)
DAY = timedelta(days=1)
