"""EC2: instance types, page by page."""

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidParameterCombination, InvalidParameterValueError

from ops_platform.embedded.aws.gaps import Gap, Moto

_DESCRIBE = "moto.ec2.responses.instances:InstanceResponse.describe_instance_types"
_PAGE_SIZES = range(5, 101)
# By the part that a page shows: the types never change, and writing them takes long.
_written: dict[tuple[int, int], Moto] = {}


class _Kept(ActionResult):
    """An answer that is written once."""

    def __init__(self, result: object, part: tuple[int, int]) -> None:
        super().__init__(result)
        self._part = part

    def execute_result(self, context: Moto) -> Moto:
        """Write the answer, or take the one that was written before."""
        if self._part not in _written:
            _written[self._part] = super().execute_result(context)
        status, headers, body = _written[self._part]
        return status, dict(headers), body


def _describe_instance_types(response: Moto) -> ActionResult:
    names = response._get_param("InstanceTypes", [])  # noqa: SLF001 - what stands in for moto
    asked = response._get_param("MaxResults")  # noqa: SLF001
    if names and asked is not None:
        raise InvalidParameterCombination(
            "The parameter instanceTypes cannot be used with the parameter maxResults"
        )
    size = int(asked or _PAGE_SIZES[-1])
    if size not in _PAGE_SIZES:
        raise InvalidParameterValueError(f"MaxResults must be between 5 and 100, not {size}")
    filters = response._filters_from_querystring()  # noqa: SLF001
    found = response.ec2_backend.describe_instance_types(names, filters)
    start = _start(response._get_param("NextToken"), len(found))  # noqa: SLF001
    end = start + size
    more = {"NextToken": f"{end:08}"} if end < len(found) else {}
    page = {"InstanceTypes": found[start:end], **more}
    return ActionResult(page) if names or filters else _Kept(page, (start, end))


def _start(token: str | None, total: int) -> int:
    if token is None:
        return 0
    if not token.isdigit() or int(token) >= total:
        raise InvalidParameterValueError(f"The token '{token}' is invalid.")
    return int(token)


EC2_GAPS = [
    Gap(_DESCRIBE, "moto describes all instance types in one page.", _describe_instance_types)
]
