"""The media types of GraphQL over HTTP, and which of them a client wants."""

from typing import NamedTuple

from python_multipart.multipart import parse_options_header

JSON = "application/json; charset=utf-8"
GRAPHQL_RESPONSE = "application/graphql-response+json; charset=utf-8"


def answer_type(accept: str | None) -> str | None:
    """What to answer with, by an `Accept` header. None where the client takes neither.

    Of two that are equally welcome it is the newer, whose status codes tell more; but the newer
    has to be named, since a client that takes anything may be older than it.
    """
    if not accept or not accept.strip():
        return JSON
    weights = dict(map(_weighted, accept.split(",")))
    newer = weights.get("application/graphql-response+json", 0.0)
    ranges = ("application/json", "application/*", "*/*")
    older = next((weights[name] for name in ranges if name in weights), 0.0)
    if newer <= 0 >= older:
        return None
    return GRAPHQL_RESPONSE if newer >= older else JSON


def media_type(content_type: str | None) -> tuple[str, str]:
    """The media type in lower case without its parameters, and its charset (utf-8 by default)."""
    name, parameters = parse_options_header(content_type)
    return name.decode("latin-1"), parameters.get(b"charset", b"utf-8").decode("latin-1").lower()


class MediaRange(NamedTuple):
    """`name` and the names of `parameters` are in lower case."""

    name: str
    parameters: dict[str, str]


def accepted(accept: str | None) -> list[MediaRange]:
    """The media ranges of an `Accept` header, the most wanted first, without the unwanted."""
    weighed = []
    for part in (accept or "").split(","):
        name, options = parse_options_header(part.strip())
        parameters = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in options.items()
        }
        weighed.append((_weighted(part)[1], MediaRange(name.decode("latin-1"), parameters)))
    weighed.sort(key=lambda each: -each[0])
    return [media for weight, media in weighed if weight]


def _weighted(media_range: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in media_range.split(";"))
    weight = next((value[2:] for value in parameters if value.startswith("q=")), "1")
    try:
        return name, min(max(float(weight), 0.0), 1.0)
    except ValueError:
        return name, 1.0
