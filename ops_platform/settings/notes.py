"""What the settings leave open: no error, but worth knowing before the platform starts."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from difflib import get_close_matches

from ops_platform.settings.load import CONFIG_VARIABLE, FILE_NAME, SECRETS
from ops_platform.settings.model import Settings
from ops_platform.settings.route_rules import unreachable

_PREFIX = "OPS_PLATFORM_"
_VARIABLES = (CONFIG_VARIABLE, *(default for _, _, (_, default) in SECRETS))


def notes(settings: Settings, environ: Mapping[str, str], *, now: datetime) -> Iterator[str]:
    """Yield a sentence for each thing that is missing or looks like a slip."""
    if settings.edition == "embedded":
        yield f"No {FILE_NAME} here and no {CONFIG_VARIABLE}: this is the embedded edition."
    else:
        yield from _missing(settings)
    for place, other in unreachable(settings.alerts.routes):
        yield (
            f"Nothing comes to alerts.routes[{place}]: alerts.routes[{other}], which stands before"
            " it, takes all of it."
        )
    for place, exemption in enumerate(settings.stale_jobs.exemptions):
        if exemption.ends_at <= now:
            yield f"stale_jobs.exemptions[{place}] is over since {exemption.until}; take it out."
    if settings.metrics.first_day > now.date():
        yield f"No metrics before {settings.metrics.first_day}: metrics.first_day is to come."
    known = {*_VARIABLES, settings.database.url_env, settings.slack.token_env}
    for name in environ:
        if name.startswith(_PREFIX) and name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            yield f"The environment variable {name} means nothing to the platform{hint}"


def _missing(settings: Settings) -> Iterator[str]:
    if settings.database.url is None:
        yield f"No database URL: set {settings.database.url_env}; what needs the ledger stops."
    token = settings.slack.token or settings.slack.token_secret
    if token is None and any(account.alerts == "send" for account in settings.accounts):
        yield f"No Slack token: set {settings.slack.token_env}; no alert can be sent."
