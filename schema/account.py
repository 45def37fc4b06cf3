"""An account as a whole, as clients see it."""

from typing import Annotated

import strawberry

import resolvers.account
from schema.context import Info
from schema.directives import CHANGE, LARGE_CHANGE
from schema.ids import encode_id
from schema.payloads import UserError, answers, errors
from schema.user import User


@strawberry.input(description="A change of the caller's account; what is null stays.")
class UpdateAccountInput:
    email_notifications: bool | None = strawberry.field(
        default=None, description="Whether you get a mail when a batch job of yours ends."
    )


@strawberry.type(description="The answer of `updateAccount`.")
class UpdateAccountPayload:
    user: User | None = strawberry.field(default=None, description="The changed account.")
    errors: list[UserError] = errors()


@strawberry.input(description="The account to delete, which is the caller's.")
class DeleteAccountInput:
    password: str = strawberry.field(description="Its password, once more.")


@strawberry.type(description="The answer of `deleteAccount`.")
class DeleteAccountPayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the user that is no more."
    )
    errors: list[UserError] = errors()


@strawberry.type
class AccountMutation:
    @strawberry.mutation(description="Changes the caller's account.", directives=CHANGE)
    @answers(UpdateAccountPayload)
    async def update_account(
        self,
        info: Info,
        input: Annotated[UpdateAccountInput, strawberry.argument(description="The change.")],
    ) -> UpdateAccountPayload:
        user = await resolvers.account.update_account(info.context, input.email_notifications)
        return UpdateAccountPayload(user=User.of(user))

    @strawberry.mutation(
        description="Deletes the caller's account with everything that was ever stored by it: "
        "sounds, analyses, batch jobs, webhooks, keys, sessions. There is no way back.",
        directives=LARGE_CHANGE,
    )
    @answers(DeleteAccountPayload)
    async def delete_account(
        self,
        info: Info,
        input: Annotated[DeleteAccountInput, strawberry.argument(description="Whose.")],
    ) -> DeleteAccountPayload:
        user_id = await resolvers.account.delete_account(info.context, input.password)
        return DeleteAccountPayload(deleted_id=encode_id("User", user_id))
