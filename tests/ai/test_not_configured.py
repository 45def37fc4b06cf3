"""Without any provider, everything is as it was, and says so."""

import pytest

from tests.ai.producer import Producer
from tests.ai.providers import Providers
from tests.e2e.sounds import encoded, tone
from tests.server import Server


@pytest.fixture
def producer(server: Server, played: Providers) -> Producer:
    return Producer(server, played)


async def test_professional_works_and_says_who_is_missing(producer: Producer) -> None:
    file_id = producer.upload("good", encoded(tone()))
    asked = producer.ask(file_id, level="PROFESSIONAL", includeAi=False)
    assert (asked["aiStatus"], asked["ai"]) == ("FAILED", None)
    assert asked["aiFailure"]["code"] == "AI_NOT_CONFIGURED"
    assert "SAMPLEMIND_OPENAI_API_KEY" in asked["aiFailure"]["message"]
    assert (await producer.server.analyzed(file_id))["status"] == "SUCCEEDED"
    # There is nothing to wait for: the same is the answer again.
    assert producer.ask(file_id, level="PROFESSIONAL")["id"] == asked["id"]
    assert producer.ask(file_id)["id"] == asked["id"]


async def test_who_asked_for_no_ai_is_told_none_is_missing(producer: Producer) -> None:
    file_id = producer.upload("good", encoded(tone()))
    asked = producer.ask(file_id, includeAi=False)
    assert (asked["aiStatus"], asked["aiFailure"]) == (None, None)
    assert (await producer.server.analyzed(file_id))["status"] == "SUCCEEDED"
    wanted = producer.ask(file_id)
    assert wanted["id"] != asked["id"]
    assert wanted["aiFailure"]["code"] == "AI_NOT_CONFIGURED"


def test_no_provider_is_healthy(producer: Producer) -> None:
    assert producer.health() == {
        "OPENAI": {
            "name": "OPENAI",
            "model": "gpt-4o-mini",
            "configured": False,
            "healthy": False,
        },
        "GEMINI": {
            "name": "GEMINI",
            "model": "gemini-2.5-flash",
            "configured": False,
            "healthy": False,
        },
    }


def test_nobody_waits_to_ask(producer: Producer) -> None:
    with pytest.raises(AssertionError, match="no --ai process"):
        producer.server.process("--ai")
