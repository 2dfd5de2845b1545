"""The sanity checks, one entry each: what each asks, how it finds out, how to mend what it finds.

To add one: an entry here, the function that makes its findings, a row in the tests' matrix and in
docs/promotion.md.
"""

from dataclasses import dataclass

from ops_platform.domain.findings import Finding, Severity, Verdict


@dataclass(frozen=True, slots=True)
class Check:
    """One sanity check; ``fix`` is what to do where a finding knows nothing better."""

    name: str
    question: str
    how: str
    fix: str
    severity: Severity = Severity.ERROR

    def passed(self, message: str, *, reason: str = "passed", link: str | None = None) -> Finding:
        """Return the finding that all is well, and what shows it."""
        return Finding(
            name=self.name,
            verdict=Verdict.PASSED,
            reason=reason,
            message=message,
            severity=self.severity,
            link=link,
        )

    def failed(
        self,
        reason: str,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        fix: str | None = None,
        link: str | None = None,
    ) -> Finding:
        """Return the finding that something is wrong."""
        return Finding(
            name=self.name,
            verdict=Verdict.FAILED,
            reason=reason,
            message=message,
            severity=self.severity,
            file=file,
            line=line,
            fix=fix or self.fix,
            link=link,
        )

    def unchecked(self, reason: str, message: str, *, fix: str | None = None) -> Finding:
        """Return the finding that nobody knows, which passes nothing."""
        return Finding(
            name=self.name,
            verdict=Verdict.UNCHECKED,
            reason=reason,
            message=message,
            severity=self.severity,
            fix=fix or self.fix,
        )


LOADS = Check(
    "loads",
    "Can the flow be imported within a minute?",
    "Metaflow imports it in a sandbox without credentials.",
    "Run `python FLOW.py check` and mend what it says.",
)
LINT = Check(
    "lint",
    "Is the graph of steps one that Metaflow accepts?",
    "Metaflow's own lint.",
    "Run `python FLOW.py check` and mend what it says.",
)
PYLINT = Check(
    "pylint",
    "Does the code hold errors that show without running it?",
    "pylint, through Metaflow's own wrapper, which knows what it would misjudge.",
    "Mend the line, or tell pylint why it is right as it is.",
)
NAMES = Check(
    "names",
    "Are flow, project, tags and state machine named so that everybody finds them?",
    "The compiled names against AWS's limits, the project's conventions and what is deployed.",
    "Rename what is named in the message.",
)
COMPILES = Check(
    "compiles",
    "Does it compile for Step Functions?",
    "Metaflow's own compiler in a sandbox, against a stand-in for AWS.",
    "Take out what Step Functions cannot run.",
)
CAN_START = Check(
    "can-start",
    "Can each step start in the production account, or would it be stuck in RUNNABLE?",
    "What each step asks for, held against the queues and their compute environments.",
    "Ask for less in @resources or @batch, or name another queue.",
)
STAGING_RUN = Check(
    "staging-run",
    "Did the latest Staging run of this very code succeed?",
    "The executions of the Staging state machine and the definition that each of them ran.",
    "Deploy this commit to Staging with a clean working tree, run it, and wait until it succeeds.",
)
SAME_SOFTWARE = Check(
    "same-software",
    "Would Production run it with the software that it was proved with?",
    "Container image, Python, Metaflow and resolved packages of the Staging run against these.",
    "Pin the image and the packages, and run it in Staging once more.",
)
REVIEW = Check(
    "review",
    "Has somebody else approved this very commit, and may it be merged?",
    "What the code host says of the pull request.",
    "Ask for a review; bring the branch up to date.",
)
DRIFT = Check(
    "drift",
    "Is the production machine as we last deployed it?",
    "Its revision against the record of deployments.",
    "Adopt what runs with `soteria adopt`, or roll back to the last deployment.",
)
LOCK = Check(
    "lock",
    "Does no other pull request hold this flow?",
    "The lock in the ledger.",
    "Wait until the other pull request is merged or closed, or unlock the flow.",
)

ON_A_LAPTOP = (LOADS, LINT, PYLINT, NAMES, COMPILES, CAN_START)
"""Those that need neither a server nor credentials."""

CHECKS = (*ON_A_LAPTOP, STAGING_RUN, SAME_SOFTWARE, REVIEW, DRIFT, LOCK)
