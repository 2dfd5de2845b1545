"""The settings of the embedded edition, which has no settings file."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ops_platform.clock import now
from ops_platform.settings.problems import Problem, SettingsError

STATE_VARIABLE = "OPS_STATE_DIR"
STATE_FOLDER = ".ops-platform"
# What `ops-platform embedded up` writes: where its accounts, Slack and Dagster can be reached.
EMBEDDED_FILE = "embedded.json"
# The Slack inbox takes any token.
EMBEDDED_TOKEN = "xoxb-embedded"  # noqa: S105

# Its AWS accounts, each with its AWS account id.
ACCOUNTS = {"staging": "111111111111", "production": "222222222222"}
REGION = "us-east-1"
# Nothing listens there: while the edition is not up, no call may leave this machine.
_NOWHERE = "http://127.0.0.1:1/"
# The owners of the demo's flows, who are members of the Slack inbox.
_OWNERS = {"ada": "U0ADA00001", "grace": "U0GRACE001"}
_TIMING = {
    "settle_seconds": 20,
    "ingest_interval_seconds": 5,
    "delivery_interval_seconds": 5,
    "reconcile_minutes": 2,
    "stale_jobs_minutes": 1,
}
# Nobody at a laptop waits two hours to see a job cancelled.
_STALE_JOBS = {"rules": [{"queue": "stuck", "unfit_minutes": 1, "stuck_minutes": 1}]}
_ALERTS = {"update_seconds": 5}
_REFRESH_MINUTES = 5
_R5 = {"r5.large": (2, 16_384), "r5.xlarge": (4, 32_768), "r5.2xlarge": (8, 65_536)}
# The queues of both of its accounts: their maximum of vCPUs, and what they start.
QUEUES = {"metaflow": (8, ("r5.xlarge", "r5.2xlarge")), "stuck": (4, ("r5.large", "r5.xlarge"))}
# Enough to try a month's backfill; more would only be hours that Dagster shows as missing.
_DAYS_BEFORE = timedelta(days=31)
# Postgres writes it when a cluster is made, and never again.
_MADE_WITH_THE_DATABASE = "postgres/data/PG_VERSION"


def embedded_tables(state_dir: Path) -> dict[str, Any]:
    """Return the tables of the embedded edition, as a settings file would have held them."""
    written = _written(state_dir / EMBEDDED_FILE)
    addresses = written.get("accounts", {})
    return {
        "accounts": [_account(name, addresses.get(name, {})) for name in ACCOUNTS],
        "slack": {"base_url": written.get("slack_url", _NOWHERE), "owners": _OWNERS},
        "timing": _TIMING,
        "alerts": _ALERTS,
        "stale_jobs": _STALE_JOBS,
        "metrics": {"first_day": _first_day(state_dir), "refresh_minutes": _REFRESH_MINUTES},
        # Whoever is at a laptop runs flows of their own.
        "promotion": {"queues": _queues(), "isolation": "own code only"},
        "dagster": {"url": written["dagster_url"]} if "dagster_url" in written else {},
    }


def _queues() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "max_vcpus": max_vcpus,
            "instance_types": [
                {"name": each, "vcpus": _R5[each][0], "memory_mib": _R5[each][1]} for each in types
            ],
        }
        for name, (max_vcpus, types) in QUEUES.items()
    ]


def _first_day(state_dir: Path) -> date:
    """Return the first day of metrics: some weeks before the edition was first started."""
    try:
        made = (state_dir / _MADE_WITH_THE_DATABASE).stat().st_mtime
        began = datetime.fromtimestamp(made, UTC)
    except OSError:
        began = now()
    return (began - _DAYS_BEFORE).date()


def _account(name: str, addresses: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "aws_account_id": ACCOUNTS[name],
        "region": REGION,
        "endpoint_url": _NOWHERE,
        "stage": name,
        "alerts": "send",
        "stale_jobs": "enforce",
        "slack_channel": f"#alerts-{name}",
        **addresses,
    }


def _written(path: Path) -> dict[str, Any]:
    try:
        written = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except NotADirectoryError as error:
        sentence = f"is no folder; give another one with {STATE_VARIABLE}"
        raise SettingsError([Problem(str(path.parent), sentence)]) from error
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(written, dict) or not isinstance(written.get("accounts", {}), dict):
        raise _unreadable(path, "it does not hold the edition's addresses")
    return written


def _unreadable(path: Path, why: str) -> SettingsError:
    sentence = f"cannot be read ({why}); delete it and start `ops-platform embedded up` again"
    return SettingsError([Problem(str(path), sentence)])
