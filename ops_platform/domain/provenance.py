"""What code a state machine runs, as Metaflow wrote it down when it was deployed.

Sources: the variable ``METAFLOW_VERSION`` of each step (``metaflow_environment.py`` and
``metaflow_git.py``) and ``METAFLOW_CODE_URL``. All of it is the deployer's word.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ops_platform.domain.machine_definitions import Definition
from ops_platform.domain.owner_tag import owner_in

_COMMIT_LENGTHS = (40, 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a deployed flow came from; what Metaflow did not write down is None.

    ``is_dirty`` tells whether tracked files had changes that were not committed; files that git
    does not know are passed over. ``production_token`` names a namespace, and is no secret.
    """

    flow: str
    owner: str | None
    deployed_by: str | None
    commit: str | None
    branch: str | None
    repository_url: str | None
    is_dirty: bool | None
    script: str | None
    python: str | None
    metaflow: str | None
    environment: str | None
    code_url: str | None
    production_token: str | None


def provenance(definition: Definition) -> Provenance:
    """Return where a definition came from."""
    start = definition.start
    told = _version(start.environment.get("METAFLOW_VERSION", ""))
    commit = _text(told, "commit_sha")
    return Provenance(
        flow=str(start.tags["metaflow.flow_name"]),
        owner=owner_in([start.command]) or _text(start.tags, "metaflow.owner"),
        deployed_by=_text(told, "username") or _text(start.tags, "metaflow.owner"),
        commit=commit if commit and len(commit) in _COMMIT_LENGTHS else None,
        branch=_text(told, "branch_name"),
        repository_url=_text(told, "repo_url"),
        is_dirty=_flag(told, "has_uncommitted_changes"),
        script=_text(told, "script"),
        python=_text(told, "python_version_code"),
        metaflow=_text(told, "metaflow_version") or _text(start.tags, "metaflow.version"),
        environment=_text(told, "environment_type"),
        code_url=start.environment.get("METAFLOW_CODE_URL"),
        production_token=_text(start.tags, "metaflow.production_token"),
    )


def _version(text: str) -> Mapping[str, Any]:
    try:
        told = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return {}
    return told if isinstance(told, dict) else {}


def _text(told: Mapping[str, Any], name: str) -> str | None:
    value = told.get(name)
    return value if isinstance(value, str) and value else None


def _flag(told: Mapping[str, Any], name: str) -> bool | None:
    value = told.get(name)
    return value if isinstance(value, bool) else None
