"""What an incident is given to before it is first told: its account's Batch, history and logs."""

import logging
from dataclasses import dataclass

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.resources import Accounts
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.incidents import Incident
from ops_platform.operations.explain_failures import explain
from ops_platform.operations.policy import alert_policy
from ops_platform.settings.model import Settings

# A tick of the sensor has 60 seconds, of which this comes on top of the budget for delivering.
SECONDS = 12.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Understanding:
    """Finds out why a run failed; an alert that knows less is better than one that is late."""

    ledger: Ledger
    accounts: Accounts
    settings: Settings

    def __call__(self, incident: Incident) -> None:
        """Complete the incident in the ledger, and keep the end of its log there."""
        name = incident.account
        if name not in {account.name for account in self.settings.accounts}:
            return
        try:
            trouble = explain(
                self.ledger,
                incident,
                jobs=self.accounts.batch_jobs(name),
                history=self.accounts.histories(name),
                logs=self.accounts.logs(name),
                policy=alert_policy(self.settings),
                clock=self.ledger.now,
                seconds=SECONDS,
            )
        except PlatformError as error:
            trouble = (str(error),)
        except Exception as error:  # noqa: BLE001
            # An answer of AWS's that nobody thought of must not keep the alert back for ever.
            _log.exception("Incident %s cannot be looked into.", incident.id)
            trouble = (f"{type(error).__name__}: tell whoever maintains the platform.",)
        for sentence in trouble:
            _log.warning("Incident %s: %s", incident.id, sentence)
