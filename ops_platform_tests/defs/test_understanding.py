"""What looks into an incident before it is told, as the sensor uses it."""

import logging
from pathlib import Path

import pytest

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.resources import Accounts
from ops_platform.defs.understanding import Understanding
from ops_platform.domain.ports import BatchJobs
from ops_platform_tests.build import an_incident
from ops_platform_tests.defs.dagster_world import settings_in


class Puzzling(Accounts):
    """Accounts of which AWS tells something that nobody thought of."""

    def batch_jobs(self, name: str) -> BatchJobs:
        """Come upon it."""
        raise KeyError(name)


def test_what_nobody_thought_of_keeps_no_alert_back(
    ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the incident is told with what is known of it."""
    settings = settings_in(tmp_path)
    incident = an_incident(account=settings.accounts[0].name)
    with caplog.at_level(logging.WARNING):
        Understanding(ledger, Puzzling(settings), settings)(incident)
    assert "KeyError: tell whoever maintains the platform" in caplog.text
