# pyright: reportMissingImports=false
"""Train the network that hears what a sound is, and write samplemind/audio/sounds.onnx:

    python -m benchmarks.fit_sounds MATERIAL                        # trains on everything, writes
    python -m benchmarks.fit_sounds MATERIAL --left-out SOURCE,…    # judges on sources left out

MATERIAL is what benchmarks/sound_material.py gathers. Needs torch and onnx, which nothing else
does; about a quarter of an hour on one core.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

DIMENSIONS = 96
BATCH = 64
MODEL = Path("samplemind/audio/sounds.onnx")
PROVENANCE = (
    "Trained by benchmarks/fit_sounds.py on samples of Debian's packages sonic-pi-samples (CC0), "
    "lmms-common (GPL-2+) and hydrogen-drumkits (GPL or CC, by kit), on MIDI of the Groove, "
    "Nottingham and POP909 collections, on notes of the soundfonts FluidR3 GM (MIT), TimGM6mb "
    "(GPL-2), OPL-3 FM and the GM bank of Csound, and on synthesised sounds. It holds no sound."
)


class Material(NamedTuple):
    """Of n sounds and m windows: `windows: (m, 64, 100)`, `owners: (m,)` the sound of each;
    `descriptors: (n, 122)`, and of each sound its source, group, name and kind."""

    windows: np.ndarray
    owners: np.ndarray
    descriptors: np.ndarray
    source: np.ndarray
    group: np.ndarray
    name: np.ndarray
    kind: np.ndarray


def load(folder: Path) -> Material:
    windows, owners, descriptors, rows = [], [], [], []
    count = 0
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as part:
            windows.append(part["windows"])
            owners.append(part["owners"] + count)
            descriptors.append(part["descriptors"])
            rows.append(part["rows"])
            count += len(part["rows"])
    source, group, name, kind = np.concatenate(rows).T
    return Material(
        np.concatenate(windows),
        np.concatenate(owners),
        np.concatenate(descriptors),
        source,
        group,
        name,
        kind,
    )


class Ear(nn.Module):
    """A few convolutions over the mel spectrum, joined by the descriptor; then the classes."""

    mean: Tensor
    scale: Tensor

    def __init__(self, descriptors: np.ndarray, classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(descriptors.mean(axis=0)))
        self.register_buffer("scale", torch.tensor(descriptors.std(axis=0) + 1e-6))
        self.spectrum = nn.Sequential(
            *convolution(1, 24, size=5, stride=2),
            nn.MaxPool2d(2),
            *convolution(24, 64),
            nn.MaxPool2d(2),
            *convolution(64, 96),
            *convolution(96, 160),
        )
        self.both = nn.Sequential(
            nn.Linear(2 * 160 + descriptors.shape[1], 256),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(256, DIMENSIONS),
        )
        self.classes = nn.Linear(DIMENSIONS, classes)

    def standard(self, descriptor: Tensor) -> Tensor:
        return ((descriptor - self.mean) / self.scale).clamp(-4, 4)

    def forward(self, mel: Tensor, standard: Tensor) -> tuple[Tensor, Tensor]:
        """`(n, DIMENSIONS)` of length 1 and `(n, classes)` of `(n, 64, 100)` and `(n, 122)`."""
        seen = self.spectrum(mel[:, None]).mean(dim=2)
        seen = torch.cat([seen.mean(dim=2), seen.amax(dim=2), standard], dim=1)
        vector = functional.normalize(self.both(seen))
        return vector, self.classes(6 * vector)


def convolution(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> tuple[nn.Module, ...]:
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return layer, nn.BatchNorm2d(outputs), nn.ReLU()


class Answer(nn.Module):
    """What is asked at run time: one sound in up to four windows."""

    def __init__(self, ear: Ear, sharpness: float) -> None:
        super().__init__()
        self.ear, self.sharpness = ear, sharpness

    def forward(self, mel: Tensor, descriptor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        standard = self.ear.standard(descriptor)
        vectors, logits = self.ear(mel, standard.expand(mel.shape[0], -1))
        vector = functional.normalize(vectors.mean(dim=0), dim=0)
        return vector, (self.sharpness * logits).softmax(dim=1).mean(dim=0), standard


def train(material: Material, names: list[str], chosen: np.ndarray, epochs: int) -> Ear:
    """On the sounds `chosen: (n,)` bool; rare classes and small sources are met more often."""
    torch.manual_seed(0)
    r = np.random.default_rng(0)
    ear = Ear(material.descriptors[chosen], len(names))
    truth = np.array([names.index(name) for name in material.name])
    mine = np.flatnonzero(chosen[material.owners])
    owner = material.owners[mine]
    weight = rarity(truth[owner], 0.6) * rarity(
        np.unique(material.source, return_inverse=True)[1][owner], 0.3
    )
    steps = len(mine) // BATCH
    optimizer = torch.optim.AdamW(ear.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps * epochs)
    began = time.monotonic()
    for epoch in range(epochs):
        lost = 0.0
        met = r.choice(mine, steps * BATCH, p=weight / weight.sum())
        for batch in np.split(met, steps):
            sounds = material.owners[batch]
            mel = varied(r, torch.tensor(material.windows[batch].astype(np.float32)))
            standard = ear.standard(torch.tensor(material.descriptors[sounds]))
            standard = standard + 0.15 * torch.randn_like(standard)
            # Now and then the network has to hear for itself.
            standard = standard * (torch.rand(len(batch), 1) > 0.15)
            loss = functional.cross_entropy(
                ear(mel, standard)[1], torch.tensor(truth[sounds]), label_smoothing=0.1
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            lost += loss.item()
        print(
            f"epoch {epoch + 1}: {lost / steps:.3f}, {time.monotonic() - began:.0f} s", flush=True
        )
    return ear.eval()


def rarity(classes: np.ndarray, power: float) -> np.ndarray:
    return np.bincount(classes)[classes] ** -power


def varied(r: np.random.Generator, mel: Tensor) -> Tensor:
    """Tilted, moved, faded, cut and masked: what another producer or microphone would change."""
    count, bands, frames = mel.shape
    across = torch.linspace(-1, 1, bands)[None, :, None]
    tilt = 0.06 * torch.randn(count, 1, 1) * across
    tilt = tilt + 0.04 * torch.randn(count, 1, 1) * (across**2 - 1 / 3)
    mel = torch.where(mel > 0.01, mel + tilt, mel)
    later, higher = int(r.integers(0, 4)), int(r.integers(-2, 3))
    mel = functional.pad(mel[:, :, : frames - later], (later, 0))
    mel = torch.roll(mel, higher, dims=1)
    if higher > 0:
        mel[:, :higher] = 0
    elif higher < 0:
        mel[:, higher:] = 0
    for each in mel:
        if r.random() < 0.3:
            low = int(r.integers(0, bands - 8))
            each[low : low + int(r.integers(2, 8))] = 0
        if r.random() < 0.2:
            each[:, int(r.integers(15, frames)) :] = 0
        if r.random() < 0.15:
            each.clamp_(min=float(r.uniform(0, 0.35)))
    return mel.clamp(0, 1.1)


def heard(material: Material, ear: Ear, sounds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`(k, DIMENSIONS)` and logits `(k, classes)` of the sounds `(k,)`, over all their windows."""
    vectors, logits = [], []
    with torch.no_grad():
        for sound in sounds:
            mel = torch.tensor(material.windows[material.owners == sound].astype(np.float32))
            standard = ear.standard(torch.tensor(material.descriptors[[sound]]))
            vector, logit = ear(mel, standard.expand(len(mel), -1))
            vectors.append(functional.normalize(vector.mean(dim=0), dim=0).numpy())
            logits.append(logit.mean(dim=0).numpy())
    return np.array(vectors), np.array(logits)


def nearest_of_a_sort(vectors: np.ndarray, name: np.ndarray, group: np.ndarray) -> float:
    """Share of the ten nearest of other groups that have the same name, on average."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = unit @ unit.T
    cosine[group[:, None] == group] = -np.inf
    nearest = np.argsort(-cosine, axis=1)[:, :10]
    return float((name[nearest] == name[:, None]).mean())


def judge(material: Material, ear: Ear, names: list[str], left_out: list[str]) -> None:
    mine = np.isin(material.source, left_out) & (material.kind == "ONE_SHOT")
    sounds = np.flatnonzero(mine)
    vectors, logits = heard(material, ear, sounds)
    name, group = material.name[sounds], material.group[sounds]
    best = np.array(names)[np.argsort(-logits, axis=1)[:, :3]]
    right = best == name[:, None]
    standard = ear.standard(torch.tensor(material.descriptors[sounds])).numpy()
    print(f"{len(sounds)} sounds of {', '.join(left_out)}")
    print(f"first {right[:, 0].mean():.3f}, among three {right.any(axis=1).mean():.3f}")
    print(f"same name among the ten nearest: {nearest_of_a_sort(vectors, name, group):.3f}", end="")
    print(f", by the descriptor alone {nearest_of_a_sort(standard, name, group):.3f}")
    truth = np.array([names.index(each) for each in name])
    tried = np.arange(0.4, 2.05, 0.1)
    surprise = [
        functional.cross_entropy(torch.tensor(s * logits), torch.tensor(truth)).item()
        for s in tried.astype(np.float32)
    ]
    print(f"best sharpness {tried[int(np.argmin(surprise))]:.1f}")


def write(ear: Ear, names: list[str], sharpness: float) -> None:
    import onnx

    example = (torch.zeros(2, 64, 100), torch.zeros(ear.mean.shape[0]))
    torch.onnx.export(
        Answer(ear, sharpness).eval(),
        example,
        str(MODEL),
        input_names=["mel", "descriptor"],
        output_names=["vector", "shares", "standard"],
        dynamic_axes={"mel": {0: "windows"}},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(MODEL)
    onnx.helper.set_model_props(model, {"names": ",".join(names), "provenance": PROVENANCE})
    onnx.save(model, MODEL)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("material", type=Path)
    parser.add_argument("--left-out", default="", help="sources to judge on, comma-separated")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument(
        "--sharpness", type=float, default=1.0, help="as judged on sources left out"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    material = load(arguments.material)
    names = sorted(set(material.name.tolist()))
    left_out = [source for source in arguments.left_out.split(",") if source]
    ear = train(material, names, ~np.isin(material.source, left_out), arguments.epochs)
    if left_out:
        judge(material, ear, names, left_out)
    else:
        write(ear, names, arguments.sharpness)


if __name__ == "__main__":
    main()
