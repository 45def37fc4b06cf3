"""A short run of the fuzzer, and what a long one has found."""

from pathlib import Path

import pytest

from benchmarks.fuzz.guarded import Material, run
from benchmarks.fuzz.seeds import FORMATS
from samplemind.audio.decode import probe
from samplemind.domain.errors import DomainError, ReadingFailed, ReadingTimeout
from samplemind.readers import Readers
from samplemind.settings import Settings

_EACH = 60


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return Material(tmp_path_factory.mktemp("seeds"), seed=7)


@pytest.mark.parametrize("form", FORMATS)
async def test_no_mutation_dies_hangs_or_passes_a_limit(
    material: Material, tmp_path: Path, form: str
) -> None:
    outcome = await run(tmp_path, material, form, _EACH, Settings(max_process_bytes=1024**3), 1)
    assert outcome.files == _EACH
    assert outcome.faults == []
    assert outcome.codes["ACCEPTED"] > 0
    assert outcome.codes["ACCEPTED"] < _EACH


@pytest.mark.parametrize("form", FORMATS)
def test_mutations_are_many_and_always_the_same(
    material: Material, tmp_path: Path, form: str
) -> None:
    first = [material.mutation(form, number) for number in range(50)]
    again = Material(tmp_path, seed=7)
    assert first == [again.mutation(form, number) for number in range(50)]
    assert len(set(first)) > 45
    other = Material(tmp_path, seed=8)
    assert first[0] != other.mutation(form, 0)


# Found by `--seed 7`: what each did before.
_FOUND = {
    "mp3:799": "a frame of fewer channels than before ended the process",
    "flac:2052": "another layout in the middle was an unexpected error",
    "flac:7250": "the same",
}


@pytest.mark.parametrize("name", _FOUND)
async def test_what_was_found_is_mended(material: Material, tmp_path: Path, name: str) -> None:
    form, _, number = name.partition(":")
    path = tmp_path / "found"
    path.write_bytes(material.mutation(form, int(number)))
    readers = Readers(Settings())
    try:
        assert await readers.facts(path, name) == probe(path, name)
    except (ReadingFailed, ReadingTimeout):
        raise
    except DomainError as error:
        assert error.message  # noqa: PT017
    finally:
        await readers.close()
