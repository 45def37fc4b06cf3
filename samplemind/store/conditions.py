"""What a filter asks of the documents of files."""

from collections.abc import Iterable

from samplemind.domain.library import AudioFileFilter, Range, words_of
from samplemind.store.database import END, Document, scoped


def _between(bounds: Range) -> Document:
    condition = {"$gte": bounds.min, "$lte": bounds.max}
    return {name: value for name, value in condition.items() if value is not None}


def words_and_tags(owner_id: str, words: Iterable[str], tags: Iterable[str]) -> list[str]:
    """The indexed strings of what a file is called; no word begins as a tag does."""
    return [
        *(scoped(owner_id, word) for word in words),
        *(scoped(owner_id, "#", tag) for tag in tags),
    ]


def facets(
    owner_id: str,
    kinds: Iterable[str | None],
    labels: Iterable[str],
    keys: Iterable[str | None],
) -> list[str]:
    """The indexed strings of what a file was found to be; None is nothing."""
    named = (("kind", kinds), ("label", labels), ("key", keys))
    return [scoped(owner_id, name, value) for name, values in named for value in values if value]


def indexed(owner_id: str, filter_: AudioFileFilter) -> list[Document]:
    """What the filter asks of indexed strings. Each condition holds of every file that matches;
    a range is meant of one string of an array."""
    prefixes = words_and_tags(owner_id, words_of(filter_.search or ""), ())
    any_of = (
        *(("words", words_and_tags(owner_id, (), [tag])) for tag in filter_.tags or ()),
        ("facets", filter_.kinds and facets(owner_id, filter_.kinds, (), ())),
        ("facets", filter_.labels and facets(owner_id, (), filter_.labels, ())),
        ("facets", filter_.keys and facets(owner_id, (), (), map(str, filter_.keys))),
    )
    return [
        *({"words": {"$gte": prefix, "$lt": prefix + END}} for prefix in prefixes),
        *({field: {"$in": list(wanted)}} for field, wanted in any_of if wanted is not None),
    ]


def of_one_element(condition: Document) -> Document:
    """A condition of `indexed` as MongoDB wants it said: a range alone could be met by two strings
    of an array, one for each end."""
    return {
        field: {"$elemMatch": wanted} if "$gte" in wanted else wanted
        for field, wanted in condition.items()
    }


def conditions(owner_id: str, filter_: AudioFileFilter | None) -> Document:
    """The filter as a query on the documents of `owner_id`."""
    if filter_ is None:
        return {}
    query: Document = {}
    if strings := indexed(owner_id, filter_):
        query["$and"] = [of_one_element(each) for each in strings]
    if filter_.without_labels:
        query["labels"] = {"$nin": list(filter_.without_labels)}
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
