"""Find the account of a job, and have the job explained there."""

from collections.abc import Sequence

from ops_platform.adapters.accounts import AccountClients
from ops_platform.adapters.aws_errors import AwsError
from ops_platform.adapters.ledger import jobs
from ops_platform.cli.ledger import Opened
from ops_platform.domain.errors import PlatformError
from ops_platform.operations.clean_account import tools_of
from ops_platform.operations.explain_job import Explained, Explainer
from ops_platform.operations.stale_job_policy import stale_policies
from ops_platform.settings.accounts import Account


def explain_in(opened: Opened, job_id: str, account: str | None) -> Explained:
    """Return how a job stands, in the account given or in the first that knows it.

    Raises:
        PlatformError: Nobody knows the job.
    """
    trouble: list[str] = []
    for each in _accounts(opened, job_id, account):
        try:
            explainer = _explainer(opened, each)
        except AwsError as error:
            trouble.append(str(error))
            continue
        if found := explainer.explain(job_id):
            return found
        trouble += explainer.trouble
    where = f"in account {account}" if account else "in any account"
    raise PlatformError(
        "\n".join([f"Neither Batch nor the ledger knows a job {job_id!r} {where}.", *trouble])
    )


def _accounts(opened: Opened, job_id: str, account: str | None) -> Sequence[Account]:
    """Return the accounts to ask, first the one in whose events the job stands."""
    if account is not None:
        return [opened.settings.account(account)]
    known = opened.settings.accounts
    with opened.ledger.transaction() as tx:
        heard = [each for each in known if jobs.load(tx, each.name, [job_id])]
    return heard or known


def _explainer(opened: Opened, account: Account) -> Explainer:
    tools = tools_of(account.name, AccountClients(account), opened.ledger)
    return Explainer(
        ledger=opened.ledger,
        api=tools.queues,
        types=tools.types,
        account=account.name,
        policies=stale_policies(opened.settings),
        enforce=account.stale_jobs == "enforce",
        clock=opened.ledger.now,
    )
