"""One server whose providers are one local server; which script is played, a file's name says."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from samplemind.local.addresses import with_addresses
from samplemind.settings import Settings
from tests.ai.answers import SCRIPTS
from tests.ai.producer import Producer
from tests.ai.providers import Providers, providers
from tests.server import running_server


@pytest.fixture(scope="session")
def played() -> Iterator[Providers]:
    with providers(SCRIPTS) as server:
        yield server


@pytest.fixture(scope="session")
async def serving(
    played: Providers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Producer]:
    """Both providers are configured, and OpenAI is asked first."""
    with running_server(
        tmp_path_factory.mktemp("ai-server"),
        [],
        SAMPLEMIND_WORKERS="1",
        SAMPLEMIND_OPENAI_URL=f"{played.url}/v1",
        SAMPLEMIND_OPENAI_API_KEY="key-of-openai",
        SAMPLEMIND_OPENAI_MODEL="gpt-audio-test",
        SAMPLEMIND_GEMINI_API_KEY="key-of-gemini",
        SAMPLEMIND_GEMINI_URL=played.url,
        SAMPLEMIND_AI_SECONDS="3",
        SAMPLEMIND_AI_SOUND_SECONDS="2",
        SAMPLEMIND_AI_BREAK_SECONDS="2",
        SAMPLEMIND_AI_PRICES='{"gpt-audio-test": [2, 2]}',
    ) as server:
        yield Producer(server, played)


@pytest.fixture
def producer(serving: Producer) -> Producer:
    """Nobody's breaker is open, and nobody asks to be left alone."""
    settings = with_addresses(Settings(data_dir=serving.server.data_dir))
    documents = redis.Redis.from_url(settings.redis_url)
    for key in documents.scan_iter("samplemind:ai:*"):
        documents.delete(key)
    documents.close()
    return serving
