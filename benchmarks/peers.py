"""What other libraries answer with their defaults, in a process of their own.

    python peers.py librosa|essentia [LEVEL]

A path as a JSON string comes in on each line of standard input; an object named as by
`samplemind analyze --json` goes out. Imports nothing of SampleMind, so that any Python that has the
library can run it. `python peers.py librosa --check` only tells whether it is there.
"""

import json
import os
import sys
from typing import Any

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

# Krumhansl and Kessler, "Tracing the dynamic changes in perceived tonal organization",
# Psychological Review 89 (1982).
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


class Librosa:
    """beat_track; chroma_cqt against Krumhansl's profiles; the mean MFCC."""

    def __init__(self) -> None:
        import librosa

        self._librosa = librosa

    def __call__(self, path: str) -> dict[str, Any]:
        import numpy as np

        librosa = self._librosa
        y, rate = librosa.load(path)
        tempo, _ = librosa.beat.beat_track(y=y, sr=rate)
        chroma = librosa.feature.chroma_cqt(y=y, sr=rate).mean(axis=1)
        fits = [
            np.corrcoef(chroma, np.roll(profile, tonic))[0, 1]
            for profile in (MAJOR, MINOR)
            for tonic in range(12)
        ]
        best = int(np.nanargmax(fits)) if np.isfinite(fits).any() else 0
        bpm = float(np.ravel(tempo)[0])
        return {
            "tempo": {"bpm": bpm} if bpm else None,
            "key": {"tonic": TONICS[best % 12], "mode": "MAJOR" if best < 12 else "MINOR"},
            "embedding": librosa.feature.mfcc(y=y, sr=rate).mean(axis=1).tolist(),
        }


class Essentia:
    """RhythmExtractor2013 (multifeature) and KeyExtractor."""

    def __init__(self) -> None:
        import essentia  # pyright: ignore[reportMissingImports]

        essentia.log.infoActive = essentia.log.warningActive = False
        import essentia.standard  # pyright: ignore[reportMissingImports]

        self._standard = essentia.standard

    def __call__(self, path: str) -> dict[str, Any]:
        y = self._standard.MonoLoader(filename=path, sampleRate=44_100)()
        bpm = float(self._standard.RhythmExtractor2013(method="multifeature")(y)[0])
        tonic, mode, _ = self._standard.KeyExtractor()(y)
        return {
            "tempo": {"bpm": bpm} if bpm else None,
            "key": {"tonic": tonic, "mode": mode.upper()},
        }


PEERS = {"librosa": Librosa, "essentia": Essentia}


def main() -> None:
    # Libraries may print: nothing but our lines may reach the real standard output.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = PEERS[sys.argv[1]]()
    if "--check" in sys.argv:
        return
    for line in sys.stdin:
        try:
            found = answer(json.loads(line))
        except Exception as error:
            found = {"failure": {"code": type(error).__name__, "message": str(error)}}
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
