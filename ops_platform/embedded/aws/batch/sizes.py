"""How much a job asks for, and how much an instance has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """vCPUs, MiB of memory and GPUs."""

    vcpus: float
    memory: int
    gpus: int = 0

    def holds(self, asked: "Size") -> bool:
        """Tell whether something of that size fits."""
        return self.vcpus >= asked.vcpus and self.memory >= asked.memory and self.gpus >= asked.gpus

    def minus(self, taken: "Size") -> "Size":
        """Return what is left when something of that size is taken."""
        return Size(self.vcpus - taken.vcpus, self.memory - taken.memory, self.gpus - taken.gpus)


@dataclass(frozen=True, slots=True)
class InstanceType:
    """An EC2 instance type by what a container instance of it registers."""

    name: str
    size: Size
