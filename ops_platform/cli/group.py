"""The group of commands, each imported when it is called, and the boundary of errors."""

from importlib import import_module
from typing import IO

import click

from ops_platform.cli.program import Program, overview
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.names import nearest


class Refusal(click.ClickException):
    """Something the user can put right; each line of it reads by itself."""

    exit_code = 2

    def show(self, file: IO[str] | None = None) -> None:
        """Print the lines to standard error."""
        for line in self.message.splitlines():
            click.echo(f"Error: {line}", file=file, err=file is None)


class LazyGroup(click.Group):
    """Loads a command only when it is called, and shows platform errors without a traceback."""

    program: Program

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, click's signature
        """Return the names of all commands."""
        return list(self.program.commands)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002, click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """Import and return a command, or None if there is none of that name."""
        command = self.program.commands.get(cmd_name)
        return _imported(self.program.name, cmd_name, command.target) if command else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; click knows none of the names to suggest one."""
        called, known = args[0], self.program.commands
        meant = None if called in known else nearest(called, known)
        if meant is not None and not ctx.resilient_parsing:
            ctx.fail(f"No such command {called!r}. Did you mean {meant!r}?")
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002, click's signature
        """Return the overview, whichever way it was asked for."""
        return overview(self.program).rstrip("\n")

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what a user can put right ends it with exit code 2."""
        try:
            return super().invoke(ctx)
        except PlatformError as error:
            raise Refusal(str(error)) from error


def group_of(program: Program) -> LazyGroup:
    """Return a program as click runs it."""
    group = LazyGroup(name=program.name, context_settings={"help_option_names": ["-h", "--help"]})
    group.program = program
    return click.version_option(package_name="ops-platform")(group)


def _imported(program: str, name: str, target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    try:
        command = getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("ops_platform"):
            raise
        raise Refusal(
            f"`{program} {name}` needs {error.name}, which is not installed;"
            " run: pip install 'ops-platform[embedded]'"
        ) from error
    if not isinstance(command, click.Command):
        raise TypeError(f"{target} is not a command")
    return command
