"""Files that are not Python but needed at run time: the wheel carries them along."""

from pathlib import Path

from ops_platform.domain.errors import PlatformError

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """Return a file by its path in the repository, from a wheel or from a checkout.

    Raises:
        PlatformError: It is in neither; the installation is broken.
    """
    for path in (_PACKAGE / "shipped" / name, _PACKAGE.parent / name):
        if path.is_file():
            return path
    raise PlatformError(f"{name} is missing from the installation. Install ops-platform again.")
