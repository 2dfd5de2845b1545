"""Dagster's GraphQL, as a client of its web server uses it."""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops_platform_tests.embedded.real_flows import awaited

_LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { id } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on PythonError { message } } }"""
_RUN = """query($id: ID!) { runOrError(runId: $id) { ... on Run {
    status tags { key value } stepStats { stepKey status } } } }"""
_METADATA = """metadataEntries { label
    ... on TextMetadataEntry { text }
    ... on IntMetadataEntry { intValue }
    ... on MarkdownMetadataEntry { mdStr }
    ... on JsonMetadataEntry { jsonString } }"""
_LOGS = f"""query($id: ID!) {{ logsForRun(runId: $id) {{ ... on EventConnection {{ events {{
    ... on ExecutionStepOutputEvent {{ stepKey {_METADATA} }}
    ... on ExecutionStepFailureEvent {{ stepKey error {{ message }}
        failureMetadata {{ {_METADATA} }} }} }} }} }} }}"""
_OVER = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass(frozen=True, slots=True)
class GraphQL:
    """The API at the address of a web server."""

    address: str

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        """Return the data that a query is answered with."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.address}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        data: dict[str, Any] = told["data"]
        return data


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that is over; ``told`` is the metadata of its ops, ``failure`` what one failed with."""

    status: str
    tags: dict[str, str]
    steps: dict[str, str]
    told: dict[str, dict[str, Any]]
    failure: str | None


def run_job(
    api: GraphQL, job: str, config: dict[str, Any], tags: Mapping[str, str] | None = None
) -> EndedRun:
    """Launch a job as CI does, and wait for its end."""
    return ended(api, launch(api, job, config, tags))


def launch(
    api: GraphQL, job: str, config: dict[str, Any], tags: Mapping[str, str] | None = None
) -> str:
    """Launch a job and return the id of its run."""
    params = {
        "selector": {
            "jobName": job,
            "repositoryName": "__repository__",
            "repositoryLocationName": "ops_platform",
        },
        "runConfigData": config,
        "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]},
    }
    launched = api.ask(_LAUNCH, params=params)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return str(launched["run"]["id"])


def steps(api: GraphQL, run: str) -> dict[str, str]:
    """Return how far the steps of a run are."""
    told = api.ask(_RUN, id=run)["runOrError"]["stepStats"]
    return {each["stepKey"]: each["status"] for each in told}


def ended(api: GraphQL, run: str) -> EndedRun:
    """Wait for the end of a run."""

    def over() -> dict[str, Any] | None:
        told: dict[str, Any] = api.ask(_RUN, id=run)["runOrError"]
        return told if told["status"] in _OVER else None

    told = awaited(over, seconds=240, what=f"the end of run {run}")
    assert told is not None
    logs = api.ask(_LOGS, id=run)["logsForRun"]["events"]
    failed = [each for each in logs if each.get("error")]
    return EndedRun(
        status=told["status"],
        tags={each["key"]: each["value"] for each in told["tags"]},
        steps={each["stepKey"]: each["status"] for each in told["stepStats"]},
        told={each["stepKey"]: _values(each) for each in logs if each.get("stepKey")},
        failure=failed[0]["error"]["message"] if failed else None,
    )


def _values(event: dict[str, Any]) -> dict[str, Any]:
    entries = event.get("metadataEntries") or (event.get("failureMetadata") or {}).get(
        "metadataEntries", []
    )
    return {entry.pop("label"): next(iter(entry.values()), None) for entry in entries}
