"""The kinds of value a setting can have, each with the sentence that says what is allowed."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a person may write; the rest of the sentence "give ..."."""

    text: str


class Table(BaseModel):
    """A table of the settings file: frozen, strict about types, and closed to unknown keys."""

    # Input values stay out of pydantic's own messages, because some of them are secret.
    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        hide_input_in_errors=True,
        regex_engine="python-re",
    )


AccountName = Annotated[
    str,
    Field(pattern=r"\A[a-z][a-z0-9_-]*\Z"),
    Allowed("a lower-case letter, then lower-case letters, digits, - or _"),
]
AwsAccountId = Annotated[
    str, Field(pattern=r"\A[0-9]{12}\Z"), Allowed('twelve digits in quotes, such as "123456789012"')
]
Region = Annotated[
    str,
    Field(pattern=r"\A[a-z]{2}(-[a-z]+)+-[0-9]{1,2}\Z"),
    Allowed("an AWS region, such as eu-central-1"),
]
RoleArn = Annotated[
    str,
    Field(pattern=r"\Aarn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+\Z"),
    Allowed("the ARN of an IAM role, such as arn:aws:iam::123456789012:role/ops-platform"),
]
Url = Annotated[
    str,
    # No user and password: an address is shown as it is.
    Field(pattern=r"\Ahttps?://[^\s/?#@]+([/?#][^\s@]*)?\Z"),
    Allowed("an address that starts with http:// or https://, without a password"),
]
Word = Annotated[
    str, Field(pattern=r"\A[^\s\x00-\x1f]{1,1000}\Z"), Allowed("text without white space")
]
EnvironmentName = Annotated[
    str,
    Field(pattern=r"\A[A-Za-z_][A-Za-z0-9_]*\Z"),
    Allowed("the name of an environment variable"),
]
Channel = Annotated[
    str,
    Field(pattern=r"\A(#[^\s#@,.A-Z]{1,80}|[CG][A-Z0-9]{6,20})\Z"),
    Allowed("a channel such as #alerts, or its id such as C0123ABCD"),
]
SlackUser = Annotated[
    str,
    # A group's id is mentioned just as a user's.
    Field(pattern=r"\A[UWS][A-Z0-9]{4,20}\Z"),
    Allowed("the id of a Slack user or user group, such as U0123ABCD"),
]
Domain = Annotated[
    str,
    Field(pattern=r"\A[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z"),
    Allowed("the domain of e-mail addresses, such as example.com"),
]
Email = Annotated[
    str, Field(pattern=r"\A[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+\Z"), Allowed("an e-mail address")
]
