"""Keys for programs, as clients see them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

import resolvers.api_keys
from samplemind.domain import api_key as domain
from schema.context import Info
from schema.directives import CHANGE
from schema.ids import decode_id_of, encode_id
from schema.payloads import UserError, answers, errors


@strawberry.type(description="What a program signs in with, in place of a password.")
class ApiKey:
    id: strawberry.ID = strawberry.field(description="For `revokeApiKey`.")
    name: str = strawberry.field(description="What it is for.")
    prefix: str = strawberry.field(description="How its secret begins, to know it by.")
    created_at: datetime = strawberry.field(description="When it was made.")
    last_used_at: datetime | None = strawberry.field(
        description="When somebody last got in with it, to the minute."
    )

    @classmethod
    def of(cls, model: domain.ApiKey) -> Self:
        return cls(
            id=encode_id("ApiKey", model.id),
            name=model.name,
            prefix=model.prefix,
            created_at=model.created_at,
            last_used_at=model.last_used_at,
        )


@strawberry.input(description="A key to make.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="What it is for, of 1 to 100 characters.")


@strawberry.input(description="A key to revoke.")
class RevokeApiKeyInput:
    id: strawberry.ID = strawberry.field(description="The key.")


@strawberry.type(description="The answer of `createApiKey`.")
class CreateApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(default=None, description="The key.")
    secret: str | None = strawberry.field(
        default=None,
        description="To send as `Authorization: Bearer`. It is shown this once: keep it safe.",
    )
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `revokeApiKey`.")
class RevokeApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(default=None, description="The key that is no more.")
    errors: list[UserError] = errors()


@strawberry.type
class ApiKeyMutation:
    @strawberry.mutation(
        description="Makes a key for a program. It may do what you may, but for what concerns "
        "the account itself.",
        directives=CHANGE,
    )
    @answers(CreateApiKeyPayload)
    async def create_api_key(
        self,
        info: Info,
        input: Annotated[CreateApiKeyInput, strawberry.argument(description="The key.")],
    ) -> CreateApiKeyPayload:
        api_key, secret = await resolvers.api_keys.create_api_key(info.context, input.name)
        return CreateApiKeyPayload(api_key=ApiKey.of(api_key), secret=secret)

    @strawberry.mutation(
        description="Lets nobody in by this key any more, and ends what is live by it.",
        directives=CHANGE,
    )
    @answers(RevokeApiKeyPayload)
    async def revoke_api_key(
        self,
        info: Info,
        input: Annotated[RevokeApiKeyInput, strawberry.argument(description="Which.")],
    ) -> RevokeApiKeyPayload:
        id_ = decode_id_of("ApiKey", input.id, ("input", "id"))
        revoked = await resolvers.api_keys.revoke_api_key(info.context, id_)
        return RevokeApiKeyPayload(api_key=ApiKey.of(revoked))
