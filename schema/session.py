"""Signing in and out, as clients see it."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

import resolvers.sessions
from samplemind.domain import session as domain
from schema.context import Info
from schema.directives import CHANGE, LARGE_CHANGE
from schema.payloads import UserError, answers, errors
from schema.user import User


@strawberry.input(description="An account to make.")
class RegisterUserInput:
    email: str = strawberry.field(description="To sign in with; no mail is sent to it.")
    username: str = strawberry.field(description="The name to show, of 1 to 64 characters.")
    password: str = strawberry.field(description="10 to 256 characters.")


@strawberry.input(description="An account to sign in to.")
class LogInInput:
    email: str = strawberry.field(description="As it was registered, in any case.")
    password: str = strawberry.field(description="Its password.")


@strawberry.input(description="A session to go on with.")
class RefreshSessionInput:
    refresh_token: str = strawberry.field(
        description="The last one that was answered. It is good once: shown again, it ends the "
        "session."
    )


@strawberry.type(description="A session: send `Authorization: Bearer` and the access token.")
class SessionPayload:
    access_token: str | None = strawberry.field(
        default=None, description="To show with each request, until `expiresAt`."
    )
    refresh_token: str | None = strawberry.field(
        default=None, description="For `refreshSession`, once, within 30 days."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When the access token is over, 15 minutes from now."
    )
    user: User | None = strawberry.field(default=None, description="Who has signed in.")
    errors: list[UserError] = errors()

    @classmethod
    def of(cls, model: domain.Session) -> Self:
        return cls(
            access_token=model.access_token,
            refresh_token=model.refresh_token,
            expires_at=model.expires_at,
            user=User.of(model.user),
        )


@strawberry.type(description="The answer of `logOut`.")
class LogOutPayload:
    errors: list[UserError] = errors()


@strawberry.type
class SessionMutation:
    @strawberry.mutation(
        description="Makes an account and signs in to it. The first one is an admin's, and takes "
        "over what was stored without sign-in.",
        directives=LARGE_CHANGE,
    )
    @answers(SessionPayload)
    async def register_user(
        self,
        info: Info,
        input: Annotated[RegisterUserInput, strawberry.argument(description="The account.")],
    ) -> SessionPayload:
        session = await resolvers.sessions.register(
            info.context, input.email, input.username, input.password
        )
        return SessionPayload.of(session)

    @strawberry.mutation(
        description="Signs in. A wrong password and an unknown email get the same answer.",
        directives=LARGE_CHANGE,
    )
    @answers(SessionPayload)
    async def log_in(
        self,
        info: Info,
        input: Annotated[LogInInput, strawberry.argument(description="To which account.")],
    ) -> SessionPayload:
        session = await resolvers.sessions.log_in(info.context, input.email, input.password)
        return SessionPayload.of(session)

    @strawberry.mutation(
        description="Answers the next two tokens of a session, and spends the refresh token.",
        directives=CHANGE,
    )
    @answers(SessionPayload)
    async def refresh_session(
        self,
        info: Info,
        input: Annotated[RefreshSessionInput, strawberry.argument(description="Which.")],
    ) -> SessionPayload:
        return SessionPayload.of(
            await resolvers.sessions.refresh(info.context, input.refresh_token)
        )

    @strawberry.mutation(
        description="Ends the session whose access token is shown: its tokens are good for "
        "nothing from now on, and its live subscriptions end.",
        directives=CHANGE,
    )
    @answers(LogOutPayload)
    async def log_out(self, info: Info) -> LogOutPayload:
        await resolvers.sessions.log_out(info.context)
        return LogOutPayload()
