"""The software of the Staging run against that of Production: what each difference is called."""

from dataclasses import replace

import pytest

from ops_platform.domain.findings import Verdict
from ops_platform.domain.machine_definitions import read_machine
from ops_platform.domain.software import Proof, Software, judge_software, software_of
from ops_platform_tests.compiled_flows import CompiledFlow

WOULD = software_of(read_machine(CompiledFlow().text()))


PROOF = Proof("sfn-1", "https://metaflow.example.com/1")
BOOTSTRAP = "python -m metaflow.plugins.pypi.bootstrap Forecast 8f3c2a1 s3"


def test_a_compiled_flow_tells_its_software() -> None:
    """Of the interpreter the patch level does not matter to what runs."""
    assert (WOULD.python, WOULD.metaflow, WOULD.kind) == ("3.11", "2.19.39", "local")
    assert WOULD.images == {"start": "python:3.11", "end": "python:3.11"}


def test_a_resolved_environment_is_known_by_its_id() -> None:
    """By the command that unpacks it, as Metaflow 2.19 writes it."""
    text = CompiledFlow().text().replace("download ", f"{BOOTSTRAP} && download ")
    assert software_of(read_machine(text)).environments == {"start": "8f3c2a1", "end": "8f3c2a1"}


@pytest.mark.parametrize(
    ("ran", "reason", "said"),
    [
        (
            replace(WOULD, python="3.10"),
            "python",
            "Python was 3.10; in Production it would be 3.11",
        ),
        (replace(WOULD, metaflow="2.18.0"), "metaflow", "Metaflow was 2.18.0"),
        (replace(WOULD, kind="conda"), "environment-kind", "the environment was conda"),
        (
            replace(WOULD, images=dict.fromkeys(("start", "end"), "ours:1")),
            "image",
            "the image of step end and 1 more was ours:1; in Production it would be python:3.11",
        ),
        (
            replace(WOULD, environments={"start": "0" * 40}),
            "packages",
            "environment of step start was 000000000000; in Production it would be none",
        ),
    ],
)
def test_each_difference_is_told(ran: Software, reason: str, said: str) -> None:
    """With what it was and what it would be, alike ones together."""
    (finding,) = judge_software(ran, WOULD, PROOF)
    assert (finding.reason, finding.verdict) == (reason, Verdict.FAILED)
    assert said in finding.message
    assert finding.link == "https://metaflow.example.com/1"


def test_the_same_software_passes() -> None:
    """And says what it is."""
    (finding,) = judge_software(WOULD, WOULD, PROOF)
    assert finding.message == "Python 3.11, Metaflow 2.19.39, python:3.11, as in sfn-1."
    assert finding.passed


def test_what_cannot_be_read_is_not_the_same() -> None:
    """A check that could not be made is not passed."""
    (finding,) = judge_software(None, WOULD, PROOF)
    assert (finding.verdict, finding.reason) == (Verdict.UNCHECKED, "unknown-software")
