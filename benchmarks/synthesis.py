"""Sounds of known sort, synthesised at random: drum machines, tones, effects.

Samples of one sort differ from library to library more than from each other within one; what is
learnt from few libraries must not depend on theirs. Every sound here has parameters of its own,
over the ranges that drum machines and synthesizers have.
"""

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, fftconvolve, lfilter, sosfilt

RATE = 44_100

Random = np.random.Generator
Maker = Callable[[Random], np.ndarray]

VOWELS = np.array(
    [
        [730, 1_090, 2_440, 3_400],
        [530, 1_840, 2_480, 3_500],
        [270, 2_290, 3_010, 3_600],
        [570, 840, 2_410, 3_300],
        [300, 870, 2_240, 3_200],
        [660, 1_720, 2_410, 3_400],
    ]
)
"""Hz of the formants (Peterson and Barney, JASA 24, 1952); the fourth is typical."""


def time(seconds: float) -> np.ndarray:
    return np.arange(max(64, int(seconds * RATE))) / RATE


def log_uniform(r: Random, low: float, high: float) -> float:
    return float(np.exp(r.uniform(np.log(low), np.log(high))))


def band(y: np.ndarray, low: float | None, high: float | None, order: int = 2) -> np.ndarray:
    """Butterworth: high-pass, low-pass or both."""
    top = 0.95 * RATE / 2
    if low and high:
        sos = butter(order, [low, min(high, top)], "bandpass", fs=RATE, output="sos")
    elif low:
        sos = butter(order, min(low, top), "highpass", fs=RATE, output="sos")
    else:
        sos = butter(order, min(high or top, top), "lowpass", fs=RATE, output="sos")
    return np.asarray(sosfilt(sos, y))


def decay(t: np.ndarray, seconds: float) -> np.ndarray:
    """To -60 dB in `seconds`."""
    return np.exp(-6.9 * t / seconds)


def sweep(hertz: np.ndarray) -> np.ndarray:
    """Phase of a frequency course."""
    return 2 * np.pi * np.cumsum(hertz) / RATE


def noise(r: Random, size: int) -> np.ndarray:
    return r.standard_normal(size)


def click(r: Random, t: np.ndarray) -> np.ndarray:
    return band(noise(r, len(t)), log_uniform(r, 800, 4_000), None) * decay(
        t, r.uniform(0.003, 0.02)
    )


def saturated(r: Random, y: np.ndarray) -> np.ndarray:
    drive = log_uniform(r, 1, 12)
    return np.tanh(drive * y / max(np.abs(y).max(), 1e-9))


def kick(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.12, 1.6)
    t = time(length)
    low, rise = log_uniform(r, 36, 75), log_uniform(r, 1.2, 16)
    course = low * (1 + rise * np.exp(-t / log_uniform(r, 0.004, 0.06)))
    y = np.sin(sweep(course) + r.uniform(0, 1.5)) * decay(t, length * r.uniform(0.5, 1.2))
    y += r.uniform(0, 0.6) * click(r, t)
    if r.random() < 0.4:
        y += r.uniform(0, 0.3) * band(noise(r, len(t)), 60, r.uniform(300, 3_000)) * decay(t, 0.1)
    return saturated(r, y) if r.random() < 0.5 else y


def tom(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.2, 1.2)
    t = time(length)
    low = log_uniform(r, 70, 280)
    course = low * (1 + r.uniform(0.05, 0.8) * np.exp(-t / r.uniform(0.02, 0.2)))
    y = np.sin(sweep(course)) * decay(t, length)
    y += r.uniform(0, 0.4) * np.sin(sweep(course * r.uniform(1.5, 1.7))) * decay(t, length / 2)
    y += r.uniform(0, 0.3) * band(noise(r, len(t)), 100, r.uniform(800, 5_000)) * decay(t, 0.15)
    return y + r.uniform(0, 0.3) * click(r, t)


def snare(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.1, 0.7)
    t = time(length)
    body = log_uniform(r, 130, 280)
    course = body * (1 + r.uniform(0, 1) * np.exp(-t / 0.02))
    y = r.uniform(0.2, 1) * np.sin(sweep(course)) * decay(t, length * r.uniform(0.3, 0.9))
    y += r.uniform(0, 0.6) * np.sin(sweep(course * r.uniform(1.5, 2.2))) * decay(t, length * 0.4)
    wires = band(noise(r, len(t)), log_uniform(r, 200, 2_500), r.uniform(6_000, 19_000))
    y += r.uniform(0.3, 1) * wires * decay(t, length * r.uniform(0.4, 1.1))
    y += r.uniform(0, 0.5) * click(r, t)
    return saturated(r, y) if r.random() < 0.3 else y


def clap(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.15, 0.8)
    t = time(length)
    tone = band(noise(r, len(t)), log_uniform(r, 600, 1_500), log_uniform(r, 1_800, 9_000))
    envelope = np.zeros_like(t)
    start = 0.0
    for _ in range(r.integers(2, 6)):
        after = t >= start
        burst = r.uniform(0.6, 1) * np.exp(-(t - start) / r.uniform(0.003, 0.01))
        envelope += np.where(after, burst, 0)
        start += r.uniform(0.006, 0.018)
    envelope += np.where(t >= start, decay(np.maximum(t - start, 0), length), 0) * r.uniform(0.3, 1)
    return tone * envelope


def metal(r: Random, t: np.ndarray) -> np.ndarray:
    """Squares at inharmonic ratios, as in analog cymbals, or noise, or both."""
    base = log_uniform(r, 200, 600)
    ratios = np.sort(r.uniform(1, 5, 6))
    squares = sum(np.sign(np.sin(2 * np.pi * base * ratio * t)) for ratio in ratios)
    mix = r.choice([0, 1, r.random()])
    return mix * np.asarray(squares) / 6 + (1 - mix) * noise(r, len(t))


def closed_hat(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.03, 0.16)
    t = time(length * 1.2)
    y = band(metal(r, t), log_uniform(r, 3_000, 10_000), None, order=int(r.integers(2, 5)))
    return y * decay(t, length)


def open_hat(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.3, 1.4)
    t = time(length)
    y = band(metal(r, t), log_uniform(r, 3_000, 9_000), None, order=int(r.integers(2, 5)))
    held = np.where(t < 0.2 * length, 1, decay(np.maximum(t - 0.2 * length, 0), 0.8 * length))
    return y * (decay(t, length) if r.random() < 0.6 else held)


def crash(r: Random) -> np.ndarray:
    length = log_uniform(r, 1, 4)
    t = time(length)
    y = band(metal(r, t), log_uniform(r, 300, 4_000), None) * decay(t, length)
    return y + band(noise(r, len(t)), 3_000, None) * decay(t, r.uniform(0.2, 1))


def ride(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.6, 3)
    t = time(length)
    ping = np.zeros_like(t)
    for _ in range(r.integers(4, 12)):
        hertz = log_uniform(r, 400, 9_000)
        ping += (
            r.uniform(0.2, 1) * np.sin(2 * np.pi * hertz * t) * decay(t, length * r.uniform(0.3, 1))
        )
    wash = band(metal(r, t), log_uniform(r, 2_000, 7_000), None) * decay(t, length)
    return r.uniform(0.3, 1) * ping + r.uniform(0.3, 1.5) * wash + 0.6 * click(r, t)


def rim(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.03, 0.2)
    t = time(length)
    y = np.zeros_like(t)
    for _ in range(r.integers(1, 4)):
        y += r.uniform(0.3, 1) * np.sin(2 * np.pi * log_uniform(r, 400, 2_600) * t)
    return y * decay(t, length) + r.uniform(0.2, 1) * click(r, t)


def shaker(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.06, 0.4)
    t = time(length)
    attack = r.uniform(0.1, 0.5) * length
    envelope = np.where(t < attack, (t / attack) ** 2, decay(np.maximum(t - attack, 0), length))
    y = band(noise(r, len(t)), log_uniform(r, 2_500, 7_000), r.uniform(9_000, 20_000))
    if r.random() < 0.3:
        for _ in range(4):
            y += 2 * np.sin(2 * np.pi * log_uniform(r, 4_000, 12_000) * t)
    return y * envelope


def cowbell(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.12, 0.8)
    t = time(length)
    base = log_uniform(r, 350, 900)
    wave = np.sign if r.random() < 0.6 else np.asarray
    y = wave(np.sin(2 * np.pi * base * t)) + wave(
        np.sin(2 * np.pi * base * r.uniform(1.4, 1.6) * t)
    )
    y = band(y, base * 0.8, base * r.uniform(3, 8))
    return y * (0.6 * decay(t, length) + 0.4 * decay(t, length / 5)) + 0.1 * click(r, t)


def conga(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.12, 0.7)
    t = time(length)
    base = log_uniform(r, 150, 520)
    course = base * (1 + r.uniform(0, 0.15) * np.exp(-t / 0.02))
    y = np.sin(sweep(course)) * decay(t, length)
    for ratio in (1.5, 2.0, 2.4):
        y += (
            r.uniform(0, 0.4)
            * np.sin(sweep(course * ratio * r.uniform(0.97, 1.03)))
            * decay(t, length / 3)
        )
    return y + r.uniform(0.1, 0.7) * click(r, t)


def tabla(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.2, 1.4)
    t = time(length)
    if r.random() < 0.5:
        base = log_uniform(r, 70, 130)
        course = base * (1 + r.uniform(-0.3, 0.6) * (1 - np.exp(-t / r.uniform(0.05, 0.3))))
    else:
        course = np.full_like(t, log_uniform(r, 220, 420))
    y = np.zeros_like(t)
    for harmonic in range(1, 6):
        y += r.uniform(0.1, 1) * np.sin(sweep(course * harmonic)) * decay(t, length / harmonic**0.7)
    return y + r.uniform(0.1, 0.6) * click(r, t)


def wave(r: Random, hertz: np.ndarray, shape: str) -> np.ndarray:
    """Band-limited well enough: drawn at the rate itself and held below 14 kHz."""
    phase = sweep(hertz) + r.uniform(0, 6.28)
    if shape == "sine":
        return np.sin(phase)
    turn = (phase / (2 * np.pi)) % 1
    if shape == "saw":
        y = 2 * turn - 1
    elif shape == "square":
        y = np.where(turn < r.choice([0.5, 0.25, 0.12]), 1.0, -1.0)
    else:
        y = 4 * np.abs(turn - 0.5) - 1
    return band(y, None, 14_000)


def filtered(r: Random, y: np.ndarray, low: float, high: float) -> np.ndarray:
    """A low-pass that opens or closes over the sound, in sixteen steps."""
    start, end = log_uniform(r, low, high), log_uniform(r, low, high)
    out, state = [], np.zeros((1, 2))
    for i, piece in enumerate(np.array_split(y, 16)):
        cut = start * (end / start) ** (i / 15)
        sos = butter(2, min(cut, 20_000), fs=RATE, output="sos")
        done, state = sosfilt(sos, piece, zi=state)
        out.append(done)
    return np.concatenate(out)


def hertz_of(note: float) -> float:
    return 440 * 2 ** ((note - 69) / 12)


def envelope(t: np.ndarray, attack: float, release: float) -> np.ndarray:
    return np.minimum(1, t / attack) * np.minimum(1, (t[-1] - t) / release + 1e-3)


def bass(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.25, 4))
    hertz = np.full_like(t, hertz_of(r.uniform(24, 47)))
    if r.random() < 0.2:
        hertz = hertz * 2 ** (r.uniform(-1, 1) * np.exp(-t / 0.1))
    sort = r.integers(4)
    if sort == 0:
        y = wave(r, hertz, "sine") + r.uniform(0, 0.3) * wave(r, 2 * hertz, "sine")
        y = saturated(r, y)
    elif sort == 1:
        y = sum(
            wave(r, hertz * 2 ** (r.normal(0, 0.15) / 12), "saw") for _ in range(r.integers(2, 5))
        )
        y = filtered(r, np.asarray(y), 100, 3_000)
    elif sort == 2:
        index = r.uniform(0.5, 6) * decay(t, log_uniform(r, 0.2, 4))
        y = np.sin(sweep(hertz) + index * np.sin(sweep(hertz * r.choice([0.5, 1, 2, 3]))))
    else:
        y = filtered(r, wave(r, hertz, str(r.choice(["saw", "square"]))), 120, 2_500)
        y += 0.6 * wave(r, hertz, "sine")
    if r.random() < 0.25:
        y *= 1 + 0.9 * np.sin(2 * np.pi * r.uniform(1, 9) * t)
    end = decay(t, t[-1] * r.uniform(0.6, 2)) if r.random() < 0.5 else 1
    return y * envelope(t, r.uniform(0.002, 0.03), 0.03) * end


_CHORDS = (
    (0,),
    (0, 7),
    (0, 3, 7),
    (0, 4, 7),
    (0, 3, 7, 10),
    (0, 4, 7, 11),
    (0, 5, 7),
    (0, 3, 7, 14),
)


def chord(r: Random, t: np.ndarray, root: float, shape: str, detune: float = 0.08) -> np.ndarray:
    notes = _CHORDS[r.integers(len(_CHORDS))]
    voices = [
        wave(r, np.full_like(t, hertz_of(root + note + r.normal(0, detune))), shape)
        for note in notes
        for _ in range(2 if detune else 1)
    ]
    return np.sum(voices, axis=0)


def pad(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 2, 10))
    shape = str(r.choice(["saw", "square", "triangle", "sine"]))
    y = filtered(r, chord(r, t, r.uniform(40, 66), shape), 300, 6_000)
    if r.random() < 0.3:
        y += 0.2 * np.abs(y).max() * band(noise(r, len(t)), 500, 6_000)
    y *= envelope(t, log_uniform(r, 0.1, 1.5), log_uniform(r, 0.3, 1.9))
    return reverberated(r, y, log_uniform(r, 1, 5))


def lead(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.3, 3))
    hertz = hertz_of(r.uniform(55, 88)) * 2 ** (
        r.uniform(0, 0.4) / 12 * np.sin(2 * np.pi * r.uniform(4, 7) * t)
    )
    y = sum(
        wave(r, hertz * 2 ** (r.normal(0, 0.08) / 12), str(r.choice(["saw", "square"])))
        for _ in range(r.integers(1, 4))
    )
    y = filtered(r, np.asarray(y), 800, 14_000)
    return y * envelope(t, r.uniform(0.003, 0.05), r.uniform(0.02, 0.2))


def pluck(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.25, 2))
    root = r.uniform(48, 84)
    if r.random() < 0.5:
        period = max(8, int(RATE / hertz_of(root)))
        string = noise(r, period)
        loop = np.zeros(period + 2)
        loop[0], loop[period], loop[period + 1] = 1, -0.497, -0.497
        plucked = np.concatenate([string, np.zeros(len(t) - period)])[: len(t)]
        y = np.asarray(lfilter([1.0], loop, plucked))
    else:
        shape = str(r.choice(["saw", "square", "triangle"]))
        y = chord(r, t, root, shape, detune=float(r.choice([0, 0.06])))
        y = band(y, None, log_uniform(r, 1_000, 8_000))
    return y * decay(t, t[-1] * r.uniform(0.4, 1.1))


def bell(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 0.5, 4))
    hertz = hertz_of(r.uniform(60, 96))
    y = np.zeros_like(t)
    for _ in range(r.integers(2, 7)):
        partial = hertz * log_uniform(r, 1, 6)
        y += (
            r.uniform(0.2, 1)
            * np.sin(2 * np.pi * partial * t)
            * decay(t, t[-1] * r.uniform(0.3, 1))
        )
    return y


def sung(r: Random, seconds: float, note: float) -> np.ndarray:
    """A voiced pulse train through formants that move from one vowel to another."""
    t = time(seconds)
    vibrato = r.uniform(0, 0.5) * np.sin(2 * np.pi * r.uniform(4.5, 6.5) * t)
    scoop = -r.uniform(0, 3) * np.exp(-t / 0.06)
    hertz = hertz_of(note) * 2 ** ((vibrato + scoop + np.cumsum(r.normal(0, 0.003, len(t)))) / 12)
    source = np.diff(np.maximum(0, np.sin(sweep(hertz))) ** 3, prepend=0) * 20
    source += r.uniform(0.01, 0.15) * noise(r, len(t))
    scale = r.uniform(0.9, 1.25)
    first, last = VOWELS[r.integers(len(VOWELS), size=2)] * scale
    out = np.zeros_like(t)
    for formant in range(4):
        pieces, state = [], np.zeros(2)
        for i, piece in enumerate(np.array_split(source, 12)):
            centre = first[formant] + (last[formant] - first[formant]) * i / 11
            radius = np.exp(-np.pi * (60 + 0.06 * centre) / RATE)
            a = [1, -2 * radius * np.cos(2 * np.pi * centre / RATE), radius**2]
            done, state = lfilter([1 - radius], a, piece, zi=state)
            pieces.append(done)
        out += np.concatenate(pieces) * 0.7**formant
    if r.random() < 0.5:
        size = min(len(t), int(r.uniform(0.03, 0.12) * RATE))
        out[:size] += 0.5 * np.abs(out).max() * band(noise(r, size), r.uniform(1_500, 5_000), None)
    return out * envelope(t, r.uniform(0.01, 0.08), r.uniform(0.03, 0.15))


def vocal(r: Random) -> np.ndarray:
    note = r.uniform(45, 74)
    words = int(r.choice([1, 1, 2, 3, 5, 8]))
    pieces: list[np.ndarray] = []
    for _ in range(words):
        sung_note = note + r.choice([-5, -3, -2, 0, 0, 2, 3, 5, 7])
        pieces += [
            sung(r, log_uniform(r, 0.12, 1.2), sung_note),
            np.zeros(int(r.uniform(0, 0.2) * RATE)),
        ]
    return np.concatenate(pieces)


def riser(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 1, 9))
    turn = t / t[-1]
    y = np.zeros_like(t)
    if r.random() < 0.8:
        y += rising_noise(r, t)
    if r.random() < 0.6:
        y += r.uniform(0.2, 1) * wave(
            r, log_uniform(r, 60, 300) * 2 ** (turn * r.uniform(1, 5)), "saw"
        )
    return y * turn ** r.uniform(0.5, 3)


def rising_noise(r: Random, t: np.ndarray) -> np.ndarray:
    pieces = np.array_split(noise(r, len(t)), 24)
    low, high = log_uniform(r, 100, 800), log_uniform(r, 3_000, 16_000)
    out, state = [], np.zeros((1, 2))
    for i, piece in enumerate(pieces):
        centre = low * (high / low) ** (i / 23)
        sos = butter(
            1, [centre * 0.7, min(centre * 1.4, 20_000)], "bandpass", fs=RATE, output="sos"
        )
        done, state = sosfilt(sos, piece, zi=state)
        out.append(done)
    return np.concatenate(out)


def impact(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 1.5, 6))
    y = np.sin(sweep(log_uniform(r, 28, 60) * (1 + 3 * np.exp(-t / 0.05)))) * decay(t, t[-1])
    y += (
        r.uniform(0.2, 1)
        * band(noise(r, len(t)), 80, log_uniform(r, 800, 9_000))
        * decay(t, r.uniform(0.3, 2))
    )
    return reverberated(r, saturated(r, y), log_uniform(r, 1, 5))


def downlifter(r: Random) -> np.ndarray:
    return riser(r)[::-1].copy()


def texture(r: Random) -> np.ndarray:
    """Noise that goes on: wind, vinyl, hum, rain."""
    t = time(log_uniform(r, 0.8, 8))
    low = log_uniform(r, 60, 2_000)
    y = band(noise(r, len(t)), low, low * log_uniform(r, 2, 20))
    slow = np.interp(t, np.linspace(0, t[-1], 12), r.uniform(0.3, 1, 12))
    if r.random() < 0.4:
        crackle = (r.random(len(t)) < log_uniform(r, 3e-5, 1e-3)) * r.standard_normal(len(t))
        y = 0.2 * y + 20 * band(crackle, 500, 9_000)
    return y * slow * envelope(t, r.uniform(0.01, 0.5), r.uniform(0.01, 0.5))


def zap(r: Random) -> np.ndarray:
    """Lasers, glitches, sweeps: what is called an effect."""
    t = time(log_uniform(r, 0.08, 1.5))
    start, end = log_uniform(r, 80, 9_000), log_uniform(r, 40, 6_000)
    hertz = start * (end / start) ** (t / t[-1]) ** r.uniform(0.3, 2)
    hertz = hertz * (1 + r.uniform(0, 0.5) * np.sign(np.sin(2 * np.pi * r.uniform(3, 60) * t)))
    y = wave(r, hertz, str(r.choice(["sine", "saw", "square"])))
    if r.random() < 0.4:
        y *= np.sin(2 * np.pi * log_uniform(r, 10, 2_000) * t)
    if r.random() < 0.3:
        y = y + 0.5 * noise(r, len(t)) * (np.sin(2 * np.pi * r.uniform(5, 40) * t) > 0)
    return y * decay(t, t[-1] * r.uniform(0.7, 4))


ONE_SHOTS: dict[str, tuple[Maker, ...]] = {
    "kick": (kick,),
    "snare": (snare,),
    "clap": (clap,),
    "closed hat": (closed_hat,),
    "open hat": (open_hat,),
    "crash": (crash,),
    "ride": (ride,),
    "tom": (tom,),
    "rim": (rim,),
    "shaker": (shaker,),
    "cowbell": (cowbell,),
    "conga": (conga,),
    "tabla": (tabla,),
    "bass": (bass,),
    "pad": (pad,),
    "lead": (lead,),
    "pluck": (pluck,),
    "bell": (bell,),
    "vocal": (vocal,),
    "riser": (riser,),
    "impact": (impact,),
    "noise": (texture,),
    "effect": (zap, downlifter),
}


def reverberated(r: Random, y: np.ndarray, seconds: float) -> np.ndarray:
    """In a room of exponentially decaying noise, its treble damped."""
    t = time(seconds)
    room = band(noise(r, len(t)), 150, log_uniform(r, 2_000, 12_000)) * decay(t, seconds)
    wet = fftconvolve(y, room / np.sqrt(np.square(room).sum()))
    dry = np.zeros_like(wet)
    dry[: len(y)] = y
    return dry + log_uniform(r, 0.05, 0.8) * wet


def processed(r: Random, y: np.ndarray) -> np.ndarray:
    """What producers do to a sound: a room, drive, tilt, fewer bits or a lower rate, a slower tape.

    Returns `(n,)` float32 with a peak of 0.9.
    """
    if r.random() < 0.25:
        y = reverberated(r, y, log_uniform(r, 0.1, 1.8))
    if r.random() < 0.2:
        y = saturated(r, y)
    if r.random() < 0.35:
        tilt = band(y, None, log_uniform(r, 400, 4_000), order=1)
        y = y + r.uniform(-0.8, 2) * tilt
    if r.random() < 0.12:
        y = band(y, None, log_uniform(r, 2_500, 12_000), order=4)
    if r.random() < 0.08:
        steps = 2.0 ** r.integers(5, 10)
        y = np.round(y / max(np.abs(y).max(), 1e-9) * steps) / steps
    if r.random() < 0.15:
        factor = log_uniform(r, 0.8, 1.25)
        y = np.interp(np.arange(0, len(y) - 1, factor), np.arange(len(y)), y)
    y = y - y.mean()
    return (0.9 * y / max(np.abs(y).max(), 1e-9)).astype(np.float32)
