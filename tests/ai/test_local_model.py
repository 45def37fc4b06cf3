"""A model of one's own, which knows less than OpenAI's; and a budget. One server for both."""

from collections.abc import AsyncIterator

import psutil
import pytest

from tests.ai.producer import Producer
from tests.ai.providers import Providers
from tests.server import running_server

_LIMIT = 200_000


@pytest.fixture(scope="module")
async def local(
    played: Providers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Producer]:
    with running_server(
        tmp_path_factory.mktemp("local-model"),
        [],
        SAMPLEMIND_WORKERS="1",
        SAMPLEMIND_OPENAI_URL=f"{played.url}/v1",
        SAMPLEMIND_OPENAI_MODEL="llama-test",
        SAMPLEMIND_OPENAI_HEARS="true",
        SAMPLEMIND_AI_DAILY_TOKENS=str(_LIMIT),
    ) as server:
        yield Producer(server, played)


async def test_what_it_does_not_take_is_left_out(local: Producer) -> None:
    said = await local.asked("plain")
    assert (said["ai"]["provider"], said["ai"]["model"]) == ("OPENAI", "llama-test")
    first, second, third, fourth = local.providers.of("plain")
    assert first.body["response_format"]["type"] == "json_schema"
    assert second.body["response_format"] == {"type": "json_object"}
    # Nobody else holds it to the schema now.
    assert '"production_tips"' in second.system
    assert '"production_tips"' not in first.system
    assert second.sound
    assert third.sound
    assert "max_tokens" in fourth.body
    assert "max_completion_tokens" not in fourth.body
    assert fourth.sound is None
    await local.asked("plain")
    assert len(local.providers.of("plain")) == 5  # It is remembered.


async def test_needs_no_key_and_no_other(local: Producer) -> None:
    health = local.health()
    assert health["OPENAI"]["healthy"]
    assert (health["GEMINI"]["configured"], health["GEMINI"]["healthy"]) == (False, False)
    said = await local.asked("good", provider="GEMINI")
    assert said["ai"]["provider"] == "OPENAI"


async def test_who_is_told_to_stop_is_taken_over_from(local: Producer) -> None:
    file_id = local.upload("held")
    analysis = local.ask(file_id)
    await local.providers.until_asked("held")
    asks: psutil.Process = local.server.process("--ai")
    asks.terminate()
    asks.wait(10)
    said = await local.settled(file_id, analysis["id"])
    assert said["ai"]["summary"]
    assert len(local.providers.of("held")) == 2


async def test_beyond_the_budget_it_is_refused_politely(local: Producer) -> None:
    before = local.usage()
    assert before["tokenLimit"] == _LIMIT
    # Nobody says what a model of one's own costs.
    assert before["unpricedTokens"] == before["inputTokens"] + before["outputTokens"]
    assert before["costUsd"] == 0
    kept = local.upload("kept-good")
    first = await local.settled(kept, local.ask(kept)["id"])
    for _ in range(3):
        assert (await local.asked("dear"))["ai"]
    asked = len(local.providers.of("dear"))
    refused = await local.asked("dear")
    assert (refused["status"], refused["aiStatus"]) == ("SUCCEEDED", "FAILED")
    assert refused["aiFailure"]["code"] == "AI_BUDGET_EXCEEDED"
    assert "200,000 tokens a day" in refused["aiFailure"]["message"]
    assert len(local.providers.of("dear")) == asked
    after = local.usage()
    assert after["inputTokens"] + after["outputTokens"] >= _LIMIT
    # What was paid for is still answered.
    batch = await local.server.batch(audioFileIds=[kept], includeAi=True)
    assert batch["status"] == "SUCCEEDED"
    again = await local.settled(kept)
    assert again["id"] != first["id"]
    assert again["ai"] == first["ai"]
    assert local.usage() == after
