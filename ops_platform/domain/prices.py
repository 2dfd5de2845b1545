"""What reserved vCPUs and memory are worth: an estimate by a price table."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for an hour of one vCPU and of one GiB, on instance types that match.

    ``instance_type`` is one type, or its beginning with ``*`` at the end, such as ``r5.*``; an
    attempt of unknown type, as on Fargate, matches ``*`` alone.
    """

    instance_type: str
    vcpu_hour: float
    gib_hour: float


# Fargate's on-demand prices for Linux on x86 in us-east-1, as AWS listed them in 2026: the one
# price list of AWS's that has a price for each; what a team pays for its instances differs.
DEFAULT_PRICES = (Price("*", vcpu_hour=0.04048, gib_hour=0.004445),)
