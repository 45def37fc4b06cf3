"""What has happened, told to whoever wants to know: stored as deliveries, then queued.

Each function may be called again for the same thing, and tells of it once: whoever died before it
did so loses nothing, since `reconcile` does it again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from samplemind.domain.analysis import Analysis, Lane
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.delivery import EMAIL, Delivery
from samplemind.domain.ids import global_id, id_at, new_id, now
from samplemind.domain.webhook import Happening, WebhookEvent
from samplemind.jobs.queue import queue_deliveries
from samplemind.parts import Parts

# How long the queue has until it is asked again.
QUEUED = timedelta(minutes=1)

# In a day, to one account: nobody has shown that the address is theirs.
MOST_MAILS = 20


async def tell_of_batch(parts: Parts, batch: BatchJob) -> None:
    """Where it has ended."""
    if not batch.is_finished:
        return
    data = {
        "id": global_id("BatchJob", batch.id),
        "status": batch.status,
        "level": batch.level,
        "total": batch.total,
        "completed": batch.completed,
        "failed": batch.failed,
        "cancelled": batch.cancelled,
        "createdAt": batch.created_at,
        "finishedAt": batch.finished_at,
    }
    # It may end several times: what failed can be queued again.
    id_ = f"{batch.id}:{batch.sequence}"
    event = WebhookEvent.BATCH_JOB_FINISHED
    await tell(parts, Happening(id_, batch.owner_id, event, batch.updated_at, data))


async def tell_of_analysis(parts: Parts, analysis: Analysis) -> None:
    """Where it has ended, and somebody asked for it alone: neither a batch, nor another version
    of the engine."""
    if analysis.lane is Lane.BATCH or analysis.batch_id or not analysis.status.is_final:
        return
    failure = analysis.failure
    data = {
        "id": global_id("Analysis", analysis.id),
        "audioFileId": global_id("AudioFile", analysis.audio_file_id),
        "status": analysis.status,
        "level": analysis.level,
        "failure": failure and {"code": failure.code, "message": failure.message},
    }
    at = analysis.finished_at or now()
    event = WebhookEvent.ANALYSIS_FINISHED
    await tell(parts, Happening(analysis.id, analysis.owner_id, event, at, data))


async def tell_of_deletion(parts: Parts, file: AudioFile) -> None:
    """Before its row goes: until then the deletion can be asked for again."""
    data = {"id": global_id("AudioFile", file.id), "filename": file.filename}
    event = WebhookEvent.AUDIO_FILE_DELETED
    await tell(parts, Happening(file.id, file.owner_id, event, now(), data))


async def tell(parts: Parts, happening: Happening) -> None:
    """Stores a delivery for each who wants to know and was not told yet, and queues them."""
    owner_id, at = happening.owner_id, now()
    targets = [
        webhook.id
        for webhook in await parts.store.webhooks.of_owner(owner_id)
        if webhook.enabled and happening.event in webhook.events
    ]
    has_mail = happening.event is WebhookEvent.BATCH_JOB_FINISHED
    if has_mail and await _wants_mail(parts, owner_id, at):
        targets.append(EMAIL)
    body = body_of(happening.event, happening.at, happening.data)
    made = []
    for target in targets:
        delivery = Delivery(new_id(), owner_id, target, happening.event, body, at)
        if await parts.store.deliveries.add(delivery, happening.id, at + QUEUED):
            made.append(delivery.id)
    await queue_deliveries(made)


def body_of(event: WebhookEvent, at: datetime, data: Mapping[str, Any]) -> str:
    return orjson.dumps({"type": event, "timestamp": at, "data": data}).decode()


async def _wants_mail(parts: Parts, owner_id: str, at: datetime) -> bool:
    if not parts.settings.smtp_url:
        return False
    [user] = await parts.store.users.by_ids([owner_id])
    if user is None or not user.email or not user.email_notifications:
        return False
    yesterday = id_at(at - timedelta(days=1))
    return await parts.store.deliveries.count_since(owner_id, EMAIL, yesterday) < MOST_MAILS
