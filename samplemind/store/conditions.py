"""What a filter asks of the documents of files."""

from samplemind.domain.library import AudioFileFilter, Range, words_of
from samplemind.store.database import END, Document, scoped


def _between(bounds: Range) -> Document:
    condition = {"$gte": bounds.min, "$lte": bounds.max}
    return {name: value for name, value in condition.items() if value is not None}


def conditions(owner_id: str, filter_: AudioFileFilter | None) -> Document:
    """The filter as a query on the documents of `owner_id`."""
    if filter_ is None:
        return {}
    query: Document = {}
    if filter_.search and (words := words_of(filter_.search)):
        prefixes = [scoped(owner_id, word) for word in words]
        matches = [{"words": {"$elemMatch": {"$gte": p, "$lt": p + END}}} for p in prefixes]
        query |= matches[0] if len(matches) == 1 else {"$and": matches}
    if filter_.tags:
        query["tags"] = {"$all": list(filter_.tags)}
    if filter_.kinds is not None:
        query["kind"] = {"$in": [kind.value for kind in filter_.kinds]}
    if filter_.labels is not None:
        query["labels"] = {"$in": list(filter_.labels)}
    if filter_.without_labels:
        query["labels"] = query.get("labels", {}) | {"$nin": list(filter_.without_labels)}
    if filter_.keys is not None:
        query["musical_key"] = {"$in": [str(key) for key in filter_.keys]}
    if filter_.tempo and (bounds := _between(filter_.tempo)):
        query["tempo"] = bounds
    if filter_.duration_seconds and (bounds := _between(filter_.duration_seconds)):
        query["facts.duration_seconds"] = bounds
    if filter_.loudness and (bounds := _between(filter_.loudness)):
        query["loudness"] = bounds
    if filter_.uploaded_at:
        times = {"$gte": filter_.uploaded_at.start, "$lte": filter_.uploaded_at.end}
        if times := {name: value for name, value in times.items() if value is not None}:
            query["uploaded_at"] = times
    if filter_.analyzed is not None:
        query["analyzed"] = filter_.analyzed
    return query
