"""An alert in a real browser: the inbox's page shows it, and the README's pictures are taken."""

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pytest
from slack_sdk import WebClient

from ops_platform.domain.alert_message import render
from ops_platform.domain.identity import Links
from ops_platform.domain.story import Story
from ops_platform.embedded.slack_inbox.inbox import SlackInbox
from ops_platform_tests.build import NOON, an_incident

SCRIPT = Path(__file__).parents[1] / "docs" / "pictures" / "take.py"
PNG = b"\x89PNG\r\n\x1a\n"


def take() -> ModuleType:
    """Import the script, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("take", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alert(inbox: SlackInbox) -> None:
    """Post an alert as the platform does."""
    story = Story(an_incident(), Links("us-east-1"), mention="<@U0ADA00001>")
    message = render(story, now=NOON)
    slack = WebClient(token="xoxb-test", base_url=inbox.api_url)
    slack.chat_postMessage(channel="#general", text=message.text, blocks=list(message.blocks))


@pytest.mark.slow
def test_a_browser_shows_the_alert() -> None:
    """Headline, mention and facts are on the page as it is drawn, styles and scripts applied."""
    with SlackInbox() as inbox, tempfile.TemporaryDirectory() as profile:
        alert(inbox)
        command = ["chromium", *take().FLAGS, f"--user-data-dir={profile}", "--dump-dom"]
        shown = subprocess.run(
            [*command, "--virtual-time-budget=5000", inbox.url],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
    incident = an_incident()
    assert f"{incident.flow} failed in {incident.account}" in shown
    assert "@Ada" in shown
    assert incident.run_id in shown


@pytest.mark.slow
def test_the_pictures_are_taken_of_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The script asks the edition where its pages are; here the inbox stands in for Dagster."""
    with SlackInbox() as inbox:
        alert(inbox)
        addresses = {"slack_url": inbox.api_url, "dagster_url": inbox.url}
        (tmp_path / "embedded.json").write_text(json.dumps(addresses))
        arguments = ["take.py", "--state", str(tmp_path), "--into", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", arguments)
        assert take().main() == 0
    pictures = sorted(path.stem for path in tmp_path.glob("*.png"))
    assert pictures == [
        "dagster-assets", "dagster-flow", "dagster-sensor", "dagster-stale-jobs", "slack",
        "slack-stale-job",
    ]  # fmt: skip
    assert all(path.read_bytes().startswith(PNG) for path in tmp_path.glob("*.png"))


def test_pictures_need_an_edition(tmp_path: Path) -> None:
    """Without one the script says what is missing, and ends with 1."""
    command = [sys.executable, str(SCRIPT), "--state", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "not installed" in done.stderr or "embedded.json" in done.stderr
