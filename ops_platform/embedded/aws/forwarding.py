"""Where the CloudFormation template of the event forwarding is."""

from pathlib import Path

_NAME = "event-forwarding.yaml"
_PACKAGE = Path(__file__).parents[2]


def forwarding_template() -> Path:
    """Return the template: shipped with the wheel, or beside the package in a checkout.

    Raises:
        FileNotFoundError: It is in neither place.
    """
    for folder in (_PACKAGE / "shipped", _PACKAGE.parent / "deploy"):
        if (folder / _NAME).is_file():
            return folder / _NAME
    raise FileNotFoundError(
        f"{_NAME} is missing: neither in {_PACKAGE / 'shipped'} nor in a checkout. "
        "Install ops-platform again."
    )
