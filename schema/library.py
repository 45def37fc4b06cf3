"""A library summed up, as clients see it."""

import strawberry

from schema.directives import list_size

_BUCKETS = [list_size(20)]


@strawberry.type(description="How many files share a value.")
class Bucket:
    name: str = strawberry.field(
        description="The value: `ONE_SHOT`, `A minor`, `kick`; for tempos `120-129`, which is from "
        "120 up to, and without, 130 BPM."
    )
    count: int = strawberry.field(description="How many files have it.")


@strawberry.type(description="A library in numbers.")
class LibraryStats:
    audio_files: int = strawberry.field(description="How many files.")
    analyzed: int = strawberry.field(description="How many of them are analysed.")
    total_seconds: float = strawberry.field(description="How long they sound together.")
    total_bytes: float = strawberry.field(description="How large they are together.")
    by_kind: list[Bucket] = strawberry.field(
        description="By kind, the most frequent first, then by name; files without are left out.",
        directives=_BUCKETS,
    )
    by_key: list[Bucket] = strawberry.field(
        description="By key, in the same order; files without are left out.", directives=_BUCKETS
    )
    by_label: list[Bucket] = strawberry.field(
        description="By label, in the same order; a file counts for each of its labels.",
        directives=_BUCKETS,
    )
    by_tempo: list[Bucket] = strawberry.field(
        description="By tempo in steps of 10 BPM, in the same order; files without are left out.",
        directives=_BUCKETS,
    )
