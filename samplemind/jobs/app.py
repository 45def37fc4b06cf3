"""The Celery application: how work reaches the workers."""

from celery import Celery
from kombu.entity import Exchange, Queue

import samplemind.jobs.handover  # noqa: F401 - so that each task has what goes with it
from samplemind.domain.analysis import Lane
from samplemind.jobs import broker
from samplemind.settings import Settings, get_settings

UPKEEP = "upkeep"
DELIVERIES = "deliveries"
# Of workers of their own, which wait for others and so do many at once.
AI_LANES = {Lane.INTERACTIVE: "ai", Lane.BATCH: "ai-batch"}
LANES = {Lane.INTERACTIVE: "interactive", Lane.BATCH: "batch"}

# A worker takes from one only while those before it are empty.
QUEUES = (UPKEEP, LANES[Lane.INTERACTIVE], DELIVERIES, LANES[Lane.BATCH])

# Seconds after the longest analysis until the task of a lost worker is given to another: none is
# started twice while it runs.
_LOST_SECONDS = 60


def make_app(settings: Settings) -> Celery:
    """Tasks are acknowledged when they are done, and one is fetched at a time."""
    app = Celery("samplemind", broker=settings.redis_url)
    app.conf.update(
        task_queues=[Queue(name, Exchange(name), name) for name in (*QUEUES, *AI_LANES.values())],
        task_default_queue=UPKEEP,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,  # our lines go there, whole as they are
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # Nobody waits longer than this for a queue that is away: what is stored is sent later.
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1},
        broker_transport_options={
            "visibility_timeout": settings.max_analysis_seconds + _LOST_SECONDS,
            "queue_order_strategy": "priority",
            "socket_timeout": 10,
            "socket_connect_timeout": 2,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        },
    )
    return app


broker.use()
app = make_app(get_settings())
