"""OpenAI, and every server that speaks its Chat Completions: Ollama, vLLM, llama.cpp, LM Studio.

Those know less of it, so what a server does not take is left out from then on: the schema first
becomes JSON without one, then words; a sound is left out.
"""

import asyncio
import base64
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson
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
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletion

_log = structlog.get_logger(__name__)

_FORMATS = ("json_schema", "json_object", "text")
_OPENAI = "https://api.openai.com/v1"
# Servers of one's own want none, and the SDK wants one.
_NO_KEY = "none"


@dataclass(frozen=True, slots=True)
class _Way:
    """How this server has been found to be asked."""

    format: str = _FORMATS[0]
    limit: str = "max_completion_tokens"
    hears: bool = False


class OpenAi:
    """Implements Provider."""

    name = AiProviderName.OPENAI

    def __init__(self, settings: Settings) -> None:
        self.model = settings.openai_model
        self._key = settings.openai_api_key or _NO_KEY
        self._url = settings.openai_url or _OPENAI
        self._client: AsyncOpenAI | None = None
        hears = settings.openai_hears
        self._way = _Way(hears="audio" in self.model if hears is None else hears)

    @property
    def hears(self) -> bool:
        return self._way.hears

    async def open(self) -> None:
        if self._client is None:
            self._client = await asyncio.to_thread(self._make)

    async def complete(self, question: Question) -> Reply:
        """Raises as Provider says."""
        import openai

        client = self._opened()
        while True:
            # Others may learn meanwhile.
            way = self._way
            try:
                completion = await client.chat.completions.create(**self._request(question, way))
                return _reply(completion)
            except openai.APITimeoutError as error:
                raise AiTimeout(f"OpenAI has not answered in {question.seconds:g} s.") from error
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                less = _less(way, f"{error.param} {error.message}".lower())
                if less is None:
                    raise _rejected(error) from error
                _log.info("asking with less", model=self.model, way=asdict(less))
                self._way = less
            except openai.APIStatusError as error:
                raise _failure(error) from error
            except (openai.OpenAIError, ValueError) as error:
                raise AiUnavailable(f"OpenAI cannot be reached: {type(error).__name__}.") from error

    async def close(self) -> None:
        if self._client:
            await self._client.close()

    def _opened(self) -> "AsyncOpenAI":
        if self._client is None:
            raise RuntimeError("open it first")
        return self._client

    def _make(self) -> "AsyncOpenAI":
        from openai import AsyncOpenAI

        # Retries are the router's: it knows whom else to ask.
        return AsyncOpenAI(api_key=self._key, base_url=self._url, max_retries=0)

    def _request(self, question: Question, way: _Way) -> dict[str, Any]:
        system = question.system
        if way.format != "json_schema":
            schema = orjson.dumps(question.schema).decode()
            system += f"\n\nAnswer with one JSON object of this schema, and nothing else:\n{schema}"
        messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
        for turn in question.turns:
            with_sound = way.hears and question.sound and turn is question.turns[0]
            content = _heard(turn, question) if with_sound else turn.text
            role = "assistant" if turn.by_model else "user"
            messages.append({"role": role, "content": content})
        request: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            way.limit: question.most_tokens,
            "timeout": question.seconds,
        }
        if way.format == "json_schema":
            named = {"name": question.schema_name, "schema": question.schema, "strict": True}
            request["response_format"] = {"type": way.format, "json_schema": named}
        elif way.format == "json_object":
            request["response_format"] = {"type": way.format}
        return request


def _less(way: _Way, said: str) -> _Way | None:
    """How to ask again where that was refused; None where it is not worth it."""
    if "response_format" in said or "json_schema" in said:
        rest = _FORMATS[_FORMATS.index(way.format) + 1 :]
        return replace(way, format=rest[0]) if rest else None
    if "max_completion_tokens" in said:
        return replace(way, limit="max_tokens") if way.limit != "max_tokens" else None
    if "audio" in said:
        return replace(way, hears=False) if way.hears else None
    return None


def _heard(turn: Turn, question: Question) -> list[dict[str, Any]]:
    data = base64.b64encode(question.sound.wav).decode() if question.sound else ""
    return [
        {"type": "text", "text": turn.text},
        {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}},
    ]


def _reply(completion: "ChatCompletion") -> Reply:
    usage = completion.usage
    audio = usage and usage.prompt_tokens_details and usage.prompt_tokens_details.audio_tokens
    # Servers leave out what they do not count, and proxies answer what is no completion.
    message = completion.choices[0].message if completion.choices else None
    filtered = bool(completion.choices) and completion.choices[0].finish_reason == "content_filter"
    return Reply(
        text=(message and message.content) or "",
        input_tokens=(usage and usage.prompt_tokens) or 0,
        output_tokens=(usage and usage.completion_tokens) or 0,
        audio_tokens=audio or 0,
        refusal=(message and message.refusal) or ("content filter" if filtered else None),
    )


def _failure(error: Any) -> AiError:
    status = error.status_code
    if status in (401, 403, 404) or error.code == "insufficient_quota":
        return AiMisconfigured(
            f"OpenAI answers {status}: whoever runs this server has to see to its key, model and "
            "credit."
        )
    if status == 429:
        return AiRateLimited("OpenAI takes no more questions for now.", _retry_after(error))
    if status == 408:
        return AiTimeout("OpenAI has not answered in time.")
    if status < 500 and status != 409:
        return _rejected(error)
    return AiUnavailable(f"OpenAI answers {status}.")


def _rejected(error: Any) -> AiError:
    _log.warning("OpenAI rejects a question", status=error.status_code, error=error.message)
    return AiQuestionRejected(f"OpenAI does not take this question ({error.status_code}).")


def _retry_after(error: Any) -> float | None:
    headers = error.response.headers
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return float(milliseconds) / 1_000
        return float(headers["retry-after"])
    except (KeyError, ValueError):
        return None
