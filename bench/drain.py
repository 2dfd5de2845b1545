"""How fast a backlog in SQS is drained over HTTP, from an emulator in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

from bench.database import Bench
from bench.ingest import ACCOUNTS, POLICY
from bench.load import REGION, Load, run_events
from bench.results import Result
from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.sqs import SqsEventQueue
from ops_platform.clock import now
from ops_platform.operations.ingest_events import ingest
from ops_platform.settings.accounts import Account

_MESSAGES = 10_000
_BATCH = 10
_EMULATOR = """
import sys
from moto.server import ThreadedMotoServer
from ops_platform.embedded.aws.gaps import bridge
from ops_platform.embedded.aws.queues import QUEUE_GAPS
bridge(QUEUE_GAPS)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""


def drain_over_http(bench: Bench) -> Iterator[Result]:
    """Fill a queue, then time receiving, storing and deleting all of it."""
    with _emulator() as url, bench.ledger() as ledger:
        queue = _filled_queue(url, list(islice(run_events(Load(width=1_100)), _MESSAGES)))
        started = time.perf_counter()
        done = ingest(
            queue, ledger, accounts=ACCOUNTS, policy=POLICY, clock=now, seconds=600, batch=5_000
        )
        seconds = time.perf_counter() - started
        left = queue.backlog()
    if done.recorded.new != _MESSAGES or done.undeleted or left.visible + left.in_flight:
        raise RuntimeError(f"The backlog was not drained: {done}, {left} left.")
    yield Result(
        name=f"(c) drain a backlog of {_MESSAGES:,} messages over HTTP",
        measured=f"{seconds:.1f} s, {_MESSAGES / seconds:,.0f} messages/s",
    )


@contextmanager
def _emulator() -> Iterator[str]:
    """Run an emulator that ends when its input does, that is with us, however we end."""
    command = [sys.executable, "-c", _EMULATOR]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("The emulator was started without pipes.")
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def _filled_queue(url: str, bodies: Sequence[bytes]) -> SqsEventQueue:
    account = Account(
        name="production", aws_account_id="123456789012", region=REGION, endpoint_url=url
    )
    client = AccountClients(account).sqs
    queue_url = client.create_queue(QueueName="events", Attributes={"VisibilityTimeout": "900"})

    def send(at: int) -> None:
        batch = enumerate(bodies[at : at + _BATCH])
        client.send_message_batch(
            QueueUrl=queue_url["QueueUrl"],
            Entries=[{"Id": str(number), "MessageBody": body.decode()} for number, body in batch],
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(0, len(bodies), _BATCH)))
    return SqsEventQueue(client, queue_url["QueueUrl"])
