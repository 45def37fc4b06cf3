"""Words for a sound, best first."""

import numpy as np

from samplemind.audio.embedding import model, standardised
from samplemind.audio.features import Features
from samplemind.domain.analysis import Label, SampleKind

_LEAST = 0.15
_MOST = 4


def labels(features: Features, kind: SampleKind) -> tuple[Label, ...]:
    """What the sound is (kick, bass, drum loop …), then how it is (bright, tonal …).

    Scores are 0..1, best first. Silence has no labels.
    """
    if features.is_silent:
        return ()
    found = _one_shot(features) if kind is SampleKind.ONE_SHOT else _going_on(features, kind)
    return tuple(sorted((*found, *_description(features)), key=lambda label: -label.score))


def _one_shot(features: Features) -> list[Label]:
    """Classes of the fitted one-shots that are likely enough to name."""
    fitted = model()
    logits = fitted.weights @ standardised(features) + fitted.bias
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    best = np.argsort(-shares)[:_MOST]
    return [Label(fitted.names[i], float(shares[i])) for i in best if shares[i] >= _LEAST]


def _going_on(features: Features, kind: SampleKind) -> list[Label]:
    noun = "loop" if kind is SampleKind.LOOP else "track"
    peakiness = features.peaks.peakiness
    tonal = float(np.clip((peakiness - 0.2) / 0.4, 0, 1))
    found = [Label(f"melodic {noun}", tonal), Label(f"drum {noun}", 1 - tonal)]
    return [label for label in found if label.score >= _LEAST]


def _description(features: Features) -> list[Label]:
    """Plain statements about the spectrum and the length, with half a label's weight."""
    timbre = features.timbre
    centroid = float(np.average(timbre.centroid, weights=timbre.power))
    brightness = float(np.clip(np.log2(centroid / 1_500) / 2, -1, 1))
    peakiness = features.peaks.peakiness
    found = [
        Label("bright", 0.5 * brightness),
        Label("dark", -0.5 * brightness),
        Label("tonal", 0.5 * peakiness),
        Label("noisy", 0.5 * (1 - peakiness)),
    ]
    return [label for label in found if label.score > 0.25]
