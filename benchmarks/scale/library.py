"""Made libraries: as many files, analyses and vectors as are asked for, the same for a seed."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from samplemind.audio import EMBEDDING_DIMENSIONS, ENGINE_VERSION
from samplemind.audio.hearing import names
from samplemind.domain.analysis import (
    TONICS,
    Analysis,
    AnalysisLevel,
    AnalysisStatus,
    Findings,
    Label,
    Loudness,
    Mode,
    MusicalKey,
    Pitch,
    SampleKind,
    SpectralFeatures,
    Tempo,
    TimeSignature,
)
from samplemind.domain.audio_file import AudioFacts, AudioFile
from samplemind.parts import Parts
from samplemind.store import audio_files

TAGS = ("dark", "bright", "warm", "808", "vinyl", "lofi", "techno", "house", "dnb", "foley")
_WORDS = ("deep", "hard", "soft", "analog", "tape", "dirty", "clean", "round", "tight", "wide")
_TEMPOS = (70, 80, 87, 90, 95, 100, 110, 120, 122, 124, 125, 126, 128, 130, 140, 150, 160, 174)
_HOW = ("short", "punchy", "dry", "tonal", "bright", "dark", "warm", "noisy", "long", "wet")
_LATENT = 24
_FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Sound:
    file: AudioFile
    analysis: Analysis | None


class Maker:
    """Nine of ten files are analysed; a name is the rarer the later it stands in the alphabet;
    seven of ten sounds are one-shots, without tempo; four of ten have a key. Vectors of one name
    lie about one place, in 24 directions and with some noise."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)
        self._seed = seed
        self._names = names()
        rarity = 1 / (1 + np.arange(len(self._names)))
        self._shares = rarity / rarity.sum()
        self._places = self._chance.normal(size=(len(self._names), EMBEDDING_DIMENSIONS))
        self._directions = self._chance.normal(size=(_LATENT, EMBEDDING_DIMENSIONS))

    def sounds(self, owner_id: str, count: int) -> Iterator[list[Sound]]:
        """In chunks, in the order of upload."""
        for start in range(0, count, _CHUNK):
            size = min(_CHUNK, count - start)
            which = self._chance.choice(len(self._names), size, p=self._shares)
            vectors = self._vectors(which)
            yield [
                self._sound(owner_id, start + place, int(name), vectors[place])
                for place, name in enumerate(which)
            ]

    def _vectors(self, which: np.ndarray) -> np.ndarray:
        latent = self._chance.normal(size=(len(which), _LATENT)) @ self._directions / _LATENT**0.5
        noise = self._chance.normal(size=(len(which), EMBEDDING_DIMENSIONS))
        made = self._places[which] + 0.6 * latent + 0.3 * noise
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    def _sound(self, owner_id: str, number: int, which: int, vector: np.ndarray) -> Sound:
        chance = self._chance
        name = self._names[which]
        how = [str(word) for word in chance.choice(_WORDS, 2, replace=False)]
        # Ids as new_id makes them, of the time of upload.
        uploaded_at = _FIRST_DAY + timedelta(minutes=5 * number)
        stamp = f"{int(uploaded_at.timestamp() * 1e6):014x}"
        digest = hashlib.sha256(f"{self._seed}:{owner_id}:{number}".encode()).hexdigest()
        file = AudioFile(
            id=stamp + digest[:10],
            owner_id=owner_id,
            filename=f"{name.title()} {how[0]} {how[1]}_{number:06d}.wav",
            size_bytes=int(chance.lognormal(12.5, 1.2)),
            sha256=digest,
            facts=AudioFacts("wav", float(chance.lognormal(0.3, 1.1)), 44_100, 2, {}),
            tags=tuple(sorted({str(tag) for tag in chance.choice(TAGS, chance.integers(4))})),
            uploaded_at=uploaded_at,
        )
        if chance.random() < 0.1:
            return Sound(file, None)
        analysis = Analysis(
            id=stamp + digest[10:20],
            owner_id=owner_id,
            audio_file_id=file.id,
            level=AnalysisLevel.DETAILED,
            status=AnalysisStatus.SUCCEEDED,
            engine_version=ENGINE_VERSION,
            queued_at=uploaded_at,
            attempts=1,
            findings=self._findings(name, vector),
            processing_seconds=0.2,
            finished_at=uploaded_at,
        )
        return Sound(replace(file, analysis_id=analysis.id), analysis)

    def _findings(self, name: str, vector: np.ndarray) -> Findings:
        chance = self._chance
        kind = (
            SampleKind.LOOP
            if "loop" in name
            else SampleKind.TRACK
            if name == "full track"
            else list(SampleKind)[chance.choice(3, p=(0.78, 0.2, 0.02))]
        )
        pulse = kind is not SampleKind.ONE_SHOT
        bpm = float(chance.choice(_TEMPOS)) + float(chance.normal(0, 0.05))
        tonal = chance.random() < 0.4
        key = MusicalKey(str(chance.choice(TONICS)), list(Mode)[chance.integers(2)], 0.7)
        said = [str(word) for word in chance.choice(_HOW, 3, replace=False)]
        beats = tuple(float(each) for each in np.round(60 / bpm * np.arange(16), 3))
        return Findings(
            kind=kind,
            tempo=Tempo(bpm, 0.9, (bpm / 2, bpm * 2)) if pulse else None,
            key=key if tonal else None,
            time_signature=TimeSignature(4, 4, 0.9) if pulse else None,
            pitch=Pitch(440.0, 69.0, "A4", 0.9) if tonal and not pulse else None,
            loudness=Loudness(float(chance.normal(-14, 4)), -1.0, 3.0),
            spectral=SpectralFeatures(
                1_500.0, 900.0, 3_000.0, 0.1, 0.05, (15.0,) * 7, (0.5,) * 20, (0.5,) * 12
            ),
            beats=beats if pulse else None,
            downbeats=beats[::4] if pulse else None,
            onsets=beats,
            labels=(Label(name, 0.8), *(Label(word, 0.02) for word in said)),
            embedding=tuple(vector.tolist()),
            fingerprint=chance.bytes(600),
        )


async def fill(parts: Parts, owner_id: str, count: int, seed: int) -> list[str]:
    """Stores a made library as uploads and analyses leave it, a thousand at a time. Answers the
    ids of the files that have a vector."""
    filled = []
    for sounds in Maker(seed).sounds(owner_id, count):
        done = [(each.file, each.analysis) for each in sounds if each.analysis]
        store = parts.store
        await asyncio.gather(
            store.audio_files._files.insert_many([_document(each) for each in sounds]),
            store.analyses.add([analysis for _, analysis in done]),
            parts.vectors.put_many(owner_id, [(file, run.findings) for file, run in done]),
        )
        filled += [file.id for file, _ in done]
    return filled


def _document(sound: Sound) -> dict:
    file, analysis = sound.file, sound.analysis
    facets = audio_files._facets(file.owner_id, file.id, analysis)
    return audio_files._dump(file) | facets
