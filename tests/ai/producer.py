"""Somebody who asks an AI about sounds, through the API."""

import contextlib
from dataclasses import dataclass
from typing import Any

from tests.ai.providers import Providers
from tests.e2e.sounds import encoded, tone
from tests.server import Server

FIELDS = """id level status engineVersion processingSeconds
    aiStatus aiFailure { code message }
    ai { provider model summary detailed productionTips creativeIdeas flStudioRecommendations }"""

_ANALYZE = f"""mutation ($input: AnalyzeAudioInput!) {{
    analyzeAudio(input: $input) {{ analysis {{ {FIELDS} }} errors {{ code message }} }}
}}"""

_WATCH = f"""subscription ($id: ID!) {{ analysisUpdated(audioFileId: $id) {{ {FIELDS} }} }}"""


@dataclass(frozen=True)
class Producer:
    server: Server
    providers: Providers

    def upload(self, script: str, content: bytes | None = None) -> str:
        """Stores a sound about which that script is played; its id."""
        payload = self.server.upload(content or encoded(tone()), f"[[{script}]].wav")
        assert payload["errors"] == []
        return payload["audioFile"]["id"]

    def ask(self, file_id: str, **options: Any) -> dict[str, Any]:
        """The analysis as it is answered at once."""
        chosen = {"audioFileId": file_id, "includeAi": True, **options}
        payload = self.server.ask(_ANALYZE, input=chosen)["analyzeAudio"]
        assert payload["errors"] == []
        return payload["analysis"]

    async def settled(self, file_id: str, analysis_id: str | None = None) -> dict[str, Any]:
        """The analysis when its AI has answered or failed."""
        return (await self.steps(file_id, analysis_id))[-1]

    async def steps(self, file_id: str, analysis_id: str | None = None) -> list[dict[str, Any]]:
        """Everything that is told of the analysis until its AI has answered or failed."""
        told: list[dict[str, Any]] = []
        events = self.server.watch(_WATCH, id=file_id)
        async with contextlib.aclosing(events):
            async for event in events:
                analysis = event["analysisUpdated"]
                if analysis_id in (None, analysis["id"]):
                    told.append(analysis)
                    if analysis["aiStatus"] in ("SUCCEEDED", "FAILED"):
                        return told
        raise AssertionError("the subscription ended")

    async def asked(self, script: str, **options: Any) -> dict[str, Any]:
        """Uploads, asks, and waits for the end."""
        file_id = self.upload(script)
        analysis = self.ask(file_id, **options)
        return await self.settled(file_id, analysis["id"])

    def usage(self) -> dict[str, Any]:
        query = """{ viewer { aiUsage { requests inputTokens outputTokens unpricedTokens costUsd
            tokenLimit costLimitUsd resetsAt } } }"""
        return self.server.ask(query)["viewer"]["aiUsage"]

    def health(self) -> dict[str, dict[str, Any]]:
        found = self.server.ask("{ aiProviders { name model configured healthy } }")["aiProviders"]
        return {each["name"]: each for each in found}
