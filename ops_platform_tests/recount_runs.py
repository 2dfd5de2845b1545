"""The facts of executions and container instances, from raw events."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ops_platform_tests.recount_raw import Told, by_subject, known, tail
from ops_platform_tests.recount_ways import FOREVER, Fact, Happened, Lasted

ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_PROJECT = re.compile(r"([a-z0-9_]+)\.(prod|(?:prod|test|user)\..+)\.([A-Za-z_]\w*)")
_CLUSTER = re.compile(r"AWSBatch-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def execution_facts(told: list[Told]) -> Iterator[Fact]:
    """Yield the facts of executions, but of a Distributed Map's children: those are no runs."""
    named = _named_by_jobs(told)
    for (account, _), events in by_subject(told, "execution").items():
        machine = events[0].detail["stateMachineArn"].split(":stateMachine:", 1)[1]
        if "/" not in machine:
            run = f"sfn-{events[0].detail['name']}"
            of_run = known(account=account) | _machine(machine) | named.get((account, run), {})
            yield from _moves(sorted(_moments(events), key=_in_turn), of_run)


def _named_by_jobs(told: Iterable[Told]) -> dict[tuple[str, str], dict[str, str]]:
    """Return flow and owner of each run as its jobs name them; the least, should they differ."""
    found: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for each in told:
        given = each.detail.get("parameters") or {}
        run = given.get("metaflow.run_id")
        if run and each.kind in ("job", "queue_blocked"):
            by_step_functions = given.get("metaflow.user") == "SFN"
            names = known(
                flow=given.get("metaflow.flow_name"),
                owner=given.get("metaflow.owner")
                or (None if by_step_functions else given.get("metaflow.user")),
            )
            for name, value in names.items():
                found[each.account, f"sfn-{run}" if by_step_functions else run][name].add(value)
    return {key: {name: min(it) for name, it in names.items()} for key, names in found.items()}


def _machine(name: str) -> dict[str, str]:
    """Return what the name of a state machine tells."""
    if match := _PROJECT.fullmatch(name):
        return dict(zip(("project", "branch", "flow"), match.groups(), strict=True))
    if re.fullmatch(r".{60}-[a-z2-7]{16}", name) or not name.isidentifier():
        return {"project": name.split(".", 1)[0]} if "." in name else {}
    return {"flow": name}


def _moments(events: Iterable[Told]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for each in events:
        detail = each.detail
        started = {detail.get("startDate"), detail.get("redriveDate")} - {None}
        if not started and detail["status"] == "RUNNING":
            started = {each.at}
        found |= {(int(at), "RUNNING") for at in started if at is not None}
        if detail["status"] in ENDS:
            stopped = detail.get("stopDate")
            found.add((each.at if stopped is None else stopped, detail["status"]))
    return found


def _in_turn(moment: tuple[int, str]) -> tuple[int, bool, str]:
    """Return the order of moments: what starts and ends at once has started first."""
    at, status = moment
    return at, status != "RUNNING", status


def _moves(moments: list[tuple[int, str]], of_run: dict[str, str]) -> Iterator[Fact]:
    """Yield each start and end, and how long it ran; of two starts in a row the end is missing."""
    since: int | None = None
    begun: int | None = None
    for at, status in moments:
        there = of_run | {"status": status}
        yield Happened("execution_moved", at, there)
        if status == "RUNNING":
            since, begun = at, at if begun is None else begun
            continue
        marks = frozenset() if status == "SUCCEEDED" else frozenset({"failed"})
        values: dict[str, float] = {} if since is None else {"total": at - since}
        yield Happened("execution_ended", at, there, values, marks)
        if begun is not None:
            yield Lasted("execution_running", begun, at, of_run)
        since = begun = None
    if begun is not None:
        yield Lasted("execution_running", begun, FOREVER, of_run)


def places(told: Iterable[Told]) -> dict[tuple[str, str], tuple[int, dict[str, str]]]:
    """Return when each container instance came, and its dimensions, by account and ARN."""
    events = list(told)
    newest = _newest(events)
    return {
        key: (
            min(each.at for each in those),
            known(
                instance_type=_attribute(newest[key], "ecs.instance-type"),
                availability_zone=_attribute(newest[key], "ecs.availability-zone"),
                compute_environment=_environment(tail(newest[key].detail["clusterArn"])),
            ),
        )
        for key, those in by_subject(events, "container_instance").items()
    }


def _newest(told: Iterable[Told]) -> dict[tuple[str, str], Told]:
    return {
        key: max(events, key=lambda each: (each.detail.get("version", 0), each.at, each.id))
        for key, events in by_subject(told, "container_instance").items()
    }


def _attribute(latest: Told, name: str) -> str | None:
    found = [each.get("value") for each in latest.detail["attributes"] if each["name"] == name]
    return found[0] if found else None


def _environment(cluster: str) -> str:
    """Return which compute environment Batch made a cluster for, by its name."""
    match = _CLUSTER.fullmatch(cluster)
    return match[1] if match else cluster.partition("_Batch")[0]


def instance_facts(told: list[Told]) -> Iterator[Fact]:
    """Yield the facts of container instances: from their first event to the first INACTIVE."""
    newest, place = _newest(told), places(told)
    for key, events in by_subject(told, "container_instance").items():
        came, dimensions = place[key]
        there = {"account": key[0]} | dimensions
        left = min(
            (each.at for each in events if each.detail["status"] == "INACTIVE"), default=FOREVER
        )
        resources = newest[key].detail.get("registeredResources") or ()
        cpu = [each.get("integerValue") for each in resources if each["name"] == "CPU"]
        amounts = {"vcpus": cpu[0] / 1024} if cpu and cpu[0] is not None else {}
        yield Happened("registered", came, there)
        yield Lasted("up", came, left, there, amounts)
        if left != FOREVER:
            yield Happened("deregistered", left, there, {"lifetime": left - came})


def event_facts(told: Iterable[Told]) -> Iterator[Fact]:
    """Yield the events themselves."""
    for each in told:
        yield Happened("event", each.at, {"account": each.account, "kind": each.kind})
