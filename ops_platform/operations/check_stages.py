"""The sanity checks of a candidate, stage by stage, as Dagster shows them."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from ops_platform.domain.candidates import Candidate, CandidateRules
from ops_platform.domain.checkouts import Checkout, HeadMovedError
from ops_platform.domain.checks import LOADS, REVIEW
from ops_platform.domain.errors import PlatformError
from ops_platform.domain.findings import Report
from ops_platform.operations.check_candidate import CandidateCheck, CheckTools

_ASK_AGAIN = "Put that right, then ask again."


class CheckStages:
    """The checks of a candidate in two stages; a context manager that holds its checkout."""

    def __init__(self, candidate: Candidate, tools: CheckTools, rules: CandidateRules) -> None:
        self.check = CandidateCheck(candidate, tools, rules)
        self._candidate = candidate
        self._tools = tools
        self._rules = rules
        self._stack = ExitStack()
        self.checkout: Checkout | None = None
        self.report = Report(None, ())

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget the checkout."""
        self._stack.close()

    def check_code(self) -> Report:
        """Check the candidate out, and make the checks of its code."""
        try:
            source = self._candidate.source(self._rules)
            checkouts = self._tools.repositories.check_out(source)
            self.checkout = self._stack.enter_context(checkouts)
        except HeadMovedError as error:
            self.report = Report(None, (REVIEW.failed("head-moved", str(error)),))
        except PlatformError as error:
            self.report = Report(
                None, (LOADS.unchecked("no-checkout", str(error), fix=_ASK_AGAIN),)
            )
        else:
            self.report = self.check.of_code(self.checkout)
        return self.report

    def check_evidence(self) -> Report:
        """Make the other checks, and return what all of them found."""
        if self.checkout is not None:
            self.report = self.check.of_evidence(self.checkout)
        return self.report
