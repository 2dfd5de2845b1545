"""What of moto is replaced was looked at; a moto that changed there must be looked at again."""

import hashlib
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops_platform.embedded.aws.account import staging
from ops_platform.embedded.aws.batch.fleet import Ec2
from ops_platform.embedded.aws.batch.processes import ProcessStarter, Warden
from ops_platform.embedded.aws.batch.scheduler import JobListener, Scheduler
from ops_platform.embedded.aws.events import EventBus
from ops_platform.embedded.aws.gaps import Gap, Moto, bridge, original
from ops_platform.embedded.aws.losses import Losses
from ops_platform.embedded.aws.runtime import every_gap, job_log_sink
from ops_platform.embedded.aws.shortages import Shortages
from ops_platform.embedded.aws.timing import Timing

# The source of each target as it was when its gap was bridged: moto 5.2.5.
SEEN: dict[str, str] = {
    "responses:BatchResponse.submitjob": "2ba7d660df00",
    "responses:BatchResponse.describejobs": "ca9d9759a3ea",
    "responses:BatchResponse.listjobs": "819c0df57bb9",
    "responses:BatchResponse.canceljob": "75d319fc621d",
    "responses:BatchResponse.terminatejob": "0c267a3c08d0",
    "responses:BatchResponse.createjobqueue": "5b3c4a37d14d",
    "responses:BatchResponse.updatejobqueue": "5f562177df2e",
    "responses:BatchResponse.deletejobqueue": "fa6c97dd2d4d",
    "responses:BatchResponse.describejobqueues": "3e11bd6d27d4",
    "responses:BatchResponse.createcomputeenvironment": "4a0745449162",
    "responses:BatchResponse.updatecomputeenvironment": "041c844a31a8",
    "responses:BatchResponse.deletecomputeenvironment": "b99165946262",
    "responses:BatchResponse.describecomputeenvironments": "bf642f4ab6f5",
    "urls:url_paths": "538a24a6f5f7",
    "state_task_service_batch:StateTaskServiceBatch._build_sync_resolver": "c27d42b99703",
    "state_task_service_batch:StateTaskServiceBatch._eval_sync": "b8f76de4d514",
    "state_task_service_batch:StateTaskServiceBatch._get_supported_parameters": "d312cec6ccc6",
    "models:StepFunctionsParserBackend.start_execution": "0f8d9dd57baf",
    "execution:Execution.start": "07e927c2d5f9",
    "execution:Execution.stop": "16663c65db9a",
    "execution:BaseExecutionWorkerCommunication.terminated": "360372a6a57b",
    "environment:EventManager": "36badf7508f0",
    "state_task_service:StateTaskService._normalise_parameters": "dece59e76fd5",
    "state_task_service:StateTaskService._normalise_response": "00e0b0a50b1d",
    "string_expression:extract_json": "932245247973",
    "states:extract_json": "932245247973",
    "custom_error_name:CustomErrorName.__init__": "2814dc26f7ae",
    "responses:StepFunctionResponse.stop_execution": "633c8a544aac",
    "responses:StepFunctionResponse.describe_execution": "c3953bdc9ce2",
    "responses:StepFunctionResponse.list_executions": "6fec14cfc5af",
    "responses:StepFunctionResponse.get_execution_history": "3889cc6224ac",
    "models:StateMachine.update": "7cec94560a28",
    "responses:StepFunctionResponse._describe_state_machine": "44f4c687f927",
    "responses:StepFunctionResponse.update_state_machine": "438f6dc8472a",
    "responses:StepFunctionResponse.describe_state_machine_for_execution": "6ea2c887b4ce",
    "models:StepFunctionsParserBackend.create_state_machine": "dc56ec54216f",
    "models:SQSBackend.receive_message": "065f3e5e7d21",
    "models:Queue.delete_message": "fa6fd5b9bd2c",
    "models:Queue.approximate_number_of_messages": "d357a9506a56",
    "models:Queue.approximate_number_of_messages_not_visible": "5dbecc4dda17",
    "models:Queue.approximate_number_of_messages_delayed": "c3c1dadb0c42",
    "instances:InstanceResponse.describe_instance_types": "c8660828eaca",
}


@pytest.fixture
def gaps(tmp_path: Path) -> Iterator[list[Gap]]:
    """Every gap, of an account that never starts."""
    account = staging(1)
    bus = EventBus(account.account_id, account.region, Losses())
    warden = Warden()
    starter = ProcessStarter(tmp_path, environment={}, warden=warden, logs=job_log_sink(account))
    scheduler = Scheduler(starter, Timing(), JobListener(bus.job_changed, bus.queue_blocked))
    yield every_gap(account, scheduler, bus, Ec2(Timing(), Shortages(), bus.instance_changed))
    warden.close()


def test_moto_is_unchanged_wherever_it_is_replaced(gaps: list[Gap]) -> None:
    """After an update of moto: read the gap, then the new source, then write the digest here."""
    changed = [
        f"{_short(gap.target)} is now {_digest(gap.target)}; it bridges this: {gap.missing}"
        for gap in gaps
        if not gap.is_new and SEEN.get(_short(gap.target)) != _digest(gap.target)
    ]
    assert changed == []


def test_every_gap_says_what_moto_lacks(gaps: list[Gap]) -> None:
    """A sentence for each, and each target once."""
    assert all(gap.missing.endswith(".") for gap in gaps)
    assert len({gap.target for gap in gaps}) == len(gaps)
    assert {_short(gap.target) for gap in gaps if not gap.is_new} == SEEN.keys()


def test_a_target_that_moto_no_longer_has_is_refused() -> None:
    """Loudly, rather than setting an attribute that nobody reads."""
    gap = Gap("moto.core.config:no_such_setting", "moto lacks it.", replacement=1)
    with pytest.raises(RuntimeError, match=r"moto has changed at moto.core.config"):
        bridge([gap])


def _short(target: str) -> str:
    module, _, path = target.partition(":")
    return f"{module.rpartition('.')[2]}:{path}"


def _digest(target: str) -> str:
    found = original(target)
    code: Moto = found.fget if isinstance(found, property) else found
    has_source = inspect.isfunction(code) or inspect.isclass(code)
    module = importlib.import_module(target.partition(":")[0])
    source = inspect.getsource(code if has_source else module)
    return hashlib.sha256(source.encode()).hexdigest()[:12]
