"""The Celery application: how work reaches the workers."""

from celery import Celery
from kombu.entity import Exchange, Queue

from samplemind.settings import Settings, get_settings

INTERACTIVE = "interactive"
BATCH = "batch"
# Of a worker of its own, which waits for others and so does many at once.
AI = "ai"
AI_BATCH = "ai-batch"

_QUEUES = (INTERACTIVE, BATCH, AI, AI_BATCH)

# Seconds after the longest analysis until the task of a lost worker is given to another: none is
# started twice while it runs.
_LOST_SECONDS = 60


def make_app(settings: Settings) -> Celery:
    """Tasks are acknowledged when they are done, and one is fetched at a time; a worker takes
    from the batch queue only when nobody waits in the interactive one."""
    app = Celery("samplemind", broker=settings.redis_url)
    app.conf.update(
        task_queues=[Queue(name, Exchange(name), name) for name in _QUEUES],
        task_default_queue=INTERACTIVE,
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": settings.max_analysis_seconds + _LOST_SECONDS,
            "queue_order_strategy": "priority",
            "socket_timeout": 30,
            "unacked_restore_interval": 2,
            "unacked_restore_throttle": 1,
        },
    )
    return app


app = make_app(get_settings())
