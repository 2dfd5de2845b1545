"""The embedded Postgres is shared by its holders and outlives none of them."""

import itertools
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from ops_platform.embedded.postgres import running_postgres
from ops_platform.embedded.postgres_folder import PostgresError, PostgresFolder
from ops_platform_tests.embedded.postgres_holders import (
    eventually,
    holders,
    keepers,
    servers,
)


def nothing_runs(folder: Path) -> bool:
    """Tell whether no process is left of a folder's Postgres."""
    return not keepers(folder) and not servers(folder)


def test_both_databases_answer_on_either_driver(tmp_path: Path) -> None:
    """The URLs work as they are: psycopg 3 for the ledger, psycopg 2 for Dagster."""
    with running_postgres(tmp_path) as server:
        for url in (server.url("ledger"), server.dagster_url("dagster")):
            engine = sa.create_engine(url)
            with engine.connect() as connection:
                assert connection.execute(sa.text("SHOW timezone")).scalar() == "UTC"
            engine.dispose()
    assert nothing_runs(tmp_path)


def test_what_was_written_is_there_the_next_time(tmp_path: Path) -> None:
    """Leaving stops the server, not the data."""
    with running_postgres(tmp_path) as server, server.connect("ledger") as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with running_postgres(tmp_path) as server, server.connect("ledger") as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_nobody_else_can_look_into_the_folder(tmp_path: Path) -> None:
    """Folder and socket are open to their user alone: the server asks for no password."""
    state = tmp_path / "deep" / "state"
    with running_postgres(state):
        place = PostgresFolder.of_state(state)
        for path in (state, place.root, place.data, place.sockets / ".s.PGSQL.5432"):
            assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_last_one_to_leave_stops_it(tmp_path: Path, order: Sequence[int]) -> None:
    """Holders share one server, whoever started it and in whatever order they leave."""
    with holders(tmp_path, 3) as held:
        assert len({holder.server() for holder in held}) == 1
        for index in order[:-1]:
            held[index].leave()
            assert servers(tmp_path)
        held[order[-1]].leave()
        assert nothing_runs(tmp_path)


def test_threads_of_one_process_share_it_too(tmp_path: Path) -> None:
    """A holder is a `with`, not a process."""
    seen: list[object] = []

    def hold() -> None:
        with running_postgres(tmp_path) as server, server.connect("ledger") as connection:
            seen.append(connection.execute("SELECT pg_postmaster_start_time()").fetchone())
            together.wait(timeout=90)

    together = threading.Barrier(4)
    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 4
    assert len(set(seen)) == 1
    assert nothing_runs(tmp_path)


def test_coming_and_going_at_once_never_meets_a_dead_server(tmp_path: Path) -> None:
    """Whoever comes while the last one leaves gets a server that answers."""
    failures: list[Exception] = []

    def come_and_go() -> None:
        try:
            for _ in range(8):
                with running_postgres(tmp_path) as server, server.connect("ledger") as connection:
                    connection.execute("SELECT 1")
        except (PostgresError, psycopg.Error) as error:
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert nothing_runs(tmp_path)


def test_killed_holders_count_as_having_left(tmp_path: Path) -> None:
    """SIGKILL gives no chance to say goodbye, and none is needed."""
    with holders(tmp_path, 2) as held:
        assert [holder.server() for holder in held]
        held[0].kill()
        assert servers(tmp_path)
        held[1].kill()
        assert eventually(lambda: nothing_runs(tmp_path))


def test_the_interrupt_of_a_terminal_does_not_reach_the_server(tmp_path: Path) -> None:
    """^C goes to everything in the foreground; the server must stay for the other holders."""
    with holders(tmp_path, 1, prefix=["setsid"]) as first, holders(tmp_path, 1) as other:
        assert first[0].server() == other[0].server()
        os.killpg(first[0].process.pid, signal.SIGINT)
        first[0].process.wait(timeout=90)
        assert servers(tmp_path)
        other[0].leave()
        assert nothing_runs(tmp_path)


def test_a_killed_keeper_takes_the_server_with_it(tmp_path: Path) -> None:
    """The kernel stops the server; the next holder starts another on the same data."""
    with running_postgres(tmp_path) as server:
        with server.connect("ledger") as connection:
            connection.execute("CREATE TABLE kept ()")
        (keeper,) = keepers(tmp_path)
        os.kill(keeper, signal.SIGKILL)
        assert eventually(lambda: not servers(tmp_path))
        with running_postgres(tmp_path) as again, again.connect("ledger") as connection:
            connection.execute("SELECT FROM kept")
    assert nothing_runs(tmp_path)


def test_leaving_waits_for_the_server_of_a_killed_keeper(tmp_path: Path) -> None:
    """`with` returns once no process is left, also when the keeper can no longer say so."""
    with running_postgres(tmp_path):
        (keeper,) = keepers(tmp_path)
        os.kill(keeper, signal.SIGKILL)
    assert nothing_runs(tmp_path)


def test_a_killed_postmaster_is_never_handed_out(tmp_path: Path) -> None:
    """At once after the kill the next holder gets another server, which answers."""
    with running_postgres(tmp_path):
        os.kill(servers(tmp_path)[0], signal.SIGKILL)
        with running_postgres(tmp_path) as again, again.connect("ledger") as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert nothing_runs(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
def test_a_kill_while_the_cluster_is_made_leaves_no_half_of_it(
    tmp_path: Path, after: float
) -> None:
    """Holder and keeper are killed at some point of the first start; the next start works."""
    with holders(tmp_path, 1) as held:
        eventually(lambda: bool(keepers(tmp_path)))
        threading.Event().wait(after)
        for keeper in keepers(tmp_path):
            os.kill(keeper, signal.SIGKILL)
        held[0].kill()
    assert eventually(lambda: nothing_runs(tmp_path))
    with running_postgres(tmp_path) as server, server.connect("ledger") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("name", ["x" * 120, "with space", "ünïcode", "50%"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    """A path too long for a socket, or awkward in a URL, gets a socket folder elsewhere."""
    state = tmp_path / name
    with running_postgres(state) as server:
        assert server.sockets.stat().st_mode & 0o777 == 0o700
        engine = sa.create_engine(server.dagster_url("dagster"))
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT 1")).scalar() == 1
        engine.dispose()
    assert not server.sockets.is_relative_to(tmp_path)
    assert not server.sockets.exists()


def test_a_stale_pid_that_now_belongs_to_a_stranger_is_no_obstacle(tmp_path: Path) -> None:
    """After a power cut `postmaster.pid` may name any process; the lock knows better."""
    with running_postgres(tmp_path):
        pass
    (PostgresFolder.of_state(tmp_path).data / "postmaster.pid").write_text(f"{os.getppid()}\n")
    with running_postgres(tmp_path) as server, server.connect("ledger"):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The sentence names the folder and the way out."""
    (tmp_path / "file").touch()
    with pytest.raises(PostgresError, match=r"file/state cannot be used: .* OPS_STATE_DIR"):
        running_postgres(tmp_path / "file" / "state").__enter__()


def test_a_folder_open_to_others_is_refused(tmp_path: Path) -> None:
    """Without a password, whoever reaches the socket is in."""
    (tmp_path / "postgres").mkdir(mode=0o755)
    with pytest.raises(PostgresError, match="mode 0700"):
        running_postgres(tmp_path).__enter__()


def test_a_server_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """A cluster of another version is refused by Postgres in its own words."""
    with running_postgres(tmp_path):
        pass
    place = PostgresFolder.of_state(tmp_path)
    (place.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(PostgresError, match=r"did not start(?s:.*)not compatible") as caught:
        running_postgres(tmp_path).__enter__()
    assert str(place.log) in str(caught.value)
    assert nothing_runs(tmp_path)
