# pyright: reportMissingImports=false
"""Train the network that hears what a sound is, and write samplemind/audio/sounds.onnx:

    python -m benchmarks.fit_sounds MATERIAL                        # trains on everything, writes
    python -m benchmarks.fit_sounds MATERIAL --left-out SOURCE,…    # judges on sources left out

MATERIAL is what benchmarks/sound_material.py gathers. Needs torch and onnx, which nothing else
does; about ten minutes on one core.
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
BATCH = 128
ALIKE, TEMPERATURE = 0.5, 0.1
"""How much it counts that sounds of a name lie together, and how near."""

MODEL = Path("samplemind/audio/sounds.onnx")
PROVENANCE = (
    "Trained by benchmarks/fit_sounds.py on samples of Debian's packages sonic-pi-samples (CC0), "
    "lmms-common (GPL-2+) and hydrogen-drumkits (GPL or CC, by kit), on MIDI of the Groove, "
    "Nottingham and POP909 collections, on notes of the soundfonts FluidR3 GM (MIT), MuseScore "
    "General (MIT), TimGM6mb (GPL-2), OPL-3 FM and the GM bank of Csound, on the recorded notes of "
    "freepats (GPL-2+), on notes of the presets of LMMS (GPL-2+) and ZynAddSubFX (GPL-2+), on "
    "words spoken by espeak-ng (GPL-3+) and flite (BSD-like), and on synthesised sounds. It holds "
    "no sound."
)


class Material(NamedTuple):
    """Of n sounds and m windows: `windows: (m, 64, 100)`, `owners: (m,)` the sound of each;
    `attacks: (n, 32, 64)`, `descriptors: (n, 122)`, and of each its source, group, name, kind."""

    windows: np.ndarray
    owners: np.ndarray
    attacks: np.ndarray
    descriptors: np.ndarray
    source: np.ndarray
    group: np.ndarray
    name: np.ndarray
    kind: np.ndarray


def load(folder: Path) -> Material:
    parts = [np.load(path) for path in sorted(folder.glob("*.npz"))]
    firsts = np.cumsum([0, *(len(part["rows"]) for part in parts[:-1])])
    source, group, name, kind = np.concatenate([part["rows"] for part in parts]).T
    return Material(
        np.concatenate([part["windows"] for part in parts]),
        np.concatenate([part["owners"] + n for part, n in zip(parts, firsts, strict=True)]),
        np.concatenate([part["attacks"] for part in parts]),
        np.concatenate([part["descriptors"] for part in parts]),
        source,
        group,
        name,
        kind,
    )


class Ear(nn.Module):
    """A few convolutions over the mel spectrum and over the attack, joined by the descriptor; then
    the classes."""

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
        # Every frame of the attack counts: time is not strided.
        self.attack = nn.Sequential(
            *convolution(1, 16, size=5, stride=(2, 1)),
            nn.MaxPool2d(2),
            *convolution(16, 48),
            nn.MaxPool2d(2),
            *convolution(48, 64),
        )
        self.all = nn.Sequential(
            nn.Linear(2 * 160 + 2 * 64 + descriptors.shape[1], 256),
            nn.ReLU(),
            nn.Dropout(0.3),
            nn.Linear(256, DIMENSIONS),
        )
        self.classes = nn.Linear(DIMENSIONS, classes)

    def standard(self, descriptor: Tensor) -> Tensor:
        return ((descriptor - self.mean) / self.scale).clamp(-4, 4)

    def forward(self, mel: Tensor, attack: Tensor, standard: Tensor) -> tuple[Tensor, Tensor]:
        """`(n, DIMENSIONS)` of length 1 and `(n, classes)` of `(n, 64, 100)`, `(n, 32, 64)` and
        `(n, 122)`."""
        heard = [self.spectrum(mel[:, None]), self.attack(attack[:, None])]
        courses = [each.mean(dim=2) for each in heard]
        seen = [pooled for each in courses for pooled in (each.mean(dim=2), each.amax(dim=2))]
        vector = functional.normalize(self.all(torch.cat([*seen, standard], dim=1).float()))
        return vector, self.classes(6 * vector)


def convolution(
    inputs: int, outputs: int, size: int = 3, stride: int | tuple[int, int] = 1
) -> tuple[nn.Module, ...]:
    layer = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return layer, nn.BatchNorm2d(outputs), nn.ReLU()


class Answer(nn.Module):
    """What is asked at run time: one sound in up to four windows."""

    def __init__(self, ear: Ear, sharpness: float) -> None:
        super().__init__()
        self.ear, self.sharpness = ear, sharpness

    def forward(
        self, mel: Tensor, attack: Tensor, descriptor: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        standard, windows = self.ear.standard(descriptor), mel.shape[0]
        vectors, logits = self.ear(
            mel, attack.expand(windows, -1, -1), standard.expand(windows, -1)
        )
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
            attack = varied(r, torch.tensor(material.attacks[sounds].astype(np.float32)))
            standard = ear.standard(torch.tensor(material.descriptors[sounds]))
            standard = standard + 0.15 * torch.randn_like(standard)
            # Now and then the network has to hear for itself.
            standard = standard * (torch.rand(len(batch), 1) > 0.15)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                vector, logits = ear(mel, attack, standard)
            name = torch.tensor(truth[sounds])
            loss = functional.cross_entropy(logits.float(), name, label_smoothing=0.1)
            loss = loss + ALIKE * apart(vector.float(), name)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            lost += loss.item()
        print(
            f"epoch {epoch + 1}: {lost / steps:.3f}, {time.monotonic() - began:.0f} s", flush=True
        )
    return ear.eval()


def apart(vectors: Tensor, names: Tensor) -> Tensor:
    """How badly sounds of a name lie together (Khosla et al., Supervised Contrastive Learning,
    2020), of `(n, DIMENSIONS)` of length 1 and their names `(n,)`."""
    cosine = vectors @ vectors.T / TEMPERATURE
    itself = torch.eye(len(names), dtype=torch.bool)
    share = cosine.masked_fill(itself, -1e9).log_softmax(dim=1)
    same = (names[:, None] == names) & ~itself
    paired = same.any(dim=1)
    return -((share * same).sum(dim=1)[paired] / same.sum(dim=1)[paired]).mean()


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
            attack = torch.tensor(material.attacks[[sound]].astype(np.float32))
            standard = ear.standard(torch.tensor(material.descriptors[[sound]]))
            vector, logit = ear(mel, attack.expand(len(mel), -1, -1), standard.expand(len(mel), -1))
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

    example = (torch.zeros(2, 64, 100), torch.zeros(1, 32, 64), torch.zeros(ear.mean.shape[0]))
    torch.onnx.export(
        Answer(ear, sharpness).eval(),
        example,
        str(MODEL),
        input_names=["mel", "attack", "descriptor"],
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
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument(
        "--sharpness", type=float, default=0.8, help="as judged on sources left out"
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
