"""The sounds that are mutated: short, of every format, with tags and a picture where it has any."""

from pathlib import Path

import mutagen
import numpy as np
import soundfile
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, COMM, ID3, TIT2, TXXX
from mutagen.mp4 import MP4, MP4Cover

from benchmarks.fuzz.mutate import occurrences, seal_pages
from tests.sounds import kick, noise, tone, write

RATE = 22_050
_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4

# What each is named in `tests.sounds.write`, or a subtype of libsndfile's.
_WRITTEN = {
    "wav": ("wav16", "wav24", "wavfloat", "rf64", "wav/MS_ADPCM", "wav/ULAW"),
    "aiff": ("aiff", "aiff/FLOAT", "aiff/PCM_S8"),
    "flac": ("flac", "flac/PCM_24"),
    "mp3": ("mp3",),
    "ogg": ("ogg",),
    "opus": ("opus",),
    "m4a": ("m4a", "aac"),
}

_UNTAGGED = ("rf64", "aac")

FORMATS = tuple(_WRITTEN)


def seeds(folder: Path, form: str) -> list[bytes]:
    """The bytes of some sounds of one of FORMATS, the same in every run."""
    made = []
    for name in _WRITTEN[form]:
        for number, y in enumerate(_signals()):
            path = folder / f"{form}-{len(made)}"
            rate = 24_000 if form == "opus" else RATE
            container, _, subtype = name.partition("/")
            if subtype:
                soundfile.write(path, y, rate, format=container.upper(), subtype=subtype)
            else:
                write(path, y, container, rate)
            if number and name not in _UNTAGGED:
                _tag(path)
            made.append(_timeless(path.read_bytes()))
    return made


def _timeless(content: bytes) -> bytes:
    """Without the time and the random number that libsndfile writes into some formats."""
    data = bytearray(content)
    if (at := data.find(b"PEAK")) >= 0:
        data[at + 12 : at + 16] = bytes(4)
    for at in occurrences(data, b"OggS"):
        data[at + 14 : at + 18] = bytes(4)
    seal_pages(data)
    return bytes(data)


def _signals() -> list[np.ndarray]:
    """A one-shot in mono and a tone in stereo: 0.2 s each at RATE."""
    one_shot = kick(0.4)[::2][: RATE // 5]
    sides = np.stack([tone(220, 0.4), tone(330, 0.4) + noise(0.4, 0.1)], axis=1)
    return [one_shot, sides[::2][: RATE // 5]]


def _tag(path: Path) -> None:
    """Texts and a picture."""
    file = mutagen.File(path)  # pyright: ignore[reportPrivateImportUsage]
    match file:
        case None:
            return
        case FLAC():
            picture = Picture()
            picture.data, picture.mime = _PICTURE, "image/png"
            file.add_picture(picture)
            file["TITLE"] = "Seed"
        case MP4():
            file["covr"] = [MP4Cover(_PICTURE, MP4Cover.FORMAT_PNG)]
            file["\xa9nam"] = ["Seed"]
        case _:
            if file.tags is None:
                file.add_tags()
            if isinstance(file.tags, ID3):
                for frame in (
                    APIC(encoding=3, mime="image/png", type=3, desc="", data=_PICTURE),
                    TIT2(encoding=3, text="Seed"),
                    COMM(encoding=1, lang="eng", desc="", text="of a fuzzer"),
                    TXXX(encoding=3, desc="mood", text=["dark"]),
                ):
                    file.tags.add(frame)
            else:
                file["TITLE"] = "Seed"  # pyright: ignore[reportIndexIssue]
    file.save()
