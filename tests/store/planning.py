"""Which index MongoDB has for a read: what it says of ours when asked, worked out from the rules.

An index serves a read whose first field it has a condition on; it serves its order too where that
begins with the same field, or goes on with the next one after an equality.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Read = dict[str, Any]

# Operators that say where to look in an index. Those that say where not to, do not.
_BOUNDED = {"$eq", "$in", "$gt", "$gte", "$lt", "$lte", "$all", "$elemMatch"}


def reads(command: Mapping[str, Any]) -> Iterator[Read]:
    """A command as the finds that it begins with: explain is exact for finds everywhere."""
    name, collection = next(iter(command.items()))
    if name == "find":
        yield {key: command[key] for key in ("find", "filter", "sort") if key in command}
    elif name == "aggregate":
        yield {"find": collection, "filter": command["pipeline"][0].get("$match", {})}
    elif name == "findAndModify":
        yield {"find": collection, "filter": command["query"]}
    elif name in ("update", "delete"):
        for write in command[f"{name}s"]:
            yield {"find": collection, "filter": write["q"]}
    elif name in ("count", "distinct"):
        yield {"find": collection, "filter": command.get("query", {})}
    else:
        assert name == "insert", name


def is_served(read: Read, indexes: Sequence[Sequence[str]]) -> bool:
    """`indexes` are the fields of each index of the collection, `_id` among them."""
    conditions = dict(_flat(read.get("filter", {})))
    if branches := conditions.pop("$or", None):
        return all(is_served({"filter": each}, indexes) for each in branches)
    usable = {name: wanted for name, wanted in conditions.items() if _is_bounded(wanted)}
    order = list(read.get("sort", ()))
    return any(
        index[0] in usable
        and (
            not order
            or order[0] == index[0]
            or _is_few(usable[index[0]])
            or (_is_equality(usable[index[0]]) and order[0] in index[1:2])
        )
        for index in indexes
    )


def shape(read: Read) -> str:
    """The same for reads that differ in their values only."""
    return repr((read["find"], _without_values(read.get("filter", {})), list(read.get("sort", ()))))


def _flat(query: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, wanted in query.items():
        if name == "$and":
            for each in wanted:
                yield from _flat(each)
        else:
            yield name, wanted


def _is_bounded(wanted: Any) -> bool:
    return not isinstance(wanted, Mapping) or bool(_BOUNDED & set(wanted))


def _is_equality(wanted: Any) -> bool:
    return not isinstance(wanted, Mapping) or "$eq" in wanted


def _is_few(wanted: Any) -> bool:
    """So few rows that they may be put in order when they have been read."""
    return isinstance(wanted, Mapping) and "$in" in wanted


def _without_values(query: Any) -> Any:
    if isinstance(query, Mapping):
        return {name: _without_values(wanted) for name, wanted in query.items()}
    if isinstance(query, list) and query and isinstance(query[0], Mapping):
        return [_without_values(each) for each in query]
    return "?"
