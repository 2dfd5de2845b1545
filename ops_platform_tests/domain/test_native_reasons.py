"""What Batch says of a job that blocks its queue, told apart by what stands before the dash."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_platform.domain.causes import Cause
from ops_platform.domain.native_reasons import read_native


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot", Cause.NO_CAPACITY_AT_AWS),
        ("CAPACITY:SOMETHING_NEW", Cause.NO_CAPACITY_AT_AWS),
        ("MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s)", Cause.MAX_VCPUS_REPORTED),
        ("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job", Cause.REFUSED_AS_TOO_LARGE),
        ("MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS \u2013 Batch", Cause.MISCONFIGURED),
        ("MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS \u2014 Batch", Cause.MISCONFIGURED),
        ("MISCONFIGURATION:EC2_INSTANCE_CONFIGURATION_UNSUPPORTED - x", Cause.MISCONFIGURED),
        ("MISCONFIGURATION:SOMETHING_NEW - x", Cause.MISCONFIGURED),
        ("ACTION_REQUIRED - CE(s) associated", Cause.ENVIRONMENT_INVALID),
        ("UNDETERMINED - Batch job is blocked, root cause is undetermined.", Cause.UNDETERMINED),
        (" UNDETERMINED ", Cause.UNDETERMINED),
    ],
)
def test_a_reason_is_known_by_its_code(said: str, cause: Cause) -> None:
    """Whatever dash follows, and whatever AWS adds to a kind that we know."""
    native = read_native(said)
    assert native is not None
    assert native.cause is cause
    assert said.strip().startswith(native.code)


@pytest.mark.parametrize(
    "said",
    [None, "", "Host EC2 (instance i-1) terminated.", "undetermined - x", "SOMETHING - else", "-"],
)
def test_what_is_no_such_reason_is_none(said: str | None) -> None:
    """As what remains of the attempt before."""
    assert read_native(said) is None


def test_a_reason_nobody_knows_yet_is_told_by_its_code() -> None:
    """AWS adds some now and then."""
    native = read_native("MISCONFIGURATION:SUBNET_FULL - No address is free.")
    assert native is not None
    assert native.sentence == "Batch finds a misconfiguration: SUBNET_FULL."


@pytest.mark.parametrize(
    ("said", "which"),
    [
        ("requested for instance type [p4d.24xlarge]", "no p4d.24xlarge to give"),
        ("requested for instance type p4d.24xlarge.", "no p4d.24xlarge to give"),
        ("requested.", "no such instances to give"),
    ],
)
def test_the_instance_type_that_is_scarce_is_named(said: str, which: str) -> None:
    """If Batch names it."""
    native = read_native(f"CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot {said}")
    assert native is not None
    assert which in native.sentence


@given(st.text(max_size=200))
def test_any_text_is_read(said: str) -> None:
    """None of them is an error."""
    native = read_native(said)
    assert native is None or native.sentence
