"""The effective settings for people and programs to read, secrets hidden."""

from collections.abc import Iterator, Mapping

from pydantic import BaseModel, SecretStr

from ops_platform.settings.model import Settings, SettingsFile

HIDDEN = "********"


def effective(settings: Settings) -> dict[str, object]:
    """Return the settings as the file would hold them, and what they were made from."""
    about = {"edition": settings.edition, "file": _path(settings), "state_dir": settings.state_dir}
    return {**about, **{name: _open(getattr(settings, name)) for name in SettingsFile.model_fields}}


def _path(settings: Settings) -> str | None:
    return str(settings.file) if settings.file else None


def _open(value: object) -> object:
    """Return a value as plain data, without secrets."""
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, BaseModel):
        return {name: _open(inner) for name, inner in value}
    if isinstance(value, Mapping):
        return {key: _open(inner) for key, inner in value.items()}
    return [_open(inner) for inner in value] if isinstance(value, tuple) else value


def by_key(settings: Settings, environ: Mapping[str, str]) -> Iterator[tuple[str, object, str]]:
    """Yield key, value and origin of every setting."""
    written = settings.file.name if settings.file else "embedded edition"
    secrets = _from_environment(settings, environ)
    for name in SettingsFile.model_fields:
        for key, value, origin in _by_key(name, getattr(settings, name), written):
            yield key, value, secrets.get(key, origin)


def _from_environment(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    names = {"database.url": settings.database.url_env}
    if settings.edition == "aws":
        names["slack.token"] = settings.slack.token_env
    return {key: name for key, name in names.items() if environ.get(name)}


def _by_key(key: str, value: object, origin: str) -> Iterator[tuple[str, object, str]]:
    if isinstance(value, BaseModel):
        for name, inner in value:
            given = origin if name in value.model_fields_set else "default"
            yield from _by_key(f"{key}.{name}", inner, given)
    elif isinstance(value, tuple) and any(isinstance(inner, BaseModel) for inner in value):
        for index, inner in enumerate(value):
            yield from _by_key(f"{key}[{index}]", inner, origin)
    else:
        yield key, _open(value), origin
