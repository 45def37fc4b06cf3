"""How far what a file says of itself is believed.

Files lie: programs write a default, a guess, or what another file of the pack had. So a claim never
answers alone. It has to fit the length of the sound, then it is weighed against what is heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from samplemind.domain.analysis import Mode, Tempo
from samplemind.domain.audio_file import AudioFacts

_FITS = 0.01
"""Part of the length by which beats at a tempo may miss it."""

_ROUND_BPM = 0.05
_USUAL_BPM = 60.0, 200.0
_MOST_BEATS = 64
"""Of what may be a loop though it is as long as a track."""

_SURE = 0.9
"""Confidence from which what is heard is not given up for what it does not know at all."""

_CONFIRMED, _CLAIMED = 0.98, 0.9
"""Confidence in a claim that the sound bears out, and in one that only its length does."""

_UNITY = 60
"""What samplers' notes are where nobody set them."""

# Logarithms of odds.
_SAYS_ONE_SHOT, _SAYS_LOOP, _IS_CUT_TO_BARS = -1.5, 0.3, 1.5


@dataclass(frozen=True, slots=True)
class Claims:
    """What a file says of itself; None where it says nothing.

    `bpm` and `beats` of the whole, `root` as a pitch class from C, `loop` in seconds.
    """

    bpm: float | None = None
    beats: int | None = None
    is_one_shot: bool | None = None
    root: int | None = None
    mode: Mode | None = None
    metre: tuple[int, int] | None = None
    loop: tuple[float, float] | None = None

    @classmethod
    def of(cls, facts: AudioFacts) -> "Claims":
        """As `read_chunks` found them."""
        said = {name: _said(facts, name) for name in ("acid", "basc", "smpl", "inst")}
        maker, sampler = said["acid"] or said["basc"], said["smpl"] or said["inst"]
        root = maker.get("rootNote")
        if root is None and (unity := sampler.get("rootNote")) != _UNITY:
            root = unity
        metre = maker.get("timeSignature")
        numerator, denominator = map(int, metre.split("/")) if metre else (4, 4)
        scale = maker.get("scale")
        return cls(
            bpm=maker.get("tempo"),
            beats=maker.get("beats"),
            is_one_shot=maker.get("oneShot"),
            root=None if root is None else root % 12,
            mode=Mode(scale.upper()) if scale else None,
            metre=(numerator, denominator) if metre else None,
            loop=_loop(sampler, facts),
        )

    def bpm_of(self, seconds: float) -> float | None:
        """The tempo claimed for a sound, exact, where its length can hold what is claimed."""
        if not self.beats:
            return self.bpm
        by_length = 60 * self.beats / seconds
        if self.bpm is None:
            return by_length
        # A tail may follow the last beat, but nothing fits more beats than there is time for.
        return self.bpm if by_length <= self.bpm * (1 + _FITS) else None

    def fits(self, seconds: float) -> bool:
        """Whether the beats, at the tempo where one is said, fill the sound."""
        if not self.beats:
            return False
        return self.bpm is None or abs(60 * self.beats / seconds / self.bpm - 1) < _FITS

    def loop_odds(self, seconds: float) -> float:
        """Logarithm of the odds that speak for a loop and against a one-shot."""
        if self.is_one_shot is None:
            return 0.0
        if self.is_one_shot:
            return _SAYS_ONE_SHOT
        return _SAYS_LOOP + (_IS_CUT_TO_BARS if self.is_cut_to_bars(seconds) else 0.0)

    def is_long_loop(self, seconds: float) -> bool:
        """Of a sound as long as a track: it says that it is a loop, and is cut like one."""
        is_loop = self.is_one_shot is False and (self.beats or 0) <= _MOST_BEATS
        return is_loop and self.is_cut_to_bars(seconds)

    def is_cut_to_bars(self, seconds: float) -> bool:
        """Any length is some number of beats at some tempo, and programs write down which: that
        they make bars, and the tempo is a round one, says more."""
        bar = self.metre[0] if self.metre else 1
        is_whole = self.beats is not None and (2 * self.beats == bar or self.beats % bar == 0)
        return is_whole and self.fits(seconds) and _is_round(self.bpm_of(seconds))


NO_CLAIMS = Claims()


def tempo_by(claims: Claims, heard: Tempo | None, lengths: Sequence[float]) -> Tempo | None:
    """What is heard, or the claim where it may be believed.

    A claim that is heard too, as the tempo, its half or double or an alternative, makes it exact.
    One that nothing in the sound speaks for has to fill one of its `lengths` with whole bars at a
    round tempo, and what is heard to be unsure.
    """
    for seconds in lengths:
        bpm = claims.bpm_of(seconds)
        fits = claims.fits(seconds)
        if bpm is None:
            continue
        if heard and _is_among(bpm, (heard.bpm, 2 * heard.bpm, heard.bpm / 2, *heard.alternatives)):
            confidence = _CONFIRMED if fits else max(_CLAIMED, heard.confidence)
            return _instead(bpm, confidence, heard)
        is_open = heard is None or heard.confidence < _SURE
        if is_open and claims.is_cut_to_bars(seconds):
            return _instead(bpm, _CLAIMED, heard)
    return heard


def _instead(bpm: float, confidence: float, heard: Tempo | None) -> Tempo:
    others = () if heard is None else (heard.bpm, *heard.alternatives)
    kept = tuple(other for other in others if abs(other / bpm - 1) > 0.03)
    return Tempo(round(bpm, 2), confidence, kept[:3])


def _is_among(bpm: float, others: Sequence[float]) -> bool:
    return bool((np.abs(np.array(others) / bpm - 1) < _FITS).any())


def _is_round(bpm: float | None) -> bool:
    if bpm is None or not _USUAL_BPM[0] <= bpm <= _USUAL_BPM[1]:
        return False
    return abs(bpm - round(bpm)) < _ROUND_BPM


def _loop(sampler: dict[str, Any], facts: AudioFacts) -> tuple[float, float] | None:
    """The first that lies within the sound."""
    for each in sampler.get("loops", ()):
        start, end = each["start"] / facts.sample_rate, each["end"] / facts.sample_rate
        if end <= facts.duration_seconds + 0.5 / facts.sample_rate:
            return start, end
    return None


def _said(facts: AudioFacts, name: str) -> dict[str, Any]:
    """Tags may have any name, but they are texts."""
    said = facts.metadata.get(name)
    return said if isinstance(said, dict) else {}
