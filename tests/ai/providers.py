"""A real HTTP server that speaks what OpenAI and Gemini speak, written from their public API
references: POST /v1/chat/completions, and POST /v1beta/models/…:generateContent.

What it plays is a script, named in the data of the question: `[[name]]`, in a filename for one. A
script is a list of answers for each provider, the last of which is repeated.
"""

import asyncio
import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OPENAI, GEMINI = "OPENAI", "GEMINI"


@dataclass
class Asked:
    """A question as it came over the wire."""

    provider: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    @property
    def system(self) -> str:
        if self.provider == OPENAI:
            return self.body["messages"][0]["content"]
        return "".join(part["text"] for part in self.body["systemInstruction"]["parts"])

    @property
    def turns(self) -> list[str]:
        """The texts after the system's."""
        if self.provider == OPENAI:
            contents = [message["content"] for message in self.body["messages"][1:]]
            return [
                content if isinstance(content, str) else content[0]["text"] for content in contents
            ]
        return [content["parts"][0]["text"] for content in self.body["contents"]]

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.turns[0])

    @property
    def sound(self) -> bytes | None:
        """The WAV that was sent along."""
        if self.provider == OPENAI:
            content = self.body["messages"][1]["content"]
            heard = [] if isinstance(content, str) else content[1:]
            encoded = [part["input_audio"]["data"] for part in heard]
        else:
            parts = self.body["contents"][0]["parts"][1:]
            encoded = [part["inlineData"]["data"] for part in parts]
        return base64.b64decode(encoded[0]) if encoded else None


@dataclass(frozen=True)
class Play:
    """One answer of a script.

    `text` is what the model says; a function makes it of what was asked. `seconds` pass before;
    `drip` sends the answer's bytes one by one, so many seconds apart.
    """

    text: str | Callable[[Asked], str] = ""
    status: int = 200
    message: str = "it failed"
    retry_after: float | None = None
    refuses: bool = False
    seconds: float = 0
    drip: float = 0
    hangs_up: bool = False
    not_json: bool = False
    tokens: tuple[int, int] = (1_000, 500)
    code: str | None = None
    finish: str | None = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100


class Providers:
    """`url` is without a path."""

    def __init__(self, scripts: dict[str, dict[str, list[Play]]]) -> None:
        self.scripts = scripts
        self.asked: list[Asked] = []
        self._lock = threading.Condition()
        self._counts: dict[tuple[str, str], int] = {}
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def of(self, script: str, provider: str | None = None) -> list[Asked]:
        """What was asked of a script, in order."""
        return [
            asked
            for asked in tuple(self.asked)
            if f"[[{script}]]" in asked.turns[0] and provider in (None, asked.provider)
        ]

    async def until_asked(self, script: str) -> None:
        """Until a first question about it is here."""

        def wait() -> bool:
            with self._lock:
                return self._lock.wait_for(lambda: bool(self.of(script)), timeout=30)

        assert await asyncio.to_thread(wait)

    def play(self, asked: Asked) -> Play:
        with self._lock:
            self.asked.append(asked)
            self._lock.notify_all()
            found = re.search(r"\[\[(.+?)\]\]", asked.turns[0])
            script = found[1] if found else ""
            plays = self.scripts.get(script, self.scripts[""]).get(
                asked.provider, [Play(status=500)]
            )
            key = (script, asked.provider)
            number = self._counts[key] = self._counts.get(key, -1) + 1
        return plays[min(number, len(plays) - 1)]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def providers(scripts: dict[str, dict[str, list[Play]]]) -> Iterator[Providers]:
    server = Providers(scripts)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _handler(server: Providers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            provider = OPENAI if self.path == "/v1/chat/completions" else GEMINI
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(provider, self.path, headers, body)
            play = server.play(asked)
            time.sleep(play.seconds)
            if play.hangs_up:
                self.close_connection = True
                return
            if play.status != 200:
                answer = _error(provider, play)
            elif provider == OPENAI:
                answer = _completion(asked, play)
            else:
                answer = _generated(asked, play)
            self._send(play, b"<html>busy</html>" if play.not_json else json.dumps(answer).encode())

        def _send(self, play: Play, body: bytes) -> None:
            self.send_response(play.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if play.retry_after is not None:
                self.send_header("Retry-After", str(play.retry_after))
            self.end_headers()
            try:
                if play.drip:
                    for byte in body:
                        self.wfile.write(bytes([byte]))
                        time.sleep(play.drip)
                else:
                    self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None: ...

    return Handler


def _said(asked: Asked, play: Play) -> str:
    return play.text if isinstance(play.text, str) else play.text(asked)


def _completion(asked: Asked, play: Play) -> dict[str, Any]:
    read, written = play.tokens
    message: dict[str, Any] = {"role": "assistant", "content": _said(asked, play), "refusal": None}
    if play.refuses:
        message |= {"content": None, "refusal": "I cannot help with that."}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.body["model"],
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": play.finish or "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": written,
            "total_tokens": read + written,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        },
    }


def _generated(asked: Asked, play: Play) -> dict[str, Any]:
    read, written = play.tokens
    usage = {"promptTokenCount": read, "totalTokenCount": read + written}
    if play.refuses:
        return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage}
    candidate = {
        "content": {"role": "model", "parts": [{"text": _said(asked, play)}]},
        "finishReason": play.finish or "STOP",
        "index": 0,
    }
    usage["candidatesTokenCount"] = written
    return {"candidates": [candidate], "usageMetadata": usage}


_GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def _error(provider: str, play: Play) -> dict[str, Any]:
    if provider == OPENAI:
        return {
            "error": {"message": play.message, "type": "error", "param": None, "code": play.code}
        }
    details = []
    if play.retry_after is not None:
        retry = {
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": f"{play.retry_after}s",
        }
        details.append(retry)
    if play.code:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": play.code}
        details.append({**info, "domain": "googleapis.com"})
    status = _GOOGLE_STATUS.get(play.status, "UNKNOWN")
    error = {"code": play.status, "message": play.message, "status": status, "details": details}
    return {"error": error}
