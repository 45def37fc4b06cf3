"""The operations that a client's build lists: with them set, nothing else is run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from samplemind.refusal import CannotStart

_SETTING = "SAMPLEMIND_TRUSTED_DOCUMENTS"
_APOLLO = "apollo-persisted-query-manifest"


def trusted_documents(path: Path | None) -> Mapping[str, str] | None:
    """The texts by their ids; None where anything may be run. Raises CannotStart.

    Reads what graphql-codegen (`persisted-documents.json`) and relay-compiler (`persistConfig`)
    write, an object of texts by ids, and Apollo's manifest.
    """
    if path is None:
        return None
    try:
        documents = _texts(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise CannotStart(f"{_SETTING} names {path}: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CannotStart(
            f"{_SETTING} names {path}, which is no list of operations: make it with "
            "graphql-codegen, relay-compiler or @apollo/generate-persisted-query-manifest."
        ) from None
    if not documents:
        raise CannotStart(f"{_SETTING} names {path}, which lists no operation.")
    return documents


def _texts(content: Any) -> dict[str, str]:
    if content.get("format") == _APOLLO:
        content = {each["id"]: each["body"] for each in content["operations"]}
    if not all(isinstance(text, str) for text in content.values()):
        raise ValueError
    # As a request names them, too: with the name of the hash or without.
    return {id_.removeprefix("sha256:"): text for id_, text in content.items()}
