"""People, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from resolvers.ai import ai_allowance
from resolvers.api_keys import api_keys
from resolvers.scope import Scope
from resolvers.users import count_analyses, count_uploads, uploads
from samplemind.domain import user as domain
from samplemind.domain.library import AudioFileOrder
from schema.ai import AiUsage
from schema.context import Info
from schema.directives import Cost, list_size
from schema.ids import encode_id
from schema.node import Node
from schema.paging import PAGED, After, Before, First, Last, audio_file_order, window
from schema.relation import relation

if TYPE_CHECKING:
    from schema.api_key import ApiKey
    from schema.audio_file import AudioFileConnection

_NEWEST_FIRST = audio_file_order(AudioFileOrder())


@strawberry.type(description="Somebody with a library.")
class User(Node):
    model: strawberry.Private[domain.User]
    username: str = strawberry.field(description="The name to show.")
    email: str | None = strawberry.field(description="Told to the user alone and to admins.")
    role: domain.Role = strawberry.field(description="What the user may do.")
    created_at: datetime = strawberry.field(description="When the account was made.")

    @strawberry.field(
        description="How many files the user's library holds.", directives=[Cost(weight="1")]
    )
    async def total_uploads(self, info: Info) -> int:
        return await count_uploads(info.context)

    @strawberry.field(
        description="How many analyses have succeeded for the user.",
        directives=[Cost(weight="1")],
    )
    async def total_analyses(self, info: Info) -> int:
        return await count_analyses(info.context)

    @strawberry.field(
        description="What the user's questions to AI providers took today, and may take.",
        directives=[Cost(weight="1")],
    )
    async def ai_usage(self, info: Info) -> AiUsage:
        return AiUsage.of(await ai_allowance(info.context))

    @strawberry.field(description="The user's files, the newest upload first.", directives=[PAGED])
    async def audio_files(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Annotated["AudioFileConnection", strawberry.lazy("schema.audio_file")]:
        from schema.audio_file import AudioFileConnection

        asked = window(_NEWEST_FIRST, first, after, last, before)
        return AudioFileConnection.of(await uploads(info.context, asked), _NEWEST_FIRST)

    @relation(description="The user's API keys, the oldest first.", directives=[list_size(10)])
    @staticmethod
    async def api_keys(
        users: Sequence["User"], scope: Scope
    ) -> list[list[Annotated["ApiKey", strawberry.lazy("schema.api_key")]]]:
        from schema.api_key import ApiKey

        found = await api_keys(scope, [user.model.id for user in users])
        return [list(map(ApiKey.of, keys)) for keys in found]

    @classmethod
    def of(cls, model: domain.User) -> Self:
        return cls(
            id=encode_id("User", model.id),
            model=model,
            username=model.username,
            email=model.email,
            role=model.role,
            created_at=model.created_at,
        )
