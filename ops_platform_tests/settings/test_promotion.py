"""The settings of promotion."""

from pathlib import Path

from ops_platform.domain.capacity import Platform, Size
from ops_platform.embedded.aws.provisioning import QUEUES
from ops_platform.settings.edition import embedded_tables
from ops_platform.settings.promotion import PromotionSettings, QueueSettings


def test_a_queue_is_described_as_batch_would() -> None:
    """With what its instance types let a job have."""
    described = QueueSettings.model_validate(
        {"name": "a", "instance_types": [{"name": "t", "vcpus": 2, "memory_mib": 99, "gpus": 1}]}
    )
    queue = described.queue()
    (environment,) = queue.environments
    assert (queue.name, environment.is_usable) == ("a", True)
    assert environment.types is not None
    assert environment.types[0].size == Size(2, 99, 1)


def test_a_queue_of_fargate_names_no_types() -> None:
    """Fargate has none."""
    (environment,) = QueueSettings(name="a", platform="FARGATE").queue().environments
    assert (environment.platform, environment.types) == (Platform.FARGATE, None)


def test_the_embedded_edition_describes_the_queues_that_it_makes(tmp_path: Path) -> None:
    """So that a flow can be checked while it is not up."""
    tables = embedded_tables(tmp_path)
    described = PromotionSettings.model_validate(tables["promotion"]).queues
    assert [
        (each.name, each.max_vcpus, tuple(kind.name for kind in each.instance_types))
        for each in described
    ] == [(plan.name, plan.max_vcpus, plan.instance_types) for plan in QUEUES]
