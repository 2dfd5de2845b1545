"""Soteria's jobs: sanity checks, promotion and roll back, one op for each stage of them.

CI launches them through GraphQL with a flat config; a person finds the same in the launchpad.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import dagster as dg

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.defs.ecs_tasks import EcsTasks
from ops_platform.defs.promotion_config import (
    CandidateConfig,
    PromoteConfig,
    RollBackConfig,
    UnlockConfig,
)
from ops_platform.defs.promotion_reports import (
    checked,
    deployment_event,
    refused_checks,
    tags_of,
    through,
)
from ops_platform.operations.check_stages import CheckStages
from ops_platform.operations.promotion_stages import PromotionStages, PromotionTools
from ops_platform.operations.promotion_tools import Promotions
from ops_platform.operations.unlock_flow import unlock


class Stages(ExitStack):
    """What the stages of one run share; everything is given back when the run ends."""

    checks: CheckStages | None = None
    promotion: PromotionStages | None = None
    at_work: dg.OpExecutionContext | None = None
    """The op that is at work, on whose behalf tasks are run elsewhere."""

    def tools(
        self, context: dg.OpExecutionContext, promotions: Promotions, ledger: Ledger
    ) -> PromotionTools:
        """Return what the stages are made with."""
        self.at_work = context

        def run_task(command: Sequence[str], seconds: float) -> None:
            told = promotions.settings.promotion.sandbox
            if told is not None and self.at_work is not None:
                tasks = EcsTasks(promotions.sandbox_clients.ecs, told, self.at_work)
                tasks.run(command, seconds)

        return promotions.tools(ledger, run_task)

    def checking(self) -> CheckStages | PromotionStages:
        """Return whichever checks are to be made."""
        return self.promoting() if self.checks is None else self.checks

    def promoting(self) -> PromotionStages:
        """Return the promotion that the first op took up."""
        if self.promotion is None:
            sentence = "This stage cannot be run by itself: launch the whole job again."
            raise dg.Failure(sentence, allow_retries=False)
        return self.promotion


@dg.resource(description="What the stages of one run share.")
def stages_resource(_: dg.InitResourceContext) -> Iterator[Stages]:
    """Give what the stages of one run share, and take it back when the run ends."""
    with Stages() as stages:
        yield stages


_AFTER = {"after": dg.In(dg.Nothing)}


@dg.op(out=dg.Out(dg.Nothing))
def take_candidate(
    context: dg.OpExecutionContext,
    config: CandidateConfig,
    stages: dg.ResourceParam[Stages],
    promotions: dg.ResourceParam[Promotions],
    ledger: dg.ResourceParam[Ledger],
) -> None:
    """Read what is to be checked."""
    with through():
        tools = stages.tools(context, promotions, ledger)
        made = CheckStages(config.candidate(), tools.checks, tools.rules)
        stages.checks = stages.enter_context(made)


@dg.op(out=dg.Out(dg.Nothing))
def take_order(
    context: dg.OpExecutionContext,
    config: PromoteConfig,
    stages: dg.ResourceParam[Stages],
    promotions: dg.ResourceParam[Promotions],
    ledger: dg.ResourceParam[Ledger],
) -> None:
    """Read what is to be promoted."""
    with through():
        made = PromotionStages(config.order(), stages.tools(context, promotions, ledger))
        stages.promotion = stages.enter_context(made)


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def check_code(context: dg.OpExecutionContext, stages: dg.ResourceParam[Stages]) -> None:
    """Check it out, compile it in a sandbox, and judge its names and sizes."""
    stages.at_work = context
    with through():
        report = stages.checking().check_code()
    context.add_output_metadata(checked(report))


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def check_evidence(context: dg.OpExecutionContext, stages: dg.ResourceParam[Stages]) -> None:
    """Ask for its Staging run, its review, drift of what runs, and who holds it."""
    with through():
        report = stages.checking().check_evidence()
    context.add_output_metadata(checked(report))
    context.instance.add_run_tags(context.run_id, tags_of(report))


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def conclude(stages: dg.ResourceParam[Stages]) -> None:
    """Fail the run unless all checks passed."""
    refused_checks(stages.checking().report)


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def admit(context: dg.OpExecutionContext, stages: dg.ResourceParam[Stages]) -> None:
    """Put it on record; refuse it, or take the flow's lock."""
    with through() as told:
        told(context, stages.promoting().admit())


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def prepare(context: dg.OpExecutionContext, stages: dg.ResourceParam[Stages]) -> None:
    """Keep what runs, compile what is to run, and try it as a canary if that is asked for."""
    with through() as told:
        told(context, stages.promoting().prepare())


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def deploy(context: dg.OpExecutionContext, stages: dg.ResourceParam[Stages]) -> None:
    """Deploy it, verify machine and schedule, and publish a version."""
    with through() as told:
        told(context, stages.promoting().deploy())


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def start(
    context: dg.OpExecutionContext,
    stages: dg.ResourceParam[Stages],
    ledger: dg.ResourceParam[Ledger],
) -> None:
    """Start its first run, wait as the policy says, and record the deployment."""
    with through() as told:
        recorded = stages.promoting().start()
        told(context, recorded)
        context.log_event(deployment_event(ledger, recorded))


@dg.op(out=dg.Out(dg.Nothing))
def look_back(
    context: dg.OpExecutionContext,
    config: RollBackConfig,
    promotions: dg.ResourceParam[Promotions],
    ledger: dg.ResourceParam[Ledger],
) -> None:
    """Tell what it would go back to, and refuse it if something that it needs is gone."""
    with through():
        request = config.order(promotions.account, ledger.now())
        target = promotions.roll_back(ledger).target_of(request)
    context.add_output_metadata({"deployment": target.id or 0, "commit": target.commit or "none"})


@dg.op(ins=_AFTER, out=dg.Out(dg.Nothing))
def go_back(
    context: dg.OpExecutionContext,
    config: RollBackConfig,
    promotions: dg.ResourceParam[Promotions],
    ledger: dg.ResourceParam[Ledger],
) -> None:
    """Put definition and schedule back, verify and record them."""
    with through() as told:
        request = config.order(promotions.account, ledger.now())
        recorded = promotions.roll_back(ledger).roll_back(request)
        told(context, recorded)
        context.log_event(deployment_event(ledger, recorded))


@dg.op(out=dg.Out(dg.Nothing))
def release_lock(
    context: dg.OpExecutionContext,
    config: UnlockConfig,
    promotions: dg.ResourceParam[Promotions],
    ledger: dg.ResourceParam[Ledger],
) -> None:
    """Release the lock on a flow, whoever has it."""
    with through():
        word = {"who": config.actor, "why": config.reason}
        held = unlock(ledger, promotions.account, config.machine, **word)
    context.add_output_metadata({"released": held.holder})


def promotion_jobs() -> list[dg.JobDefinition]:
    """Return the jobs by which flows come to production and go back."""
    return [_sanity_checks(), _promote_flow(), _roll_back_flow(), _unlock_flow()]


def _sanity_checks() -> dg.JobDefinition:
    @dg.config_mapping
    def flat(val: CandidateConfig) -> dg.RunConfig:
        return dg.RunConfig(ops={"take_candidate": val})

    @dg.job(
        config=flat,
        executor_def=dg.in_process_executor,
        description="Is a flow at the head of a pull request fit for production?",
    )
    def sanity_checks() -> None:
        conclude(check_evidence(check_code(take_candidate())))

    return sanity_checks


def _promote_flow() -> dg.JobDefinition:
    @dg.config_mapping
    def flat(val: PromoteConfig) -> dg.RunConfig:
        return dg.RunConfig(ops={"take_order": val})

    @dg.job(
        config=flat,
        executor_def=dg.in_process_executor,
        description="Brings a flow to production, or leaves production as it was.",
    )
    def promote_flow() -> None:
        ready = check_evidence(check_code(take_order()))
        start(deploy(prepare(admit(ready))))

    return promote_flow


def _roll_back_flow() -> dg.JobDefinition:
    @dg.config_mapping
    def flat(val: RollBackConfig) -> dg.RunConfig:
        return dg.RunConfig(ops={"look_back": val, "go_back": val})

    @dg.job(
        config=flat,
        executor_def=dg.in_process_executor,
        description="Takes a flow in production back to an earlier deployment, schedule included.",
    )
    def roll_back_flow() -> None:
        go_back(look_back())

    return roll_back_flow


def _unlock_flow() -> dg.JobDefinition:
    @dg.config_mapping
    def flat(val: UnlockConfig) -> dg.RunConfig:
        return dg.RunConfig(ops={"release_lock": val})

    @dg.job(
        config=flat,
        executor_def=dg.in_process_executor,
        description="Releases a flow that a pull request holds; who did so and why is recorded.",
    )
    def unlock_flow() -> None:
        release_lock()

    return unlock_flow
