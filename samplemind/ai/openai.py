"""OpenAI, and every server that speaks its Chat Completions: Ollama, vLLM, llama.cpp, LM Studio.

Those know less of it, so what a server does not take is left out from then on: the schema first
becomes JSON without one, then words; a sound is left out.
"""

import asyncio
import base64
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


class OpenAi:
    """Implements Provider."""

    name = AiProviderName.OPENAI

    def __init__(self, settings: Settings) -> None:
        self.model = settings.openai_model
        self._key = settings.openai_api_key or _NO_KEY
        self._url = settings.openai_url or _OPENAI
        self._client: AsyncOpenAI | None = None
        # What this server has been found to take.
        self._format = 0
        heard = settings.openai_hears
        self.hears = "audio" in self.model if heard is None else heard

    async def open(self) -> None:
        if self._client is None:
            self._client = await asyncio.to_thread(self._make)

    async def complete(self, question: Question) -> Reply:
        """Raises as Provider says."""
        import openai

        client = self._opened()
        while True:
            try:
                completion = await client.chat.completions.create(**self._request(question))
                return _reply(completion)
            except openai.APITimeoutError as error:
                raise AiTimeout(f"OpenAI has not answered in {question.seconds:g} s.") from error
            except openai.BadRequestError as error:
                if not self._learn_from(error, question):
                    raise _rejected(error) from error
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

    def _request(self, question: Question) -> dict[str, Any]:
        how = _FORMATS[self._format]
        system = question.system
        if how != "json_schema":
            schema = orjson.dumps(question.schema).decode()
            system += (
                f"\n\nAnswer with one JSON object of this JSON schema, and nothing else:\n{schema}"
            )
        messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
        for turn in question.turns:
            with_sound = self.hears and question.sound and turn is question.turns[0]
            content = _heard(turn, question) if with_sound else turn.text
            role = "assistant" if turn.by_model else "user"
            messages.append({"role": role, "content": content})
        request: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "max_completion_tokens": question.most_tokens,
            "timeout": question.seconds,
        }
        if how == "json_schema":
            named = {"name": question.schema_name, "schema": question.schema, "strict": True}
            request["response_format"] = {"type": how, "json_schema": named}
        elif how == "json_object":
            request["response_format"] = {"type": how}
        return request

    def _learn_from(self, error: Any, question: Question) -> bool:
        """Whether it is worth to ask again, with less."""
        said = f"{error.param} {error.message}".lower()
        if ("response_format" in said or "json_schema" in said) and _FORMATS[
            self._format
        ] != "text":
            self._format += 1
            _log.info("asking with less", model=self.model, format=_FORMATS[self._format])
            return True
        if "audio" in said and self.hears and question.sound:
            self.hears = False
            _log.info("asking without sound", model=self.model)
            return True
        return False


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
    if status == 429:
        return AiRateLimited("OpenAI takes no more questions for now.", _retry_after(error))
    if status in (401, 403, 404):
        return AiMisconfigured(
            f"OpenAI answers {status}: whoever runs this server has to see to its key and model."
        )
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
