"""The settings as a whole."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from ops_platform.domain.errors import PlatformError
from ops_platform.domain.names import no_such_account
from ops_platform.settings.accounts import Account
from ops_platform.settings.alerts import AlertSettings
from ops_platform.settings.fields import Allowed, EnvironmentName, Table, Url
from ops_platform.settings.metrics import MetricSettings
from ops_platform.settings.problems import Problem, SettingsError
from ops_platform.settings.promotion import PromotionSettings
from ops_platform.settings.slack import SlackSettings
from ops_platform.settings.stale_jobs import StaleJobSettings
from ops_platform.settings.timing import TimingSettings


def _is_postgres(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith(("postgresql://", "postgresql+", "postgres://")):
        raise PydanticCustomError("database_url", "not an address of Postgres")
    return url


DatabaseUrl = Annotated[
    SecretStr,
    AfterValidator(_is_postgres),
    Allowed("an address such as postgresql://user:password@host:5432/ops_platform"),
]


class DatabaseSettings(Table):
    """The Postgres database that holds the ledger."""

    url_env: EnvironmentName = "OPS_PLATFORM_DATABASE_URL"
    url: DatabaseUrl | None = None


class DagsterSettings(Table):
    """Where people open Dagster's pages."""

    url: Url | None = None


class SettingsFile(Table):
    """What ``ops_platform.toml`` may hold."""

    accounts: Annotated[
        tuple[Account, ...],
        Field(min_length=1, strict=False),
        Allowed("an [[accounts]] table for each AWS account, at least one"),
    ]
    slack: SlackSettings = Field(default_factory=SlackSettings)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    stale_jobs: StaleJobSettings = Field(default_factory=StaleJobSettings)
    metrics: MetricSettings = Field(default_factory=MetricSettings)
    promotion: PromotionSettings = Field(default_factory=PromotionSettings)
    timing: TimingSettings = Field(default_factory=TimingSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    dagster: DagsterSettings = Field(default_factory=DagsterSettings)


class Settings(SettingsFile):
    """The settings in effect, and which edition of the platform they make.

    ``file`` is where they were read from, None without a settings file. ``state_dir`` is where
    the embedded edition keeps its state.
    """

    edition: Literal["embedded", "aws"]
    state_dir: Path
    file: Path | None = None

    def account(self, name: str) -> Account:
        """Return the account of that name.

        Raises:
            PlatformError: There is none; the text names those that there are.
        """
        for account in self.accounts:
            if account.name == name:
                return account
        raise PlatformError(no_such_account(name, [account.name for account in self.accounts]))

    def channel(self, account: str) -> str | None:
        """Return the Slack channel for an account's alerts; None only if it sends none."""
        return self.account(account).slack_channel or self.slack.default_channel

    @property
    def metrics_account(self) -> Account:
        """The account in whose CloudWatch dashboards and metrics are kept."""
        name = self.metrics.cloudwatch.account
        return self.accounts[0] if name is None else self.account(name)

    def of_stage(self, stage: Literal["production", "staging"]) -> Account:
        """Return the account that flows are proved in, or promoted to.

        Raises:
            SettingsError: Several could be meant, or none.
        """
        named = getattr(self.promotion, stage)
        if named is not None:
            return self.account(named)
        found = [account for account in self.accounts if account.stage == stage]
        if len(found) == 1:
            return found[0]
        names = ", ".join(account.name for account in self.accounts)
        sentence = f"{len(found)} accounts have the stage {stage}; name one of {names}"
        raise SettingsError([Problem(f"promotion.{stage}", sentence)])

    @property
    def has_production(self) -> bool:
        """Whether it is clear which account flows are promoted to."""
        if self.promotion.production is not None:
            return True
        return [account.stage for account in self.accounts].count("production") == 1

    def require_database_url(self) -> str:
        """Return the ledger's address, password included.

        Raises:
            SettingsError: None is set. An empty platform is not shown in its place.
        """
        if self.database.url is None:
            raise SettingsError([Problem("database.url", self._how_to_set_the_database_url())])
        return self.database.url.get_secret_value()

    def _how_to_set_the_database_url(self) -> str:
        if self.edition == "embedded":
            return "the embedded edition's Postgres is not running; start it first"
        return (
            "the database URL is missing, and this command needs the ledger;"
            f" set the environment variable {self.database.url_env}, or the key in {self.file}"
        )
