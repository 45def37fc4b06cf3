"""Bands that play to a groove, and loops of one synthesizer, as producers cut them."""

import numpy as np

from benchmarks.grooves import Groove, drum_part, drums_alone
from benchmarks.harmony import BASSES, CHORDS, LEADS, PADS, SYNTHS, harmony, rhythm, triad
from benchmarks.score import Note, Score


def band(groove: Groove, source: np.random.Generator) -> Score:
    score = drums_alone(groove, source)
    bars = int(score.beats) // groove.beats
    key = harmony(source)
    notes = drum_part(groove, bars, source)
    beats = groove.beats
    kicks = [i * beats / len(groove.kick) for i, m in enumerate(groove.kick) if m != "."] or [0.0]
    if source.random() < 0.4:
        kicks = [i / 2 for i in range(2 * beats)]
    per_beat = 3 if len(groove.kick) // beats % 3 == 0 else 2
    strum = source.random(beats * per_beat) < source.choice([0.25, 0.5, 0.9])
    melody = rhythm(beats, "triplet" if per_beat == 3 else "pop", source)
    sings = source.random() < 0.7
    pad = source.random() < 0.3
    degree = 4
    for bar in range(bars):
        chord = key.degrees[bar % 4]
        begin = bar * beats
        for at in kicks:
            notes.append(Note(begin + at, 0.4, 0, key.pitch(chord, 33), source.uniform(0.6, 0.9)))
        struck = [0.0] if pad else np.flatnonzero(strum) / per_beat
        for at in struck:
            for third in (0, 2, 4):
                long = beats if pad else 0.3
                notes.append(
                    Note(
                        begin + at, long, 1, key.pitch(chord + third, 52), source.uniform(0.4, 0.7)
                    )
                )
        if sings and (bar // 4) % 4 != 3:
            for at, long in melody if bar % 4 != 3 else melody[: len(melody) // 2 + 1]:
                degree = int(np.clip(degree + source.integers(-2, 3), 0, 10))
                notes.append(
                    Note(begin + at, long, 2, key.pitch(degree, 60), source.uniform(0.6, 1))
                )
    programs = {
        0: int(source.choice(BASSES)),
        1: int(source.choice(PADS if pad else CHORDS)),
        2: int(source.choice(LEADS)),
        **score.programs,
    }
    return score._replace(notes=notes, programs=programs)


def looped(score: Score, groove: Groove, source: np.random.Generator) -> Score:
    """Its first bars, cut where they would begin again, mostly at a whole number a minute."""
    bars = int(source.choice([1, 2, 4, 8], p=[0.1, 0.3, 0.4, 0.2]))
    beats = float(bars * groove.beats)
    bpm = float(round(score.bpm)) if source.random() < 0.85 else score.bpm
    notes = [note for note in score.notes if note.beat < beats]
    return score._replace(bpm=bpm, beats=beats, notes=notes, is_loop=True)


LOOPS = {
    "bass loop": BASSES,
    "riff loop": SYNTHS,
    "pad loop": PADS,
    "keys loop": (0, 1, 4, 5, 26, 27),
}
_GENRES = {
    # Tempos, how often, and whether what is played counts in halves of the beat.
    (170, 176, 4.0, "half riff"), (160, 180, 2.0, "half riff"), (120, 130, 3.0, "riff"),
    (138, 150, 2.0, "half riff"), (80, 100, 3.0, "riff"), (100, 120, 2.0, "riff"),
    (128, 140, 2.0, "riff"), (68, 80, 0.7, "riff"),
}  # fmt: skip


def electronic(name: str, source: np.random.Generator) -> Score:
    genres = sorted(_GENRES)
    chances = np.array([share for _, _, share, _ in genres])
    slowest, fastest, _, cells = genres[source.choice(len(genres), p=chances / chances.sum())]
    bpm = float(source.uniform(slowest, fastest))
    if source.random() < 0.85:
        bpm = float(round(bpm))
    key = harmony(source)
    bars = int(source.choice([1, 2, 4, 4, 8], p=[0.1, 0.25, 0.3, 0.2, 0.15]))
    bars = max(bars, 2) if name == "pad loop" else bars
    motif = rhythm(4, cells, source)
    rests = source.uniform(0, 0.3)
    per_chord = int(source.choice([1, 2]))
    degree = 0
    notes: list[Note] = []
    plan = [
        (at, long, int(source.integers(-3, 5))) for at, long in motif if source.random() > rests
    ]
    for bar in range(bars):
        chord = key.degrees[bar // per_chord % 4]
        if name == "pad loop":
            if bar % per_chord == 0:
                chords = triad(key, chord, 4.0 * bar, 4.0 * per_chord, source)
                notes += [note._replace(loud=0.8) for note in chords]
            continue
        for at, long, degree in plan or [(0.0, 1.0, 0)]:
            low = 30 if name == "bass loop" else 55
            loud = source.uniform(0.65, 0.9)
            if name == "keys loop" and source.random() < 0.7:
                notes += triad(key, chord, 4 * bar + at, long, source)
            else:
                pitch = key.pitch(chord + degree * (name != "bass loop"), low)
                notes.append(Note(4 * bar + at, 0.9 * long, 1, pitch, loud))
    programs = {1: int(source.choice(LOOPS[name]))}
    return Score(bpm, (4, 4), 4 * bars, notes, programs, 0.0, is_loop=True)
