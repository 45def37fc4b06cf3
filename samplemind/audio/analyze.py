"""Everything that is asked of one sound."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import soundfile
import soxr

from samplemind import tracing
from samplemind.audio.absences import absences
from samplemind.audio.beats import beat_times
from samplemind.audio.claims import NO_CLAIMS, Claims, tempo_by
from samplemind.audio.decode import OpenSound
from samplemind.audio.downbeats import downbeat_times
from samplemind.audio.embedding import embedding
from samplemind.audio.features import Features
from samplemind.audio.fingerprint import fingerprint
from samplemind.audio.hearing import hear
from samplemind.audio.key import musical_key
from samplemind.audio.kind import loop_lengths, sample_kind
from samplemind.audio.labels import labels
from samplemind.audio.loop_points import loop_points
from samplemind.audio.loudness import LoudnessMeter
from samplemind.audio.metre import time_signature
from samplemind.audio.onsets import ONSET_RATE
from samplemind.audio.pitch import pitch
from samplemind.audio.spectral import spectral_features
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.audio.tempo import tempo
from samplemind.domain.analysis import AnalysisLevel, Findings, Loudness, SampleKind
from samplemind.domain.audio_file import AudioFacts
from samplemind.domain.sound_limits import SoundLimits

LONGEST_SECONDS = 3_600
"""Of a longer sound the first hour is analysed (its loudness over the whole of it)."""


class Heard(NamedTuple):
    """A sound after the one pass over its file."""

    features: Features
    loudness: Loudness | None
    facts: AudioFacts


def analyze(path: Path, level: AnalysisLevel, limits: SoundLimits | None = None) -> Findings:
    """What is heard in the file, as far as `level` asks (see Findings for what may be missing).

    PROFESSIONAL hears what DETAILED does: what it adds is not signal processing. A file that was
    cut short is analysed as far as it decodes. Raises what OpenSound does.
    """
    return describe(path, level, limits)[1]


def describe(
    path: Path, level: AnalysisLevel, limits: SoundLimits | None = None
) -> tuple[AudioFacts, Findings]:
    """The facts of the file and what is heard in it; see `analyze`."""
    with tracing.span("decode"):
        heard = listen(path, with_loudness=level.includes(AnalysisLevel.STANDARD), limits=limits)
    with tracing.span("analyse"):
        found = find(heard.features, heard.loudness, level, Claims.of(heard.facts))
    return heard.facts, found


def find(
    features: Features,
    loudness: Loudness | None,
    level: AnalysisLevel,
    claims: Claims = NO_CLAIMS,
) -> Findings:
    """What is heard in a sound that has been read, and whose file claims something of it."""
    kind = sample_kind(features, claims)
    has_pulse = not (kind is SampleKind.ONE_SHOT or features.is_silent)
    pulse = None
    if has_pulse:
        lengths = loop_lengths(features) if kind is SampleKind.LOOP else ()
        pulse = tempo(features.onsets, lengths)
        pulse = tempo_by(claims, pulse, lengths or (features.seconds,))
    key = musical_key(features, kind, claims)
    found = Findings(kind=kind, tempo=pulse, key=key)
    if level.includes(AnalysisLevel.STANDARD):
        found = _in_depth(found, features, kind, loudness)
    if level.includes(AnalysisLevel.DETAILED):
        found = _in_detail(found, features, kind, claims)
    return replace(found, absences=tuple(absences(found, level, features)))


def _in_depth(
    found: Findings, features: Features, kind: SampleKind, loudness: Loudness | None
) -> Findings:
    """With what STANDARD adds."""
    hearing = hear(features)
    return replace(
        found,
        loudness=loudness,
        spectral=spectral_features(features),
        labels=labels(features, kind, hearing),
        embedding=embedding(features, kind, hearing),
        fingerprint=fingerprint(features),
    )


def _in_detail(found: Findings, features: Features, kind: SampleKind, claims: Claims) -> Findings:
    """With what DETAILED adds."""
    pulse, beats, metre, bars = found.tempo, None, None, None
    if pulse:
        beats = beat_times(features.onsets.novelty, pulse.bpm)
        lengths = loop_lengths(features) if kind is SampleKind.LOOP else ()
        metre = time_signature(features.onsets, pulse.bpm, features.seconds, claims, lengths)
    if beats is not None and metre:
        bars = downbeat_times(features, beats, metre, kind)
    return replace(
        found,
        beats=None if beats is None else tuple(beats.tolist()),
        downbeats=None if bars is None else tuple(bars.tolist()),
        onsets=tuple((features.onsets.frames / ONSET_RATE).tolist()),
        time_signature=metre,
        pitch=pitch(features.y) if kind is SampleKind.ONE_SHOT else None,
        loop=loop_points(features, kind, pulse, metre, bars, claims),
    )


def warm_up() -> None:
    """Analyse a moment of noise, so that filters, plans and tables exist before the first file."""
    noise = np.random.default_rng(0).normal(0, 0.1, (SAMPLE_RATE, 2))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "noise.wav"
        soundfile.write(path, noise, 44_100)
        analyze(path, AnalysisLevel.PROFESSIONAL)


def listen(path: Path, *, with_loudness: bool, limits: SoundLimits | None = None) -> "Heard":
    """One pass over the file: the mono signal for the features, the loudness of all channels."""
    with OpenSound(path, limits=limits) as sound:
        resampler = soxr.ResampleStream(
            sound.sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ"
        )
        meter: LoudnessMeter | None = None
        # Grows in place, where a list of blocks would have to be joined by a copy.
        mono = bytearray()
        frames, offset = 0, np.float32(0)
        first = last = np.zeros((1, 1), np.float32)
        for block in sound.blocks():
            if not frames:
                # A constant offset would ring in the resampler, where the sound begins and ends.
                offset = mix_down(block).mean()
                first = block[:, 0].copy()
            last = block[:, -2:].copy()
            frames += block.shape[1]
            if frames <= LONGEST_SECONDS * sound.sample_rate:
                mixed = mix_down(block)
                mixed -= offset
                mono += resampler.resample_chunk(mixed).data
            if with_loudness:
                meter = meter or LoudnessMeter(sound.sample_rate, len(block))
                meter.push(block)
        facts = sound.facts()
    mono += resampler.resample_chunk(np.zeros(0, np.float32), last=True).data
    # A single sample at a high rate resamples to none.
    y = np.frombuffer(mono or bytearray(4), np.float32)
    seam = float(np.abs(first - (2 * last[:, -1] - last[:, 0])).max())
    return Heard(
        Features(y, facts.duration_seconds, seam), meter.result() if meter else None, facts
    )


def mix_down(block: np.ndarray) -> np.ndarray:
    """`(n,)` mean of the channels `(channels, n)`; the first where they cancel each other out."""
    mono = block.sum(axis=0)
    mono *= np.float32(1 / len(block))
    if np.vdot(mono, mono) < 1e-3 * np.vdot(block[0], block[0]):
        return block[0].copy()
    return mono
