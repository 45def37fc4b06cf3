"""Whether a document meets a query, as MongoDB would say: of the operators that filters use."""

from typing import Any

from bson import decode, encode
from bson.codec_options import CodecOptions

from samplemind.store.database import Document


def as_stored(query: Document, options: CodecOptions[Document]) -> Document:
    """The query with its values as they are read from documents: times to a millisecond."""
    return decode(encode(query), options)


def holds(document: Document, query: Document) -> bool:
    """`query` comes from as_stored."""
    return all(
        all(holds(document, each) for each in wanted)
        if name == "$and"
        else _is(_value(document, name), wanted)
        for name, wanted in query.items()
    )


def _value(document: Any, name: str) -> Any:
    for part in name.split("."):
        document = document.get(part)
    return document


def _is(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return value == wanted
    values = value if isinstance(value, list) else [value]
    return all(
        all(each in values for each in operand)
        if operator == "$all"
        else not any(each in operand for each in values)
        if operator == "$nin"
        else any(_compares(operator, each, operand) for each in values)
        for operator, operand in wanted.items()
    )


def _compares(operator: str, value: Any, operand: Any) -> bool:
    match operator:
        case "$in":
            return value in operand
        case "$elemMatch":
            return _is(value, operand)
        case "$gte":
            return value is not None and value >= operand
        case "$lte":
            return value is not None and value <= operand
        case "$lt":
            return value < operand
    raise NotImplementedError(operator)
