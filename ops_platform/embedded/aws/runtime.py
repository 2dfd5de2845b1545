"""One emulated account, put together: moto, our scheduler, the events, the provisioning.

moto reads the account id from the environment when it is imported: import this module only
in a process that has been made that account, as ``python -m ops_platform.embedded.aws`` is.
"""

import os
import shutil
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

from moto.core.config import default_user_config
from moto.logs.models import logs_backends

from ops_platform.domain.job_log import BATCH_LOG_GROUP
from ops_platform.embedded.aws.account import EmbeddedAccount, metadata_folder
from ops_platform.embedded.aws.batch.environment_api import EnvironmentApi
from ops_platform.embedded.aws.batch.fleet import Ec2
from ops_platform.embedded.aws.batch.job_api import JobApi
from ops_platform.embedded.aws.batch.job_logs import LogSink
from ops_platform.embedded.aws.batch.processes import ProcessStarter, Warden
from ops_platform.embedded.aws.batch.queue_api import QueueApi
from ops_platform.embedded.aws.batch.scheduler import JobListener, Scheduler
from ops_platform.embedded.aws.ec2 import EC2_GAPS
from ops_platform.embedded.aws.events import EventBus
from ops_platform.embedded.aws.gaps import Gap, bridge
from ops_platform.embedded.aws.losses import losses_from
from ops_platform.embedded.aws.provisioning import Provisioner
from ops_platform.embedded.aws.queues import QUEUE_GAPS
from ops_platform.embedded.aws.server import AccountServer
from ops_platform.embedded.aws.shortages import shortages_from
from ops_platform.embedded.aws.states.api import API_GAPS
from ops_platform.embedded.aws.states.batch_tasks import BatchTasks
from ops_platform.embedded.aws.states.casing import CASING_GAPS
from ops_platform.embedded.aws.states.executions import Executions
from ops_platform.embedded.aws.states.history import HISTORY_GAP
from ops_platform.embedded.aws.states.paths import path_gaps
from ops_platform.embedded.aws.states.versions import version_gaps
from ops_platform.embedded.aws.timing import Timing


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """How to run an account."""

    folder: Path
    shared_s3: str | None
    timing: Timing


class Runtime:
    """A running account; one in a process."""

    def __init__(self, account: EmbeddedAccount, options: RuntimeOptions) -> None:
        self._account = account
        self._options = options
        self._bus = EventBus(account.account_id, account.region, losses_from(os.environ))
        self._server = AccountServer(account.account_id, account.port)
        self._warden = Warden()
        self._scheduler = Scheduler(
            self._starter(),
            options.timing,
            JobListener(self._bus.job_changed, self._bus.queue_blocked),
        )

    def start(self) -> None:
        """Serve, provision, and schedule; return when the account is ready."""
        # moto warns of the queue policy, which it does not enforce.
        warnings.filterwarnings("ignore", message="Tried to parse AWS::SQS::QueuePolicy")
        # Interpret state machines; moto leaves executions RUNNING for ever otherwise.
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        shortages = shortages_from(os.environ)
        ec2 = Ec2(self._options.timing, shortages, self._bus.instance_changed)
        bridge(every_gap(self._account, self._scheduler, self._bus, ec2))
        self._server.start()
        Provisioner(self._account).provision(owns_datastore=self._options.shared_s3 is None)
        self._scheduler.start()
        self._server.declare_ready()

    def is_working(self) -> bool:
        """Tell whether jobs are being scheduled."""
        return self._scheduler.is_alive()

    def close(self) -> None:
        """End every job process."""
        self._scheduler.close()
        self._warden.close()
        shutil.rmtree(self._job_folder, ignore_errors=True)

    @property
    def _job_folder(self) -> Path:
        return self._options.folder / "jobs" / self._account.name

    def _starter(self) -> ProcessStarter:
        # What an account that was killed has left.
        shutil.rmtree(self._job_folder, ignore_errors=True)
        environment = self._account.environment | {
            "METAFLOW_S3_ENDPOINT_URL": self._options.shared_s3 or self._account.endpoint_url,
            # Saves each task the installation of what is installed.
            "METAFLOW_SKIP_INSTALL_DEPENDENCIES": "1",
            # One folder for all tasks and clients stands in for the metadata service.
            "METAFLOW_DEFAULT_METADATA": "local",
            "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(metadata_folder(self._options.folder)),
        }
        return ProcessStarter(
            self._job_folder,
            environment=environment,
            warden=self._warden,
            logs=job_log_sink(self._account),
        )


def every_gap(account: EmbeddedAccount, scheduler: Scheduler, bus: EventBus, ec2: Ec2) -> list[Gap]:
    """Return every place where we stand in for moto."""
    place = (account.account_id, account.region)
    return [
        *JobApi(scheduler, *place).gaps(),
        *QueueApi(scheduler, *place).gaps(),
        *EnvironmentApi(scheduler, ec2, *place).gaps(),
        *BatchTasks(scheduler, ec2.timing).gaps(),
        *Executions(bus).gaps(),
        HISTORY_GAP,
        *CASING_GAPS,
        *path_gaps(),
        *API_GAPS,
        *version_gaps(),
        *QUEUE_GAPS,
        *EC2_GAPS,
    ]


def job_log_sink(account: EmbeddedAccount) -> LogSink:
    """Return what puts the lines of jobs into CloudWatch Logs."""
    one_at_a_time = threading.Lock()

    def put(stream: str, lines: list[str]) -> None:
        backend = logs_backends[account.account_id][account.region]
        events = [{"timestamp": int(time.time() * 1000), "message": line} for line in lines if line]
        with one_at_a_time:
            backend.ensure_log_stream(BATCH_LOG_GROUP, stream)
            if events:
                backend.put_log_events(BATCH_LOG_GROUP, stream, events)

    return put
