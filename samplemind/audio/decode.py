"""From bytes to samples: what a file holds, decided by its content and never by its name.

libsndfile reads most formats, FFmpeg (through PyAV) the rest. Both run in blocks, so that the
length of a file costs time and not memory.
"""

import contextlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import av
import av.error
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from samplemind.audio.chunks import read_chunks
from samplemind.audio.metadata import clean, read_tags
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

BLOCK = 1 << 18
"""Frames (samples a channel) decoded at a time."""

# libsndfile also opens MATLAB matrices, speech corpora and the like: not what is uploaded here.
# MP3 is FFmpeg's: without a Xing header libsndfile guesses the length, and stops reading there.
# It sees only what begins as a format of its own: the fewer parsers, the better.
_SNDFILE_BEGINNINGS = (
    *(b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS"),
    *(b"caff", b".snd", b"dns."),
)
_SNDFILE_FORMATS = {
    "WAV": "wav",
    "WAVEX": "wav",
    "RF64": "wav",
    "W64": "w64",
    "AIFF": "aiff",
    "FLAC": "flac",
    "OGG": "ogg",
    "CAF": "caf",
    "AU": "au",
}

# FFmpeg's playlist demuxers would open whatever path or address an upload names: only these.
_FFMPEG_FORMATS = {
    "mov": "m4a",
    "aac": "aac",
    "matroska": "matroska",
    "asf": "wma",
    "wav": "wav",
    "aiff": "aiff",
    "ogg": "ogg",
    "flac": "flac",
    "mp3": "mp3",
    "ac3": "ac3",
    "eac3": "eac3",
    "amr": "amr",
    "ape": "ape",
    "wv": "wavpack",
    "tta": "tta",
    "avi": "avi",
    "mpegts": "mpegts",
}

_STORED_AS_SAMPLES = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")

_MAGIC = (
    (0, b"RIFF"),
    (0, b"RF64"),
    (0, b"FORM"),
    (0, b"fLaC"),
    (0, b"OggS"),
    (0, b"ID3"),
    (4, b"ftyp"),
)
_SAMPLE_BYTES = 4
_UNKNOWN_FRAMES = 2**63 - 1
# Floats of the scale of 32-bit integers are some program's; beyond them are only broken ones.
_LOUDEST = 2.0**32
_SHORTFALL = 0.1
"""Seconds by which lossy formats may fall short of what they claim: priming and padding."""


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
            self._source = _open(path)
        except _UnreadableError:
            if _has_audio_magic(path):
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


class _UnreadableError(Exception):
    """Neither library can open the file."""


class _SndfileSource:
    """A file that libsndfile reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # A descriptor carries no name, so that no extension can steer libsndfile, which closes it
        # in any case, also when it cannot read the file.
        try:
            self._file = soundfile.SoundFile(os.open(path, os.O_RDONLY), closefd=True)
        except soundfile.LibsndfileError as error:
            raise _UnreadableError from error
        # A FLAC file may leave open how long it is, and libsndfile then fails where it ends.
        is_open = self._file.frames == _UNKNOWN_FRAMES
        if self._file.format not in _SNDFILE_FORMATS or is_open:
            self._file.close()
            raise _UnreadableError
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        is_opus = self._file.subtype == "OPUS"
        self.format = "opus" if is_opus else _SNDFILE_FORMATS[self._file.format]

    def __enter__(self) -> "_SndfileSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def blocks(self) -> Iterator[np.ndarray]:
        done = 0
        buffer = np.empty((BLOCK, self.channels), np.float32)
        while True:
            try:
                frames = len(self._file.read(out=buffer))
            except soundfile.LibsndfileError:
                if self._file.tell() < 0:
                    yield from self._rest(done)
                    return
                # The block in which the data ends is filled up to where the reader stands.
                frames = min(max(self._file.tell() - done, 0), BLOCK)
            if not frames:
                return
            done += frames
            yield buffer[:frames].T.copy()

    def _rest(self, done: int) -> Iterator[np.ndarray]:
        """What follows `done` frames, by FFmpeg: libsndfile loses its place at the end of a FLAC
        file that is shorter than it says."""
        try:
            other = _FfmpegSource(self._path)
        except _UnreadableError:
            return
        with other:
            if (other.sample_rate, other.channels) != (self.sample_rate, self.channels):
                return
            for block in other.blocks():
                if done < block.shape[1]:
                    yield block[:, done:].copy()
                done = max(done - block.shape[1], 0)

    def stored_frames(self) -> int | None:
        """None where only decoding tells."""
        if self._file.subtype.startswith(_STORED_AS_SAMPLES) and self.format != "flac":
            return self._file.frames
        return None

    def is_truncated(self, frames: int) -> bool:
        with self._path.open("rb") as file:
            match self.format:
                case "wav" | "aiff":
                    return _iff_is_truncated(file)
                case "ogg" | "opus":
                    return _ogg_is_truncated(file)
                case _:
                    return frames < self._file.frames

    def tags(self) -> dict[str, str]:
        return self._file.copy_metadata()


class _FfmpegSource:
    """A file that FFmpeg reads: its first audio stream."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            container = av.open(
                str(path),
                container_options={
                    "format_whitelist": _WHITELIST,
                    "protocol_whitelist": "file",
                },
            )
        except (av.error.FFmpegError, ValueError) as error:
            raise _UnreadableError from error
        self._container: InputContainer = container
        names = container.format.name.split(",")
        # A stream in a codec that FFmpeg does not know has no codec context.
        streams = [stream for stream in container.streams.audio if stream.codec_context]
        if not streams:
            container.close()
            raise _UnreadableError
        self._stream = streams[0]
        self.sample_rate: int = self._stream.rate or 0
        self.channels: int = self._stream.channels
        self.format = next((_FFMPEG_FORMATS[name] for name in names if name in _FFMPEG_FORMATS), "")
        if not self.format or not self.sample_rate or not self.channels:
            container.close()
            raise _UnreadableError

    def __enter__(self) -> "_FfmpegSource":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def blocks(self) -> Iterator[np.ndarray]:
        block, filled = np.empty((self.channels, BLOCK), np.float32), 0
        for piece in self._pieces():
            # Straight into the block: arrays of 26 ms would have to be joined by a copy.
            planes = [_samples(plane, piece.samples) for plane in piece.planes]
            done = 0
            while done < piece.samples:
                count = min(piece.samples - done, BLOCK - filled)
                for row, plane in zip(block, planes, strict=True):
                    row[filled : filled + count] = plane[done : done + count]
                done, filled = done + count, filled + count
                if filled == BLOCK:
                    yield block
                    block, filled = np.empty_like(block), 0
        if filled:
            yield block[:, :filled].copy()

    def _pieces(self) -> Iterator[AudioFrame]:
        """Until the stream goes on with other channels or at another rate: as another sound."""
        resampler = AudioResampler("fltp", self._stream.layout, self.sample_rate)
        for frame in self._decoded():
            try:
                pieces = resampler.resample(frame)
            except (av.error.FFmpegError, ValueError):
                return
            for piece in pieces:
                # A resampler that has nothing to do lets frames through unseen, and a queue that
                # gets fewer channels than before reads beyond them.
                if (len(piece.planes), piece.sample_rate) != (self.channels, self.sample_rate):
                    return
                yield piece

    def _decoded(self) -> Iterator[AudioFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                decoded = packet.decode()
            except av.error.FFmpegError:
                return
            yield from (frame for frame in decoded if isinstance(frame, AudioFrame))

    def stored_frames(self) -> None:
        """Only decoding tells."""

    def is_truncated(self, frames: int) -> bool:
        if self.format == "mp3":
            with self._path.open("rb") as file:
                return _mp3_is_truncated(file)
        if self.format != "m4a" or self._stream.duration is None or self._stream.time_base is None:
            return False
        claimed = float(self._stream.duration * self._stream.time_base)
        return frames / self.sample_rate < claimed - _SHORTFALL

    def tags(self) -> dict[str, str]:
        return dict(self._container.metadata)


def _samples(plane: AudioPlane, count: int) -> np.ndarray:
    """What PyAV's types do not say: a plane is a buffer (padded beyond its samples)."""
    return np.frombuffer(plane, np.float32, count)  # pyright: ignore


_WHITELIST = ",".join([*_FFMPEG_FORMATS, "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"])


def _open(path: Path) -> _SndfileSource | _FfmpegSource:
    if _head(path).startswith(_SNDFILE_BEGINNINGS):
        with contextlib.suppress(_UnreadableError):
            return _SndfileSource(path)
    return _FfmpegSource(path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(12)


def _has_audio_magic(path: Path) -> bool:
    head = _head(path)
    return any(head[at : at + len(magic)] == magic for at, magic in _MAGIC)


def _iff_is_truncated(file: IO[bytes]) -> bool:
    """True where the chunk that holds the samples claims more bytes than follow.

    RIFF/RF64 (EBU Tech 3306) are little-endian, AIFF (FORM) is big-endian.
    """
    size = os.fstat(file.fileno()).st_size
    order = ">" if file.read(12)[:4] in (b"FORM", b"RIFX") else "<"
    large: int | None = None
    while len(header := file.read(8)) == 8:
        name, length = struct.unpack(f"{order}4sI", header)
        at = file.tell()
        if name == b"ds64":
            large = struct.unpack("<Q", file.read(16)[8:])[0]
        if name in (b"data", b"SSND"):
            if length == 0xFFFFFFFF:
                # Without a ds64 chunk this is a recorder that streamed and never came back.
                return large is not None and at + large > size
            return at + length > size
        file.seek(at + length + length % 2)
    return False


def _ogg_is_truncated(file: IO[bytes]) -> bool:
    """True where the last page is incomplete or lacks the end-of-stream flag (RFC 3533)."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - 0x20000))
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26]:
        return True
    is_whole = len(page) >= 27 + page[26] + sum(page[27 : 27 + page[26]])
    return not (is_whole and page[5] & 4)


def _mp3_is_truncated(file: IO[bytes]) -> bool:
    """True where a Xing or Info header counts more bytes of audio than follow it.

    An MP3 without such a header makes no claim, so that nothing can be missing.
    """
    size = os.fstat(file.fileno()).st_size
    head = file.read(10)
    start = 0
    if head[:3] == b"ID3":
        a, b, c, d = head[6:10]
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    file.seek(start)
    frame = file.read(4096)
    sync = frame.find(b"\xff")
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if sync < 0 or at < 0 or len(frame) < at + 16:
        return False
    flags = struct.unpack(">I", frame[at + 4 : at + 8])[0]
    if not flags & 2:
        return False
    after_frames = at + 8 + 4 * (flags & 1)
    claimed = struct.unpack(">I", frame[after_frames : after_frames + 4])[0]
    return start + sync + claimed > size
