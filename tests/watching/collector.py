"""A collector of traces: takes OTLP over HTTP, as any does."""

import gzip
import http.server
import threading
from dataclasses import dataclass
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class Span:
    """Ids in hex; `parent` is empty for the first of a trace."""

    service: str
    name: str
    trace_id: str
    id: str
    parent: str
    attributes: dict[str, str]


class Collector:
    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._arrived = threading.Condition()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                collector._take(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def trace(self, trace_id: str, name: str, count: int = 1, seconds: float = 20) -> list[Span]:
        """The spans of a trace, when `count` of that name have arrived."""
        with self._arrived:
            found = self._arrived.wait_for(
                lambda: sum(span.name == name for span in self._of(trace_id)) >= count, seconds
            )
            assert found, [span.name for span in self._of(trace_id)]
            return self._of(trace_id)

    def named(self, name: str, seconds: float = 20) -> Span:
        """The newest of that name, when one has arrived."""
        with self._arrived:
            assert self._arrived.wait_for(
                lambda: any(span.name == name for span in self._spans), seconds
            )
            return [span for span in self._spans if span.name == name][-1]

    def _of(self, trace_id: str) -> list[Span]:
        return [span for span in self._spans if span.trace_id == trace_id]

    def _take(self, request: ExportTraceServiceRequest) -> None:
        with self._arrived:
            for resource in request.resource_spans:
                about = {each.key: each.value.string_value for each in resource.resource.attributes}
                self._spans += [
                    Span(
                        service=about["service.name"],
                        name=span.name,
                        trace_id=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        attributes={
                            each.key: each.value.string_value or str(each.value.int_value)
                            for each in span.attributes
                        },
                    )
                    for scope in resource.scope_spans
                    for span in scope.spans
                ]
            self._arrived.notify_all()
