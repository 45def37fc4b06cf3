"""Whom to ask, how often, and what to do with the answer."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Generic, TypeVar

import stamina
import structlog
from pydantic import BaseModel, ValidationError

from samplemind import metrics
from samplemind.ai.breakers import Breakers, Broken
from samplemind.ai.gemini import Gemini
from samplemind.ai.openai import OpenAi
from samplemind.ai.prompt import Answer, Prompt
from samplemind.ai.provider import Excerpt, Provider, Question, Reply, Turn
from samplemind.ai.schemas import wire_schema
from samplemind.ai.spending import Spending
from samplemind.domain.ai import AiProvider, AiProviderName
from samplemind.domain.errors import (
    AiBudgetExceeded,
    AiError,
    AiInvalidAnswer,
    AiMisconfigured,
    AiNotConfigured,
    AiRateLimited,
    AiRefused,
    AiTimeout,
    AiUnavailable,
)
from samplemind.settings import Settings
from samplemind.store import Store

_log = structlog.get_logger(__name__)

T = TypeVar("T", bound=BaseModel)

_ATTEMPTS = 4
# Who wants to be left alone for longer is not waited for.
_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 5.0  # where a provider does not say for how long
# The longest answer that we ask for has a tenth; models that think before they speak take more.
_MOST_TOKENS = 8_192
_MOST_PROBLEMS = 1_500
_MOST_REPEATED = 20_000

_FAILURES = (AiUnavailable, AiTimeout, AiMisconfigured)


class Ai:
    """All providers behind one question."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._answers = store.ai_answers
        self.spending = Spending(settings, store)
        self._breakers = Breakers(settings.redis_url, settings.ai_break_seconds, _FAILURES)
        known: tuple[Provider, ...] = (OpenAi(settings), Gemini(settings))
        self._providers = {provider.name: provider for provider in known}
        self._ask_guarded = {
            name: self._breakers.guarded(name, _in_time(provider))
            for name, provider in self._providers.items()
        }
        self._room = asyncio.Semaphore(settings.ai_concurrency)

    @property
    def is_configured(self) -> bool:
        return self._settings.asks_ai

    async def providers(self) -> list[AiProvider]:
        """Every provider there is. Asks none of them."""
        return [
            AiProvider(
                name=name,
                model=provider.model,
                configured=self._is_configured(name),
                healthy=self._is_configured(name) and not await self._left_alone(name),
            )
            for name, provider in self._providers.items()
        ]

    async def ask(
        self,
        prompt: Prompt,
        schema: type[T],
        *,
        owner_id: str,
        preferred: AiProviderName | None = None,
        afresh: bool = False,
    ) -> Answer[T]:
        """Answers from what is kept, else from the first provider that can: the preferred one,
        then the others. Only what meets `schema` is answered; it is paid for by `owner_id`.

        `afresh` asks anew. Raises AiNotConfigured, AiBudgetExceeded, and else what the first
        provider raised: AiUnavailable, AiTimeout, AiRateLimited, AiMisconfigured,
        AiQuestionRejected, AiRefused, AiInvalidAnswer.
        """
        candidates = self._candidates(preferred)
        if not candidates:
            raise AiNotConfigured
        asking = _Asking(prompt, schema, owner_id, self._settings.ai_send_sound)
        errors: list[AiError] = []
        for number, provider in enumerate(candidates, start=1):
            is_last = number == len(candidates)
            try:
                kept = None if afresh else await self._kept(asking, provider)
                answer = kept or await self._asked(asking, provider, may_wait=is_last)
                metrics.ai_answers.labels(provider.name, metrics.KEPT if kept else metrics.OK).inc()
                return answer
            except AiError as error:
                metrics.ai_answers.labels(provider.name, error.code).inc()
                if isinstance(error, AiBudgetExceeded):
                    raise
                _log.warning(
                    "an AI provider has not answered",
                    provider=provider.name,
                    code=error.code,
                    error=error.message,
                )
                errors.append(error)
        raise errors[0]

    async def close(self) -> None:
        for provider in self._providers.values():
            await provider.close()
        await self._breakers.close()

    def _is_configured(self, name: AiProviderName) -> bool:
        settings = self._settings
        if name is AiProviderName.GEMINI:
            return bool(settings.gemini_api_key)
        return bool(settings.openai_api_key or settings.openai_url)

    def _candidates(self, preferred: AiProviderName | None) -> list[Provider]:
        first = preferred or self._settings.ai_provider
        configured = [
            provider for name, provider in self._providers.items() if self._is_configured(name)
        ]
        return sorted(configured, key=lambda provider: provider.name is not first)

    async def _left_alone(self, name: AiProviderName) -> bool:
        return await self._breakers.is_open(name) or await self._breakers.pauses(name) > 0

    async def _kept(self, asking: "_Asking[T]", provider: Provider) -> Answer[T] | None:
        key = asking.prompt.key(provider.model)
        value = await self._answers.find(asking.owner_id, key)
        if value is None:
            return None
        try:
            answer = asking.schema.model_validate(value, context=dict(asking.prompt.context))
        except ValidationError:
            # Of a release whose version was not counted up.
            return None
        return Answer(answer, provider.name, provider.model, kept=True)

    async def _asked(
        self, asking: "_Asking[T]", provider: Provider, *, may_wait: bool
    ) -> Answer[T]:
        """One provider's answer, of which it may try two."""
        question = Question(
            system=asking.prompt.instructions,
            turns=(Turn(False, asking.prompt.text),),
            schema=wire_schema(asking.schema),
            schema_name=asking.prompt.name,
            seconds=self._settings.ai_seconds,
            most_tokens=_MOST_TOKENS,
            sound=await asking.sound() if provider.hears else None,
        )
        first = await self._reply(asking, provider, question, may_wait=may_wait)
        replies = [first]
        try:
            value = asking.read(first.text)
        except ValidationError as error:
            repair = _again(question, first.text, error)
            replies.append(await self._reply(asking, provider, repair, may_wait=may_wait))
            try:
                value = asking.read(replies[-1].text, again=True)
            except ValidationError as error:
                _log.warning("an answer is wrong", provider=provider.name, problems=_said(error))
                raise AiInvalidAnswer(
                    f"{provider.model} has answered twice, and neither time what it was asked for."
                ) from None
        key = asking.prompt.key(provider.model)
        await self._answers.keep(asking.owner_id, key, value.model_dump(mode="json"))
        return Answer(
            value,
            provider.name,
            provider.model,
            sum(reply.input_tokens for reply in replies),
            sum(reply.output_tokens for reply in replies),
        )

    async def _reply(
        self, asking: "_Asking[T]", provider: Provider, question: Question, *, may_wait: bool
    ) -> Reply:
        """Tries again what may pass. `may_wait` says that nobody else can be asked."""

        def worth_another(error: Exception) -> bool | float:
            if isinstance(error, AiRateLimited):
                if not may_wait or _pause(error) > _PATIENCE_SECONDS:
                    return False
                # Not all at the same moment.
                return _pause(error) + random.uniform(0, 1)  # noqa: S311
            return isinstance(error, AiUnavailable) and not isinstance(error, Broken)

        tries = stamina.retry_context(
            on=worth_another, attempts=_ATTEMPTS, timeout=None, wait_initial=0.2, wait_max=5
        )
        async for attempt in tries:
            with attempt:
                return await self._once(asking, provider, question)
        raise AssertionError("there is an answer or an error")

    async def _once(self, asking: "_Asking[T]", provider: Provider, question: Question) -> Reply:
        async with self._room:
            if pause := await self._breakers.pauses(provider.name):
                raise AiRateLimited(f"{provider.name} takes no more questions for now.", pause)
            await self.spending.require_room(asking.owner_id)
            try:
                reply = await self._ask_guarded[provider.name](question)
            except AiRateLimited as error:
                await self._breakers.pause(provider.name, _pause(error))
                raise
        used = await self.spending.count(asking.owner_id, provider.model, reply)
        metrics.count_ai_usage(provider.name, used.input_tokens, used.output_tokens, used.cost_usd)
        if reply.refusal:
            raise AiRefused(f"{provider.model} does not want to answer ({reply.refusal[:200]}).")
        return reply


class _Asking(Generic[T]):
    """What is the same whoever is asked."""

    def __init__(self, prompt: Prompt, schema: type[T], owner_id: str, send_sound: bool) -> None:
        self.prompt = prompt
        self.schema = schema
        self.owner_id = owner_id
        self._make_sound = prompt.sound if send_sound else None
        self._sound: Excerpt | None = None

    async def sound(self) -> Excerpt | None:
        """Made once, and only where somebody hears it."""
        if self._make_sound:
            self._sound = await self._make_sound()
            self._make_sound = None
        return self._sound

    def read(self, text: str, *, again: bool = False) -> T:
        """Models that know no JSON mode put it between words, or into a block of code.

        Raises ValidationError.
        """
        start, end = text.find("{"), text.rfind("}")
        found = text[start : end + 1] if 0 <= start < end else text
        context = {**self.prompt.context, "again": again}
        return self.schema.model_validate_json(found, context=context)


def _in_time(provider: Provider) -> Callable[[Question], Awaitable[Reply]]:
    async def ask(question: Question) -> Reply:
        await provider.open()
        try:
            with metrics.ai_seconds.labels(provider.name).time():
                async with asyncio.timeout(question.seconds):
                    return await provider.complete(question)
        except TimeoutError:
            raise AiTimeout(
                f"{provider.name} has not answered in {question.seconds:g} s."
            ) from None

    return ask


def _pause(error: AiRateLimited) -> float:
    return _PAUSE_SECONDS if error.retry_after is None else max(error.retry_after, 0.1)


def _again(question: Question, text: str, error: ValidationError) -> Question:
    """The same question, with what was wrong with its answer."""
    said = f"That is not what was asked:\n{_said(error)}\nAnswer again, with the whole object."
    turns = (*question.turns, Turn(True, text[:_MOST_REPEATED]), Turn(False, said))
    return replace(question, turns=turns)


def _said(error: ValidationError) -> str:
    problems = [
        f"- {'.'.join(map(str, problem['loc'])) or 'the whole'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return "\n".join(problems)[:_MOST_PROBLEMS]
