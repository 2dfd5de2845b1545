"""Whether an incident is told, and when: the policy, a row for each reason."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ops_platform.domain.alerts import AlertPolicy, Send, Withhold
from ops_platform.domain.incidents import Kind, State
from ops_platform_tests.build import ROUTING, after, an_incident

POLICY = AlertPolicy(
    settle=timedelta(seconds=45),
    routing=ROUTING,
    max_age=timedelta(hours=24),
    known_accounts=frozenset({"production", "lab"}),
    observed_accounts=frozenset({"lab"}),
)
REPLAYED = AlertPolicy(settle=POLICY.settle, max_age=POLICY.max_age, routing=ROUTING, replayed=True)
QUIET = replace(POLICY, quiet_about_interactive=frozenset({"production"}))
NOT_INTERACTIVE = "interactive runs of this account are not alerted"
SOON = after(60)


@pytest.mark.parametrize(
    ("policy", "changes", "verdict"),
    [
        (POLICY, {}, Send(due_at=SOON + timedelta(seconds=45))),
        (POLICY, {"opened_at": SOON - timedelta(hours=24)}, Send(SOON + timedelta(seconds=45))),
        (POLICY, {"opened_at": SOON - timedelta(hours=24, milliseconds=1)},
         Withhold("ended too long ago")),
        (POLICY, {"kind": Kind.QUEUE_BLOCKED, "run_id": ""}, Send(SOON)),
        (POLICY, {"kind": Kind.JOB_STUCK}, Send(SOON)),
        (QUIET, {"kind": Kind.JOB_STUCK}, Send(SOON)),
        (QUIET, {"kind": Kind.JOB_STUCK, "run_id": ""}, Send(SOON)),
        (QUIET, {"kind": Kind.JOB_STUCK, "run_id": "1767"}, Withhold(NOT_INTERACTIVE)),
        (QUIET, {"kind": Kind.INTERACTIVE_FAILED, "run_id": "1767"}, Withhold(NOT_INTERACTIVE)),
        (POLICY, {"kind": Kind.QUEUE_BLOCKED, "account": "lab"},
         Withhold("account is observed only")),
        (POLICY, {"opened_at": SOON + timedelta(days=9)}, Send(SOON + timedelta(seconds=45))),
        (POLICY, {"account": "lab"}, Withhold("account is observed only")),
        (POLICY, {"account": "333333333333"}, Withhold("account is not in the settings")),
        (POLICY, {"state": State.RESOLVED}, Withhold("already resolved")),
        (REPLAYED, {}, Withhold("replayed")),
        (REPLAYED, {"opened_at": after(-9e5)}, Withhold("replayed")),
    ],
    ids=["told", "just in time", "too old", "a blocked queue at once", "a warning at once",
         "quiet about people, and a run's job", "and nobody's job", "and a person's job",
         "and a person's run", "a queue that is observed", "ahead of our clock", "observed",
         "unknown", "resolved", "replayed", "replayed and old"],
)  # fmt: skip
def test_a_new_incident_is_told_or_there_is_a_reason_not_to(
    policy: AlertPolicy, changes: dict[str, Any], verdict: Send | Withhold
) -> None:
    """The settle time counts from now, the age from the end of the run."""
    incident = msgspec.structs.replace(an_incident(), **changes)

    assert policy.decide(incident, SOON) == verdict
