"""Voices that say or hold a few words, by the speech synthesizers espeak-ng and flite (Debian's
packages of these names): vowels and consonants as people form them, which no oscillator has."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
import soxr

from benchmarks.soundfont import trimmed
from benchmarks.waves import RATE, Random, log_uniform

_WORDS = (
    "yeah", "hey", "oh", "ah", "come on", "let's go", "one", "two", "drop", "feel it", "love",
    "tonight", "take me higher", "higher", "baby", "bass", "listen", "what", "stop", "again",
    "in the dark", "all night long", "move your body", "no more", "hold on", "fire", "rewind",
    "this is the sound", "in the place", "lost in the music", "wait for me", "la la la", "ooh",
    "give it to me", "can you feel it", "we are", "everybody", "louder", "run", "dreaming",
)  # fmt: skip

_FLITE = ("awb", "rms", "slt", "kal16")
_LANGUAGES = ("en", "en-us", "de", "fr", "es", "it", "pt", "sv")
_VARIANTS = (*(f"m{i}" for i in range(1, 9)), *(f"f{i}" for i in range(1, 6)), "whisper", "croak")


def spoken(r: Random, words: int) -> np.ndarray:
    """`(n,)` mono at RATE: so many phrases in one voice, now and then on one note as if sung."""
    text = ", ".join(r.choice(_WORDS, words))
    is_espeak = r.random() < 0.5
    with TemporaryDirectory() as folder:
        wav = Path(folder) / "voice.wav"
        command = _espeak(r, wav, text) if is_espeak else _flite(r, wav, text)
        subprocess.run(command, check=True, capture_output=True)
        y, rate = soundfile.read(wav, dtype="float32")
    # Played slower or faster, as samplers do, voices become higher, lower, longer.
    y = soxr.resample(y, rate * log_uniform(r, 0.75, 1.35), RATE)
    return trimmed(y / max(float(np.abs(y).max(initial=0)), 1e-6))


def _espeak(r: Random, wav: Path, text: str) -> list[str]:
    voice = f"{r.choice(_LANGUAGES)}+{r.choice(_VARIANTS)}"
    pitch, speed = str(r.integers(10, 90)), str(r.integers(90, 200))
    if r.random() < 0.4:
        text = f'<prosody range="0%">{text}</prosody>'
    return ["espeak-ng", "-m", "-v", voice, "-p", pitch, "-s", speed, "-w", str(wav), text]


def _flite(r: Random, wav: Path, text: str) -> list[str]:
    stretch = f"duration_stretch={log_uniform(r, 0.7, 2.5):.2f}"
    pitch = f"int_f0_target_mean={r.integers(80, 260)}"
    voice = str(r.choice(_FLITE))
    flags = ["--setf", stretch, "--setf", pitch]
    return ["flite", "-voice", voice, *flags, "-t", text, "-o", str(wav)]
