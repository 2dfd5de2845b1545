"""Metaflow's own tutorials, which come with it: each is fit for Step Functions, or says why not."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ops_platform.adapters.flow_compiler import FlowCompiler
from ops_platform.adapters.sandbox import LocalSandbox
from ops_platform.domain.compiled_flow import Compilation
from ops_platform.operations.check_flow import FlowRules, check_flow
from ops_platform.settings.edition import embedded_tables
from ops_platform.settings.promotion import PromotionSettings

_METAFLOW = find_spec("metaflow")
assert _METAFLOW is not None
assert _METAFLOW.origin is not None
TUTORIALS = Path(_METAFLOW.origin).parent / "tutorials"  # importing it warns of its own parts
FLOWS = sorted(path.relative_to(TUTORIALS).as_posix() for path in TUTORIALS.glob("*/*.py"))
REASONS = {
    # It uses @kubernetes.
    "05-hello-cloud/hello-cloud.py": {"compiles:kubernetes"},
}


def _failing(flow: str) -> set[str]:
    path = TUTORIALS / flow
    promotion = PromotionSettings.model_validate(embedded_tables(Path("nowhere"))["promotion"])
    compilation = Compilation(
        folder=str(path.parent),
        flow=path.name,
        python=sys.executable,
        queues={each.name: each.platform for each in promotion.queues},
    )
    rules = FlowRules(queues=[each.queue() for each in promotion.queues])
    report = check_flow(FlowCompiler(LocalSandbox()), compilation, rules).report
    return {f"{each.name}:{each.reason}" for each in report.findings if not each.passed}


def test_there_are_tutorials() -> None:
    """They are part of Metaflow's package."""
    assert set(REASONS) < set(FLOWS)


@pytest.mark.slow
@pytest.mark.parametrize("flow", FLOWS)
def test_a_tutorial_is_fit_or_says_why_not(flow: str) -> None:
    """By the reason that is known of it."""
    assert _failing(flow) == REASONS.get(flow, set())
