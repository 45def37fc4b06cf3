"""People, as clients see them."""

from datetime import datetime
from typing import Self

import strawberry

from samplemind.domain import user as domain
from schema.ids import encode_id
from schema.node import Node


@strawberry.type(description="Somebody with a library.")
class User(Node):
    username: str = strawberry.field(description="The name to show.")
    email: str | None = strawberry.field(description="Told to the user alone and to admins.")
    role: domain.Role = strawberry.field(description="What the user may do.")
    created_at: datetime = strawberry.field(description="When the account was made.")

    @classmethod
    def of(cls, model: domain.User) -> Self:
        return cls(
            id=encode_id("User", model.id),
            username=model.username,
            email=model.email,
            role=model.role,
            created_at=model.created_at,
        )
