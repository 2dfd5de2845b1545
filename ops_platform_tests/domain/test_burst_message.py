"""What a burst says: how many, what they have in common, whose they are, and the newest of them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from ops_platform.domain.alert_message import Message
from ops_platform.domain.burst_message import RUNS_SHOWN, render_burst
from ops_platform.domain.bursts import Burst, BurstRule, By, kinds_like
from ops_platform.domain.incidents import Incident, Kind, State
from ops_platform_tests.build import NOON, after, an_incident
from ops_platform_tests.stories import ANA, LINKS, check, shown


def _incidents(number: int, **changes: Any) -> list[Incident]:
    return [
        an_incident(
            **({"id": f"{at:02}", "run_id": f"sfn-{at}", "opened_at": after(at * 10)} | changes)
        )
        for at in range(number)
    ]


def _render(
    members: Sequence[Incident],
    by: By = By.FLOW,
    mentions: Sequence[str] = (ANA,),
    meant_for: str | None = None,
) -> Message:
    message = render_burst(
        Burst(by, members), links=LINKS, mentions=mentions, meant_for=meant_for, now=NOON
    )
    check(message, called=["U0ADA00001"])
    return message


def _headline(message: Message) -> str:
    return str(message.blocks[0]["text"]["text"])


def test_a_burst_of_a_flow_names_the_flow_and_why_its_runs_failed() -> None:
    """With the numbers of each reason."""
    members = [*_incidents(3), *_incidents(1, id="a", reason="host lost")]
    message = _render(members)

    assert _headline(message) == "🔴 4 runs of TrainFlow failed in production within 20 s"
    assert message.text == f"{ANA} 4 runs of TrainFlow failed in production within 20 s"
    assert "*Why* `user exception` × 3, `host lost` × 1" in shown(message)


def test_a_burst_of_a_cause_names_the_cause_and_the_flows() -> None:
    """The most frequent ones, and how many more there are."""
    members = [
        *_incidents(2, reason="host lost"),
        *(an_incident(id=f"f{at}", flow=f"Flow{at}", reason="host lost") for at in range(6)),
    ]
    message = _render(members, By.CAUSE)

    assert _headline(message) == "🔴 8 runs failed in production within 10 s: host lost"
    assert (
        "*Flows* `TrainFlow` × 2, `Flow0` × 1, `Flow1` × 1, `Flow2` × 1, `Flow3` × 1 and 2 more"
        in (shown(message))
    )


def test_the_newest_runs_are_listed_with_their_links() -> None:
    """So many that they can be read, the last first."""
    text = shown(_render(_incidents(37)))

    assert "*The newest*" in text
    assert re.findall(r"\|(sfn-\d+)>", text) == [f"sfn-{at}" for at in range(36, 26, -1)]
    assert f"<{LINKS.run('TrainFlow', 'sfn-36')}|sfn-36> · " in text


def test_if_all_are_listed_it_says_so() -> None:
    """Nobody has to look for more."""
    assert "*The runs*" in shown(_render(_incidents(RUNS_SHOWN)))


def test_an_error_that_all_have_is_shown_once() -> None:
    """Else each run shows its own."""
    same, differing = _incidents(3), [*_incidents(2), *_incidents(1, id="x", error="another")]

    assert shown(_render(same)).count("Essential container") == 1
    assert shown(_render(differing)).count("Essential container") == 2


def test_the_recovered_are_counted_and_marked() -> None:
    """In the notification too."""
    members = _incidents(4)
    members[1:3] = [
        an_incident(id=f"r{at}", state=State.RESOLVED, resolved_at=after(60)) for at in range(2)
    ]
    message = _render(members)

    assert message.text.endswith(" · 🟢 2 of 4 recovered")
    assert shown(message).count("🟢 recovered") == 2


def test_once_all_have_recovered_nobody_is_called() -> None:
    """And the headline has changed."""
    message = _render(_incidents(3, state=State.RESOLVED, resolved_at=after(60)))

    assert _headline(message) == (
        "🟢 3 runs of TrainFlow failed and recovered in production within 20 s"
    )
    assert ANA not in shown(message)


def test_no_more_than_ten_are_called() -> None:
    """The others are counted."""
    members = [an_incident(id=f"{at:02}", owner=f"owner{at:02}") for at in range(13)]

    text = _render(members, mentions=[ANA] * 10).text

    assert text.startswith(f"{' '.join([ANA] * 10)} and 3 more owners 13 runs")


@pytest.mark.parametrize(("owner", "called"), [("ana", "`ana`: "), (None, "Owners unknown: ")])
def test_whom_slack_does_not_know_is_named(owner: str | None, called: str) -> None:
    """If anybody knows a name."""
    assert _render(_incidents(2, owner=owner), mentions=()).text.startswith(called)


@pytest.mark.parametrize(
    ("kind", "headline"),
    [
        (Kind.MISSED_SCHEDULE, "2 runs of TrainFlow did not start in production within 10 s"),
        (Kind.PLATFORM_STALLED, "2 checks of TrainFlow failed in production within 10 s"),
        (Kind.QUEUE_BLOCKED, "2 queues of TrainFlow are blocked in production within 10 s"),
        (Kind.CHANGE_FAILED, "2 changes of TrainFlow failed in production within 10 s"),
        (
            Kind.JOB_STUCK,
            "2 runs of TrainFlow wait for jobs that do not start in production within 10 s",
        ),
    ],
)
def test_what_is_no_failed_run_has_its_own_words(kind: Kind, headline: str) -> None:
    """And no link to a run, if there is none."""
    message = _render(_incidents(2, kind=kind, execution_arn=None))

    assert _headline(message) == f"🔴 {headline}"
    assert ("ui.example" in shown(message)) is (kind is Kind.JOB_STUCK)


def test_many_blocked_queues_are_nobodys_in_particular() -> None:
    """Each is named; nobody is called an owner."""
    queues = _incidents(3, kind=Kind.QUEUE_BLOCKED, owner=None, run_id="", reason="queue blocked")

    message = _render(queues, By.CAUSE, mentions=())

    assert message.text == "3 queues are blocked in production within 20 s: queue blocked"
    assert "*Queues* `TrainFlow` × 3" in shown(message)


def test_warnings_that_are_over_have_not_all_recovered() -> None:
    """Some jobs were cancelled."""
    over = _incidents(2, kind=Kind.JOB_STUCK, state=State.RESOLVED, resolved_at=after(60))

    assert _render([*_incidents(1, kind=Kind.JOB_STUCK), *over]).text.endswith("🟢 2 of 3 over")


@pytest.mark.parametrize("kind", Kind)
def test_what_waits_is_told_apart_from_what_failed(kind: Kind) -> None:
    """A run that has failed must be told, though its owner was warned of it."""
    rule = BurstRule(By.FLOW, 5, timedelta(minutes=5))
    failed, other = an_incident(), an_incident(kind=kind)
    apart = kind in {Kind.JOB_STUCK, Kind.QUEUE_BLOCKED, Kind.CHANGE_FAILED}

    assert (rule.key(failed) != rule.key(other)) is apart
    assert (Kind.RUN_FAILED in kinds_like(kind)) is not apart
    assert kind in kinds_like(kind)


def test_a_burst_in_another_channel_says_which_it_was_meant_for() -> None:
    """As every message does."""
    message = _render(_incidents(2), meant_for="#fraud")

    assert "Meant for `#fraud`, which cannot be posted to." in shown(message)


def test_a_run_whose_page_is_unknown_is_named() -> None:
    """Its address would be too long."""
    message = _render(_incidents(2, flow="f" * 400))

    assert "`sfn-1`" in shown(message)
