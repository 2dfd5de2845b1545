"""Whether an incident is told, and when: the policy, a row for each reason."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from ops_platform.domain.alerts import AlertPolicy, Send, Withhold
from ops_platform.domain.incidents import State
from ops_platform_tests.build import ROUTING, after, an_incident

POLICY = AlertPolicy(
    settle=timedelta(seconds=45),
    routing=ROUTING,
    max_age=timedelta(hours=24),
    known_accounts=frozenset({"production", "lab"}),
    observed_accounts=frozenset({"lab"}),
)
REPLAYED = AlertPolicy(settle=POLICY.settle, max_age=POLICY.max_age, routing=ROUTING, replayed=True)
SOON = after(60)


@pytest.mark.parametrize(
    ("policy", "changes", "verdict"),
    [
        (POLICY, {}, Send(due_at=SOON + timedelta(seconds=45))),
        (POLICY, {"opened_at": SOON - timedelta(hours=24)}, Send(SOON + timedelta(seconds=45))),
        (POLICY, {"opened_at": SOON - timedelta(hours=24, milliseconds=1)},
         Withhold("ended too long ago")),
        (POLICY, {"opened_at": SOON + timedelta(days=9)}, Send(SOON + timedelta(seconds=45))),
        (POLICY, {"account": "lab"}, Withhold("account is observed only")),
        (POLICY, {"account": "333333333333"}, Withhold("account is not in the settings")),
        (POLICY, {"state": State.RESOLVED}, Withhold("already resolved")),
        (REPLAYED, {}, Withhold("replayed")),
        (REPLAYED, {"opened_at": after(-9e5)}, Withhold("replayed")),
    ],
    ids=["told", "just in time", "too old", "ahead of our clock", "observed", "unknown",
         "resolved", "replayed", "replayed and old"],
)  # fmt: skip
def test_a_new_incident_is_told_or_there_is_a_reason_not_to(
    policy: AlertPolicy, changes: dict[str, Any], verdict: Send | Withhold
) -> None:
    """The settle time counts from now, the age from the end of the run."""
    incident = msgspec.structs.replace(an_incident(), **changes)

    assert policy.decide(incident, SOON) == verdict
