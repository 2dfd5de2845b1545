"""The five dashboards, and what each has in place of AWS's sample.

``aws-samples/aws-batch-runtime-monitoring`` has five, and a sixth in a branch:

===========================  ==============================================
here                         replaces
===========================  ==============================================
``instances-registration``   Batch-ECS-InstancesRegistration
``jobs-placement``           Batch-Jobs-Placement
``jobs-states``              Batch-Jobs-States
``capacity``                 Batch-EC2-Capacity and Batch-ASG-Utilization
``flows``                    Batch-Jobs-Timings, and what it has nothing for
===========================  ==============================================
"""

from ops_platform.domain.job_dashboards import PLACEMENT, STATES, TIMINGS
from ops_platform.domain.widgets import Dashboard, Live, Ours, Plot, Section, Stat, by_each

_HOST = ("instance_type", "availability_zone", "compute_environment")
_MS = "milliseconds"
_EC2_PERIOD = 300

INSTANCES = Dashboard(
    "instances-registration",
    "The container instances that come and go.",
    (
        Section("They come", by_each("Registered", "instances_registered", *_HOST)),
        Section("They go", by_each("Deregistered", "instances_deregistered", *_HOST)),
        Section(
            "How many there are, and for how long",
            (
                Plot(
                    "Registered and deregistered",
                    (
                        Ours("instances_registered", label="registered"),
                        Ours("instances_deregistered", label="deregistered"),
                    ),
                ),
                Plot("Instances up, all", (Ours("instances_up", Stat.END),)),
                *by_each("Instances up", "instances_up", *_HOST, stat=Stat.END),
                *by_each("Lifetime, p50,", "instance_lifetime_ms", *_HOST, stat=Stat.P50, unit=_MS),
            ),
        ),
    ),
)


def _cluster(title: str, metric: str) -> Plot:
    series = Live("AWS/ECS", metric, "ClusterName", Stat.AVERAGE, _EC2_PERIOD)
    return Plot(f"{title} by ECS cluster (live)", (series,), "percent")


def _group(title: str, metric: str, unit: str = "count") -> Plot:
    series = Live("AWS/AutoScaling", metric, "AutoScalingGroupName", Stat.AVERAGE, _EC2_PERIOD)
    return Plot(f"{title} (live)", (series,), unit, stacked=True)


def _hosts(metric: str, stat: Stat, unit: str) -> Plot:
    series = Live("AWS/EC2", metric, "AutoScalingGroupName", stat, _EC2_PERIOD)
    return Plot(f"{metric} by Auto Scaling group (live)", (series,), unit)


CAPACITY = Dashboard(
    "capacity",
    "What there is to run jobs on, and how much of it is used.",
    (
        Section(
            "What there is",
            (
                _group("Instances in service", "GroupInServiceInstances"),
                _group("vCPUs in service", "GroupInServiceCapacity", "vCPU"),
                _group("vCPUs desired", "GroupDesiredCapacity", "vCPU"),
                *by_each("vCPUs up", "instance_vcpus", "compute_environment", stat=Stat.END),
            ),
        ),
        Section(
            "What jobs have reserved",
            (
                *by_each("vCPUs reserved", "vcpus_reserved", "queue", "flow", stat=Stat.END),
                *by_each("MiB reserved", "memory_reserved_mib", "queue", "flow", stat=Stat.END),
            ),
        ),
        Section(
            "Clusters",
            (
                _cluster("CPU utilization", "CPUUtilization"),
                _cluster("CPU reservation", "CPUReservation"),
                _cluster("Memory utilization", "MemoryUtilization"),
                _cluster("Memory reservation", "MemoryReservation"),
            ),
        ),
        Section(
            "Hosts",
            (
                _hosts("CPUUtilization", Stat.AVERAGE, "percent"),
                *(
                    _hosts(each, Stat.SUM, "bytes")
                    for each in ("NetworkIn", "NetworkOut", "DiskReadBytes", "DiskWriteBytes")
                ),
            ),
        ),
    ),
)


def _runs(title: str, metric: str, stat: Stat = Stat.SUM, unit: str = "count") -> tuple[Plot, ...]:
    return by_each(title, metric, "flow", "owner", stat=stat, unit=unit)


def _ended(title: str, status: str) -> tuple[Plot, ...]:
    return by_each(title, "executions", "flow", "owner", where=(("status", status),))


def _machine(title: str, metric: str, stat: Stat = Stat.SUM, unit: str = "count") -> Plot:
    series = Live("AWS/States", metric, "StateMachineArn", stat)
    return Plot(f"{title} by state machine (live)", (series,), unit, stacked=stat is Stat.SUM)


FLOWS = Dashboard(
    "flows",
    "How the runs of flows go, how long they take, what they cost, whose they are.",
    (
        Section(
            "Runs",
            (
                Plot("Runs by status", (Ours("executions", by=("status",)),)),
                Plot("Success rate, all", (Ours("execution_success_rate", Stat.AVERAGE),), "share"),
                _machine("Runs that failed", "ExecutionsFailed"),
                _machine("Duration of runs, p90,", "ExecutionTime", Stat.P90, _MS),
                *_ended("Runs that succeeded", "SUCCEEDED"),
                *_ended("Runs that failed", "FAILED"),
                *_runs("Success rate", "execution_success_rate", Stat.AVERAGE, "share"),
                *_runs("Runs going on", "executions_running", Stat.END),
                *_runs("Duration of runs, p90,", "execution_ms", Stat.P90, _MS),
                *_runs("Time lost to failures", "execution_time_lost_ms", unit=_MS),
            ),
        ),
        Section(
            "Cost, an estimate",
            (
                Plot(
                    "Cost, all",
                    (Ours("cost_usd", label="cost"), Ours("wasted_cost_usd", label="wasted")),
                    "USD",
                ),
                *_runs("Cost", "cost_usd", unit="USD"),
                *_runs("Wasted cost", "wasted_cost_usd", unit="USD"),
                *by_each("Cost", "cost_usd", "queue", "instance_type", unit="USD"),
                *by_each("vCPU hours", "vcpu_hours", "flow"),
                *by_each("GiB hours", "gib_hours", "flow"),
            ),
        ),
        *TIMINGS,
        Section(
            "This platform",
            (
                *by_each("Events ingested", "events_ingested", "kind"),
                Plot("Lag of events, p99", (Ours("event_lag_ms", Stat.P99),), _MS),
                Plot(
                    "Alerts and rejected messages",
                    (
                        Ours("alerts_sent", label="alerts sent"),
                        Ours("alerts_dead", label="alerts given up"),
                        Ours("messages_rejected", label="messages rejected"),
                    ),
                ),
                *by_each("Stale jobs acted on", "stale_jobs", "verdict"),
            ),
        ),
    ),
)

DASHBOARDS = (INSTANCES, PLACEMENT, STATES, CAPACITY, FLOWS)
