"""How Slack is reached, and whom an alert mentions."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from ops_platform.settings.fields import (
    Allowed,
    Channel,
    Domain,
    Email,
    EnvironmentName,
    SlackUser,
    Table,
    Url,
    Word,
)


class Person(Table):
    """Who is mentioned: a user or a user group by its id, or a user by e-mail address."""

    slack_user: SlackUser | None = None
    email: Email | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.slack_user is None) == (self.email is None):
            raise PydanticCustomError("person", "give either slack_user or email")
        return self


def _from_text(value: object) -> object:
    """Read the short form: the bare id or the bare address."""
    if isinstance(value, str):
        return {"email" if "@" in value else "slack_user": value}
    return value


Mention = Annotated[
    Person,
    BeforeValidator(_from_text),
    Allowed('the id of a Slack user or user group, or an e-mail address, such as "U0123ABCD"'),
]


class SlackSettings(Table):
    """The workspace that alerts go to."""

    token_env: EnvironmentName = "SLACK_BOT_TOKEN"  # noqa: S105
    token_secret: Word | None = None
    base_url: Url = "https://slack.com/api/"
    default_channel: Channel | None = None
    default_mention: Mention | None = None
    # Owners that are in no table are looked up as <owner>@<this domain>.
    email_domain: Domain | None = None
    owners: Annotated[Mapping[str, Mention], Allowed("a table of owners")] = Field(
        default_factory=dict
    )
    # Never read from the file: the value of the variable that token_env names.
    token: SecretStr | None = None
