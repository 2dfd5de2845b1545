"""Environments of ``@conda`` and ``@pypi``, named and not resolved: a sandbox has no network.

Metaflow names an environment by what is asked for, before it asks the network which packages that
comes to; and the name is all that a compiled flow holds of it.
Source: ``get_environment`` and ``bootstrap_commands`` of Metaflow's ``conda_environment.py``.
"""

from typing import Any

from metaflow.plugins.pypi.conda_environment import CondaEnvironment


class UnresolvedConda(CondaEnvironment):
    """Stands for ``--environment=conda``."""

    TYPE = "conda"

    def validate_environment(self, logger: Any, datastore_type: str) -> None:  # noqa: ANN401
        """Note where packages would be kept; nobody is asked for them."""
        from metaflow.plugins import DATASTORES  # noqa: PLC0415, which imports this module

        self.logger = logger
        self.datastore_type = datastore_type
        self.datastore = next(each for each in DATASTORES if datastore_type == each.TYPE)

    def init_environment(self, echo: Any, only_steps: Any = None) -> None:  # noqa: ANN401
        """Resolve nothing."""


class UnresolvedPypi(UnresolvedConda):
    """Stands for ``--environment=pypi``."""

    TYPE = "pypi"
