"""What a prompt means: by an AI where one is configured, else by rules."""

import asyncio

from resolvers.scope import Scope
from samplemind.ai import Prompt
from samplemind.domain.errors import AiError, AiInvalidAnswer, AiTimeout
from samplemind.domain.failure import Failure
from samplemind.domain.search import Understanding, Understood, UnderstoodBy
from samplemind.words.meant import QUESTION, VERSION, Meant, contradicts, understanding_of
from samplemind.words.parser import understand

# Who was too slow once is not waited for by everybody who searches.
_SLOW_KEY = "search-ai-slow"
_SLOW_SECONDS = 30


async def understood(scope: Scope, prompt: str) -> Understood:
    """Whatever the AI does, there is an understanding: where it does not answer soon, or answers
    what the prompt cannot mean, it is that of the rules, and says so."""
    parsed = understand(prompt)
    if not scope.parts.ai.is_configured:
        return Understood(parsed)
    try:
        meant, by = await _meant(scope, prompt)
        if contradicts(meant, parsed):
            raise AiInvalidAnswer("The AI's understanding contradicts the figures of the prompt.")
    except AiError as error:
        return Understood(parsed, fallback=Failure(error.code, error.message))
    return Understood(meant, by)


async def _meant(scope: Scope, prompt: str) -> tuple[Understanding, UnderstoodBy]:
    """Raises AiError."""
    cache, seconds = scope.parts.cache, scope.parts.settings.ai_search_seconds
    if await cache.find(_SLOW_KEY):
        raise AiTimeout("The AI has been too slow of late for a search to wait: try in a while.")
    question = Prompt("search", VERSION, QUESTION, {"prompt": prompt})
    try:
        async with asyncio.timeout(seconds):
            answer = await scope.parts.ai.ask(question, Meant, owner_id=scope.owner_id)
    except TimeoutError:
        await cache.keep(_SLOW_KEY, True, seconds=_SLOW_SECONDS)
        message = f"The AI has not answered in {seconds:g} s, which is what a search waits."
        raise AiTimeout(message) from None
    return understanding_of(answer.value, prompt), UnderstoodBy(answer.provider.value)
