# pyright: reportMissingImports=false
"""What a published network would add to the embedding:

    python -m benchmarks.published MANIFEST.csv --sources lmms-common,sonic-pi-samples

It is aiSFX (Coelho et al., ISMIR 2022; MIT), whose weights come with the package aisfx. Prints how
many of the ten nearest of the other source have a sound's own name: by our plain numbers, by the
network, and by both. `fit_sounds --left-out` says the same of our network, which has not heard
those sources. Needs torch, aisfx and tqdm.
"""

import argparse
import csv
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from aisfx.inference import SAMPLE_RATE as RATE
from aisfx.models.cnn2d import CrossNet, EmbeddingNet

from benchmarks.fit_sounds import nearest_of_a_sort
from benchmarks.sound_material import NAMES, read
from samplemind.audio.analyze import listen
from samplemind.audio.descriptor import descriptor
from samplemind.domain.errors import DomainError

FRAME, HOP, BANDS, FRAMES = 2_048, 1_024, 96, 100
LOUDEST = 9.457798957824707
"""Of the spectra that it was trained on, which become 0..1."""

MOST_WINDOWS = 4


def network() -> CrossNet:
    with files("aisfx").joinpath("models/checkpoint.pth").open("rb") as weights:
        state, data_sets = torch.load(weights, map_location="cpu", weights_only=False)
    net = CrossNet(EmbeddingNet("max", 3, 1, 64), data_sets, "cpu")
    net.load_state_dict(state)
    return net.eval()


def filters() -> np.ndarray:
    """`(FRAME // 2 + 1, BANDS)`: triangles on the scale of HTK, each of sum 1."""
    edges = np.linspace(0, _mel(np.array(RATE / 2)), BANDS + 2)
    bins = _mel(np.arange(FRAME // 2 + 1) * RATE / FRAME)[:, None]
    rising = (bins - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins) / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return triangles / np.maximum(triangles.sum(axis=0), 1e-9)


def _mel(hertz: np.ndarray) -> np.ndarray:
    return 1127 * np.log1p(hertz / 700)


def spectra(y: np.ndarray) -> np.ndarray:
    """`(windows, FRAMES, BANDS)` of `y: (n,)` at RATE."""
    y = np.pad(y, (FRAME // 2, FRAME))
    framed = np.lib.stride_tricks.sliding_window_view(y, FRAME)[::HOP] * np.hanning(FRAME)
    power = np.square(np.abs(np.fft.rfft(framed, axis=1))) @ filters()
    level = np.log10(1e4 * power + 1) / LOUDEST
    level = np.pad(level, ((0, max(0, FRAMES - len(level))), (0, 0)))
    last = len(level) - FRAMES
    starts = np.linspace(0, last, min(MOST_WINDOWS, last // (FRAMES // 2) + 1)).astype(int)
    return np.stack([level[start : start + FRAMES] for start in starts]).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--sources", required=True, help="comma-separated")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    net = network()
    plain, learned, names, sources = [], [], [], []
    took = 0.0
    with arguments.manifest.open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "ONE_SHOT" and row["label"]]
    for row in rows:
        if row["source"] not in arguments.sources.split(","):
            continue
        try:
            features = listen(Path(row["path"]), with_loudness=False).features
        except DomainError as error:
            print(row["path"], error.message)
            continue
        began = time.process_time()
        with torch.no_grad():
            found = net.get_embedding(torch.tensor(spectra(read(Path(row["path"])))))
        took += time.process_time() - began
        plain.append(descriptor(features))
        learned.append(found.mean(dim=0).numpy())
        names.append(NAMES.get(row["label"], row["label"]))
        sources.append(row["source"])
    numbers, heard = standard(np.array(plain)), standard(np.array(learned))
    for what, vectors in {
        "plain numbers": numbers,
        "aiSFX": heard,
        "both": np.hstack([numbers, heard]),
    }.items():
        share = nearest_of_a_sort(vectors, np.array(names), np.array(sources))
        print(f"same name among the ten nearest, {what}: {share:.3f} of {len(names)}")
    print(f"aiSFX takes {1e3 * took / len(names):.0f} ms a sound, processor time")


def standard(vectors: np.ndarray) -> np.ndarray:
    """Each dimension at mean 0 and deviation 1, each vector of length 1."""
    z = np.clip((vectors - vectors.mean(axis=0)) / (vectors.std(axis=0) + 1e-6), -4, 4)
    return z / np.linalg.norm(z, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
