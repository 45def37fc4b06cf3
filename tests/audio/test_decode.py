"""Reading files: every container, cut short, hostile, and with all sorts of tags."""

import json
import os
import struct
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, PRIV, TBPM, TIT2, TKEY, TXXX
from mutagen.mp4 import MP4

from samplemind.audio.decode import OpenSound, probe
from samplemind.audio.sources import BLOCK
from samplemind.domain.errors import EmptyUpload, NoSound, NotAudio
from tests.sounds import (
    CONTAINERS,
    RATE,
    SNDFILE_CONTAINERS,
    noise,
    silence,
    stereo,
    tone,
    write,
)

LOSSLESS = ("wav16", "wav24", "wav32", "wavfloat", "rf64", "aiff", "flac")
EXPECTED = {name: form for name, (form, _) in SNDFILE_CONTAINERS.items()} | {
    "m4a": "m4a",
    "aac": "aac",
}


def rate_of(container: str) -> int:
    return 48_000 if container == "opus" else RATE


def a_file(folder: Path, container: str, y: np.ndarray | None = None) -> Path:
    y = stereo(tone(440, 3) + noise(3, 0.1)) if y is None else y
    return write(folder / "sound.bin", y, container, rate_of(container))


class Sound(NamedTuple):
    samples: np.ndarray
    sample_rate: int


def decode(path: Path) -> Sound:
    with OpenSound(path) as sound:
        return Sound(np.concatenate(list(sound.blocks()), axis=1), sound.sample_rate)


class TestContainers:
    @pytest.mark.parametrize("container", CONTAINERS)
    def test_a_probe_tells_the_facts_whatever_the_extension(
        self, tmp_path: Path, container: str
    ) -> None:
        path = a_file(tmp_path, container)
        facts = probe(path, "x.txt")
        assert facts.format == EXPECTED[container]
        assert facts.channels == 2
        assert facts.sample_rate == rate_of(container)
        expected = 3 * RATE / rate_of(container)
        # AAC comes in whole frames of 1,024, and raw AAC has nowhere to say how many are padding.
        slack = 0.06 if container in ("m4a", "aac") else 1e-9
        assert facts.duration_seconds == pytest.approx(expected, abs=slack)
        assert "truncated" not in facts.metadata

    @pytest.mark.parametrize("container", CONTAINERS)
    def test_what_decodes_is_what_was_written(self, tmp_path: Path, container: str) -> None:
        y = np.stack([tone(441, 2), 0.5 * tone(882, 2)], axis=1)
        sound = decode(a_file(tmp_path, container, y))
        assert sound.samples.dtype == np.float32
        assert sound.sample_rate == rate_of(container)
        if container in LOSSLESS:
            np.testing.assert_allclose(sound.samples, y.T, atol=2**-15)
        else:
            middle = sound.samples[:, RATE // 2 : RATE]
            assert np.sqrt(2) * middle.std(axis=1) == pytest.approx([0.5, 0.25], rel=0.05)

    @pytest.mark.parametrize("channels", [1, 2])
    def test_blocks_do_not_overwrite_each_other(self, tmp_path: Path, channels: int) -> None:
        ramp = np.linspace(-0.9, 0.9, 2 * BLOCK + 777, dtype=np.float32)
        y = np.stack([ramp] * channels, axis=1)
        sound = decode(write(tmp_path / "ramp.wav", y, "wavfloat"))
        np.testing.assert_array_equal(sound.samples, y.T)

    def test_an_mp3_without_a_header_of_its_length_is_whole(self, tmp_path: Path) -> None:
        path = a_file(tmp_path, "mp3")
        data = path.read_bytes()
        # Without its first frame, which holds the Xing header, it is a plain stream of frames.
        second = data.find(data[:2], 4 + data.find(b"Info") if b"Info" in data else 4)
        path.write_bytes(data[second:])
        facts = probe(path, "stream.mp3")
        assert facts.duration_seconds == pytest.approx(3, abs=0.1)
        assert "truncated" not in facts.metadata

    def test_samples_that_are_not_numbers_become_zero(self, tmp_path: Path) -> None:
        y = tone(440, 0.5)
        y[100:200] = np.nan
        y[300], y[301] = np.inf, -np.inf
        sound = decode(write(tmp_path / "nan.wav", y, "wavfloat"))
        assert np.isfinite(sound.samples).all()
        assert not sound.samples[0, 100:200].any()
        assert not sound.samples[0, 300:302].any()


class TestCutShort:
    @pytest.mark.parametrize("container", [c for c in CONTAINERS if c != "aac"])
    def test_it_is_accepted_with_what_decodes(self, tmp_path: Path, container: str) -> None:
        path = a_file(tmp_path, container)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
        facts = probe(path, "cut")
        assert facts.metadata["truncated"] is True
        whole = 3 * RATE / rate_of(container)
        # Ogg pages hold up to a second, and a page is all or nothing.
        assert (0.2 if container in ("ogg", "opus") else 0.5) * whole < facts.duration_seconds
        assert facts.duration_seconds < 0.65 * whole
        sound = decode(path)
        assert sound.samples.shape[1] / sound.sample_rate == facts.duration_seconds

    def test_a_flac_keeps_all_the_frames_before_the_cut(self, tmp_path: Path) -> None:
        y = noise(3)
        path = a_file(tmp_path, "flac", y)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        samples = decode(path).samples[0]
        assert len(samples) > 0.45 * len(y)
        np.testing.assert_allclose(samples, y[: len(samples)], atol=2**-15)

    @pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
    def test_a_wav_that_never_got_its_length_is_not_called_cut(
        self, tmp_path: Path, length: int
    ) -> None:
        path = a_file(tmp_path, "wav16")
        data = bytearray(path.read_bytes())
        at = data.index(b"data") + 4
        data[at : at + 4] = struct.pack("<I", length)
        path.write_bytes(data)
        if length:
            facts = probe(path, "streamed.wav")
            assert facts.duration_seconds == pytest.approx(3)
            assert "truncated" not in facts.metadata
        else:
            with pytest.raises(NoSound):
                probe(path, "streamed.wav")


class TestHostile:
    def test_an_empty_file(self, tmp_path: Path) -> None:
        path = tmp_path / "empty"
        path.touch()
        with pytest.raises(EmptyUpload, match=r"kick\.wav"):
            probe(path, "kick.wav")

    @pytest.mark.parametrize(
        "content",
        [
            b"Just some text.\n" * 500,
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0" + bytes(100),
            b"PK\x03\x04" + bytes(1_000),
            b"\xff" * 5_000,
            bytes(5_000),
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"\x00",
        ],
        ids=["text", "png", "zip", "ones", "zeros", "svg", "one byte"],
    )
    def test_what_is_not_audio(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "sound.wav"
        path.write_bytes(content)
        with pytest.raises(NotAudio, match="upload WAV"):
            probe(path, "sound.wav")
        with pytest.raises(NotAudio):
            decode(path)

    def test_random_bytes_are_never_a_sound(self, tmp_path: Path) -> None:
        path = tmp_path / "random.mp3"
        for seed in range(60):
            source = Random(seed)  # noqa: S311
            path.write_bytes(source.randbytes(source.choice([10, 1_000, 50_000])))
            with pytest.raises(NotAudio):
                probe(path, "random.mp3")

    @pytest.mark.parametrize(
        "playlist",
        [
            "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\nfile://{}\n#EXT-X-ENDLIST\n",
            "ffconcat version 1.0\nfile {}\n",
        ],
        ids=["hls", "ffconcat"],
    )
    def test_a_playlist_cannot_reach_other_files(self, tmp_path: Path, playlist: str) -> None:
        secret = write(tmp_path / "secret.aac", stereo(tone(440, 1)), "aac")
        path = tmp_path / "list.m3u8"
        path.write_text(playlist.format(secret))
        # An access time from long ago is the trace: whoever reads the file renews it.
        os.utime(secret, (0, secret.stat().st_mtime))
        with pytest.raises(NotAudio):
            probe(path, "list.m3u8")
        assert secret.stat().st_atime == 0

    @pytest.mark.parametrize("size", [4, 12, 20, 44])
    def test_a_wav_that_ends_in_its_header(self, tmp_path: Path, size: int) -> None:
        path = a_file(tmp_path, "wav16")
        path.write_bytes(path.read_bytes()[:size])
        with pytest.raises(NoSound):
            probe(path, "cut.wav")

    def test_an_empty_container_of_each_kind(self, tmp_path: Path) -> None:
        for container in ("wav16", "aiff"):
            with pytest.raises(NoSound):
                probe(a_file(tmp_path, container, np.zeros((0, 2), np.float32)), "none")

    def test_a_file_without_its_index(self, tmp_path: Path) -> None:
        path = tmp_path / "x.m4a"
        path.write_bytes(struct.pack(">I4s4sI", 16, b"ftyp", b"M4A ", 0) + bytes(500))
        with pytest.raises(NoSound, match="damaged"):
            probe(path, "x.m4a")

    def test_a_wav_in_an_unknown_codec(self, tmp_path: Path) -> None:
        path = a_file(tmp_path, "wav16")
        data = bytearray(path.read_bytes())
        data[20:22] = b"\x4f\x67"
        path.write_bytes(data)
        with pytest.raises(NoSound):
            probe(path, "odd.wav")

    def test_bytes_flipped_at_random_never_break_anything_else(self, tmp_path: Path) -> None:
        for container in ("wav16", "flac", "mp3", "ogg", "m4a", "aiff"):
            whole = a_file(tmp_path, container, stereo(tone(440, 0.3))).read_bytes()
            path = tmp_path / "flipped"
            for seed in range(12):
                source = Random(seed)  # noqa: S311
                data = bytearray(whole)
                for _ in range(8):
                    data[source.randrange(min(len(data), 4_000))] = source.randrange(256)
                path.write_bytes(data)
                try:
                    facts = probe(path, "flipped")
                    sound = decode(path)
                except (NoSound, NotAudio):
                    continue
                assert facts.duration_seconds > 0
                assert np.isfinite(sound.samples).all()

    def test_no_descriptor_is_left_open(self, tmp_path: Path) -> None:
        descriptors = Path("/proc/self/fd")
        if not descriptors.exists():
            descriptors = Path("/dev/fd")
        good, bad = a_file(tmp_path, "m4a"), tmp_path / "bad"
        bad.write_bytes(b"RIFF" + bytes(100))
        before = len(list(descriptors.iterdir()))
        for _ in range(20):
            probe(good, "good")
            with pytest.raises(NoSound):
                probe(bad, "bad")
        assert len(list(descriptors.iterdir())) <= before + 1


class TestTags:
    def test_id3(self, tmp_path: Path) -> None:
        path = a_file(tmp_path, "mp3")
        tags = ID3()
        for frame in (
            TIT2(encoding=3, text="Deep \x07\x1bKick"),
            TBPM(encoding=3, text="174"),
            TKEY(encoding=3, text="F#m"),
            COMM(encoding=3, lang="eng", desc="", text="x" * 5_000),
            TXXX(encoding=3, desc="mood", text=["dark", "heavy"]),
            APIC(encoding=3, mime="image/png", type=3, desc="", data=bytes(9_000)),
            PRIV(owner="someone", data=bytes(9_000)),
        ):
            tags.add(frame)
        tags.save(path)
        metadata = probe(path, "kick.mp3").metadata
        assert metadata == {
            "title": "Deep Kick",
            "bpm": "174",
            "initialkey": "F#m",
            "comment": "x" * 2_000,
            "mood": ["dark", "heavy"],
        }

    def test_vorbis_comments_without_pictures(self, tmp_path: Path) -> None:
        path = a_file(tmp_path, "flac")
        file = FLAC(path)
        file["TITLE"], file["artist"] = "Pad", ["A", "B"]
        picture = Picture()
        picture.data = bytes(5_000)
        file.add_picture(picture)
        file.save()
        metadata = probe(path, "pad.flac").metadata
        assert metadata["title"] == "Pad"
        assert metadata["artist"] == ["A", "B"]
        assert len(json.dumps(metadata)) < 500

    def test_mp4_atoms(self, tmp_path: Path) -> None:
        path = a_file(tmp_path, "m4a")
        file = MP4(path)
        file["\xa9nam"], file["tmpo"], file["covr"] = ["Riff"], [128], [bytes(100)]
        file.save()
        metadata = probe(path, "riff.m4a").metadata
        assert metadata["title"] == "Riff"
        assert metadata["bpm"] == "128"
        assert "covr" not in metadata

    def test_riff_info(self, tmp_path: Path) -> None:
        path = tmp_path / "info.wav"
        with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
            file.title, file.comment = "Amen\x07", "cut"
            file.write(tone(440, 0.5))
        metadata = probe(path, "info.wav").metadata
        assert metadata["title"] == "Amen"
        assert metadata["comment"] == "cut"

    def test_thousands_of_tags_are_not_all_kept(self, tmp_path: Path) -> None:
        path = a_file(tmp_path, "flac", silence(0.1))
        file = FLAC(path)
        for i in range(3_000):
            file[f"tag{i}"] = "x"
        file.save()
        assert len(probe(path, "many.flac").metadata) <= 100
