"""What Slack is given: everything a reader needs, and nothing that breaks or pings."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.alert_message import STEPS_SHOWN, Message, render
from ops_platform.domain.identity import Links
from ops_platform.domain.incidents import Incident, Kind, State, Tally
from ops_platform_tests import nasty
from ops_platform_tests.build import NOON, RUN, an_incident

LINKS = Links("eu-west-1", metaflow_ui="https://ui.example", dagster="https://dagster.example")
# Slack's limits: characters of a text by where it stands, and how many parts there may be.
HEADER, SECTION, FIELD, FIELDS, BLOCKS = 150, 3000, 2000, 10, 50
ALL_BLOCKS = 13_200
ATTACKS = [
    "<!channel>",
    "<!here|x>",
    "<@U0123ABCD>",
    "<https://evil.example|click>",
    "`code`",
    "```",
    "*bold* _it_ ~no~",
    "@channel @here @everyone",
    "&lt;!channel&gt;",
    "\u202eevil",
    "\x00\x1b[31m",
    "a\n> quote\n• item",
]


def _render(mention: str | None = "<@U0ANA>", **changes: Any) -> Message:
    return render(an_incident(**changes), links=LINKS, mention=mention)


def _texts(message: Message) -> Iterator[str]:
    """Return every text in which Slack reads markup."""
    yield message.text
    for block in message.blocks:
        parts = [block.get("text"), *block.get("fields", ()), *block.get("elements", ())]
        yield from (part["text"] for part in parts if part and part["type"] == "mrkdwn")


def _all(message: Message) -> str:
    return "\n".join(_texts(message))


def test_an_alert_names_all_that_a_reader_needs() -> None:
    """Owner, flow, project, branch, account, run, steps with counts, reason and error."""
    text = _all(_render())

    for part in ("<@U0ANA>", "TrainFlow", "fraud", "prod", "production", f"sfn-{RUN}", "`ana`"):
        assert part in text
    assert "• `work` 2 failed, 9 stopped with them, 1 succeeded" in text
    assert "*user exception*: 2 jobs failed, 9 others were stopped with it." in text
    assert "`Essential container in task exited; exit code 1`" in text


def test_an_alert_links_run_task_execution_and_log() -> None:
    """Each by the address that identity makes of it."""
    incident = an_incident()
    text = _all(render(incident, links=LINKS, mention=None))

    task = LINKS.task("TrainFlow", f"sfn-{RUN}", "work", "5b0e9d3c-job")
    assert f"<{LINKS.run('TrainFlow', f'sfn-{RUN}')}|Run>" in text
    assert f"<{task}|First failed task>" in text
    assert f"<{LINKS.execution(incident.execution_arn)}|Execution>" in text
    assert f"<{LINKS.log('metaflow_9f2c/default/1')}|Log>" in text


def test_without_a_ui_or_a_job_there_are_fewer_links() -> None:
    """No empty ones."""
    incident = an_incident(job_id=None, step=None, log_stream=None)

    message = render(incident, links=Links("eu-west-1"), mention=None)

    assert re.findall(r"\|([\w ]+)>", message.blocks[-1]["elements"][0]["text"]) == ["Execution"]


@pytest.mark.parametrize(
    ("mention", "owner", "shown"),
    [
        ("<@U0ANA>", "ana", "<@U0ANA>: "),
        (None, "ana", "`ana`: "),
        (None, None, "nobody known: "),
        ("<!subteam^S1>", None, "<!subteam^S1>: "),
    ],
)
def test_the_text_begins_with_whom_it_concerns(
    mention: str | None, owner: str | None, shown: str
) -> None:
    """In the notification and in the message."""
    message = _render(mention, owner=owner)

    assert message.text.startswith(shown)
    assert message.blocks[1]["text"]["text"].startswith(shown)


@pytest.mark.parametrize(
    ("kind", "verb"),
    [
        (Kind.RUN_FAILED, "failed"),
        (Kind.RUN_TIMED_OUT, "timed out"),
        (Kind.RUN_ABORTED, "was aborted"),
    ],
)
def test_the_headline_says_what_happened(kind: Kind, verb: str) -> None:
    """To which flow, and where."""
    message = _render(kind=kind)

    assert message.blocks[0]["text"]["text"] == f"TrainFlow {verb} in production"


@pytest.mark.parametrize(
    ("failed", "collateral", "summary"),
    [
        (1, 0, "1 job failed."),
        (2, 0, "2 jobs failed."),
        (0, 0, "no job failed by itself."),
        (0, 1, "no job failed by itself, 1 other was stopped with it."),
        (10_000, 2_345, "10,000 jobs failed, 2,345 others were stopped with it."),
    ],
)
def test_counts_read_as_sentences(failed: int, collateral: int, summary: str) -> None:
    """One job, two jobs, ten thousand jobs."""
    assert summary in _render(failed_jobs=failed, collateral_jobs=collateral).text


def test_of_many_steps_the_worst_are_shown_and_the_others_counted() -> None:
    """Steps without a root failure are not failing steps."""
    steps = {f"step{number}": Tally(failed=number, collateral=1) for number in range(31)}

    text = _all(_render(steps=steps))

    assert text.index("`step30` 30 failed") < text.index("`step29` 29 failed")
    assert f"… and {30 - STEPS_SHOWN} more steps" in text
    assert "`step0`" not in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_foreign_text_stays_text(attack: str) -> None:
    """Wherever it stands, it opens no tag, no code and no mention of anybody."""
    names = ("flow", "run_id", "owner", "project", "branch", "error", "step")
    foreign = dict.fromkeys(names, attack)
    message = _render(
        mention=None, **foreign, job_id=attack, log_stream=attack, steps={attack: Tally(failed=1)}
    )

    for text in _texts(message):
        tags = re.findall(r"<[^>]*>", text)
        assert all(re.match(r"<(https://|!date\^\d+\^)", tag) for tag in tags)
        assert not re.search(r"@(channel|here|everyone)", text)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", text)
        assert text.count("`") % 2 == 0
        assert "```" not in text


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_headline_is_one_line_of_printable_text(attack: str) -> None:
    """It is plain text, so markup means nothing in it."""
    headline = _render(flow=attack).blocks[0]["text"]

    assert headline["type"] == "plain_text"
    assert headline["text"].isprintable()


incidents = st.builds(
    Incident,
    id=st.just("0123456789abcdef"),
    account=st.sampled_from(["production", "999999999999"]),
    flow=nasty.keys,
    run_id=nasty.keys,
    execution_arn=nasty.keys,
    kind=st.sampled_from(Kind),
    state=st.sampled_from(State),
    owner=st.none() | nasty.keys,
    project=st.none() | nasty.keys,
    branch=st.none() | nasty.keys,
    opened_at=st.just(NOON) | st.datetimes().map(lambda at: at.replace(tzinfo=NOON.tzinfo)),
    failed_jobs=st.integers(0, 10**6),
    collateral_jobs=st.integers(0, 10**6),
    steps=st.dictionaries(nasty.keys, st.builds(Tally, *[st.integers(0, 10**6)] * 3), max_size=30),
    reason=st.sampled_from(["user exception", "unknown"]),
    error=st.none() | nasty.texts,
    step=st.none() | nasty.keys,
    job_id=st.none() | nasty.keys,
    log_stream=st.none() | nasty.keys,
)


@given(incidents)
def test_every_alert_keeps_slacks_limits(incident: Incident) -> None:
    """Whatever names, errors and numbers there are."""
    message = render(incident, links=LINKS, mention=None)

    assert 1 <= len(message.blocks) <= BLOCKS
    assert len(json.dumps(message.blocks, ensure_ascii=False)) <= ALL_BLOCKS
    for block in message.blocks:
        if block["type"] == "header":
            assert 1 <= len(block["text"]["text"]) <= HEADER
        assert all(1 <= len(field["text"]) <= FIELD for field in block.get("fields", ()))
        assert len(block.get("fields", ())) <= FIELDS
    assert all(1 <= len(text) <= SECTION for text in _texts(message))


@given(incidents)
def test_every_alert_can_be_sent_as_json(incident: Incident) -> None:
    """In UTF-8."""
    message = render(incident, links=LINKS, mention=None)

    assert msgspec.json.encode([message.text, message.blocks])
