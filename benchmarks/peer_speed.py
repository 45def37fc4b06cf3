"""How long other libraries take for the like of STANDARD, in a process of their own.

    python peer_speed.py librosa|essentia

A path as a JSON string comes in on each line of standard input; the CPU seconds go out, or null
where it could not be done. Imports nothing of SampleMind.
"""

import json
import os
import sys
import time
from collections.abc import Callable


def librosa() -> Callable[[str], None]:
    """The features of STANDARD, one call each, over one load."""
    import librosa

    def run(path: str) -> None:
        y, rate = librosa.load(path)
        librosa.beat.beat_track(y=y, sr=rate)
        chosen = librosa.feature
        for feature in (
            chosen.mfcc,
            chosen.spectral_centroid,
            chosen.spectral_bandwidth,
            chosen.spectral_rolloff,
            chosen.spectral_contrast,
            chosen.chroma_stft,
        ):
            feature(y=y, sr=rate)
        chosen.spectral_flatness(y=y)
        chosen.zero_crossing_rate(y=y)

    return run


def essentia() -> Callable[[str], None]:
    """MusicExtractor with its defaults."""
    import essentia  # pyright: ignore[reportMissingImports]

    essentia.log.infoActive = essentia.log.warningActive = False
    import essentia.standard  # pyright: ignore[reportMissingImports]

    def run(path: str) -> None:
        essentia.standard.MusicExtractor()(path)

    return run


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    run = {"librosa": librosa, "essentia": essentia}[sys.argv[1]]()
    for line in sys.stdin:
        began = time.process_time()
        run(json.loads(line))
        print(json.dumps(time.process_time() - began), file=answers, flush=True)


if __name__ == "__main__":
    main()
