"""The page of a morning as it reads."""

from datetime import date

from ops_platform.domain.morning import AccountDay, Figures, Named, Turn, highest, page
from ops_platform_tests.build import NOON

DAY = date(2026, 3, 2)


def _turn(flow: str = "TrainFlow", *, succeeded: bool = False, error: str | None = None) -> Turn:
    return Turn("production", flow, "prod", "ana", NOON, succeeded, error)


def test_a_day_reads_like_this() -> None:
    """What went wrong first, then what was slow, then what it cost."""
    busy = AccountDay(
        "production",
        Figures({"SUCCEEDED": 40, "FAILED": 2}, cost=12.5, wasted=0.75, stale=3),
        Figures({"SUCCEEDED": 30}, cost=10),
        queues=[Named("gpu", 5_400_000, 60_000), Named("flows", 1500, None)],
        flows=[Named("TrainFlow", 11, 9)],
        turns=[_turn(error="States.TaskFailed"), _turn("OtherFlow", succeeded=True)],
    )
    quiet = AccountDay("staging", Figures(), None)

    assert "\n\n".join(page(DAY, [busy, quiet]).values()) == (
        """# Monday, 2 March 2026

| account | runs | success rate | cost | wasted | stale jobs cancelled |
| --- | ---: | ---: | ---: | ---: | ---: |
| production | 42 (30) | 95.2 % (100 %) | $12.50 ($10.00) | $0.75 ($0.00) | 3 (0) |
| staging | 0 | - | $0.00 | $0.00 | 0 |

In brackets: the day before.

## production

42 runs ended: 40 succeeded, 2 failed.

### Broke

| flow | branch | owner | since | error |
| --- | --- | --- | --- | --- |
| TrainFlow | prod | ana | 12:00 | States.TaskFailed |

### Recovered

| flow | branch | owner | at |
| --- | --- | --- | --- |
| OtherFlow | prod | ana | 12:00 |

### Slowest queues

| queue | RUNNABLE to STARTING, p90 | the day before |
| --- | ---: | ---: |
| gpu | 1.5 h | 1 min |
| flows | 1.5 s | - |

### Costliest flows

| flow | cost | the day before |
| --- | ---: | ---: |
| TrainFlow | $11.00 | $9.00 |

## staging

No run ended."""
    )


def test_names_of_flows_cannot_mark_up_the_page() -> None:
    """Nor what a machine told as its error."""
    told = "</td><script>|x|</script> [a](http://x) `b`"
    day = AccountDay(
        "production",
        Figures(),
        None,
        queues=[Named(told, 1, None)],
        flows=[Named(told, 1, None)],
        turns=[_turn(told, error=told)],
    )
    shown = page(DAY, [day])["production"]
    assert not {"<", "`", "](http"} & set(shown) | {each for each in ("](", "<s") if each in shown}
    assert "&#124;x&#124;" in shown


def test_many_flows_that_broke_are_counted() -> None:
    """Twenty are shown."""
    day = AccountDay("staging", Figures(), None, turns=[_turn(f"F{n}") for n in range(33)])
    assert "And 13 flows more." in page(DAY, [day])["staging"]


def test_the_highest_are_shown_beside_their_day_before() -> None:
    """Without those that are nothing."""
    found = highest({"a": 1.0, "b": 3.0, "c": 3.0, "d": 0.0}, {"b": 2.0}, most=2)
    assert found == [Named("b", 3.0, 2.0), Named("c", 3.0, None)]
    assert highest({"d": 0.0}, {}, most=2) == []
