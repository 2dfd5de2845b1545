"""The packages that a flow asks for, taken from its files by name alone.

Installing a package from source runs its code, and an address in a requirements file makes the
installer ask whatever it names. So a flow's packages are named, and come as wheels from the
indexes that the platform is told of: then nothing of a pull request runs while they are installed.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement

from ops_platform.domain.errors import PlatformError

_HASH = re.compile(r"\s--hash[= ](\S+)")
_HASH_VALUE = re.compile(r"(?:sha256|sha384|sha512):[0-9a-f]{64,128}")
_COMMENT = re.compile(r"(^|\s)#.*$")
_MOST = 2_000


class RequirementsError(PlatformError):
    """The packages that a flow asks for cannot be taken."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package as it is asked for: name, versions and markers, and the hashes it may have."""

    requirement: str
    hashes: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the line of a requirements file that asks for it."""
        return " ".join([self.requirement, *(f"--hash={each}" for each in self.hashes)])


def read_requirements(text: str, *, path: str) -> tuple[Package, ...]:
    """Return what a ``requirements.txt`` asks for.

    Raises:
        RequirementsError: A line is an option, an address or a folder; the text names the line.
    """
    return _bounded(
        [_package(line, f"{path}, line {number}") for number, line in _lines(text)], path
    )


def read_project(text: str, *, path: str) -> tuple[Package, ...]:
    """Return what the ``project.dependencies`` of a ``pyproject.toml`` ask for.

    Raises:
        RequirementsError: It is no TOML, leaves them to a build, or names an address.
    """
    try:
        project = tomllib.loads(text).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise RequirementsError(f"{path} is not TOML: {error}.") from None
    if not isinstance(project, dict):
        raise RequirementsError(f"[project] of {path} is no table.")
    if "dependencies" in (project.get("dynamic") or ()):
        raise RequirementsError(
            f"{path} leaves its dependencies to a build, which would run its code."
            " Write them into project.dependencies."
        )
    named = project.get("dependencies", [])
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise RequirementsError(f"project.dependencies of {path} is no list of strings.")
    return _bounded([_package(each, f"project.dependencies of {path}") for each in named], path)


def names_metaflow(packages: tuple[Package, ...]) -> bool:
    """Tell whether Metaflow itself is among them, without which no flow can be imported."""
    return any(Requirement(each.requirement).name.lower() == "metaflow" for each in packages)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each requirement with the number of its first line; a backslash continues it."""
    whole, first = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first if whole else number
        bare = _COMMENT.sub("", line).rstrip()
        if bare.endswith("\\"):
            whole += bare.removesuffix("\\") + " "
            continue
        whole += bare
        if whole.strip():
            yield first, whole.strip()
        whole = ""
    if whole.strip():
        yield first, whole.strip()


def _package(line: str, where: str) -> Package:
    hashes = tuple(_HASH.findall(f" {line}"))
    name = _HASH.sub("", f" {line}").strip()
    if name.startswith("-"):
        raise RequirementsError(
            f"{where} gives an option, {_cut(name)}. Packages are named there and come from the"
            " indexes that the platform is told of."
        )
    try:
        requirement = Requirement(name)
    except InvalidRequirement:
        raise RequirementsError(
            f"{where} names no package: {_cut(name)}. Folders and addresses are not installed,"
            " since building them would run their code; publish a wheel and name it."
        ) from None
    if requirement.url is not None:
        raise RequirementsError(
            f"{where} takes {requirement.name} from an address. Publish a wheel and name it."
        )
    if odd := [each for each in hashes if not _HASH_VALUE.fullmatch(each)]:
        raise RequirementsError(f"{where} has a hash that is none: {_cut(odd[0])}.")
    return Package(str(requirement), hashes)


def _bounded(packages: list[Package], path: str) -> tuple[Package, ...]:
    if len(packages) > _MOST:
        raise RequirementsError(f"{path} names {len(packages):,} packages; {_MOST:,} are allowed.")
    return tuple(packages)


def _cut(text: str) -> str:
    return repr(text[:120])
