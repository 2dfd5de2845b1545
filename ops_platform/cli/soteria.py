"""The command ``soteria``: is a flow fit for production? For data scientists and for CI."""

import click

from ops_platform.cli.adopt import adopt
from ops_platform.cli.check_flow import check
from ops_platform.cli.group import Refusal
from ops_platform.domain.errors import PlatformError


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what a user can put right ends it with exit code 2."""
        try:
            return super().invoke(ctx)
        except PlatformError as error:
            raise Refusal(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ops-platform")
def soteria() -> None:
    """Bring Metaflow flows to production, and only those that are fit for it."""


soteria.add_command(adopt)
soteria.add_command(check)


def main() -> None:
    """Run the command line."""
    soteria(prog_name="soteria")
