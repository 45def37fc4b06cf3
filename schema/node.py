"""Anything that can be fetched again by its id."""

import strawberry


@strawberry.interface(description="Anything that can be fetched again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique in the whole API.")
