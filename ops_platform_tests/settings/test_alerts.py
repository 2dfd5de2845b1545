"""Where alerts go, and what is told as one: what is read, refused and noted."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops_platform.settings.notes import notes
from ops_platform.settings.report import by_key
from ops_platform_tests.settings.files import ACCOUNT, load_file, problems_of

ROUTE = '[[alerts.routes]]\nchannels = ["#oncall"]\n'
BURST = '[[alerts.bursts]]\nby = "flow"\n'
SENDING = ACCOUNT.replace('alerts = "observe"\n', "")


def test_routes_are_kept_in_the_order_of_the_file(tmp_path: Path) -> None:
    """The first that takes an incident counts."""
    text = f'{ACCOUNT}{ROUTE}flow = "Train*"\n{ROUTE}account = "staging"\nseverity = "info"\n'

    first, second = load_file(tmp_path, text).alerts.routes

    assert (first.flow, first.account, first.channels) == ("Train*", None, ("#oncall",))
    assert (second.account, second.severity) == ("staging", "info")


def test_bursts_have_rules_unless_the_file_has_others(tmp_path: Path) -> None:
    """An empty list of them tells each run by itself."""
    usual = load_file(tmp_path, ACCOUNT).alerts.bursts
    own = load_file(tmp_path, f"{ACCOUNT}{BURST}at_least = 2").alerts.bursts
    none = load_file(tmp_path, f"{ACCOUNT}[alerts]\nbursts = []").alerts.bursts

    assert [(rule.by, rule.at_least, rule.within_seconds) for rule in usual] == [
        ("flow", 5, 300),
        ("cause", 20, 300),
    ]
    assert [(rule.by, rule.at_least, rule.within_seconds) for rule in own] == [("flow", 2, 300)]
    assert none == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            ROUTE,
            "alerts.routes[0]: takes every alert; give one of account, project, flow, severity",
            id="takes everything",
        ),
        pytest.param(
            f'{ROUTE}account = "stagin"',
            'alerts.routes[0].account: there is no account "stagin"; did you mean staging?',
            id="slip in an account",
        ),
        pytest.param(
            f'{ROUTE}account = "elsewhere"',
            'alerts.routes[0].account: there is no account "elsewhere"; known are: staging',
            id="unknown account",
        ),
        pytest.param(
            f'{ROUTE}severity = "loud"',
            (
                'alerts.routes[0].severity: "loud" is not allowed;'
                ' give "critical", "warning" or "info"'
            ),
            id="severity",
        ),
        pytest.param(
            f'{ROUTE}flow = ""',
            (
                'alerts.routes[0].flow: "" is not allowed;'
                " give a name, in which * stands for anything"
            ),
            id="empty pattern",
        ),
        pytest.param(
            '[[alerts.routes]]\nflow = "A"\nchannels = []',
            (
                "alerts.routes[0].channels: an empty array is not allowed;"
                " give a list of channels, at least one"
            ),
            id="no channel",
        ),
        pytest.param(
            '[[alerts.routes]]\nflow = "A"\nchannels = ["#a", "B"]',
            (
                'alerts.routes[0].channels[1]: "B" is not allowed;'
                " give a channel such as #alerts, or its id such as C0123ABCD"
            ),
            id="bad channel",
        ),
        pytest.param(
            '[[alerts.routes]]\nflow = "A"\nchannels = "#a"',
            (
                'alerts.routes[0].channels: "#a" is not allowed;'
                " give a list of channels, at least one"
            ),
            id="text for a list",
        ),
        pytest.param(
            '[alerts.routes]\nflow = "A"',
            "alerts.routes: a table is not allowed; give [[alerts.routes]] tables",
            id="one table",
        ),
        pytest.param(
            "[alerts]\nroutes = [3]",
            "alerts.routes[0]: a single value is not allowed; give a table",
            id="number for a route",
        ),
        pytest.param(
            f"{BURST}at_least = 1",
            "alerts.bursts[0].at_least: 1 is not allowed; give a whole number from 2 to 10000",
            id="burst of one",
        ),
        pytest.param(
            f"{BURST}",
            "alerts.bursts[0].at_least: missing; give a whole number from 2 to 10000",
            id="burst without a number",
        ),
        pytest.param(
            f"{BURST}at_least = 3\nwithin = 60",
            "alerts.bursts[0].within: unknown key; did you mean within_seconds?",
            id="slip in a key",
        ),
        pytest.param(
            ACCOUNT.replace("staging", "second").replace("1111", "9999")
            + 'alert_on_interactive_runs = "no"',
            ('accounts[1].alert_on_interactive_runs: "no" is not allowed; give true or false'),
            id="text for a flag",
        ),
        pytest.param(
            '[slack]\nemail_domain = "ana@example.com"',
            (
                'slack.email_domain: "ana@example.com" is not allowed;'
                " give the domain of e-mail addresses, such as example.com"
            ),
            id="address for a domain",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    """With one sentence that names the key."""
    assert problems_of(tmp_path, ACCOUNT + text) == [problem]


def test_a_route_for_a_whole_account_is_channel_enough(tmp_path: Path) -> None:
    """A narrower one leaves alerts without a place to go."""
    whole = f'{SENDING}{ROUTE}account = "staging"'

    assert load_file(tmp_path, whole).channel("staging") is None
    (problem,) = problems_of(tmp_path, f'{whole}\nflow = "A"')
    assert problem.startswith("accounts[0].slack_channel: missing; give a channel here")


@pytest.mark.parametrize(
    ("first", "second", "useless"),
    [
        ('flow = "A"', 'flow = "A"\nseverity = "info"', True),
        ('flow = "*"', 'project = "demand"', True),
        ('flow = "A*"', 'flow = "B"', False),
        ('flow = "A"\nseverity = "info"', 'flow = "A"', False),
    ],
)
def test_a_route_to_which_nothing_comes_is_noted(
    tmp_path: Path, first: str, second: str, *, useless: bool
) -> None:
    """It is no error, but surely a slip in the order."""
    settings = load_file(tmp_path, f"{ACCOUNT}{ROUTE}{first}\n{ROUTE}{second}")

    noted = [note for note in notes(settings, {}, now=datetime.now(UTC)) if "routes" in note]

    assert len(noted) == int(useless)
    told = "Nothing comes to alerts.routes[1]: alerts.routes[0], which stands before it, takes"
    assert all(note.startswith(told) for note in noted)


@pytest.mark.parametrize(
    ("given", "tells"),
    [
        ("", True),
        ('stage = "staging"', False),
        ('stage = "staging"\nalert_on_interactive_runs = true', True),
        ("alert_on_interactive_runs = false", False),
    ],
)
def test_runs_by_hand_are_told_as_the_stage_says(
    tmp_path: Path, given: str, *, tells: bool
) -> None:
    """Unless the account says it itself."""
    assert load_file(tmp_path, ACCOUNT + given).accounts[0].tells_interactive is tells


def test_a_group_can_be_mentioned(tmp_path: Path) -> None:
    """By default, and as an owner."""
    text = f'{ACCOUNT}[slack]\ndefault_mention = "S0123ABCD"\nowners.demand = "S0456EFGH"'

    slack = load_file(tmp_path, text).slack

    assert slack.default_mention is not None
    assert slack.default_mention.slack_user == "S0123ABCD"
    assert slack.owners["demand"].slack_user == "S0456EFGH"


def test_each_place_of_a_table_is_shown_by_its_number(tmp_path: Path) -> None:
    """A list of plain values is one line, and so is an array that is empty."""
    settings = load_file(tmp_path, f'{ACCOUNT}{ROUTE}flow = "A"')

    shown = {key: (value, origin) for key, value, origin in by_key(settings, {})}

    assert shown["alerts.routes[0].channels"] == (["#oncall"], "ops_platform.toml")
    assert shown["alerts.routes[0].project"] == (None, "default")
    assert shown["alerts.bursts[1].at_least"] == (20, "default")
    assert shown["alerts.repeat_hours"] == (24, "default")
    bare = {key: value for key, value, _ in by_key(load_file(tmp_path, ACCOUNT), {})}
    assert bare["alerts.routes"] == []
