"""The sounds that the server is measured with; no two are alike."""

import io
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 44_100
_REAL = Path("/usr/share/sonic-pi/samples")


def one_shot(seed: int) -> bytes:
    """A second of a decaying tone with a noisy attack, mono, as WAV."""
    random = np.random.default_rng(seed)
    t = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * random.uniform(50, 800) * t)
    noise = random.standard_normal(t.size)
    return _wav(0.5 * tone * np.exp(-5 * t) + 0.2 * noise * np.exp(-60 * t))


def track(seed: int, seconds: int = 180) -> bytes:
    """A beat, a bass and four chords at 120 BPM, stereo, as WAV."""
    random = np.random.default_rng(seed)
    beat = SAMPLE_RATE // 2
    t = np.arange(beat) / SAMPLE_RATE
    kick = 0.5 * np.sin(2 * np.pi * 55 * t) * np.exp(-12 * t)
    hat = 0.1 * random.standard_normal(beat) * np.exp(-40 * t)
    root = 110 * 2 ** (random.integers(12) / 12)
    bars = [
        np.concatenate([kick + hat + _chord(root * 2 ** (step / 12), t)] * 4)
        for step in (0, 9, 5, 7)
    ]
    mono = np.resize(np.concatenate(bars), seconds * SAMPLE_RATE)
    hiss = 0.001 * random.standard_normal((mono.size, 2))
    return _wav(mono[:, None] * (1.0, 0.8) + hiss)


def batch(count: int) -> tuple[list[tuple[str, bytes]], str]:
    """`count` sounds as (filename, bytes), and where they come from: sonic-pi's samples where
    Debian's sonic-pi-samples is installed (it has 160), else one-shots made here."""
    real = sorted(_REAL.glob("*.flac"))[:count]
    if len(real) == count:
        return [(path.name, path.read_bytes()) for path in real], "sonic-pi's samples"
    made = [(f"one-shot-{seed}.wav", one_shot(10_000 + seed)) for seed in range(count)]
    return made, "synthesised one-shots"


def _chord(root: float, t: np.ndarray) -> np.ndarray:
    ratios = (1, 2 ** (4 / 12), 2 ** (7 / 12))
    return 0.08 * np.sum([np.sin(2 * np.pi * root * ratio * t) for ratio in ratios], axis=0)


def _wav(y: np.ndarray) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, y, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()
