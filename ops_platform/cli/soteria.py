"""The command ``soteria``: is a flow fit for production? For data scientists and for CI."""

from ops_platform.cli.program import Command, Program, run

_COMMANDS = {
    "adopt": Command(
        "ops_platform.cli.adopt:adopt", "Take over state machines that were deployed by hand."
    ),
    "check": Command(
        "ops_platform.cli.check_flow:check", "Check a flow before anybody deploys it."
    ),
}
PROGRAM = Program(
    name="soteria",
    about="  Bring Metaflow flows to production, and only those that are fit for it.\n",
    commands=_COMMANDS,
)


def main() -> None:
    """Run the command line."""
    run(PROGRAM)
