"""Checkouts of real repositories at exactly one commit."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from ops_platform.adapters.git import GitRepositories, Remote
from ops_platform.domain.checkouts import HeadMovedError, Source, checked_flow_path
from ops_platform.domain.errors import PlatformError
from ops_platform_tests.git_world import GitRepository

NAME = "shop/flows"
FLOW = "flows/forecast.py"
FILES = {FLOW: "print('a flow')\n", "flows/lib/clean.py": "x = 1\n", "README.md": "# Flows\n"}


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A repository of a host."""
    return GitRepository(tmp_path / "host")


@pytest.fixture
def repositories(repository: GitRepository, tmp_path: Path) -> GitRepositories:
    """The list with that repository alone."""
    return GitRepositories({NAME: Remote(repository.url)}, tmp_path / "checkouts")


def test_the_head_of_a_pull_request_is_checked_out(
    repository: GitRepository, repositories: GitRepositories, tmp_path: Path
) -> None:
    """In a folder that only we may enter, gone afterwards."""
    commit = repository.commit(FILES, pull_request=7)
    with repositories.check_out(Source(NAME, "refs/pull/7/head", commit)) as checkout:
        folder = Path(checkout.folder)
        assert (folder / FLOW).read_text() == FILES[FLOW]
        assert folder.stat().st_mode & 0o077 == 0
        assert checkout.has(FLOW)
        assert not checkout.has("flows/none.py")
        assert set(checkout.files_beside(FLOW)) == {"forecast.py", "lib/clean.py"}
    assert list((tmp_path / "checkouts").iterdir()) == []


def test_a_head_that_moved_is_refused_by_name(
    repository: GitRepository, repositories: GitRepositories, tmp_path: Path
) -> None:
    """What was reviewed is what is checked, or nothing is."""
    reviewed = repository.commit(FILES, pull_request=7)
    newer = repository.commit({FLOW: "import evil\n"}, pull_request=7)
    source = Source(NAME, "refs/pull/7/head", reviewed)
    with (
        pytest.raises(HeadMovedError, match=f"is at {newer[:12]} by now, not at {reviewed[:12]}"),
        repositories.check_out(source),
    ):
        pass
    assert list((tmp_path / "checkouts").iterdir()) == []


def test_an_older_commit_of_the_branch_is_not_its_head(
    repository: GitRepository, repositories: GitRepositories
) -> None:
    """Though git could find it."""
    older = repository.commit(FILES)
    repository.commit({"README.md": "newer"})
    with (
        pytest.raises(HeadMovedError),
        repositories.check_out(Source(NAME, "refs/heads/main", older)),
    ):
        pass


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Source("shop/flow", "refs/heads/main", "a" * 40), "Did you mean shop/flows"),
        (Source("else/where", "refs/heads/main", "a" * 40), "Add it to \\[\\[promotion"),
        (Source(NAME, "refs/pull/404/head", "a" * 40), "Could not fetch refs/pull/404/head"),
    ],
)
def test_what_cannot_be_checked_out_is_explained(
    repository: GitRepository, repositories: GitRepositories, source: Source, said: str
) -> None:
    """A repository that is not in the list is never asked."""
    repository.commit(FILES)
    with pytest.raises(PlatformError, match=said), repositories.check_out(source):
        pass


@pytest.mark.parametrize("url", ["ext::sh -c 'touch hit'", "ssh://host/x", "git://host/x"])
def test_only_plain_addresses_are_reached(tmp_path: Path, url: str) -> None:
    """Git's own helpers could run anything."""
    repositories = GitRepositories({NAME: Remote(url)}, tmp_path)
    source = Source(NAME, "refs/heads/main", "a" * 40)
    with (
        pytest.raises(PlatformError, match="is reached by none of"),
        repositories.check_out(source),
    ):
        pass


def test_nothing_of_the_repository_runs(
    repository: GitRepository, repositories: GitRepositories, tmp_path: Path
) -> None:
    """Neither hooks nor filters nor submodules nor a configuration that it brings along."""
    hit = tmp_path / "hit"
    evil = f"#!/bin/sh\ntouch {hit}\n"
    commit = repository.commit(
        {
            **FILES,
            ".gitattributes": "* filter=evil\n",
            ".gitconfig": f'[filter "evil"]\n  smudge = touch {hit}\n',
            ".gitmodules": f'[submodule "x"]\n  path = x\n  url = {tmp_path}\n',
            "hooks/post-checkout": evil,
        }
    )
    with repositories.check_out(Source(NAME, "refs/heads/main", commit)) as checkout:
        assert checkout.has(FLOW)
    assert not hit.exists()


def test_objects_that_attack_git_are_refused(
    repository: GitRepository, repositories: GitRepositories
) -> None:
    """As a submodule that would run a command when somebody updates it."""
    evil = '[submodule "x"]\n  path = x\n  url = x\n  update = !touch hit\n'
    commit = repository.commit({**FILES, ".gitmodules": evil})
    with (
        pytest.raises(PlatformError, match="gitmodulesUpdate"),
        repositories.check_out(Source(NAME, "refs/heads/main", commit)),
    ):
        pass


def test_a_link_leads_nowhere_but_into_the_checkout(
    repository: GitRepository, repositories: GitRepositories, tmp_path: Path
) -> None:
    """It is neither a flow nor a part of its fingerprint."""
    (tmp_path / "secret.py").write_text("token = 1\n")
    links = {
        "flows/out.py": tmp_path / "secret.py",
        "flows/loop": Path(),
        "flows/in.py": "forecast.py",
    }
    (repository.folder / "flows").mkdir()
    for name, target in links.items():
        (repository.folder / name).symlink_to(str(target))
    commit = repository.commit(FILES)
    with repositories.check_out(Source(NAME, "refs/heads/main", commit)) as checkout:
        assert not checkout.has("flows/out.py")
        assert not checkout.has("flows/../../../secret.py")
        files = checkout.files_beside(FLOW)
    assert files["in.py"] == files["forecast.py"]
    assert "out.py" not in files
    assert all(len(path) < 40 for path in files)


def test_a_host_that_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    """Its checkout ends with a sentence, and leaves nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/shop/flows"
        repositories = GitRepositories({NAME: Remote(url, token="t0ken")}, tmp_path, seconds=0.5)
        source = Source(NAME, "refs/heads/main", "a" * 40)
        with pytest.raises(PlatformError, match=r"within 0\.5 s"), repositories.check_out(source):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_token_is_sent_and_shown_nowhere(tmp_path: Path) -> None:
    """To the host alone, and not in what is printed of it."""
    remote = Remote("http://127.0.0.1:1/shop/flows", token="t0ken")
    assert "t0ken" not in repr(remote)
    assert "t0ken" not in repr(replace(remote, url="http://x"))
    source = Source(NAME, "refs/heads/main", "a" * 40)
    repositories = GitRepositories({NAME: remote}, tmp_path)
    with pytest.raises(PlatformError) as raised, repositories.check_out(source):
        pass
    assert "t0ken" not in str(raised.value)


@pytest.mark.parametrize(
    ("ref", "commit"),
    [
        ("refs/heads/main", "main"),
        ("refs/heads/main", "a" * 39),
        ("refs/heads/main", "--upload-pack=touch"),
        ("main", "a" * 40),
        ("--upload-pack=touch hit", "a" * 40),
        ("refs/heads/a..b", "a" * 40),
        ("refs/heads/a b", "a" * 40),
        ("+refs/heads/main:refs/heads/x", "a" * 40),
    ],
)
def test_what_git_could_take_for_something_else_is_refused(ref: str, commit: str) -> None:
    """An abbreviation, an option, a range or a pair of refs."""
    with pytest.raises(PlatformError, match="give"):
        Source(NAME, ref, commit)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd.py",
        "../flow.py",
        "flows/../../flow.py",
        "./flow.py",
        "flows//flow.py",
        "-c.py",
        "flow.txt",
        "",
        "flows/a\nb.py",
        "flows\\flow.py",
        ".git/hooks/x.py",
    ],
)
def test_a_path_that_leaves_the_repository_is_refused(path: str) -> None:
    """As is one that is no flow's."""
    with pytest.raises(PlatformError, match="from the top of the repository"):
        checked_flow_path(path)


def test_a_path_of_a_flow_is_taken_as_it_is() -> None:
    """From the top of the repository."""
    assert checked_flow_path("flows/forecast demand.py") == "flows/forecast demand.py"


def test_links_that_make_endless_paths_are_refused(
    repository: GitRepository, repositories: GitRepositories
) -> None:
    """Two links in each of thirty folders are a billion paths, of a few hundred bytes."""
    for level in range(30):
        folder = repository.folder / f"flows/{level}"
        folder.mkdir(parents=True)
        for name in ("left", "right"):
            (folder / name).symlink_to(f"../{level + 1}")
    (repository.folder / "flows/30").mkdir()
    commit = repository.commit({**FILES, "flows/30/end.py": ""}, pull_request=7)
    with (
        repositories.check_out(Source(NAME, "refs/pull/7/head", commit)) as checkout,
        pytest.raises(PlatformError, match="more than 20,000 files"),
    ):
        checkout.files_beside(FLOW)
