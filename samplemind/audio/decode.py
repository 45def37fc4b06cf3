"""From bytes to samples: what a file holds, decided by its content and never by its name.

It is read in blocks, so that its length costs time and not memory.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from samplemind.audio.chunks import read_chunks
from samplemind.audio.metadata import clean, read_tags
from samplemind.audio.sources import UnreadableError, has_audio_magic, open_source
from samplemind.domain.audio_file import AudioFacts
from samplemind.domain.errors import (
    EmptyUpload,
    NoSound,
    NotAudio,
    SoundTooLarge,
    SoundTooLong,
    SoundUnsupported,
)
from samplemind.domain.sound_limits import SoundLimits

_SAMPLE_BYTES = 4
# Floats of the scale of 32-bit integers are some program's; beyond them are only broken ones.
_LOUDEST = 2.0**32


class OpenSound:
    """A file being read, once: its samples in blocks, and then its facts.

    `filename` is what its owner calls the file; it only appears in messages.

    Raises EmptyUpload, NotAudio (not a sound in a format that can be read), NoSound (a
    container with nothing in it that decodes), and SoundUnsupported, SoundTooLong or
    SoundTooLarge where it goes beyond `limits`.
    """

    def __init__(
        self, path: Path, filename: str | None = None, limits: SoundLimits | None = None
    ) -> None:
        self._path = path
        self._limits = limits or SoundLimits()
        self._name = f"“{filename}”" if filename else "The stored file"
        self._frames: int | None = None
        if path.stat().st_size == 0:
            raise EmptyUpload(f"{self._name} is empty (0 bytes): upload the file again.")
        try:
            self._source = open_source(path)
        except UnreadableError:
            if has_audio_magic(path):
                raise NoSound(
                    f"{self._name} begins like a sound file, but nothing in it can be decoded: it "
                    "is damaged or cut short. Export it again."
                ) from None
            raise NotAudio(
                f"{self._name} is not a sound in a format that can be read: upload WAV, AIFF, "
                "FLAC, MP3, OGG, Opus or M4A."
            ) from None
        self.sample_rate = self._source.sample_rate
        try:
            self._require_supported()
        except SoundUnsupported:
            self._source.__exit__()
            raise

    def __enter__(self) -> "OpenSound":
        self._source.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._source.__exit__(*error)

    def blocks(self) -> Iterator[np.ndarray]:
        """`(channels, <= BLOCK)` float32, full scale at 1.0; as far as the file decodes.

        Samples that are no number, or none that any program writes, are 0. At least one block
        comes, and none is empty.
        """
        frames = 0
        for block in self._source.blocks():
            frames += block.shape[1]
            self._require_within(frames)
            # Not finite either where any sample is not.
            if not np.vdot(block, block) < _LOUDEST**2:
                block[~(np.abs(block) < _LOUDEST)] = 0
            yield block
        self._require_sound(frames)
        self._frames = frames

    def facts(self) -> AudioFacts:
        """What the container says, checked against what decodes.

        Formats that are not plain samples are decoded through, unless that has been done, since
        their headers may promise more than the file holds.
        """
        source, frames = self._source, self._frames
        if frames is None:
            frames = source.stored_frames()
        if frames is None:
            frames = sum(block.shape[1] for block in self.blocks())
        self._require_within(frames)
        self._require_sound(frames)
        tags = read_tags(self._path)
        metadata = tags or clean((name, [text]) for name, text in source.tags().items())
        metadata.pop("truncated", None)
        metadata |= read_chunks(self._path)
        if source.is_truncated(frames):
            metadata["truncated"] = True
        return AudioFacts(
            format=source.format,
            duration_seconds=frames / source.sample_rate,
            sample_rate=source.sample_rate,
            channels=source.channels,
            metadata=metadata,
        )

    def _require_supported(self) -> None:
        limits, rate, channels = self._limits, self._source.sample_rate, self._source.channels
        if not limits.lowest_rate <= rate <= limits.highest_rate:
            raise SoundUnsupported(
                f"{self._name} has {rate:,} samples a second; accepted are {limits.lowest_rate:,} "
                f"to {limits.highest_rate:,}. Export it at 44,100 or 48,000."
            )
        if channels > limits.channels:
            raise SoundUnsupported(
                f"{self._name} has {channels} channels; {limits.channels} at most are accepted. "
                "Export it as stereo, or in parts."
            )

    def _require_within(self, frames: int) -> None:
        limits, source = self._limits, self._source
        if frames > limits.seconds * source.sample_rate:
            raise SoundTooLong(
                f"{self._name} lasts longer than {limits.seconds:,.0f} s, the most that is "
                "accepted. Upload it in parts."
            )
        if frames * source.channels * _SAMPLE_BYTES > limits.decoded_bytes:
            raise SoundTooLarge(
                f"{self._name} holds more than {limits.decoded_bytes:,} bytes once it is decoded, "
                "the most that is accepted. Upload it in parts, or with fewer channels."
            )

    def _require_sound(self, frames: int) -> None:
        if not frames:
            raise NoSound(
                f"{self._name} holds no sound: its {self._source.format} container is empty."
            )


def probe(path: Path, filename: str, limits: SoundLimits | None = None) -> AudioFacts:
    """The facts of a file that is not analysed here. Raises what OpenSound does."""
    with OpenSound(path, filename, limits) as sound:
        return sound.facts()
