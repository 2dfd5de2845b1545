"""Put the dashboards into CloudWatch, those that are not there as they are declared."""

import json
from dataclasses import dataclass

from ops_platform.domain.cloudwatch_ports import DashboardStore
from ops_platform.domain.dashboard_body import Publication, body
from ops_platform.domain.dashboards import DASHBOARDS


@dataclass(frozen=True, slots=True)
class Put:
    """A dashboard that CloudWatch has; ``warnings`` are what it said when it took it."""

    name: str
    widgets: int
    changed: bool
    warnings: tuple[str, ...] = ()


def publish_dashboards(store: DashboardStore, of: Publication) -> list[Put]:
    """Put each dashboard that differs from what is there; others, and other people's, stay.

    Raises:
        PlatformError: CloudWatch cannot be asked, or refuses a dashboard.
    """
    return [_put(store, of.name_of(each), body(each, of)) for each in DASHBOARDS]


def _put(store: DashboardStore, name: str, wanted: str) -> Put:
    declared, found = json.loads(wanted), store.dashboard(name)
    widgets = len(declared["widgets"])
    if found is not None and _parsed(found) == declared:
        return Put(name, widgets, changed=False)
    return Put(name, widgets, changed=True, warnings=tuple(store.put_dashboard(name, wanted)))


def _parsed(found: str) -> object:
    """Return what is there as it reads, whatever its spaces; None if it is no JSON."""
    try:
        return json.loads(found)
    except ValueError:
        return None
