"""Words for a sound, best first."""

import numpy as np

from samplemind.audio.embedding import model, standardised
from samplemind.audio.features import Features
from samplemind.domain.analysis import Label, SampleKind

_LEAST = 0.15
_MOST = 4
_BASS_HERTZ = 500.0


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
    """Drums or notes, by how much of the spectrum stands in clear peaks; then low notes or all."""
    tonal = _tonality(features)
    low = float(np.clip(np.log2(_BASS_HERTZ / _centroid(features)) + 0.5, 0, 1))
    rest = "melodic loop" if kind is SampleKind.LOOP else "full track"
    found = [
        Label("drum loop", 1 - tonal),
        Label("bass loop", tonal * low),
        Label(rest, tonal * (1 - low)),
    ]
    return [label for label in found if label.score >= _LEAST]


def _description(features: Features) -> list[Label]:
    """Plain statements about the spectrum and the length, below the names that are likely."""
    brightness = float(np.clip(np.log2(_centroid(features) / 1_500) / 2, -1, 1))
    tonal = _tonality(features)
    found = [
        Label("bright", 0.4 * brightness),
        Label("dark", -0.4 * brightness),
        Label("tonal", 0.4 * tonal),
        Label("noisy", 0.4 * (1 - tonal)),
    ]
    return [label for label in found if label.score > 0.2]


def _tonality(features: Features) -> float:
    """0 for drums and noise, 1 for notes."""
    return float(np.clip((features.tonal.peakiness - 0.15) / 0.3, 0, 1))


def _centroid(features: Features) -> float:
    """Hz; loud frames count more."""
    timbre = features.timbre
    return max(float(np.average(timbre.centroid, weights=timbre.power)), 1.0)
