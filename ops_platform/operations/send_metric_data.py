"""Send CloudWatch the requests that were written down, each once.

One is noted as being sent before it is sent. If its answer is lost, to us or to a run that was
killed, CloudWatch is asked whether it has it, once it has had time to show it; only if it does not
is the request sent again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import published
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.published import Request, Target
from ops_platform.domain.cloudwatch_ports import MetricSink, Took
from ops_platform.domain.errors import PlatformError
from ops_platform.operations.plan_metric_data import unpacked

TOO_OLD = timedelta(days=13, hours=20)
"""CloudWatch takes nothing of two weeks ago."""
# How long CloudWatch may take to show what it took, by how old that was when it was sent.
_SHOWS_AFTER = (
    (timedelta(hours=3), timedelta(minutes=30)),
    (timedelta(hours=24), timedelta(hours=3)),
)
_SHOWS_AT_LAST = timedelta(hours=72)
# Most of the time they are refused for the same reason.
_MOST_REFUSED = 3


@dataclass(slots=True)
class Sent:
    """What was sent; ``arrived`` requests had been taken before, though nobody knew.

    ``unclear`` ones wait until that can be told, and ``expired`` ones are too old to be sent.
    """

    requests: int = 0
    data: int = 0
    arrived: int = 0
    unclear: int = 0
    expired: int = 0
    trouble: list[str] = field(default_factory=list)


Clock = Callable[[], datetime]


def send_metric_data(ledger: Ledger, sink: MetricSink, target: Target, *, clock: Clock) -> Sent:
    """Send every request that is not surely sent, and can be; what goes wrong is told."""
    sent = Sent()
    for request in _still_taken(ledger, target, now=clock(), sent=sent):
        if _can_be_told(request, clock()):
            _find_out(ledger, sink, target, request, sent)
    with ledger.transaction() as tx:
        waiting = published.requests(tx, target)
    # The newest first, so that one which is refused for ever holds back none that is newer.
    for request in reversed(waiting):
        if request.sending_at is not None:
            continue
        with ledger.transaction() as tx:
            mine = published.begin_to_send(tx, request, clock())
        if mine is not None and not _send(ledger, sink, target, mine, sent):
            break
    with ledger.transaction() as tx:
        waiting = published.requests(tx, target)
    sent.unclear = sum(request.sending_at is not None for request in waiting)
    return sent


def _still_taken(ledger: Ledger, target: Target, *, now: datetime, sent: Sent) -> list[Request]:
    with ledger.transaction() as tx:
        waiting = published.requests(tx, target)
        old = [request for request in waiting if request.hour < now - TOO_OLD]
        published.forget(tx, old)
    sent.expired = len(old)
    return waiting[len(old) :]


def _can_be_told(request: Request, now: datetime) -> bool:
    if request.sending_at is None:
        return False
    age = request.sending_at - request.hour
    after = next((shows for limit, shows in _SHOWS_AFTER if age < limit), _SHOWS_AT_LAST)
    return now - request.sending_at >= after


def _find_out(
    ledger: Ledger, sink: MetricSink, target: Target, request: Request, sent: Sent
) -> None:
    rarest = max(unpacked(request.body), key=lambda datum: len(datum.dimensions))
    try:
        arrived = sink.has(target.namespace, rarest)
    except PlatformError as error:
        sent.trouble.append(str(error))
        return
    sent.arrived += arrived
    with ledger.transaction() as tx:
        if arrived:
            published.forget(tx, [request])
        else:
            published.put_back(tx, request)


def _send(ledger: Ledger, sink: MetricSink, target: Target, request: Request, sent: Sent) -> bool:
    """Send a request; return whether to go on with the next one."""
    data = unpacked(request.body)
    receipt = sink.send(target.namespace, data)
    with ledger.transaction() as tx:
        match receipt.took:
            case Took.TAKEN:
                published.forget(tx, [request])
                sent.requests += 1
                sent.data += len(data)
                return True
            case Took.REFUSED:
                published.put_back(tx, request)
    sent.trouble.append(receipt.error)
    return receipt.took is Took.REFUSED and len(sent.trouble) < _MOST_REFUSED
