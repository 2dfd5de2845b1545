"""Give CloudWatch the metrics of hours that are over, each value once.

CloudWatch adds what it is sent, and takes nothing back. So an hour is sent only when late events
have had time to come, and all of its requests are written down before the first of them is sent. An
hour that changes after that stays in CloudWatch as it was; such hours are counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ops_platform.adapters.ledger import published
from ops_platform.adapters.ledger.database import Ledger
from ops_platform.adapters.ledger.published import Computed, Target
from ops_platform.adapters.ledger.rollups.marks import marked
from ops_platform.domain.cloudwatch_ports import MetricSink
from ops_platform.domain.hours import HOUR, Hours, hour_of
from ops_platform.domain.metric import Noun
from ops_platform.domain.metric_data import Datum, requests
from ops_platform.domain.published_metrics import Cut, cuts
from ops_platform.operations.plan_metric_data import packed, planned, print_of
from ops_platform.operations.send_metric_data import TOO_OLD, Clock, Sent, send_metric_data

SETTLE = timedelta(hours=1)
"""How long after its end an hour is left to late events."""
REACH = timedelta(days=13)
"""How old an hour may be, so that CloudWatch still takes it after a day of trouble."""


@dataclass(frozen=True, slots=True)
class Published:
    """What one run came to.

    ``planned`` hours, of a noun each, were not published before. ``changed`` are published ones
    that are no longer as they were published.
    """

    planned: list[Computed]
    sent: Sent
    changed: list[tuple[str, datetime]]


def publish_metrics(
    ledger: Ledger, sink: MetricSink, target: Target, *, dimensions: Sequence[str], clock: Clock
) -> Published:
    """Publish every hour that is over, has settled and was not published.

    Args:
        ledger: Where the rows are, and what was published.
        sink: CloudWatch.
        target: Which account's, and the namespace.
        dimensions: What the metrics are told apart by, beside the account and what happened.
        clock: Tells the time, the same to all who publish.

    Raises:
        PlatformError: No dashboard shows one of the dimensions.
    """
    now = clock()
    wanted = {noun: [cut for cut in cuts(dimensions) if cut.metric.noun is noun] for noun in Noun}
    noted = [each for noun in Noun for each in _plan(ledger, target, noun, wanted[noun], now=now)]
    sent = send_metric_data(ledger, sink, target, clock=clock)
    for noun in Noun:
        _compare(ledger, target, noun, wanted[noun], now=now)
    with ledger.transaction() as tx:
        published.prune(tx, target, before=now - TOO_OLD)
        return Published(noted, sent, published.changed(tx, target))


def _plan(
    ledger: Ledger, target: Target, noun: Noun, wanted: Sequence[Cut], *, now: datetime
) -> Iterator[Computed]:
    with ledger.transaction() as tx:
        due = published.unpublished(tx, target, begin=now - REACH, end=hour_of(now - SETTLE))
        late = marked(tx, noun)
    mine = [each for each in due if each.noun == noun and each.hour not in late]
    for each, data in _with_data(ledger, wanted, mine):
        bodies = [packed(request) for request in requests(data)]
        with ledger.transaction() as tx:
            if published.plan(tx, target, each, print_of(wanted, data), bodies):
                yield each


def _compare(
    ledger: Ledger, target: Target, noun: Noun, wanted: Sequence[Cut], *, now: datetime
) -> None:
    """Note which published hours, of those computed anew, are other than they were."""
    with ledger.transaction() as tx:
        found = published.recomputed(tx, target, begin=now - REACH)
    old = {each: was for each, was in found if each.noun == noun}
    for each, data in _with_data(ledger, wanted, list(old)):
        made, was = print_of(wanted, data), old[each]
        # After a change of the settings nobody can say.
        differs = made.cuts == was.cuts and made.digest != was.digest
        with ledger.transaction() as tx:
            published.look_again(tx, target, each, changed_at=now if differs else None)


def _with_data(
    ledger: Ledger, wanted: Sequence[Cut], hours: Sequence[Computed]
) -> Iterator[tuple[Computed, list[Datum]]]:
    for each in hours:
        # Each by itself: which groups have zeros depends on what else is asked for.
        data = planned(ledger, wanted, Hours(each.hour, each.hour + HOUR))
        yield each, data.get(each.hour, [])
