"""What Dagster shows of checks and promotions: metadata for people and programs, tags, events."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from ops_platform.adapters.ledger import deployments
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.promotions import Recorded
from ops_platform.domain.check_report import as_markdown, headline
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Report, as_document
from ops_platform.domain.identity import deployment_asset
from ops_platform.domain.markdown import escape
from ops_platform.domain.promotions import Entry, Status, What

Metadata = Mapping[str, dg.MetadataValue]
Tell = Callable[[dg.OpExecutionContext, Recorded], None]


def checked(report: Report) -> Metadata:
    """Return what checks found: as a table, and as ``soteria check --json`` has it."""
    return {
        "verdict": dg.MetadataValue.text(report.verdict.value),
        "report": dg.MetadataValue.md(as_markdown(report)),
        "findings": dg.MetadataValue.json(as_document(report)),
    }


def tags_of(report: Report) -> dict[str, str]:
    """Return the tags by which runs of checks are found."""
    tags = {"soteria/verdict": report.verdict.value, "soteria/flow": report.flow}
    return {name: value for name, value in tags.items() if value}


def refused_checks(report: Report) -> None:
    """Fail the run unless all checks passed."""
    if not report.passed:
        raise dg.Failure(headline(report), metadata=checked(report), allow_retries=False)


@contextmanager
def through() -> Iterator[Tell]:
    """Fail the run with what the platform says, rather than with a traceback."""
    try:
        yield _tell
    except PlatformError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None


def deployment_event(ledger: Ledger, recorded: Recorded) -> dg.AssetMaterialization:
    """Return the deployment that a change of production came to."""
    request = recorded.request
    with ledger.transaction() as tx:
        found = deployments.latest(tx, request.account, request.machine)
    metadata: dict[str, dg.MetadataValue] = {
        "machine": dg.MetadataValue.text(request.machine),
        "promotion": dg.MetadataValue.text(request.id),
        "actor": dg.MetadataValue.text(request.actor),
    }
    if found is not None:
        rule = found.rule
        metadata |= {
            "deployment": dg.MetadataValue.int(found.id or 0),
            "commit": dg.MetadataValue.text(found.commit or "none"),
            "owner": dg.MetadataValue.text(found.owner or "unknown"),
            "version": dg.MetadataValue.text(found.version_arn),
            "schedule": dg.MetadataValue.text(rule.expression if rule else "none"),
        }
    if request.repository and request.pull_request:
        pull = f"{request.repository}#{request.pull_request}"
        metadata["pull_request"] = dg.MetadataValue.text(pull)
    key = deployment_asset(request.project, request.flow or request.machine)
    return dg.AssetMaterialization(key, description=recorded.entries[-1].message, metadata=metadata)


def _tell(context: dg.OpExecutionContext, recorded: Recorded) -> None:
    """Show where a promotion stands; the run fails where it has ended without success."""
    request, last = recorded.request, recorded.entries[-1]
    tags = {"soteria/promotion": request.id, "soteria/machine": request.machine}
    context.instance.add_run_tags(context.run_id, {**tags, "soteria/status": recorded.status.value})
    metadata: Metadata = {
        "promotion": dg.MetadataValue.text(request.id),
        "status": dg.MetadataValue.text(recorded.status.value),
        "record": dg.MetadataValue.table([_row(each) for each in recorded.entries]),
    }
    prepared = [each for each in recorded.entries if each.what is What.PREPARED]
    if prepared:
        metadata = {**metadata, "changes": dg.MetadataValue.md(_listed(prepared[-1]))}
    if recorded.status not in {Status.RUNNING, Status.SUCCEEDED}:
        raise dg.Failure(last.message, metadata=dict(metadata), allow_retries=False)
    context.log.info(last.message)
    context.add_output_metadata(metadata)


def _row(entry: Entry) -> dg.TableRecord:
    told = {"at": f"{entry.at:%F %T}", "what": entry.what.value, "told": entry.message}
    return dg.TableRecord(told)


def _listed(prepared: Entry) -> str:
    """Return as Markdown what differs between what ran and what is deployed."""
    changes = prepared.detail.get("changes")
    lines = [f"- {escape(str(each))}" for each in changes] if isinstance(changes, list) else []
    return "\n".join([prepared.message, "", *lines])
