"""Shared by the tests of the analysis."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from samplemind.audio.analyze import analyze
from samplemind.audio.features import Features
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.domain.analysis import AnalysisLevel, Findings
from tests.sounds import RATE, write

Analyze = Callable[..., Findings]


@pytest.fixture
def heard(tmp_path: Path) -> Analyze:
    """Analyses a signal `(n,)` or `(n, channels)` as a float WAV file."""

    def run(
        y: np.ndarray, level: AnalysisLevel = AnalysisLevel.DETAILED, rate: int = RATE
    ) -> Findings:
        return analyze(write(tmp_path / "sound.wav", y, "wavfloat", rate), level)

    return run


def features_of(y: np.ndarray) -> Features:
    """Features of a signal at RATE, which is twice the rate that they work at."""
    assert RATE == 2 * SAMPLE_RATE
    return Features(y[::2].astype(np.float32), len(y) / RATE)
