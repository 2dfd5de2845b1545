"""JSONPath: what a state's OutputPath may say in AWS, and error names."""

import re

from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName

from ops_platform.embedded.aws.gaps import Gap, Moto, original

_STRING = "moto.stepfunctions.parser.asl.component.common.string.string_expression:extract_json"
_STATES = "moto.stepfunctions.parser.asl.eval.states:extract_json"
_ERROR_NAME = (
    "moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name:"
    "CustomErrorName.__init__"
)
_SEVERAL_KEYS = re.compile(r"^\$\.?\[('[^']+'(?:\s*,\s*'[^']+')+)\]$")
_ELEMENT = re.compile(r"\.?\[(\d+)\]|\.?\['([^']+)'\]|\.(\w+)")
_THROUGH_AN_INDEX = re.compile(rf"^\$(?:{_ELEMENT.pattern})*?\.?\[\d+\](?:{_ELEMENT.pattern})+$")
_LIST = (
    "moto returns a list for $['JobId', 'Parameters'], where AWS keeps those keys of the object, "
    "and for $.[0].JobId, where AWS returns the one value."
)


def _projecting(extract_json: Moto) -> Moto:
    def extract(path: str, data: Moto) -> Moto:
        several = _SEVERAL_KEYS.match(path)
        if several and isinstance(data, dict):
            keys = re.findall(r"'([^']+)'", several[1])
            return {key: data[key] for key in keys if key in data}
        if _THROUGH_AN_INDEX.match(path):
            try:
                return _follow(path, data)
            except (LookupError, TypeError):
                pass  # moto says what is missing
        return extract_json(path, data)

    return extract


def _follow(path: str, data: Moto) -> Moto:
    for index, quoted, name in _ELEMENT.findall(path):
        data = data[int(index)] if index else data[quoted or name]
    return data


def _accept_any_name(error: Moto, error_name: str | None) -> None:
    ErrorName.__init__(error, error_name=error_name)


def path_gaps() -> list[Gap]:
    """Return what of moto's interpretation of paths and names is replaced."""
    return [
        Gap(_STRING, _LIST, _projecting(original(_STRING))),
        Gap(_STATES, _LIST, _projecting(original(_STATES))),
        Gap(
            _ERROR_NAME,
            "moto loses error and cause of a failing iteration or branch, because it refuses to "
            "hand on an error that begins with 'States.'.",
            _accept_any_name,
        ),
    ]
