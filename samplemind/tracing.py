"""Traces by OpenTelemetry, from a request to the worker that does its work.

Off, and nothing imported for them, unless OpenTelemetry's own OTEL_EXPORTER_OTLP_ENDPOINT names a
collector; its other OTEL_* variables count as well. Then the lines logged meanwhile have the
`trace_id`.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal

import structlog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_provider: "TracerProvider | None" = None


def configure_traces(service: str) -> None:
    """Sends the traces of this process from now on, where a collector is named. After a fork, in
    each process. `service` is what OTEL_SERVICE_NAME is otherwise."""
    global _provider
    if not any(map(os.environ.get, _ENDPOINTS)):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    _provider = TracerProvider()
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def finish_traces() -> None:
    """Sends what has not been sent."""
    global _provider
    if _provider:
        _provider.shutdown()
        _provider = None


def is_on() -> bool:
    return _provider is not None


@contextlib.contextmanager
def trace(
    name: str,
    carrier: Mapping[str, str] | None = None,
    kind: Literal["INTERNAL", "SERVER", "CONSUMER"] = "INTERNAL",
    **attributes: str | int,
) -> Iterator["Span | None"]:
    """A span of the trace that the carrier tells of, else of the one under way, else of a new one.

    None where traces are off.
    """
    if _provider is None:
        yield None
        return
    from opentelemetry.trace import SpanKind, format_trace_id

    parent = _propagator().extract(carrier) if carrier else None
    started = _provider.get_tracer(__name__).start_as_current_span(
        name, parent, SpanKind[kind], attributes
    )
    with started as span:
        trace_id = format_trace_id(span.get_span_context().trace_id)
        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            yield span


def span(name: str, **attributes: str | int) -> AbstractContextManager["Span | None"]:
    """A step of the trace under way; nothing where there is none."""
    if _provider is None or not _current():
        return contextlib.nullcontext()
    return _provider.get_tracer(__name__).start_as_current_span(name, attributes=attributes)


def begin(name: str) -> "Span | None":
    """A step of the trace under way that is ended by hand."""
    if _provider is None or not _current():
        return None
    return _provider.get_tracer(__name__).start_span(name)


def carrier() -> dict[str, str]:
    """Tells another process of the trace under way."""
    told: dict[str, str] = {}
    if _provider is not None:
        _propagator().inject(told)
    return told


def _current() -> bool:
    from opentelemetry.trace import get_current_span

    return get_current_span().get_span_context().is_valid


def _propagator() -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()
