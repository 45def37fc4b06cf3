"""Sounds made for one test: every call gives other bytes, so that no test meets another's file."""

import io

import av
import numpy as np
import soundfile

RATE = 44_100
_rng = np.random.default_rng()


def noise(seconds: float, channels: int = 1) -> np.ndarray:
    """`(n, channels)` white noise."""
    return _rng.normal(0, 0.1, (round(seconds * RATE), channels)).clip(-1, 1)


def tone(hertz: float = 440, seconds: float = 0.5) -> np.ndarray:
    """A plucked note: a one-shot with a pitch."""
    t = np.arange(round(seconds * RATE)) / RATE
    return _unlike(0.5 * np.sin(2 * np.pi * hertz * t) * np.exp(-6 * t))


def chord(seconds: float = 4, notes: tuple[int, ...] = (57, 60, 64)) -> np.ndarray:
    """MIDI notes held at once: A minor."""
    t = np.arange(round(seconds * RATE)) / RATE
    pitches = [440 * 2 ** ((note - 69) / 12) for note in notes]
    partials = [np.sin(2 * np.pi * hertz * n * t) / n for hertz in pitches for n in (1, 2, 3)]
    return _unlike(0.1 * np.sum(partials, axis=0))


def beat(bpm: float, bars: int = 2) -> np.ndarray:
    """A loop: kick and snare in turn on the quarters, a hat on the eighths."""
    step = round(60 / bpm / 2 * RATE)
    t = np.arange(step) / RATE
    hiss = _rng.standard_normal(step)
    kick = 0.8 * np.sin(2 * np.pi * 55 * t) * np.exp(-20 * t)
    snare = 0.4 * hiss * np.exp(-25 * t)
    hat = 0.15 * np.diff(hiss, prepend=0.0) * np.exp(-80 * t)
    y = np.concatenate([kick + hat, hat, snare + hat, hat] * 2 * bars)
    return (0.6 * y).clip(-1, 1)


def encoded(
    y: np.ndarray, container: str = "WAV", subtype: str | None = None, rate: int = RATE
) -> bytes:
    """`y: (n,)` or `(n, channels)` as a file, written by libsndfile."""
    file = io.BytesIO()
    soundfile.write(file, y, rate, subtype, format=container)
    return file.getvalue()


def m4a(y: np.ndarray) -> bytes:
    """`y: (n,)` as AAC in an MP4 container, written by FFmpeg."""
    file = io.BytesIO()
    with av.open(file, "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(y[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate = RATE
        fifo = av.AudioFifo()
        fifo.write(frame)
        while piece := fifo.read(1024, partial=True):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return file.getvalue()


def _unlike(y: np.ndarray) -> np.ndarray:
    """Other bytes at each call, by noise 70 dB below full scale."""
    return y + _rng.normal(0, 3e-4, y.shape)
