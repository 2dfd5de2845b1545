"""What docs/promotion.md and docs/security.md say is what the code does."""

import re
from pathlib import Path

import dagster as dg

from ops_platform.defs.promotion import promotion_jobs
from ops_platform.defs.promotion_config import (
    CandidateConfig,
    PromoteConfig,
    RollBackConfig,
    UnlockConfig,
)
from ops_platform.domain.checks import CHECKS
from ops_platform.domain.promotions import What
from ops_platform.domain.sandboxes import MEGABYTE, Limits

DOCS = Path(__file__).parent.parent / "docs"


def test_every_check_has_its_row() -> None:
    """In the words of the code, in its order."""
    text = (DOCS / "promotion.md").read_text().partition("## The checks")[2].partition("\n##")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    assert rows == [(each.name, each.question, each.how) for each in CHECKS]


def test_the_limits_it_promises_are_those_of_the_code() -> None:
    """Of memory, processes and disk."""
    text = (DOCS / "security.md").read_text()
    limits = Limits()
    assert f"{limits.memory // MEGABYTE // 1024} GiB for a process" in text
    assert f"{limits.total_memory // MEGABYTE // 1024} GiB for all together" in text
    assert f"| {limits.processes} processes |" in text
    assert f"a file system of {limits.disk // MEGABYTE // 1024} GiB" in text


def test_every_entry_of_a_record_is_explained() -> None:
    """In the table of what a promotion does, or below it."""
    text = (DOCS / "promotion.md").read_text()
    assert [each for each in What if f"`{each}`" not in text] == []


CONFIGS: list[type[dg.Config]] = [CandidateConfig, PromoteConfig, RollBackConfig, UnlockConfig]


def test_every_job_has_its_row_with_its_stages_and_its_config() -> None:
    """In their order; whoever launches them reads this table."""
    text = (DOCS / "promotion.md").read_text()
    for job, config in zip(promotion_jobs(), CONFIGS, strict=True):
        row = re.search(rf"^\| `{job.name}` \| (.+) \| (.+) \|$", text, re.MULTILINE)
        assert row is not None
        stages = [node.name for node in job.graph.nodes_in_topological_order]
        assert re.findall(r"`(\w+)`", row[2]) == stages
        told = set(re.findall(r"`(\w+)`", row[1]))
        told |= set(CandidateConfig.model_fields) if "the same" in row[1] else set()
        assert told == set(config.model_fields)
