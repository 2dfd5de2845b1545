"""A settings file in a folder: what is loaded from it, and what is wrong with it."""

from pathlib import Path

import pytest

from ops_platform.settings.load import load
from ops_platform.settings.model import Settings
from ops_platform.settings.problems import SettingsError

ACCOUNT = """
[[accounts]]
name = "staging"
aws_account_id = "111122223333"
region = "eu-central-1"
event_queue_url = "https://sqs.eu-central-1.amazonaws.com/111122223333/events"
alerts = "observe"
"""


def load_file(folder: Path, text: str, **environ: str) -> Settings:
    """Write a settings file and load it."""
    (folder / "ops_platform.toml").write_text(text)
    return load(environ, cwd=folder)


def problems_of(folder: Path, text: str, **environ: str) -> list[str]:
    """Write a settings file that is refused; return the problems without the file's name."""
    with pytest.raises(SettingsError) as caught:
        load_file(folder, text, **environ)
    prefix = f"{folder / 'ops_platform.toml'}: "
    lines = str(caught.value).splitlines()
    assert all(line.startswith(prefix) for line in lines)
    return [line.removeprefix(prefix) for line in lines]
