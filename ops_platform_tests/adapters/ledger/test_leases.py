"""Leases: one holder at a time, until a time."""

import threading
from datetime import timedelta

from ops_platform.adapters.ledger import leases
from ops_platform.adapters.ledger.database import Ledger
from ops_platform_tests.build import NOON, after

MINUTE = timedelta(minutes=1)


def take(ledger: Ledger, holder: str, at: float, *, name: str = "work") -> bool:
    """Try to take a lease of one minute, so many seconds past noon."""
    with ledger.transaction() as tx:
        return leases.take(tx, name, holder=holder, now=after(at), length=MINUTE)


def test_a_lease_has_one_holder_until_it_ends(ledger: Ledger) -> None:
    """At its very end it is free."""
    assert take(ledger, "one", 0)
    assert not take(ledger, "two", 59.999)
    assert take(ledger, "two", 60)
    assert not take(ledger, "one", 61)


def test_a_holder_may_renew_its_lease(ledger: Ledger) -> None:
    """The minute then begins anew."""
    assert take(ledger, "one", 0)
    assert take(ledger, "one", 50)
    assert not take(ledger, "two", 100)
    assert take(ledger, "two", 110)


def test_a_lease_given_back_is_free_at_once(ledger: Ledger) -> None:
    """But only its holder can give it back."""
    assert take(ledger, "one", 0)
    for holder, free in (("two", False), ("one", True)):
        with ledger.transaction() as tx:
            leases.give_back(tx, "work", holder=holder)
        assert take(ledger, "three", 1) is free


def test_leases_of_different_names_do_not_meet(ledger: Ledger) -> None:
    """Each name is a lease of its own."""
    assert take(ledger, "one", 0)
    assert take(ledger, "two", 0, name="other work")


def test_the_leases_held_are_listed_by_prefix(ledger: Ledger) -> None:
    """Those that have ended are not; a prefix is taken literally."""
    for name in ("posts to #a", "posts to C_1%", "posts_to #b"):
        assert take(ledger, "one", 0, name=name)
    assert take(ledger, "one", -30, name="posts to #ended")
    with ledger.transaction() as tx:
        assert leases.held(tx, "posts to ", after(30)) == {"#a", "C_1%"}
        assert leases.held(tx, "posts to ", NOON + MINUTE) == set()


def test_of_many_who_ask_at_once_one_gets_the_lease(ledger: Ledger) -> None:
    """The database decides, not the order in which they looked."""
    ready, got = threading.Barrier(6), list[bool]()

    def ask(holder: str) -> None:
        ready.wait()
        got.append(take(ledger, holder, 0))

    asking = [threading.Thread(target=ask, args=[f"holder {number}"]) for number in range(6)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert sorted(got) == [False] * 5 + [True]


def test_a_lease_from_before_the_clock_was_put_back_is_free(ledger: Ledger) -> None:
    """Nobody waits for hours for a holder who meant to keep it for a minute."""
    assert take(ledger, "one", 3 * 3600)
    assert take(ledger, "two", 0)
    assert not take(ledger, "one", 30)
