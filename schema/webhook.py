"""Webhooks, as clients see them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

import resolvers.deliveries
import resolvers.webhooks
from samplemind.domain import webhook as domain
from samplemind.domain.delivery import DeliveryStatus
from schema.context import Info
from schema.delivery import ORDER, Delivery, DeliveryConnection
from schema.directives import CHANGE
from schema.ids import decode_id_of, encode_id
from schema.paging import PAGED, After, Before, First, Last, window
from schema.payloads import UserError, answers, errors

_ID = ("input", "id")


@strawberry.type(description="A URL that is told what happens, by signed requests.")
class Webhook:
    model: strawberry.Private[domain.Webhook]
    id: strawberry.ID = strawberry.field(description="For the mutations on it.")
    url: str = strawberry.field(description="Where the requests go, by POST.")
    events: list[domain.WebhookEvent] = strawberry.field(description="What it is told of.")
    enabled: bool = strawberry.field(description="Whether it is told anything.")
    disabled_reason: str | None = strawberry.field(
        description="Why the server has switched it off, if it has."
    )
    created_at: datetime = strawberry.field(description="When it was made.")

    @strawberry.field(
        description="What was sent to it in the last 30 days, the newest first.",
        directives=[PAGED],
    )
    async def deliveries(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        status: Annotated[
            DeliveryStatus | None, strawberry.argument(description="Only those of this status.")
        ] = None,
    ) -> DeliveryConnection:
        asked = window(ORDER, first, after, last, before)
        page = await resolvers.deliveries.deliveries(info.context, self.model, asked, status)
        return DeliveryConnection.of(page)

    @classmethod
    def of(cls, model: domain.Webhook) -> Self:
        return cls(
            model=model,
            id=encode_id("Webhook", model.id),
            url=model.url,
            events=list(model.events),
            enabled=model.enabled,
            disabled_reason=model.disabled_reason,
            created_at=model.created_at,
        )


@strawberry.input(description="A webhook to make.")
class CreateWebhookInput:
    url: str = strawberry.field(description="Where the requests go.")
    events: list[domain.WebhookEvent] = strawberry.field(description="What it is told of.")


@strawberry.input(description="A change of a webhook; what is null stays.")
class UpdateWebhookInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")
    url: str | None = strawberry.field(default=None, description="Where the requests go.")
    events: list[domain.WebhookEvent] | None = strawberry.field(
        default=None, description="What it is told of."
    )
    enabled: bool | None = strawberry.field(
        default=None, description="Whether it is told anything; true forgets why it was off."
    )


@strawberry.input(description="A webhook whose secret is replaced.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")


@strawberry.input(description="A webhook to delete.")
class DeleteWebhookInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")


@strawberry.input(description="A webhook to try.")
class TestWebhookInput:
    id: strawberry.ID = strawberry.field(description="The webhook.")


@strawberry.input(description="A delivery to send again.")
class SendWebhookAgainInput:
    delivery_id: strawberry.ID = strawberry.field(description="The delivery.")


@strawberry.type(description="The answer of `createWebhook` and `rotateWebhookSecret`.")
class WebhookSecretPayload:
    webhook: Webhook | None = strawberry.field(default=None, description="The webhook.")
    secret: str | None = strawberry.field(
        default=None,
        description="What its requests are signed with, as the Standard Webhooks libraries take "
        "it. It is shown this once: keep it safe.",
    )
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `updateWebhook`.")
class UpdateWebhookPayload:
    webhook: Webhook | None = strawberry.field(default=None, description="The changed webhook.")
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `deleteWebhook`.")
class DeleteWebhookPayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id that is no more."
    )
    errors: list[UserError] = errors()


@strawberry.type(description="The answer of `testWebhook` and `sendWebhookAgain`.")
class DeliveryPayload:
    delivery: Delivery | None = strawberry.field(
        default=None, description="The delivery, which is sent in a moment."
    )
    errors: list[UserError] = errors()


@strawberry.type
class WebhookMutation:
    @strawberry.mutation(
        description="Makes a webhook: from now on its URL is told of these events.",
        directives=CHANGE,
    )
    @answers(WebhookSecretPayload)
    async def create_webhook(
        self,
        info: Info,
        input: Annotated[CreateWebhookInput, strawberry.argument(description="The webhook.")],
    ) -> WebhookSecretPayload:
        webhook, secret = await resolvers.webhooks.create_webhook(
            info.context, input.url, input.events
        )
        return WebhookSecretPayload(webhook=Webhook.of(webhook), secret=secret)

    @strawberry.mutation(
        description="Changes a webhook, or switches it off and on.", directives=CHANGE
    )
    @answers(UpdateWebhookPayload)
    async def update_webhook(
        self,
        info: Info,
        input: Annotated[UpdateWebhookInput, strawberry.argument(description="The change.")],
    ) -> UpdateWebhookPayload:
        id_ = decode_id_of("Webhook", input.id, _ID)
        changed = await resolvers.webhooks.update_webhook(
            info.context, id_, input.url, input.events, input.enabled
        )
        return UpdateWebhookPayload(webhook=Webhook.of(changed))

    @strawberry.mutation(
        description="Gives a webhook another secret, by which everything is signed from now on.",
        directives=CHANGE,
    )
    @answers(WebhookSecretPayload)
    async def rotate_webhook_secret(
        self,
        info: Info,
        input: Annotated[RotateWebhookSecretInput, strawberry.argument(description="Which.")],
    ) -> WebhookSecretPayload:
        id_ = decode_id_of("Webhook", input.id, _ID)
        webhook, secret = await resolvers.webhooks.rotate_secret(info.context, id_)
        return WebhookSecretPayload(webhook=Webhook.of(webhook), secret=secret)

    @strawberry.mutation(
        description="Deletes a webhook with its deliveries: its URL is told nothing any more.",
        directives=CHANGE,
    )
    @answers(DeleteWebhookPayload)
    async def delete_webhook(
        self,
        info: Info,
        input: Annotated[DeleteWebhookInput, strawberry.argument(description="Which.")],
    ) -> DeleteWebhookPayload:
        id_ = decode_id_of("Webhook", input.id, _ID)
        await resolvers.webhooks.delete_webhook(info.context, id_)
        return DeleteWebhookPayload(deleted_id=encode_id("Webhook", id_))

    @strawberry.mutation(
        description="Sends a webhook the event TEST, whatever else it is told of.",
        directives=CHANGE,
    )
    @answers(DeliveryPayload)
    async def test_webhook(
        self,
        info: Info,
        input: Annotated[TestWebhookInput, strawberry.argument(description="Which.")],
    ) -> DeliveryPayload:
        id_ = decode_id_of("Webhook", input.id, _ID)
        delivery = await resolvers.webhooks.test_webhook(info.context, id_)
        return DeliveryPayload(delivery=Delivery.of(delivery))

    @strawberry.mutation(
        description="Sends a delivery again, whatever has become of it: the same message by the "
        "same id.",
        directives=CHANGE,
    )
    @answers(DeliveryPayload)
    async def send_webhook_again(
        self,
        info: Info,
        input: Annotated[SendWebhookAgainInput, strawberry.argument(description="Which.")],
    ) -> DeliveryPayload:
        id_ = decode_id_of("Delivery", input.delivery_id, ("input", "deliveryId"))
        delivery = await resolvers.deliveries.send_again(info.context, id_)
        return DeliveryPayload(delivery=Delivery.of(delivery))
