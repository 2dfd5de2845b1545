"""What a flow's files ask for, and what is refused of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.requirements import (
    Package,
    RequirementsError,
    names_metaflow,
    read_project,
    read_requirements,
)

SHA = f"sha256:{'a' * 64}"
REQUIREMENTS = f"""
# What the forecast needs.
metaflow==2.19.39
pandas>=2,<3 ; python_version >= "3.11"   # tables
scikit-learn[alldeps]==1.5.0 \\
    --hash={SHA} \\
    --hash={SHA}
"""


def test_packages_are_read_by_name() -> None:
    """With their versions, markers and hashes, without comments."""
    packages = read_requirements(REQUIREMENTS, path="requirements.txt")
    assert packages == (
        Package("metaflow==2.19.39"),
        Package('pandas<3,>=2; python_version >= "3.11"'),
        Package("scikit-learn[alldeps]==1.5.0", (SHA, SHA)),
    )
    assert packages[2].line() == f"scikit-learn[alldeps]==1.5.0 --hash={SHA} --hash={SHA}"
    assert names_metaflow(packages)
    assert not names_metaflow(packages[1:])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--index-url http://169.254.169.254/", "gives an option"),
        ("-r http://169.254.169.254/latest", "gives an option"),
        ("-r ../../../etc/passwd", "gives an option"),
        ("-e .", "gives an option"),
        ("--find-links /tmp", "gives an option"),
        (".", "names no package"),
        ("./lib", "names no package"),
        ("/etc/passwd", "names no package"),
        ("https://host/evil-1.0.tar.gz", "names no package"),
        ("git+https://host/evil", "names no package"),
        ("evil @ git+https://host/evil", "takes evil from an address"),
        ("evil@https://host/evil.whl", "takes evil from an address"),
        ("evil==1 --hash=md5:123", "has a hash that is none"),
        ("evil==1 --config-settings=x=y", "names no package"),
        ("evil==1 ; os.system('x')", "names no package"),
        ("evil \\\n--index-url=http://host", "names no package"),
    ],
)
def test_what_would_run_code_or_ask_an_address_is_refused(line: str, said: str) -> None:
    """With the line, and what to do instead."""
    with pytest.raises(RequirementsError, match=said) as raised:
        read_requirements(f"metaflow\n{line}\n", path="flows/requirements.txt")
    assert str(raised.value).startswith("flows/requirements.txt, line 2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[project", "is not TOML"),
        ("project = 3", "is no table"),
        ('[project]\ndynamic = ["dependencies"]', "leaves its dependencies to a build"),
        ("[project]\ndependencies = 3", "is no list of strings"),
        ('[project]\ndependencies = ["a", 3]', "is no list of strings"),
        ('[project]\ndependencies = ["a @ file:///etc"]', "takes a from an address"),
    ],
)
def test_a_project_that_cannot_be_read_is_refused(text: str, said: str) -> None:
    """As its own build is never run."""
    with pytest.raises(RequirementsError, match=said):
        read_project(text, path="pyproject.toml")


def test_a_project_names_its_dependencies() -> None:
    """None at all where it has none."""
    text = '[project]\nname = "x"\ndependencies = ["metaflow>=2.19"]\n'
    assert read_project(text, path="pyproject.toml") == (Package("metaflow>=2.19"),)
    assert read_project("[tool.ruff]\nline-length = 1\n", path="pyproject.toml") == ()


def test_a_file_with_too_many_packages_is_refused() -> None:
    """Rather than be worked through."""
    with pytest.raises(RequirementsError, match="names 2,001 packages"):
        read_requirements("a\n" * 2001, path="requirements.txt")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """With a sentence; and what is written again asks for the same."""
    try:
        packages = read_requirements(text, path="r.txt")
    except RequirementsError:
        return
    again = "\n".join(each.line() for each in packages)
    assert read_requirements(again, path="r.txt") == packages
