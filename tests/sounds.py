"""Sounds with known properties, made when they are needed, and writers for every container.

Signals are `(n,)` float32 mono at RATE, peaks below 1.
"""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import soundfile
from av.audio.frame import AudioFrame

RATE = 44_100

MAJOR_CADENCE = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))
MINOR_CADENCE = ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7))
"""Triads in semitones over the tonic."""


def seconds(duration: float) -> np.ndarray:
    """Time of each sample, `(n,)` float64."""
    return np.arange(round(duration * RATE)) / RATE


def tone(hertz: float, duration: float, amplitude: float = 0.5) -> np.ndarray:
    """A pure sine."""
    return (amplitude * np.sin(2 * np.pi * hertz * seconds(duration))).astype(np.float32)


def note(hertz: float, duration: float, decay: float = 1.0) -> np.ndarray:
    """Six harmonics that die away, like a plucked string; `decay` in seconds to 1/e."""
    t = seconds(duration)
    partials = sum(np.sin(2 * np.pi * hertz * n * t) / n for n in range(1, 7))
    return (0.3 * partials * np.exp(-t / decay) * np.minimum(1, t / 0.005)).astype(np.float32)


def noise(duration: float, amplitude: float = 0.3, seed: int = 0) -> np.ndarray:
    size = len(seconds(duration))
    return np.random.default_rng(seed).normal(0, amplitude / 3, size).astype(np.float32)


def silence(duration: float) -> np.ndarray:
    return np.zeros(len(seconds(duration)), np.float32)


def kick(duration: float = 0.4) -> np.ndarray:
    """A sine that falls from 160 to 50 Hz within a few periods."""
    t = seconds(duration)
    phase = 2 * np.pi * (50 * t + 110 * 0.03 * (1 - np.exp(-t / 0.03)))
    return (0.9 * np.sin(phase) * np.exp(-t / 0.09)).astype(np.float32)


def snare(duration: float = 0.3) -> np.ndarray:
    t = seconds(duration)
    body = 0.3 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05)
    return (body + 1.5 * noise(duration, 0.5) * np.exp(-t / 0.06)).astype(np.float32)


def hat(duration: float = 0.12) -> np.ndarray:
    """Noise around 7 kHz."""
    burst = 1.5 * noise(duration, 0.5, seed=1) * np.sin(2 * np.pi * 7_000 * seconds(duration))
    burst -= np.convolve(burst, np.ones(15) / 15, "same")
    return (burst * np.exp(-seconds(duration) / 0.025)).astype(np.float32)


def sub(hertz: float = 46.25, duration: float = 1.2) -> np.ndarray:
    """An 808 bass: a sine with a little click; 46.25 Hz is F#1."""
    t = seconds(duration)
    body = 0.8 * np.sin(2 * np.pi * hertz * t) * np.exp(-t / 0.8)
    click = 0.2 * noise(duration) * np.exp(-t / 0.004)
    return (body + click).astype(np.float32)


def place(hits: Sequence[tuple[float, np.ndarray]], duration: float) -> np.ndarray:
    """The hits `(second, signal)` mixed, cut at `duration`, scaled to a peak of 0.9."""
    mix = np.zeros(len(seconds(duration)))
    for start, hit in hits:
        at = round(start * RATE)
        part = hit[: max(0, len(mix) - at)]
        mix[at : at + len(part)] += part
    return (mix * (0.9 / np.abs(mix).max())).astype(np.float32)


def clicks(bpm: float, duration: float, beats_a_bar: int = 4) -> np.ndarray:
    """A metronome: the first beat of each bar is higher and louder."""
    period = 60 / bpm
    accent, weak = note(1_760, 0.06, 0.02), 0.5 * note(1_175, 0.06, 0.02)
    count = int(np.ceil(duration / period - 1e-9))
    return place(
        [(i * period, weak if i % beats_a_bar else accent) for i in range(count)], duration
    )


def drum_loop(bpm: float, bars: int = 2) -> np.ndarray:
    """Kick on one and three, snare on two and four, hats in eighths: exactly `bars` long."""
    beat = 60 / bpm
    hits = []
    for i in range(4 * bars):
        hits += [(i * beat, 0.3 * hat()), ((i + 0.5) * beat, 0.2 * hat())]
        hits.append((i * beat, snare() if i % 2 else kick()))
    return place(hits, 4 * bars * beat)


def cadence(
    tonic: int, triads: Sequence[Sequence[int]], bpm: float = 120.0, repeats: int = 2
) -> np.ndarray:
    """One chord every two beats over its bass; `tonic` is a pitch class from C."""
    length = 2 * 60 / bpm
    hits = []
    for i in range(repeats * len(triads)):
        triad = triads[i % len(triads)]
        for pitch in (triad[0] - 12, *triad):
            hertz = 440 * 2 ** ((60 + tonic + pitch - 69) / 12)
            hits.append((i * length, note(hertz, length)))
    return place(hits, repeats * len(triads) * length)


def stereo(y: np.ndarray) -> np.ndarray:
    """`(n, 2)`: the same on both sides."""
    return np.stack([y, y], axis=1)


SNDFILE_CONTAINERS = {
    "wav16": ("wav", {"format": "WAV", "subtype": "PCM_16"}),
    "wav24": ("wav", {"format": "WAV", "subtype": "PCM_24"}),
    "wav32": ("wav", {"format": "WAV", "subtype": "PCM_32"}),
    "wavfloat": ("wav", {"format": "WAV", "subtype": "FLOAT"}),
    "rf64": ("wav", {"format": "RF64", "subtype": "PCM_16"}),
    "aiff": ("aiff", {"format": "AIFF", "subtype": "PCM_16"}),
    "flac": ("flac", {"format": "FLAC", "subtype": "PCM_16"}),
    "mp3": ("mp3", {"format": "MP3", "subtype": "MPEG_LAYER_III"}),
    "ogg": ("ogg", {"format": "OGG", "subtype": "VORBIS"}),
    "opus": ("opus", {"format": "OGG", "subtype": "OPUS"}),
}
"""What `write` can make with libsndfile: the `format` that a probe should answer, and how."""

CONTAINERS = (*SNDFILE_CONTAINERS, "m4a", "aac")


def write(path: Path, y: np.ndarray, container: str = "wav16", rate: int = RATE) -> Path:
    """`y: (n,)` or `(n, channels)` into `path`; Opus only takes 8, 12, 16, 24 and 48 kHz."""
    if container in SNDFILE_CONTAINERS:
        how = SNDFILE_CONTAINERS[container][1]
        soundfile.write(path, y, rate, format=how["format"], subtype=how["subtype"])
        return path
    frames = y if y.ndim == 2 else y[:, None]
    layout = "stereo" if frames.shape[1] == 2 else "mono"
    muxer, options = ("mp4", {"movflags": "faststart"}) if container == "m4a" else ("adts", {})
    with av.open(str(path), "w", format=muxer, options=options) as file:
        stream = file.add_stream("aac", rate=rate, layout=layout)
        planes = np.ascontiguousarray(frames.T, dtype=np.float32)
        frame = AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    return path
