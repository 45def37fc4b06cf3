"""One cluster for all: whoever takes something away puts it back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.chaos.cluster import Cluster, running_cluster
from tests.sounds import RATE, kick, snare

_COUNT = 40


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster") / "data") as cluster:
        yield cluster


@pytest.fixture
def whole(cluster: Cluster) -> Iterator[Cluster]:
    """With everything running before, and after."""
    yield cluster
    gone = [name for name in cluster.names if name not in cluster.running]
    cluster.start(*gone)


@pytest.fixture(scope="session")
def beats(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Forty drum loops of 6 to 12 s, no two alike."""
    folder = tmp_path_factory.mktemp("beats")
    return [_beat(folder / f"beat-{number:02}.wav", number) for number in range(_COUNT)]


def _beat(path: Path, number: int) -> Path:
    beat = round(RATE * 60 / (90 + number))
    y = np.zeros(16 * beat, np.float32)
    for step in range(16):
        hit = (kick, snare)[step % 2](0.25 + number / 1_000)
        y[step * beat : step * beat + hit.size] += hit[:beat]
    soundfile.write(path, y, RATE)
    return path
