"""What is counted while the server works, for Prometheus: the instruments, and where they are read.

Labels are few and known: names of our own schema, codes, levels. What a stranger may choose, a
name of an operation say, is never one. Who counts what is said by `docs/operations.md`.
"""

import os
from functools import cache

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MultiProcessValue

from samplemind.refusal import CannotStart
from samplemind.settings import Settings

FILES = "PROMETHEUS_MULTIPROC_DIR"
"""The environment's name for a folder. Where it is set before this module is imported, this process
and those forked from it count together, in its files."""

OK = "OK"
"""The outcome of what did not fail; others are the codes of errors."""

KEPT = "KEPT"
"""The outcome of what needed not be done, since its answer was kept."""

OTHER = "other"
"""An operation that has no name which everybody may know."""

_ANSWER_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WORK_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
_WAIT_SECONDS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400)


def _place() -> str:
    """Of this process in Celery's pool. The one that follows a lost one goes on with its file: what
    was counted stays, and there are never more files than places."""
    from billiard.process import current_process

    return str(getattr(current_process(), "index", "main"))


if FILES in os.environ:
    values.ValueClass = MultiProcessValue(_place)


def of_all_processes() -> CollectorRegistry:
    """What this process and those forked from it have counted together."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    if FILES in os.environ:
        MultiProcessCollector(registry)
    return registry


def listen(settings: Settings, registry: CollectorRegistry = REGISTRY) -> None:
    """Answers Prometheus on a port of its own, from a thread, to the end of the process.

    Raises CannotStart where the port is not to be had.
    """
    if not settings.metrics_port:
        return
    try:
        start_http_server(settings.metrics_port, settings.metrics_host, registry)
    except OSError as error:
        raise CannotStart(
            f"Port {settings.metrics_port} on {settings.metrics_host} is not to be had "
            f"({error.strerror}): set SAMPLEMIND_METRICS_PORT to another one, or to 0."
        ) from None


# One line more for each counter, which nobody asks for.
disable_created_metrics()

_operations = Counter(
    "samplemind_operations",
    "GraphQL operations that have ended, by the code of their first error.",
    ("operation", "code"),
)
_operation_seconds = Histogram(
    "samplemind_operation_seconds",
    "How long queries and mutations took.",
    ("operation",),
    buckets=_ANSWER_SECONDS,
)
_operation_points = Counter(
    "samplemind_operation_points", "Points that operations cost.", ("operation",)
)
http_requests = Counter(
    "samplemind_http_requests", "Answered HTTP requests, and WebSockets.", ("path", "status")
)
loader_keys = Histogram(
    "samplemind_loader_keys",
    "Keys that a loader asked for at once.",
    ("loader",),
    buckets=(1, 2, 5, 10, 25, 50, 100, 200, 500),
)
live_subscriptions = Gauge(
    "samplemind_live_subscriptions", "Subscriptions under way.", multiprocess_mode="livesum"
)
slow_readers_dropped = Counter(
    "samplemind_slow_readers_dropped", "Streams and sockets closed because nobody read them."
)
events_missed = Counter(
    "samplemind_events_missed", "Times that a subscriber was too slow and had to read anew."
)
upload_bytes = Counter("samplemind_upload_bytes", "Bytes of sounds that arrived.")
readers_replaced = Counter(
    "samplemind_readers_replaced", "Reading processes that died over a file, or were ended for it."
)
cache_reads = Counter("samplemind_cache_reads", "What was looked for in the cache.", ("found",))
_analyses = Counter(
    "samplemind_analyses",
    "Analyses that have ended, by the code of their failure.",
    ("level", "code"),
)
_analysis_seconds = Histogram(
    "samplemind_analysis_seconds",
    "How long analyses took, fetching and storing included.",
    ("level",),
    buckets=_WORK_SECONDS,
)
analysis_wait_seconds = Histogram(
    "samplemind_analysis_wait_seconds",
    "How long analyses waited for a worker: items of a batch, and single ones.",
    ("of",),
    buckets=_WAIT_SECONDS,
)
analyses_restarted = Counter(
    "samplemind_analyses_restarted", "Analyses begun again, since their worker was lost."
)
webhook_dead_letters = Counter(
    "samplemind_webhook_dead_letters", "Messages to webhooks that were given up."
)
ai_answers = Counter(
    "samplemind_ai_answers",
    "Answers of AI providers: got, kept already, or failed by the code of the failure.",
    ("provider", "code"),
)
ai_seconds = Histogram(
    "samplemind_ai_seconds",
    "How long an AI provider took for each request that it got.",
    ("provider",),
    buckets=_WORK_SECONDS,
)
_ai_tokens = Counter(
    "samplemind_ai_tokens", "Tokens that AI providers read and wrote.", ("provider", "which")
)
_ai_cost_usd = Counter(
    "samplemind_ai_cost_usd", "US dollars that models took whose price is known.", ("provider",)
)


def count_operation(operation: str, code: str, points: int, seconds: float | None) -> None:
    """`seconds` is None for a subscription, which lasts as long as somebody watches."""
    _operations.labels(operation, code).inc()
    took, cost = _of_operation(operation)
    if seconds is not None:
        took.observe(seconds)
    cost.inc(points)


@cache
def _of_operation(operation: str) -> tuple[Histogram, Counter]:
    return _operation_seconds.labels(operation), _operation_points.labels(operation)


def count_analysis(level: str, code: str, seconds: float) -> None:
    _analyses.labels(level, code).inc()
    _analysis_seconds.labels(level).observe(seconds)


def count_ai_usage(provider: str, input_tokens: int, output_tokens: int, cost_usd: float) -> None:
    _ai_tokens.labels(provider, "read").inc(input_tokens)
    _ai_tokens.labels(provider, "written").inc(output_tokens)
    _ai_cost_usd.labels(provider).inc(cost_usd)
