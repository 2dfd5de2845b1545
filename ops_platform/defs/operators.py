"""What an operator does by hand, as jobs for all who see Dagster's pages but not the database.

Each says in its run who did it and why, and in its output what came of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import dagster as dg
from pydantic import Field

from ops_platform.adapters.ledger.database import Ledger
from ops_platform.domain.errors import PlatformError
from ops_platform.operations.by_hand import Outcome, RefusedError
from ops_platform.operations.policy import alert_policy
from ops_platform.operations.resolve_incidents import resolve
from ops_platform.operations.retry_alerts import retry, unsent_of
from ops_platform.operations.silence_alerts import (
    LONGEST,
    PATTERNS,
    expire,
    in_words,
    silence,
)
from ops_platform.settings.model import Settings

_LONGEST_HOURS = LONGEST / timedelta(hours=1)
_NAMES = " A name, in which * stands for anything, such as Train*."


class ByHand(dg.Config):
    """By whose word something is done, and why."""

    author: str = Field(description="Who says so, for others to read, such as ana@example.com.")
    reason: str = Field(description="Why, such as: we know, the input is late until noon.")


class SilenceConfig(ByHand):
    """Which incidents are muted, and how long: those that match all names that are given."""

    hours: float = Field(default=2, description=f"How long; at most {_LONGEST_HOURS:,.0f}.")
    account: str | None = Field(default=None, description="Only of this account." + _NAMES)
    project: str | None = Field(default=None, description="Only of this project." + _NAMES)
    flow: str | None = Field(default=None, description="Only of this flow." + _NAMES)
    owner: str | None = Field(default=None, description="Only of this owner." + _NAMES)
    everything: bool = Field(default=False, description="Mute all there is; without any name.")
    dry_run: bool = Field(default=False, description="Tell what it would mute, and write nothing.")


class ExpireConfig(ByHand):
    """Which silence ends now."""

    silence_id: int = Field(description="The number of the silence, as its run showed it.")


class RetryConfig(ByHand):
    """Which messages are sent now."""

    alert_ids: list[int] = Field(default=[], description="The numbers of the alerts.")
    incident_ids: list[str] = Field(default=[], description="Or all messages of these incidents.")


class ResolveConfig(ByHand):
    """Which incidents are over."""

    incident_ids: list[str] = Field(description="Such as 0123456789abcdef.")


def operator_jobs(settings: Settings) -> list[dg.JobDefinition]:
    """Return the jobs by which an operator steps in."""
    return [
        _silence_alerts(settings),
        _expire_silence(),
        _retry_alerts(settings),
        _resolve_incidents(settings),
    ]


def _silence_alerts(settings: Settings) -> dg.JobDefinition:
    accounts = [account.name for account in settings.accounts]

    @dg.op
    def silence_matching(config: SilenceConfig, ledger: dg.ResourceParam[Ledger]) -> dg.Output[int]:
        now = ledger.now()
        with _told_in_a_sentence():
            made = silence(
                ledger,
                config.model_dump(include=set(PATTERNS)),
                who=config.author,
                why=config.reason,
                now=now,
                ends_at=now + _span(config.hours),
                accounts=accounts,
                everything=config.everything,
                dry_run=config.dry_run,
            )
        numbers = {"silence_id": made.silence.id, "open_incidents_muted": made.muted}
        words = {"mutes": in_words(made.silence), "until": f"{made.silence.ends_at:%F %H:%M} UTC"}
        return dg.Output(made.silence.id, metadata={**words, **numbers})

    @_job("Mutes incidents for a while.", silence_matching, hours=2.0, flow="")
    def silence_alerts() -> None:
        silence_matching()

    return silence_alerts


def _expire_silence() -> dg.JobDefinition:
    @dg.op
    def expire_one(config: ExpireConfig, ledger: dg.ResourceParam[Ledger]) -> dg.Output[int]:
        number, by = config.silence_id, {"who": config.author, "why": config.reason}
        with _told_in_a_sentence():
            released = expire(ledger, number, **by, now=ledger.now()).released
        return dg.Output(released, metadata={"messages_released": released})

    @_job("Ends a silence; what it held back is told.", expire_one, silence_id=0)
    def expire_silence() -> None:
        expire_one()

    return expire_silence


def _retry_alerts(settings: Settings) -> dg.JobDefinition:
    policy = alert_policy(settings)

    @dg.op
    def retry_each(config: RetryConfig, ledger: dg.ResourceParam[Ledger]) -> dg.Output[int]:
        by = {"who": config.author, "why": config.reason}
        with _told_in_a_sentence():
            ids = [*config.alert_ids, *unsent_of(ledger, config.incident_ids)]
            return _told(retry(ledger, ids, **by, policy=policy, now=ledger.now()))

    description = "Sends messages now that are dead, wait for another attempt, or were withheld."

    @_job(description, retry_each, alert_ids=[], incident_ids=[])
    def retry_alerts() -> None:
        retry_each()

    return retry_alerts


def _resolve_incidents(settings: Settings) -> dg.JobDefinition:
    policy = alert_policy(settings)

    @dg.op
    def resolve_each(config: ResolveConfig, ledger: dg.ResourceParam[Ledger]) -> dg.Output[int]:
        ids, by = config.incident_ids, {"who": config.author, "why": config.reason}
        with _told_in_a_sentence():
            return _told(resolve(ledger, ids, **by, policy=policy, now=ledger.now()))

    @_job("Resolves incidents; their messages say so.", resolve_each, incident_ids=[])
    def resolve_incidents() -> None:
        resolve_each()

    return resolve_incidents


def _job(
    description: str, op: dg.OpDefinition, **fields: object
) -> Callable[[Callable[[], None]], dg.JobDefinition]:
    """Make a job whose fields stand in the launchpad, to be filled in before it does anything."""
    config = {"author": "", "reason": "", **fields}
    return dg.job(
        description=description,
        config=dg.RunConfig(ops={op.name: {"config": config}}),
        executor_def=dg.in_process_executor,
    )


def _span(hours: float) -> timedelta:
    """Return how long, or refuse: a bound in the form would be told with a traceback."""
    if not 0 < hours <= _LONGEST_HOURS:  # nor is it then what is no number at all
        raise RefusedError(
            f"{hours:g} hours cannot be meant: give more than 0 and at most {_LONGEST_HOURS:,.0f}."
        )
    return timedelta(hours=hours)


@contextmanager
def _told_in_a_sentence() -> Iterator[None]:
    """Fail the run with what the platform says, rather than with a traceback."""
    try:
        yield
    except PlatformError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from None


def _told(outcomes: Sequence[Outcome]) -> dg.Output[int]:
    """Show what came of each; the run fails if one was refused, though the others are done."""
    rows = [
        dg.TableRecord({"id": each.id, "done": each.done, "told": each.text}) for each in outcomes
    ]
    metadata = {"outcomes": dg.MetadataValue.table(rows)}
    refused = [each.text for each in outcomes if not each.done]
    if refused:
        raise dg.Failure("; ".join(refused), metadata=metadata, allow_retries=False)
    return dg.Output(len(outcomes), metadata=metadata)
