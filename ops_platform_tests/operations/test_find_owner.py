"""Who is mentioned: by the table of owners, by e-mail, by default, or nobody."""

from collections.abc import Iterator

import pytest

from ops_platform.adapters.slack import SlackNotifier
from ops_platform.embedded.slack_inbox.faults import Fault
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform.operations.find_owner import OwnerFinder
from ops_platform.settings.slack import Person, SlackSettings
from ops_platform_tests.operations.delivery_world import client_of

LOOKUP = "users.lookupByEmail"
ADA = Person(slack_user="U0ADA00001")
GRACE = Person(email="grace@example.com")


@pytest.fixture
def inbox() -> Iterator[SlackInbox]:
    """Give a Slack with Ada, Grace, and Alan who has left."""
    with SlackInbox() as running:
        yield running


def mention(
    inbox: SlackInbox, owner: str | None, default: Person | None = None, **owners: Person
) -> str | None:
    """Return the mention of an owner under a table of owners and a default."""
    slack = SlackSettings(owners=owners, default_mention=default)
    return OwnerFinder(slack, SlackNotifier(client_of(inbox.api_url))).mention(owner)


def test_an_owner_of_the_table_is_mentioned_without_asking_slack(inbox: SlackInbox) -> None:
    """The table holds the id; a look-up would only cost time."""
    assert mention(inbox, "ada", ada=ADA) == "<@U0ADA00001>"
    assert inbox.calls() == []


def test_an_owner_with_an_address_is_looked_up(inbox: SlackInbox) -> None:
    """Slack knows the id."""
    assert mention(inbox, "grace", grace=GRACE) == "<@U0GRACE001>"


@pytest.mark.parametrize("owner", ["stranger", None, ""])
def test_an_owner_nobody_knows_leaves_the_default(inbox: SlackInbox, owner: str | None) -> None:
    """A team's default may itself be an address."""
    assert mention(inbox, owner, GRACE, ada=ADA) == "<@U0GRACE001>"
    assert mention(inbox, owner, ada=ADA) is None


@pytest.mark.parametrize("address", ["nobody@example.com", "alan@example.com"])
def test_an_owner_who_is_not_in_slack_leaves_the_default(inbox: SlackInbox, address: str) -> None:
    """Whether never there or gone."""
    assert mention(inbox, "alan", ADA, alan=Person(email=address)) == "<@U0ADA00001>"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method=LOOKUP, status=429, times=9),
        Fault(method=LOOKUP, status=500, times=9),
        Fault(method=LOOKUP, error="missing_scope", times=9),
        Fault(method=LOOKUP, cut=True, times=9),
        Fault(method=LOOKUP, body="[]", times=9),
        Fault(method=LOOKUP, body='{"ok": true}', times=9),
        Fault(method=LOOKUP, body='{"ok": true, "user": {}}', times=9),
    ],
    ids=["429", "500", "scope", "cut", "no object", "no user", "no id"],
)
def test_a_lookup_that_fails_delays_no_alert(inbox: SlackInbox, fault: Fault) -> None:
    """The default is mentioned instead, and nothing is raised."""
    inbox.fail(fault)
    assert mention(inbox, "grace", ADA, grace=GRACE) == "<@U0ADA00001>"
    assert mention(inbox, "grace", grace=GRACE) is None
