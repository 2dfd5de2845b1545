"""The code location of the embedded edition with a repository to promote from, named by a test."""

import json
import os

import dagster as dg

from ops_platform.definitions import compose
from ops_platform.settings.load import load
from ops_platform.settings.promotion import GitHubSettings, RepositorySettings

VARIABLE = "PROMOTED_FROM"
"""Holds, as JSON, the ``url`` of the repository and the ``api_url`` of its host."""


@dg.definitions
def defs() -> dg.Definitions:
    """Return what the edition would run if its settings named the repository."""
    told = json.loads(os.environ[VARIABLE])
    settings = load(os.environ)
    repository = RepositorySettings(name="acme/flows", url=told["url"], projects="shop")
    promotion = settings.promotion.model_copy(
        update={
            "repositories": (repository,),
            "github": GitHubSettings(api_url=told["api_url"], token_env="FAKE_GITHUB_TOKEN"),
            "isolation": told["isolation"],
        }
    )
    return compose(settings.model_copy(update={"promotion": promotion}))
