"""A sandbox's task inside a container of its own: ``python -I -m … PLAN_URL``.

It fetches what it is to do, does it within the same limits as on any machine, and puts down what
came of it, all by addresses that S3 signed for this alone: the container has no credential.
"""

import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import msgspec

from ops_platform.adapters.sandbox import LocalSandbox
from ops_platform.domain.sandboxes import Task

_SECONDS = 60


class Plan(msgspec.Struct, frozen=True):
    """What is to be done; all but the task are signed addresses.

    ``folder`` is an archive of the task's folder, ``readable`` are archives by the paths that they
    are unpacked to, and ``outcome`` is where the outcome is put.
    """

    task: Task
    folder: str
    readable: Mapping[str, str]
    outcome: str


def main() -> None:
    """Do what the plan says."""
    plan = msgspec.json.decode(_fetched(sys.argv[1]), type=Plan)
    for path, url in plan.readable.items():
        _unpack(url, Path(path))
    with tempfile.TemporaryDirectory() as folder:
        _unpack(plan.folder, Path(folder))
        outcome = LocalSandbox().run(replace(plan.task, folder=folder))
    _put(plan.outcome, msgspec.json.encode(outcome))


def _fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310, signed by us
        return bytes(answer.read())


def _unpack(url: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        urllib.request.urlopen(url, timeout=_SECONDS) as answer,  # noqa: S310, as above
        tarfile.open(fileobj=cast("IO[bytes]", answer), mode="r|gz") as archive,
    ):
        # Of our making; and here is nothing that a link could lead to.
        archive.extraction_filter = lambda member, _: member
        archive.extractall(folder)  # noqa: S202


def _put(url: str, text: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(  # noqa: S310, as above
        url, data=text, headers=headers, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310, as above
        pass


if __name__ == "__main__":
    main()
