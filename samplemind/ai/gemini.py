"""Gemini, by its SDK over REST. The SDK's own asynchronous way is gRPC only, which neither proxies
nor tests speak, so each question has a thread, of which there are as many as questions at once."""

import asyncio
import io
import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import structlog

from samplemind.ai.provider import Question, Reply, Turn
from samplemind.domain.ai import AiProviderName
from samplemind.domain.errors import (
    AiError,
    AiMisconfigured,
    AiQuestionRejected,
    AiRateLimited,
    AiTimeout,
    AiUnavailable,
)
from samplemind.settings import Settings

if TYPE_CHECKING:
    from google.generativeai.types import GenerateContentResponse

_log = structlog.get_logger(__name__)

# What a second of sound counts, by Gemini's documentation.
_TOKENS_A_SECOND = 32
_CHUNK_BYTES = 64 * 1024


class Gemini:
    """Implements Provider."""

    name = AiProviderName.GEMINI
    # All of its models do.
    hears = True

    def __init__(self, settings: Settings) -> None:
        self.model = settings.gemini_model
        self._key = settings.gemini_api_key
        self._url = settings.gemini_url
        self._threads = ThreadPoolExecutor(settings.ai_concurrency, "gemini")
        self._is_set_up = False

    async def open(self) -> None:
        if not self._is_set_up:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._set_up)

    async def complete(self, question: Question) -> Reply:
        """Raises as Provider says."""
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self._threads, self._ask, question)
        return _reply(response, question)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, question: Question) -> "GenerateContentResponse":
        import requests
        import urllib3
        from google.api_core.exceptions import GoogleAPICallError, RetryError
        from google.auth.exceptions import TransportError
        from google.generativeai.generative_models import GenerativeModel
        from google.generativeai.types import RequestOptions
        from google.protobuf.json_format import ParseError

        model = GenerativeModel(self.model, system_instruction=question.system)
        config = {
            "response_mime_type": "application/json",
            "response_schema": _gemini_schema(dict(question.schema)),
            "max_output_tokens": question.most_tokens,
        }
        try:
            return model.generate_content(
                cast("Any", [_content(turn, question) for turn in question.turns]),
                generation_config=cast("Any", config),
                # Retries are the router's: it knows whom else to ask.
                request_options=RequestOptions(timeout=question.seconds, retry=None),
            )
        except GoogleAPICallError as error:
            raise _failure(error) from error
        except (requests.Timeout, urllib3.exceptions.TimeoutError, RetryError) as error:
            raise AiTimeout(f"Gemini has not answered in {question.seconds:g} s.") from error
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            TransportError,
            ParseError,
        ) as error:
            raise AiUnavailable(f"Gemini cannot be reached: {type(error).__name__}.") from error

    def _set_up(self) -> None:
        """The SDK's settings are its module's, so of the whole process."""
        from google.generativeai.client import configure, get_default_generative_client

        configure(
            api_key=self._key,
            transport="rest",
            client_options={"api_endpoint": self._url} if self._url else None,
        )
        transport: Any = get_default_generative_client().transport
        for scheme in ("https://", "http://"):
            transport._session.mount(scheme, _whole_answers())
        self._is_set_up = True


def _whole_answers() -> Any:
    """An adapter whose timeout is for the whole answer: that of requests is for each piece, and
    who sends a byte now and then would hold the thread for ever."""
    from requests import Timeout
    from requests.adapters import HTTPAdapter

    class WholeAnswers(HTTPAdapter):
        def send(
            self,
            request: Any,
            stream: bool = False,
            timeout: Any = None,
            verify: Any = True,
            cert: Any = None,
            proxies: Any = None,
        ) -> Any:
            ends = time.monotonic() + timeout
            response = super().send(request, True, timeout, verify, cert, proxies)
            body = bytearray()
            while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
                body += chunk
                if time.monotonic() > ends:
                    response.close()
                    raise Timeout(f"not whole after {timeout:g} s", request=request)
            response.raw = io.BytesIO(bytes(body))
            return response

    return WholeAnswers()


def _content(turn: Turn, question: Question) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": turn.text}]
    if question.sound and turn is question.turns[0]:
        parts.append({"inline_data": {"mime_type": "audio/wav", "data": question.sound.wav}})
    return {"role": "model" if turn.by_model else "user", "parts": parts}


def _gemini_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The same in Gemini's words: OpenAPI's, of which null is a property."""
    plain = {name: schema[name] for name in ("description", "enum", "required") if name in schema}
    if "anyOf" in schema:
        [some] = [each for each in schema["anyOf"] if each.get("type") != "null"]
        return _gemini_schema({**some, **plain}) | {"nullable": True}
    plain["type"] = schema["type"].upper()
    if "items" in schema:
        plain["items"] = _gemini_schema(schema["items"])
    if "properties" in schema:
        properties = schema["properties"].items()
        plain["properties"] = {name: _gemini_schema(each) for name, each in properties}
    return plain


def _reply(response: "GenerateContentResponse", question: Question) -> Reply:
    usage = response.usage_metadata
    heard = _TOKENS_A_SECOND * question.sound.seconds if question.sound else 0
    candidate = response.candidates[0] if response.candidates else None
    parts = candidate.content.parts if candidate else []
    return Reply(
        text="".join(part.text for part in parts),
        input_tokens=usage.prompt_token_count,
        # What it thought before it spoke is paid too, and counted in the total alone.
        output_tokens=max(
            usage.total_token_count - usage.prompt_token_count, usage.candidates_token_count
        ),
        audio_tokens=min(math.ceil(heard), usage.prompt_token_count),
        refusal=_refusal(response),
    )


def _refusal(response: "GenerateContentResponse") -> str | None:
    """Why it does not want to answer."""
    if blocked := response.prompt_feedback.block_reason:
        return blocked.name
    if not response.candidates:
        return "no answer"
    reason = response.candidates[0].finish_reason.name
    # What has become too long is an answer that cannot be read, and may be asked for again.
    return None if reason in ("STOP", "MAX_TOKENS", "FINISH_REASON_UNSPECIFIED") else reason


def _failure(error: Any) -> AiError:
    status = error.code
    # Its answer to a wrong key is 400.
    if status in (401, 403, 404) or _said(error, "reason") == "API_KEY_INVALID":
        return AiMisconfigured(
            f"Gemini answers {status}: whoever runs this server has to see to its key and model."
        )
    if status == 429:
        return AiRateLimited("Gemini takes no more questions for now.", _retry_after(error))
    if status in (408, 504):
        return AiTimeout("Gemini has not answered in time.")
    if status is not None and 400 <= status < 500:
        _log.warning("Gemini rejects a question", status=status, error=error.message)
        return AiQuestionRejected(f"Gemini does not take this question ({status}).")
    return AiUnavailable(f"Gemini answers {status}.")


def _retry_after(error: Any) -> float | None:
    """Gemini says it in the body: "retryDelay": "31s"; proxies in a header."""
    header = getattr(error.response, "headers", {}).get("retry-after", "")
    try:
        return float((_said(error, "retryDelay") or header).removesuffix("s"))
    except ValueError:
        return None


def _said(error: Any, name: str) -> str:
    """What the details of an error (google.rpc.ErrorInfo, RetryInfo) say under that name."""
    said = [str(each[name]) for each in error.details if isinstance(each, dict) and name in each]
    return said[0] if said else ""
