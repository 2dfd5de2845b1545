"""Metaflow's own deployment to Step Functions, in a process of its own with one account's rights.

This is where code of an approved commit runs with production's credentials: Metaflow imports a flow
to deploy it. Nothing else of the platform's environment goes along.
"""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from ops_platform.adapters.bounded_process import run_bounded
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.metaflow_output import crash, refusal

_SECONDS = 600.0
_ROLE = "METAFLOW_SFN_IAM_ROLE"
_SECRET = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")
_PATH = "/usr/local/bin:/usr/bin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedFlow:
    """A flow to deploy.

    ``folder`` is its folder in a checkout and ``flow`` its file there; ``python`` is the
    interpreter of its environment. ``options`` are Metaflow's own, such as ``--production``, and
    ``create`` those of ``step-functions create``, such as ``--tag``.
    """

    folder: str
    flow: str
    python: str
    options: tuple[str, ...] = ()
    create: tuple[str, ...] = ()


class MetaflowDeployer:
    """Deploys one flow to one account; fulfils `Deployer`.

    Args:
        flow: The flow.
        environment: The ``METAFLOW_`` settings of the account, and the credentials for it.
        seconds: How long a deployment may take.
    """

    def __init__(
        self, flow: DeployedFlow, environment: Mapping[str, str], *, seconds: float = _SECONDS
    ) -> None:
        if _ROLE not in environment:
            raise PlatformError(f"{_ROLE} is not set; without it Metaflow cannot deploy.")
        self._flow = flow
        self._environment = environment
        self._seconds = seconds

    @property
    def role_arn(self) -> str:
        """The role that its state machine runs with."""
        return self._environment[_ROLE]

    def prepare(self) -> str:
        """Return the definition that it would deploy; the code package is in S3 by then."""
        return self._create("--only-json")

    def deploy(self) -> None:
        """Deploy it: its state machine, then its schedule."""
        self._create()

    def _create(self, *options: str) -> str:
        flow = self._flow
        line = [flow.python, flow.flow, *flow.options, "step-functions", "create"]
        home = tempfile.mkdtemp(prefix="deployment-")
        try:
            done = run_bounded(
                [*line, *flow.create, *options],
                folder=flow.folder,
                environment={
                    "PATH": _PATH,
                    **self._environment,
                    "HOME": home,
                    "METAFLOW_HOME": home,
                },
                seconds=self._seconds,
            )
        finally:
            shutil.rmtree(home, ignore_errors=True)
        if done is None:
            raise PlatformError(f"Metaflow did not deploy {flow.flow} within {self._seconds:g} s.")
        if done.exit_code:
            why = self._masked(_why(done.stderr, flow.folder))
            raise PlatformError(f"Metaflow did not deploy {flow.flow}: {why}")
        return done.stdout

    def _masked(self, text: str) -> str:
        """Return a text without credentials, which an exception of a flow may name."""
        for name in _SECRET:
            if value := self._environment.get(name):
                text = text.replace(value, "***")
        return text


def _why(said: str, folder: str) -> str:
    """Return Metaflow's reason: of what it prints, some is the flow's, so no more is told."""
    complaint = refusal(said) or crash(said, folder=folder)
    return complaint.text if complaint else "it gave no reason."
