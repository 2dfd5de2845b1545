"""Metaflow's code packages in S3, read for the digests of the files in them and for nothing else.

A package is a tar of what was deployed: files of the flow's folder at its top, Metaflow itself and
notes of its own beside them (``.mf_code``, ``.mf_meta``, ``.mf_install``; in older versions
``metaflow`` and ``INFO``). Nothing is unpacked, and what it may hold is bounded.
"""

import hashlib
import tarfile
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, cast

from ops_platform.adapters.aws_errors import AwsError, explained
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.staging_runs import Files

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = frozenset({"404", "NoSuchKey", "NoSuchBucket"})
_LAYOUT_MARK = ".mf_meta/INFO"
_OURS = (".mf_code/", ".mf_meta/", ".mf_install")
_OURS_BEFORE = ("metaflow/", "metaflow_extensions/", "INFO")
_MOST_FILES = 50_000
_MOST_BYTES = 2 << 30
_CHUNK = 1 << 20


class CodePackages:
    """The code packages of one account's datastore."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def files(self, url: str) -> Files | None:
        """Return the digests of a flow's own files in a package, None if the package is gone.

        Args:
            url: Where it is, as ``METAFLOW_CODE_URL`` has it: ``s3://bucket/key``.

        Raises:
            PlatformError: S3 cannot be asked, or it is no package of a sensible size.
        """
        bucket, key = _parts(url)
        try:
            with explained(f"read the code package {url}"):
                body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
        except AwsError as error:
            if error.code in _GONE:
                return None
            raise
        with body:
            return read_package(cast("IO[bytes]", body), url)

    def exists(self, url: str) -> bool:
        """Tell whether a package is still there.

        Raises:
            PlatformError: S3 cannot be asked.
        """
        bucket, key = _parts(url)
        try:
            with explained(f"look for the code package {url}"):
                self._client.head_object(Bucket=bucket, Key=key)
        except AwsError as error:
            if error.code in _GONE:
                return False
            raise
        return True


def read_package(stream: IO[bytes], url: str) -> Files:
    """Return the digests of a flow's own files in a package.

    Raises:
        PlatformError: It is no tar, or holds more than any flow does.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            digests = dict(_digests(archive, url))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise PlatformError(f"The code package {url} cannot be read: {error}.") from None
    theirs = _OURS if _LAYOUT_MARK in digests else _OURS_BEFORE
    return {path: digest for path, digest in digests.items() if not path.startswith(theirs)}


def _digests(archive: tarfile.TarFile, url: str) -> Iterator[tuple[str, str]]:
    left = _MOST_BYTES
    for number, member in enumerate(archive):
        left -= member.size
        if number >= _MOST_FILES or left < 0:
            raise PlatformError(f"The code package {url} is larger than any that a flow has.")
        if member.isdir():
            continue
        # A link is no file of a checkout: it differs from whatever is there.
        content = archive.extractfile(member) if member.isreg() else None
        yield member.name, _digest(content) if content else f"link to {member.linkname}"


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _parts(url: str) -> tuple[str, str]:
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket or not key:
        raise PlatformError(f"{url[:200]!r} is no address of a code package in S3.")
    return bucket, key
