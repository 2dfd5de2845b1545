"""Tasks run as ECS tasks without a role: the sandbox of a platform that runs on AWS.

What a task needs, and what comes of it, goes through S3 by addresses that are signed for one
object and an hour each, so that the container needs no credential to get at them.
"""

import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import msgspec

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.adapters.remote_task import Plan
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.sandboxes import Isolation, Outcome, Task

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RunTask = Callable[[Sequence[str], float], None]
"""Runs a command in a container of its own to its end, within so many seconds."""

_PREFIX = "ops-platform/sandbox"
_SIGNED_SECONDS = 3600
_MODULE = "ops_platform.adapters.remote_task"
_GONE = frozenset({"404", "NoSuchKey", "NotFound"})
# Of the container's start, and of what it fetches.
_MARGIN_SECONDS = 300.0


class EcsSandbox:
    """Runs tasks on ECS; fulfils `Sandbox`.

    Args:
        client: That of S3, in the account where the tasks run.
        bucket: Where what they need is put; a rule of the bucket should expire it after a day.
        run: Runs a command as an ECS task.
        environments: The folder below which virtual environments are made: these are taken along,
            since the container has nothing but its image.
        python: The interpreter of the container's image.
    """

    isolation = Isolation.FULL
    """A machine of its own: of ours it sees what its security group lets it reach."""

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        run: RunTask,
        *,
        environments: Path,
        python: str = "python",
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._run = run
        self._environments = environments.absolute()
        self._python = python

    def run(self, task: Task) -> Outcome:
        """Run a task to its end."""
        prefix = f"{_PREFIX}/{uuid4().hex}"
        keys = {name: f"{prefix}/{name}" for name in ("folder", "plan", "outcome")}
        try:
            self._put_folder(keys["folder"], Path(task.folder))
            plan = Plan(
                task=task,
                folder=self._signed("get_object", keys["folder"]),
                readable={path: self._environment(Path(path)) for path in self._taken_along(task)},
                outcome=self._signed("put_object", keys["outcome"]),
            )
            self._put(keys["plan"], msgspec.json.encode(plan))
            command = [self._python, "-I", "-m", _MODULE, self._signed("get_object", keys["plan"])]
            self._run(command, task.limits.seconds + _MARGIN_SECONDS)
            return self._outcome(keys["outcome"])
        finally:
            for key in keys.values():
                self._delete(key)

    def _outcome(self, key: str) -> Outcome:
        try:
            with explained("read what came of a sandbox"):
                text = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except AwsError as error:
            if error.code in _GONE:
                raise PlatformError(
                    "The ECS task of a sandbox ended without an outcome. Its log says why."
                ) from None
            raise
        try:
            return msgspec.json.decode(text, type=Outcome)
        except msgspec.DecodeError:
            raise PlatformError("What came of a sandbox cannot be read.") from None

    def _taken_along(self, task: Task) -> list[str]:
        return [path for path in task.readable if Path(path).is_relative_to(self._environments)]

    def _environment(self, folder: Path) -> str:
        """Return the signed address of an environment's archive, put there if it is not yet."""
        # Its name is the digest of its content.
        key = f"{_PREFIX}/environments/{folder.name}"
        try:
            with explained("look for an environment of a sandbox"):
                self._client.head_object(Bucket=self._bucket, Key=key)
        except AwsError as error:
            if error.code not in _GONE:
                raise
            self._put_folder(key, folder)
        return self._signed("get_object", key)

    def _put_folder(self, key: str, folder: Path) -> None:
        with tempfile.TemporaryFile() as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
                for path in sorted(folder.iterdir()):
                    archive.add(path, arcname=path.name, filter=_plain)
            file.seek(0)
            with explained("put the folder of a sandbox"):
                self._client.upload_fileobj(file, self._bucket, key)

    def _put(self, key: str, text: bytes) -> None:
        with explained("put the plan of a sandbox"):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=text)

    def _delete(self, key: str) -> None:
        with explained("delete what a sandbox needed"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _signed(self, method: str, key: str) -> str:
        parameters: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
        return self._client.generate_presigned_url(
            method, Params=parameters, ExpiresIn=_SIGNED_SECONDS
        )


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Take along files, folders and links, of nobody in particular; no git, no devices."""
    if member.name.split("/")[0] == ".git" or not (
        member.isreg() or member.isdir() or member.issym() or member.islnk()
    ):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
