"""The command ``ops-platform``: for those who run the platform."""

from ops_platform.cli.program import Command, Program, run

_COMMANDS = {
    "alerts": Command(
        "ops_platform.cli.alerts:alerts", "List, preview and retry messages to Slack."
    ),
    "cancellations": Command(
        "ops_platform.cli.cancellations:cancellations", "List what was done to stale jobs."
    ),
    "config": Command("ops_platform.cli.config:config", "Check and show the settings."),
    "deployments": Command(
        "ops_platform.cli.deployments:deployments", "List what was deployed to production."
    ),
    "embedded": Command("ops_platform.cli.embedded:embedded", "Run everything on this machine."),
    "events": Command("ops_platform.cli.events:events", "Feed events of AWS to the platform."),
    "executions": Command(
        "ops_platform.cli.executions:executions", "List runs of flows on Step Functions."
    ),
    "flows": Command("ops_platform.cli.flows:flows", "List flows and how they are doing."),
    "health": Command("ops_platform.cli.health:health", "Check that the platform does its work."),
    "incidents": Command(
        "ops_platform.cli.incidents:incidents", "List, show and resolve failed runs."
    ),
    "jobs": Command("ops_platform.cli.jobs:jobs", "List and explain jobs of AWS Batch."),
    "locks": Command("ops_platform.cli.locks:locks", "List and release the locks on flows."),
    "metrics": Command(
        "ops_platform.cli.metrics:metrics", "Show and compute metrics, by hour and day."
    ),
    "promotions": Command(
        "ops_platform.cli.promotions:promotions",
        "List and show what was promoted, on which evidence.",
    ),
    "reconcile": Command(
        "ops_platform.cli.reconcile:reconcile", "Find what the events of AWS missed."
    ),
    "silences": Command(
        "ops_platform.cli.silences:silences", "Mute incidents for a while, by name."
    ),
    "stale-jobs": Command(
        "ops_platform.cli.stale_jobs:stale_jobs",
        "Find jobs that can never start, and cancel them if told to.",
    ),
}
PROGRAM = Program(
    name="ops-platform",
    about="  Operate Metaflow on AWS Batch and Step Functions.\n\n"
    "  Without a settings file every command works on the embedded edition.\n",
    commands=_COMMANDS,
)


def main() -> None:
    """Run the command line."""
    run(PROGRAM)
