"""Look for missed schedules as the settings want it, whoever asks."""

from datetime import datetime, timedelta

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.ports import Schedules, Starts
from ops_platform.operations.find_missed_schedules import MissedSchedules, find_missed_schedules
from ops_platform.operations.policy import alert_policy
from ops_platform.settings.model import Settings


def check_account_schedules(
    account: str,
    settings: Settings,
    *,
    ledger: Ledger,
    schedules: Schedules,
    starts: Starts,
    now: datetime,
) -> MissedSchedules:
    """Open the account's incidents of missed schedules, and resolve those made up for."""
    return find_missed_schedules(
        ledger,
        account=account,
        schedules=schedules,
        starts=starts,
        policy=alert_policy(settings),
        now=now,
        grace=timedelta(minutes=settings.timing.schedule_grace_minutes),
    )
