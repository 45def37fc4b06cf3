# pyright: reportMissingImports=false
"""Draw the pictures of docs/analysis.md: `python -m benchmarks.pictures` (needs matplotlib and
scikit-learn, which nothing else does, and Debian's sonic-pi-samples and hydrogen-drumkits).
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from sklearn.manifold import TSNE

from samplemind.audio.analyze import analyze, listen
from samplemind.audio.features import Features
from samplemind.audio.key import model as key_model
from samplemind.audio.key import shares
from samplemind.audio.key_facts import facts
from samplemind.audio.onsets import ONSET_RATE
from samplemind.domain.analysis import TONICS, AnalysisLevel

PICTURES = Path("docs/images")
SAMPLES = Path("/usr/share/sonic-pi/samples")
KITS = Path("/usr/share/hydrogen/data/drumkits")
SORTS = {
    "kick": "[Kk]ick*",
    "snare": "[Ss]nare*",
    "hat": "*[Hh]at*",
    "crash": "*[Cc]rash*",
    "ride": "*[Rr]ide*",
    "tom": "*[Tt]om*",
    "clap": "*[Cc]lap*",
}


def heard(path: Path) -> Features:
    return listen(path, with_loudness=False).features


def rhythm() -> None:
    path = SAMPLES / "loop_amen.flac"
    onsets = heard(path).onsets
    found = analyze(path, AnalysisLevel.DETAILED)
    tempo, beats = found.tempo, found.beats
    assert tempo
    assert beats
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5), layout="constrained")
    seconds = np.arange(len(onsets.novelty)) / ONSET_RATE
    above.plot(seconds, onsets.novelty, lw=1)
    above.vlines(beats, 0, 1, colors="tab:red", lw=1, label="beats")
    above.set(title=f"{path.name}: novelty of the onsets", xlabel="seconds")
    above.legend(loc="upper right")
    lags = np.arange(len(onsets.correlation)) / ONSET_RATE
    below.plot(lags[1:], onsets.correlation[1:], lw=1)
    for bpm, colour in ((tempo.bpm, "tab:red"), *((it, "tab:grey") for it in tempo.alternatives)):
        below.axvline(60 / bpm, color=colour, lw=1, label=f"{bpm:.2f} BPM")
    below.set(title="its autocorrelation, and what is taken for a beat", xlabel="seconds")
    below.legend(loc="upper right")
    figure.savefig(PICTURES / "rhythm.png", dpi=90)


def key() -> None:
    path = SAMPLES / "guit_em9.flac"
    features = heard(path)
    profile = features.tonal.chroma.sum(axis=0)
    fits = shares(key_model(), facts(features.tonal), features.seconds)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.bar(TONICS, profile / profile.max())
    left.set_title(f"{path.name}: pitch classes")
    across = np.arange(12)
    right.bar(across - 0.2, fits[:12], 0.4, label="major")
    right.bar(across + 0.2, fits[12:], 0.4, label="minor")
    right.set_xticks(across, TONICS)
    right.set_title("share of each key")
    right.legend()
    figure.savefig(PICTURES / "key.png", dpi=90)


def neighbourhood() -> None:
    vectors, sorts = [], []
    for sort, pattern in SORTS.items():
        for path in sorted(KITS.glob(f"*/{pattern}")):
            if path.suffix in (".wav", ".flac"):
                vectors.append(analyze(path, AnalysisLevel.STANDARD).embedding)
                sorts.append(sort)
    flat = TSNE(metric="cosine", init="pca", random_state=0).fit_transform(np.array(vectors))
    figure, axes = plt.subplots(figsize=(7, 6), layout="constrained")
    for sort in SORTS:
        mine = np.array(sorts) == sort
        axes.scatter(*flat[mine].T, s=14, label=sort)
    axes.set(title="hydrogen-drumkits by their embedding (t-SNE)", xticks=[], yticks=[])
    axes.legend()
    figure.savefig(PICTURES / "neighbourhood.png", dpi=90)


if __name__ == "__main__":
    mpl.use("agg")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for draw in (rhythm, key, neighbourhood):
        draw()
