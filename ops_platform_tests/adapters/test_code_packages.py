"""Code packages, as Metaflow makes them and as nobody should."""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.code_packages import CodePackages, read_package
from ops_platform.adapters.git import GitCheckout
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.staging_runs import differing

FLOW = """
from metaflow import FlowSpec, step
class Flow(FlowSpec):
    @step
    def start(self):
        self.next(self.end)
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Flow()
"""
FILES = {"flow.py": FLOW, "lib/clean.py": "x = 1\n", "lib/model.R": "y\n", "README.md": "# No\n"}
URL = "s3://bucket/key"


def _written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def _saved(folder: Path, *options: str) -> bytes:
    """Return the package that the real Metaflow makes of a folder."""
    environment = os.environ | {"METAFLOW_USER": "ada", "METAFLOW_HOME": str(folder.parent)}
    environment |= {"METAFLOW_PYLINT": "0"}
    save = [sys.executable, "flow.py", *options, "package", "save", "../package.tgz"]
    subprocess.run(save, cwd=folder, env=environment, check=True, capture_output=True, timeout=60)
    return (folder.parent / "package.tgz").read_bytes()


def _tar(files: dict[str, bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    stream.seek(0)
    return stream


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_what_metaflow_packages_is_the_checkout_it_came_from(tmp_path: Path) -> None:
    """Nothing of Metaflow's own is taken for the flow's, and nothing of the flow's is missing."""
    folder = _written(tmp_path / "repo", FILES)
    package = read_package(io.BytesIO(_saved(folder)), URL)
    assert set(package) == {"flow.py", "lib/clean.py", "lib/model.R"}
    assert differing(package, GitCheckout(folder).files_beside("flow.py")) == []


def test_a_file_that_git_does_not_know_shows(tmp_path: Path) -> None:
    """Metaflow packages it all the same."""
    folder = _written(tmp_path / "repo", FILES)
    reviewed = GitCheckout(folder).files_beside("flow.py")
    _written(folder, {"untracked.py": "secret_sauce = 1\n", "lib/clean.py": "x = 2\n"})
    package = read_package(io.BytesIO(_saved(folder)), URL)
    assert differing(package, reviewed) == ["lib/clean.py", "untracked.py"]


def test_files_of_other_kinds_count_where_they_are_packaged(tmp_path: Path) -> None:
    """As a flow that reads queries from files packages them."""
    folder = _written(tmp_path / "repo", {**FILES, "query.sql": "select 1\n"})
    package = read_package(io.BytesIO(_saved(folder, "--package-suffixes", ".sql")), URL)
    assert package["query.sql"] == _sha(b"select 1\n")
    assert differing(package, GitCheckout(folder).files_beside("flow.py")) == []


def test_packages_of_older_metaflows_are_read_too() -> None:
    """They have Metaflow itself at their top."""
    files = {"INFO": b"{}", "metaflow/cli.py": b"", "flow.py": b"x", "metaflow_notes.py": b"y"}
    assert read_package(_tar(files), URL) == {
        "flow.py": _sha(b"x"),
        "metaflow_notes.py": _sha(b"y"),
    }


def test_a_link_is_no_file_of_a_checkout() -> None:
    """It is told apart from whatever is there."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("flow.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    stream.seek(0)
    assert read_package(stream, URL) == {"flow.py": "link to /etc/passwd"}


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b\x08\x00garbage"])
def test_what_is_no_package_is_refused(content: bytes) -> None:
    """With its address."""
    with pytest.raises(PlatformError, match="s3://bucket/key cannot be read"):
        read_package(io.BytesIO(content), URL)


def test_a_package_that_stops_half_way_is_refused(tmp_path: Path) -> None:
    """Rather than taken for one with fewer files."""
    whole = _saved(_written(tmp_path / "repo", FILES))
    with pytest.raises(PlatformError, match="cannot be read"):
        read_package(io.BytesIO(whole[: len(whole) // 2]), URL)


def test_a_package_that_claims_to_be_huge_is_refused_before_it_is_read() -> None:
    """As is one of countless files."""
    huge = tarfile.TarInfo("flow.py")
    huge.size = 3 << 30
    with pytest.raises(PlatformError, match="is larger than any"):
        read_package(io.BytesIO(huge.tobuf() + b"\0" * 2048), URL)
    countless = b"".join(tarfile.TarInfo(f"{n}.py").tobuf() for n in range(50_001))
    with pytest.raises(PlatformError, match="is larger than any"):
        read_package(io.BytesIO(countless), URL)


def test_a_package_is_read_from_s3(emulated: AccountClients) -> None:
    """None where it is gone."""
    emulated.s3.create_bucket(
        Bucket="packages", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    emulated.s3.put_object(Bucket="packages", Key="a/b", Body=_tar({"flow.py": b"x"}).read())
    packages = CodePackages(emulated.s3)
    assert packages.files("s3://packages/a/b") == {"flow.py": _sha(b"x")}
    assert packages.files("s3://packages/a/c") is None
    assert packages.files("s3://elsewhere-entirely/a") is None
    assert packages.exists("s3://packages/a/b")
    assert not packages.exists("s3://packages/a/c")


@pytest.mark.parametrize("url", ["http://host/key", "s3://bucket", "s3:///key", "/etc/passwd", ""])
def test_an_address_elsewhere_is_refused(emulated: AccountClients, url: str) -> None:
    """A definition is a stranger's word."""
    with pytest.raises(PlatformError, match="is no address of a code package"):
        CodePackages(emulated.s3).files(url)
