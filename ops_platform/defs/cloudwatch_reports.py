"""What Dagster shows of what CloudWatch was given: what, how much, and what it costs."""

from collections.abc import Mapping, Sequence

import dagster as dg

from ops_platform.domain.cloudwatch_cost import METRIC_TIERS
from ops_platform.domain.identity import Links
from ops_platform.domain.words import counted
from ops_platform.operations.estimate_cost import Estimate
from ops_platform.operations.publish_dashboards import Put
from ops_platform.operations.publish_metrics import Published
from ops_platform.settings.accounts import Account

Metadata = Mapping[str, dg.MetadataValue]
_MOST_ROWS = 200
_LIST_PRICE = METRIC_TIERS[0][1]


def dashboards_shown(account: Account, puts: Sequence[Put]) -> Metadata:
    """Return which dashboards there are, and where to open them."""
    changed = sum(each.changed for each in puts)
    records = [
        dg.TableRecord(
            {
                "name": each.name,
                "widgets": each.widgets,
                "changed": "yes" if each.changed else "no",
                "warnings": " ".join(each.warnings),
            }
        )
        for each in puts
    ]
    return {
        "summary": dg.MetadataValue.text(
            f"{counted(len(puts), 'dashboard', 'dashboards')} in {account.name}"
            f" ({account.region}), {changed} of them changed."
        ),
        "dashboards": _table(records, ("name", "widgets", "changed", "warnings")),
        "changed": dg.MetadataValue.int(changed),
        **_links(account, puts),
    }


def metrics_shown(done: Published, estimate: Estimate) -> Metadata:
    """Return what one run has published, and what a month of it costs."""
    sent, hours = done.sent, len({each.hour for each in done.planned})
    changed = [
        dg.TableRecord({"noun": noun, "hour": f"{hour:%Y-%m-%dT%H:00Z}"})
        for noun, hour in done.changed
    ]
    return {
        "summary": dg.MetadataValue.text(
            f"{counted(sent.data, 'datum', 'data')} in"
            f" {counted(sent.requests, 'request', 'requests')};"
            f" {counted(hours, 'hour', 'hours')} newly published."
        ),
        "hours": dg.MetadataValue.int(hours),
        "data": dg.MetadataValue.int(sent.data),
        "requests": dg.MetadataValue.int(sent.requests),
        "requests_found_to_have_arrived": dg.MetadataValue.int(sent.arrived),
        "requests_that_may_have_arrived": dg.MetadataValue.int(sent.unclear),
        "requests_given_up": dg.MetadataValue.int(sent.expired),
        "hours_changed_since": dg.MetadataValue.int(len(done.changed)),
        "changed_since": _table(changed[:_MOST_ROWS], ("noun", "hour")),
        **cost_shown(estimate),
    }


def cost_shown(estimate: Estimate) -> Metadata:
    """Return what a month costs, and what of."""
    records = [
        dg.TableRecord(
            {
                "metric": cut.metric.name,
                "by": ", ".join(cut.dimensions),
                "series": number,
                "usd_a_month": round(number * _LIST_PRICE, 2),
            }
        )
        for cut, number in estimate.series.most_common(_MOST_ROWS)
    ]
    return {
        "cost": dg.MetadataValue.text(estimate.cost.sentence),
        "usd_a_month": dg.MetadataValue.float(round(estimate.cost.total, 2)),
        "series": dg.MetadataValue.int(estimate.series.total()),
        "series_by_metric": _table(records, ("metric", "by", "series", "usd_a_month")),
    }


def off(sentence: str) -> Metadata:
    """Return that nothing was done, and why."""
    return {"summary": dg.MetadataValue.text(sentence)}


def _links(account: Account, puts: Sequence[Put]) -> Metadata:
    if account.endpoint_url:
        return {}
    links = Links(account.region)
    return {each.name: dg.MetadataValue.url(links.dashboard(each.name)) for each in puts}


def _table(records: Sequence[dg.TableRecord], names: Sequence[str]) -> dg.TableMetadataValue:
    schema = dg.TableSchema([dg.TableColumn(name) for name in names])
    return dg.MetadataValue.table(list(records), schema=schema)
