"""What WAV and AIFF files say of themselves is read, and nothing in them is trusted to be sane."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samplemind.audio.chunks import read_chunks
from samplemind.audio.decode import probe
from tests.audio.made_chunks import acid, basc, inst, mark, smpl, with_chunk
from tests.sounds import kick, write

HYDROGEN = Path("/usr/share/hydrogen/data/drumkits/Audiophob")


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    return write(tmp_path / "sound.wav", kick())


@pytest.fixture
def aiff(tmp_path: Path) -> Path:
    return write(tmp_path / "sound.aiff", kick(), "aiff")


def test_acid(wav: Path) -> None:
    with_chunk(wav, b"acid", acid(16, 98.5, root=57, metre=(3, 4)))
    said = {
        "oneShot": False,
        "rootNote": 57,
        "beats": 16,
        "timeSignature": "3/4",
        "tempo": 98.5,
    }
    assert read_chunks(wav) == {"acid": said}
    assert probe(wav, "sound.wav").metadata["acid"] == said


def test_what_acid_does_not_say_is_left_out(wav: Path) -> None:
    with_chunk(wav, b"acid", acid(0, 0.0, one_shot=True, metre=(4, 0)))
    assert read_chunks(wav) == {"acid": {"oneShot": True}}


def test_smpl(wav: Path) -> None:
    with_chunk(wav, b"smpl", smpl([(100, 9_999), (7, 3)], note=64))
    # The last frame is played; a loop that ends before it begins is none.
    assert read_chunks(wav) == {"smpl": {"rootNote": 64, "loops": [{"start": 100, "end": 10_000}]}}


def test_loops_that_run_to_and_fro_are_left_out(wav: Path) -> None:
    with_chunk(wav, b"smpl", smpl([(100, 9_999)], kind=1))
    assert read_chunks(wav) == {"smpl": {"rootNote": 60}}


def test_basc(aiff: Path) -> None:
    with_chunk(aiff, b"basc", basc(32, 50, 1))
    said = {
        "oneShot": False,
        "rootNote": 50,
        "scale": "minor",
        "beats": 32,
        "timeSignature": "4/4",
    }
    assert read_chunks(aiff) == {"basc": said}
    assert probe(aiff, "sound.aiff").metadata["basc"] == said


@pytest.mark.parametrize("markers", [(1, 2), (2, 3), (1, 3)])
def test_inst_and_mark(aiff: Path, markers: tuple[int, int]) -> None:
    frames = (10, 5_000, 17_000)
    with_chunk(with_chunk(aiff, b"MARK", mark(frames)), b"INST", inst(62, *markers))
    start, end = (frames[id_ - 1] for id_ in markers)
    assert read_chunks(aiff) == {"inst": {"rootNote": 62, "loops": [{"start": start, "end": end}]}}


def test_inst_whose_markers_are_missing(aiff: Path) -> None:
    with_chunk(with_chunk(aiff, b"MARK", mark((10,))), b"INST", inst(62))
    assert read_chunks(aiff) == {"inst": {"rootNote": 62}}


def test_a_sampler_loop_behind_the_samples_of_a_large_file(tmp_path: Path) -> None:
    path = write(tmp_path / "sound.wav", kick(), "rf64")
    with_chunk(path, b"smpl", smpl([(0, 99)]))
    assert read_chunks(path)["smpl"]["loops"] == [{"start": 0, "end": 100}]


def test_other_files_say_nothing(tmp_path: Path) -> None:
    assert read_chunks(write(tmp_path / "sound.flac", kick(), "flac")) == {}
    (tmp_path / "empty.wav").touch()
    assert read_chunks(tmp_path / "empty.wav") == {}


@pytest.mark.parametrize("name", [b"acid", b"smpl"])
@pytest.mark.parametrize("size", [0, 1, 23, 35])
def test_a_chunk_that_is_too_short(wav: Path, name: bytes, size: int) -> None:
    whole = acid() if name == b"acid" else smpl([(0, 9)])
    with_chunk(wav, name, whole[:size])
    said = read_chunks(wav)
    assert set(said) <= ({name.decode()} if size >= len(whole) else set())


def test_a_chunk_that_claims_more_than_follows(wav: Path) -> None:
    with_chunk(wav, b"acid", acid())
    content = wav.read_bytes()
    at = content.rindex(b"acid") + 4
    wav.write_bytes(content[:at] + struct.pack("<I", 0xFFFFFFFE) + content[at + 4 :])
    assert read_chunks(wav) == {}


def test_loops_without_end_are_not_all_read(wav: Path) -> None:
    with_chunk(wav, b"smpl", smpl([(0, 9)] * 10_000))
    assert len(read_chunks(wav)["smpl"]["loops"]) == 16


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80), name=st.sampled_from([b"acid", b"smpl"]))
def test_any_bytes_give_plain_values(wav: Path, content: bytes, name: bytes) -> None:
    clean = wav.read_bytes()
    try:
        said = read_chunks(with_chunk(wav, name, content))
    finally:
        wav.write_bytes(clean)
    assert json.loads(json.dumps(said, allow_nan=False)) == said


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80), marks=st.binary(max_size=80))
def test_any_bytes_in_aiff_too(aiff: Path, content: bytes, marks: bytes) -> None:
    clean = aiff.read_bytes()
    try:
        with_chunk(with_chunk(aiff, b"MARK", marks), b"INST", content)
        said = read_chunks(with_chunk(aiff, b"basc", content))
    finally:
        aiff.write_bytes(clean)
    assert json.loads(json.dumps(said, allow_nan=False)) == said


@pytest.mark.skipif(not HYDROGEN.exists(), reason="needs hydrogen-drumkits")
def test_a_real_files_loop() -> None:
    said = read_chunks(HYDROGEN / "122557__anillogic__trimo-c3.wav")
    assert said == {"smpl": {"rootNote": 60, "loops": [{"start": 3_570, "end": 20_436}]}}
