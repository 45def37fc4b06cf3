"""The parameters of a GraphQL-over-HTTP request: read from a body or a URL, and checked."""

from collections.abc import Mapping
from typing import Any

import orjson

from samplemind.server.errors import RequestError


def read_json(content: bytes | str, name: str = "The body") -> Any:
    """Raises RequestError 400 where it is not JSON in UTF-8."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"{name} is not valid JSON: {error}.") from None


def read_url(query: Mapping[str, str | None]) -> dict[str, Any]:
    """The parameters of a GET. Raises RequestError 400 for a part that must be JSON and is not."""
    parameters: dict[str, Any] = {name: value for name, value in query.items() if value}
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = read_json(parameters[name], f"`{name}`")
    return parameters


def checked(parameters: Any, name: str = "The request") -> dict[str, Any]:
    """`parameters` where they are of the right types. Raises RequestError 400 where not."""
    if isinstance(parameters, list):
        message = "Several operations in one request are not taken: send a request for each."
        raise RequestError(400, message, "BATCHING_NOT_SUPPORTED")
    if not isinstance(parameters, dict):
        raise RequestError(400, f"{name} must be a JSON object with a `query`.")
    for parameter, type_, article in (
        ("query", str, "a string"),
        ("operationName", str, "a string"),
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
    ):
        value = parameters.get(parameter)
        if value is not None and not isinstance(value, type_):
            raise RequestError(400, f"`{parameter}` must be {article}.")
    return parameters
