"""What an analysis answers is plain Python: the documents and JSON take nothing of numpy's."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from samplemind.audio.analyze import analyze
from samplemind.domain.analysis import AnalysisLevel
from tests.sounds import cadence, drum_loop, kick, place, silence, sub, write


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _leaves(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple):
        for item in value:
            yield from _leaves(item, path)
    else:
        yield path, value


_KICKS = place([(0.4688 * beat, kick()) for beat in range(80)], 38.0)


@pytest.mark.parametrize(
    "sound",
    [kick(), sub(), drum_loop(174.0), cadence(9, [(0, 3, 7), (5, 8, 12)]), silence(1.0), _KICKS],
    ids=["kick", "bass", "loop", "chords", "silence", "track"],
)
def test_holds_plain_values(tmp_path: Path, sound: np.ndarray) -> None:
    findings = analyze(write(tmp_path / "sound.wav", sound), AnalysisLevel.DETAILED)
    strange = [path for path, value in _leaves(findings) if type(value).__module__ == "numpy"]
    assert strange == []
