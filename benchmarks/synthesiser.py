"""A synthesiser for phrases: waveforms with detuned voices, glides, moving filters, formants."""

from typing import NamedTuple

import numpy as np

from benchmarks.phrases import PARTS, Phrase
from benchmarks.tones import VOWELS
from samplemind.audio.spectrum import SAMPLE_RATE

_VOWELS = VOWELS[:5, :3]


class _Voice(NamedTuple):
    """How the synthesiser sounds: see `synthesise`."""

    wave: str
    tilt: float
    unison: int
    detune: float
    attack: float
    decay: float
    glide: float
    vibrato: float
    sweep: float


def _voice(part: str, source: np.random.Generator) -> _Voice:
    waves = {
        "bass": ("saw", "saw", "square", "sine", "sine", "808", "fm"),
        "chord": ("saw", "saw", "square", "triangle", "sine", "organ", "vocal"),
        "lead": ("saw", "square", "triangle", "sine", "fm", "vocal", "vocal"),
    }[part]
    wave = str(source.choice(waves))
    plucked = wave == "808" or source.random() < {"bass": 0.3, "chord": 0.15, "lead": 0.4}[part]
    return _Voice(
        wave=wave,
        tilt=float(source.uniform(0.8, 2.0)),
        unison=int(source.choice([1, 1, 2, 3, 5])) if wave in ("saw", "square") else 1,
        detune=float(source.uniform(0.03, 0.35)),
        attack=float(source.choice([0.003, 0.01, 0.2 if part == "chord" else 0.03])),
        decay=float(source.uniform(0.15, 1.2)) if plucked else 60.0,
        glide=float(source.choice([0, 0, 0.04, 0.12])) if part != "chord" else 0.0,
        vibrato=float(source.uniform(0.1, 0.5)) if wave == "vocal" else 0.0,
        sweep=float(source.choice([0, 0, 0.5, 1, 2, 4])),
    )


def synthesise(phrase: Phrase, source: np.random.Generator) -> np.ndarray:
    """`(n,)` of the phrase; each part has a random voice."""
    out = np.zeros(round(phrase.seconds * SAMPLE_RATE) + 1)
    beat = 60 / phrase.bpm
    for part in PARTS:
        voice, before = _voice(part, source), None
        level = {"bass": 1.0, "chord": 0.5, "lead": 0.6}[part]
        for note in phrase.notes:
            if note.part == part and note.start < phrase.beats:
                start = round(note.start * beat * SAMPLE_RATE)
                length = min(note.length, phrase.beats - note.start) * beat
                y = _tone(voice, note.pitch, before, length, source)
                y = y[: len(out) - start]
                out[start : start + len(y)] += level * note.level * y
                before = note.pitch
    return out


def _tone(
    voice: _Voice, pitch: int, before: int | None, length: float, source: np.random.Generator
) -> np.ndarray:
    t = np.arange(max(64, round((length + 0.03) * SAMPLE_RATE))) / SAMPLE_RATE
    bend = np.zeros(len(t))
    if before is not None and voice.glide:
        bend += (before - pitch) * np.exp(-t / voice.glide)
    if voice.wave == "808":
        bend += 12 * np.exp(-t / 0.02)
    if voice.vibrato:
        bend += voice.vibrato * np.sin(2 * np.pi * 5.5 * t) * np.minimum(1, t / 0.3)
    hertz = 440 * 2 ** ((pitch - 69 + bend) / 12)
    count = int(min(60, 10_000 / (440 * 2 ** ((pitch - 69) / 12))))
    bright = _harmonics(voice, float(hertz[-1]), max(1, count), source)
    n = np.arange(1, len(bright) + 1)
    # A low-pass that opens and closes: from the dull wave to the bright one and back.
    opening = 0.5 - 0.5 * np.cos(2 * np.pi * voice.sweep * t + 0.5) if voice.sweep else 1.0
    out = np.zeros(len(t))
    for i in range(voice.unison):
        cents = voice.detune * (i - (voice.unison - 1) / 2) / max(1, voice.unison - 1)
        cycles = np.cumsum(hertz * 2 ** (cents / 12)) / SAMPLE_RATE + source.random()
        wave = _cycle(cycles, bright)
        if voice.sweep:
            wave = opening * wave + (1 - opening) * _cycle(cycles, bright * np.exp(-(n - 1) / 2))
        out += wave / voice.unison
    envelope = np.minimum(1, t / voice.attack) * np.exp(-t / voice.decay)
    return out * envelope * np.clip((t[-1] - t) / 0.03, 0, 1)


def _cycle(cycles: np.ndarray, harmonics: np.ndarray, size: int = 2_048) -> np.ndarray:
    """The waveform of `harmonics: (n,)` at the phases `cycles`."""
    spectrum = np.zeros(size // 2 + 1, complex)
    spectrum[1 : len(harmonics) + 1] = -0.5j * size * harmonics
    return np.fft.irfft(spectrum, size)[(cycles % 1 * size).astype(np.int64)]


def _harmonics(voice: _Voice, hertz: float, count: int, source: np.random.Generator) -> np.ndarray:
    n = np.arange(1, count + 1)
    if voice.wave in ("sine", "808"):
        return np.where(n == 1, 1.0, 0.1 / n**voice.tilt * (voice.wave == "sine"))
    if voice.wave == "square":
        return np.where(n % 2 == 1, n**-voice.tilt, 0)
    if voice.wave == "triangle":
        return np.where(n % 2 == 1, n**-2.0, 0)
    if voice.wave == "organ":
        return np.where(np.isin(n, (1, 2, 3, 4, 6, 8)), source.random(count), 0)
    if voice.wave == "fm":
        return np.abs(source.normal(size=count)) * np.exp(-n / 3)
    if voice.wave == "vocal":
        formants = _VOWELS[source.integers(len(_VOWELS))][:, None] * 1.1
        peaks = 1 / (1 + np.square((n * hertz - formants) / (60 + 0.06 * formants)))
        return (np.array([1, 0.5, 0.25]) @ peaks + 0.02) / np.sqrt(n)
    return n**-voice.tilt
