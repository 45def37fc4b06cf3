"""What Prometheus is told of the parts: asked when it asks, so that it is never old."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from samplemind import __version__
from samplemind.domain.analysis import Lane
from samplemind.health import PartHealth, check_parts
from samplemind.jobs.depth import queue_depths
from samplemind.jobs.presence import present_workers
from samplemind.parts import Parts
from samplemind.store.places import Stage

_SECONDS = 8


class WatchedParts(Collector):
    """To be made on the event loop that the parts belong to; read from another thread. Every API
    process tells the same. What a part that is down would have said is left out."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._loop = parts, asyncio.get_running_loop()

    def collect(self) -> Iterator[Metric]:
        asked = asyncio.run_coroutine_threadsafe(self._collected(), self._loop)
        try:
            yield from asked.result(_SECONDS)
        finally:
            asked.cancel()

    def describe(self) -> Iterator[Metric]:
        return iter(())

    async def _collected(self) -> list[Metric]:
        groups = await asyncio.gather(
            check_parts(self._parts),
            self._queues(),
            self._pending(),
            self._oldest(),
            self._workers(),
        )
        health, *others = groups
        build = GaugeMetricFamily("samplemind_build_info", "Which version.", labels=["version"])
        build.add_metric([__version__], 1)
        return [build, *_of_health(health), *(metric for group in others for metric in group)]

    async def _queues(self) -> list[Metric]:
        tasks = GaugeMetricFamily(
            "samplemind_queue_tasks", "Tasks that wait in Redis.", labels=["queue"]
        )
        try:
            for queue, depth in (await queue_depths(self._parts.events.redis)).items():
                tasks.add_metric([queue], depth)
        except (RedisError, OSError):
            return []
        return [tasks]

    async def _pending(self) -> list[Metric]:
        pending = GaugeMetricFamily(
            "samplemind_pending_analyses",
            "Analyses that are waiting in the documents, sent to the queue, running.",
            labels=["lane", "stage"],
        )
        places = self._parts.store.places
        try:
            for stage in (Stage.WAITING, Stage.SENT, Stage.RUNNING):
                for lane in Lane:
                    pending.add_metric([lane, stage], await places.count_at(stage, lane))
        except PyMongoError:
            return []
        return [pending]

    async def _oldest(self) -> list[Metric]:
        try:
            since = await self._parts.store.places.oldest_queued_at()
        except PyMongoError:
            return []
        age = (datetime.now(UTC) - since).total_seconds() if since else 0
        help_ = "How long the analysis has waited that was asked for first; 0 where none waits."
        return [GaugeMetricFamily("samplemind_queue_oldest_seconds", help_, age)]

    async def _workers(self) -> list[Metric]:
        try:
            workers = await present_workers(self._parts.events.redis)
        except (RedisError, OSError):
            return []
        processes = sum(worker.processes for worker in workers)
        return [
            GaugeMetricFamily("samplemind_workers", "Workers that are there.", len(workers)),
            GaugeMetricFamily("samplemind_worker_processes", "Their processes.", processes),
        ]


def _of_health(health: list[PartHealth]) -> list[Metric]:
    up = GaugeMetricFamily("samplemind_part_up", "1 where a part answers.", labels=["part"])
    seconds = GaugeMetricFamily(
        "samplemind_part_seconds", "How long a part took to answer.", labels=["part"]
    )
    for part in health:
        up.add_metric([part.name], part.up)
        seconds.add_metric([part.name], part.latency_ms / 1_000)
    return [up, seconds]
