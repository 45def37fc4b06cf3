"""Files as the two libraries that decode them read them: libsndfile most formats, FFmpeg (through
PyAV) the rest."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
import numpy as np
import soundfile
from av.audio.frame import AudioFrame
from av.audio.plane import AudioPlane
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from samplemind.audio.truncation import iff_is_truncated, mp3_is_truncated, ogg_is_truncated

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
_UNKNOWN_FRAMES = 2**63 - 1
_SHORTFALL = 0.1
"""Seconds by which lossy formats may fall short of what they claim: priming and padding."""


class UnreadableError(Exception):
    """Neither library can open the file."""


class SndfileSource:
    """A file that libsndfile reads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # A descriptor carries no name, so that no extension can steer libsndfile, which closes it
        # in any case, also when it cannot read the file.
        try:
            self._file = soundfile.SoundFile(os.open(path, os.O_RDONLY), closefd=True)
        except soundfile.LibsndfileError as error:
            raise UnreadableError from error
        # A FLAC file may leave open how long it is, and libsndfile then fails where it ends.
        is_open = self._file.frames == _UNKNOWN_FRAMES
        if self._file.format not in _SNDFILE_FORMATS or is_open:
            self._file.close()
            raise UnreadableError
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        is_opus = self._file.subtype == "OPUS"
        self.format = "opus" if is_opus else _SNDFILE_FORMATS[self._file.format]

    def __enter__(self) -> "SndfileSource":
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
            other = FfmpegSource(self._path)
        except UnreadableError:
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
                    return iff_is_truncated(file)
                case "ogg" | "opus":
                    return ogg_is_truncated(file)
                case _:
                    return frames < self._file.frames

    def tags(self) -> dict[str, str]:
        return self._file.copy_metadata()


class FfmpegSource:
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
            raise UnreadableError from error
        self._container: InputContainer = container
        names = container.format.name.split(",")
        # A stream in a codec that FFmpeg does not know has no codec context.
        streams = [stream for stream in container.streams.audio if stream.codec_context]
        if not streams:
            container.close()
            raise UnreadableError
        self._stream = streams[0]
        self.sample_rate: int = self._stream.rate or 0
        self.channels: int = self._stream.channels
        self.format = next((_FFMPEG_FORMATS[name] for name in names if name in _FFMPEG_FORMATS), "")
        if not self.format or not self.sample_rate or not self.channels:
            container.close()
            raise UnreadableError

    def __enter__(self) -> "FfmpegSource":
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
                return mp3_is_truncated(file)
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


def open_source(path: Path) -> SndfileSource | FfmpegSource:
    if _head(path).startswith(_SNDFILE_BEGINNINGS):
        with contextlib.suppress(UnreadableError):
            return SndfileSource(path)
    return FfmpegSource(path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(12)


def has_audio_magic(path: Path) -> bool:
    head = _head(path)
    return any(head[at : at + len(magic)] == magic for at, magic in _MAGIC)
