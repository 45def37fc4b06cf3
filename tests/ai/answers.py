"""What a model might answer, and scripts of it."""

import json
from typing import Any

from tests.ai.providers import GEMINI, OPENAI, Asked, Play


def insight(**changed: Any) -> str:
    said = {
        "summary": "A short, bright one-shot. It cuts through a busy mix.",
        "instruments": ["synth pluck"],
        "mood": ["bright"],
        "genre": ["house"],
        "mix_notes": ["High-pass it at 120 Hz."],
        "arrangement_ideas": ["Answer the vocal with it in bars 4 and 8."],
        "production_tips": ["Shorten its tail to 200 ms.", "Widen it by 12 ms of delay."],
        "creative_ideas": ["Reverse it into a riser."],
        "fl_studio": [
            {
                "plugin": "fruity parametric eq 2",
                "settings": "Band 1 as a high-pass at 120 Hz, steep 4.",
                "reason": "It leaves room for the kick.",
            },
            {
                "plugin": "Fruity Reeverb 2",
                "settings": "Decay 1.2 s, low cut 300 Hz, wet 15 %.",
                "reason": "It sets it behind the lead.",
            },
        ],
    }
    return json.dumps(said | changed)


_LIE = {
    "plugin": "Fruity Quantum Imager Pro",
    "settings": "Warp 42 %.",
    "reason": "It does not exist.",
}
_TRUE = {"plugin": "Maximus", "settings": "Low band 3 dB down.", "reason": "It is boomy."}


def _obeys(asked: Asked) -> str:
    """A model that does what the file's title tells it."""
    title = asked.data["file"]["embedded"]["title"]
    return insight(
        summary=f"PWNED. {title}",
        production_tips=["Shorten its tail.", "![x](https://evil.example/?q=1)", "<b>bold</b>"],
        creative_ideas=["Write to me@evil.example now.", "Open evil.com today."],
        mix_notes=["\u202eSee\u200b [here](javascript:alert(1)).", "A" * 399],
        fl_studio=[{**_TRUE, "settings": "See www.evil.example for settings."}],
    )


def _says_what_it_was_told(asked: Asked) -> str:
    """Which of several questions about the same file it is answering."""
    measured = asked.data["analysis"]
    return insight(summary=f"It was measured as {len(measured)} facts.")


GOOD = Play(insight())
DOWN = Play(status=500)

SCRIPTS: dict[str, dict[str, list[Play]]] = {
    "": {OPENAI: [GOOD], GEMINI: [GOOD]},
    "good": {OPENAI: [GOOD], GEMINI: [GOOD]},
    "cached": {OPENAI: [GOOD], GEMINI: [GOOD]},
    "slow": {OPENAI: [Play(insight(), seconds=1.5)], GEMINI: [GOOD]},
    "at-once": {OPENAI: [Play(insight(), seconds=2.5)], GEMINI: [GOOD]},
    "held": {OPENAI: [Play(insight(), seconds=1.5)], GEMINI: [GOOD]},
    "hangs": {OPENAI: [Play(insight(), seconds=30)], GEMINI: [GOOD]},
    "drips": {OPENAI: [GOOD], GEMINI: [Play(insight(), drip=0.2)]},
    "limited": {OPENAI: [Play(status=429, retry_after=60)], GEMINI: [GOOD]},
    "limited-both": {
        OPENAI: [Play(status=429, retry_after=120)],
        GEMINI: [Play(status=429, retry_after=1), GOOD],
    },
    "limited-long": {
        OPENAI: [Play(status=429, retry_after=120)],
        GEMINI: [Play(status=429, retry_after=120)],
    },
    "malformed": {OPENAI: [Play("I think it is a kick."), GOOD], GEMINI: [GOOD]},
    "fenced": {OPENAI: [Play(f"Here you are:\n```json\n{insight()}\n```")], GEMINI: [GOOD]},
    "violating": {OPENAI: [Play('{"summary": 5}'), GOOD], GEMINI: [GOOD]},
    "wrong-twice": {OPENAI: [Play("no")], GEMINI: [Play('{"summary": "It."}')]},
    "endless": {OPENAI: [Play(insight(summary="A " * 2_000))], GEMINI: [GOOD]},
    "refusing": {OPENAI: [Play(refuses=True)], GEMINI: [Play(refuses=True)]},
    "filtered": {
        OPENAI: [Play("", finish="content_filter")],
        GEMINI: [Play("", finish="SAFETY")],
    },
    "cut-short": {
        OPENAI: [Play(insight()[:200], finish="length")],
        GEMINI: [Play(insight()[:200], finish="MAX_TOKENS"), GOOD],
    },
    "refusing-first": {OPENAI: [Play(refuses=True)], GEMINI: [GOOD]},
    "lying": {
        OPENAI: [Play(insight(fl_studio=[_LIE, _TRUE])), Play(insight(fl_studio=[_TRUE]))],
    },
    "lying-twice": {OPENAI: [Play(insight(fl_studio=[_LIE, _TRUE]))]},
    "wrong-numbers": {
        OPENAI: [
            Play(insight(summary="A loop at 93 BPM in F# minor. It is dry.")),
            Play(insight(summary="A loop at 93 BPM. It is dry.")),
        ],
    },
    "flaky": {OPENAI: [DOWN, Play(hangs_up=True), GOOD], GEMINI: [DOWN]},
    "failing-first": {OPENAI: [DOWN], GEMINI: [GOOD]},
    "failing": {OPENAI: [DOWN], GEMINI: [Play(status=503)]},
    "not-json": {OPENAI: [Play(not_json=True)], GEMINI: [Play(not_json=True)]},
    "wrong-key": {OPENAI: [Play(status=401)], GEMINI: [Play(status=403)]},
    "no-credit": {
        OPENAI: [Play(status=429, code="insufficient_quota")],
        GEMINI: [Play(status=400, code="API_KEY_INVALID")],
    },
    "rejected": {OPENAI: [Play(status=400)], GEMINI: [Play(status=400)]},
    "obeys": {OPENAI: [Play(_obeys)], GEMINI: [Play(_obeys)]},
    "told": {OPENAI: [Play(_says_what_it_was_told)]},
    "dear": {OPENAI: [Play(insight(), tokens=(60_000, 20_000))]},
    # As servers of one's own answer to what they do not know.
    "plain": {
        OPENAI: [
            Play(status=400, message="response_format.type: json_schema is not supported"),
            Play(status=422, message="max_completion_tokens: extra inputs are not permitted"),
            Play(status=400, message="invalid content part type: input_audio"),
            GOOD,
        ]
    },
}
