"""What producers type, and what is understood of it."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samplemind.audio.description import by_envelope, by_spectrum
from samplemind.audio.features import Features
from samplemind.audio.hearing import names
from samplemind.domain.analysis import TONICS, Mode, SampleKind
from samplemind.domain.library import AudioFileFilter, KeyName, Range
from samplemind.domain.search import LONGEST_PROMPT, Understanding
from samplemind.words.parser import understand
from samplemind.words.vocabulary import (
    DESCRIPTORS,
    LONGEST_PHRASE,
    LOOP_OF,
    LOOPS,
    NAMES,
    OPPOSITES,
    phrases,
)
from tests.e2e.sounds import tone

DRUMS = """
    kick, snare, clap, rim, tom, closed hat, open hat, crash, ride, conga, tabla, cowbell, shaker
""".strip().split(", ")
SYNTHS = "lead, pluck, pad, keys"
EFFECTS = "effect, riser, impact, noise"
ALL_MINOR = ", ".join(f"{tonic} minor" for tonic in TONICS)

Words = str | Sequence[str]


def _list(words: Words | None) -> tuple[str, ...]:
    return tuple(words.split(", ") if isinstance(words, str) else words or ())


def _key(name: str) -> KeyName:
    tonic, mode = name.split()
    return KeyName(tonic, Mode(mode.upper()))


def _range(ends: tuple[float | None, float | None] | None) -> Range | None:
    return ends and Range(*ends)


def said(
    *,
    search: str | None = None,
    kinds: str = "",
    labels: Words | None = None,
    without_labels: Words | None = None,
    keys: str = "",
    tempo: tuple[float | None, float | None] | None = None,
    duration_seconds: tuple[float | None, float | None] | None = None,
    loudness: tuple[float | None, float | None] | None = None,
    like: str | None = None,
    unlike: str | None = None,
    ignored: str | None = None,
) -> Understanding:
    filter_ = AudioFileFilter(
        search=search,
        kinds=tuple(map(SampleKind, kinds.split())) or None,
        labels=_list(labels) or None,
        without_labels=_list(without_labels) or None,
        keys=tuple(map(_key, filter(None, keys.split(", ")))) or None,
        tempo=_range(tempo),
        duration_seconds=_range(duration_seconds),
        loudness=_range(loudness),
    )
    return Understanding(filter_, _list(like), _list(unlike), _list(ignored))


PROMPTS = [
    (
        "dark rolling bass around 174 in F minor",
        said(labels="bass loop", keys="F minor", tempo=(168.78, 179.22), like="dark, rolling"),
    ),
    ("punchy kick", said(labels="kick", like="punchy")),
    ("closed hi hat", said(labels="closed hat")),
    ("warm pad in F minor", said(labels="pad", keys="F minor", like="warm")),
    ("808 in F#", said(search="808", labels="kick, bass", keys="F# major, F# minor")),
    ("808s", said(search="808", labels="kick, bass")),
    ("909 hats", said(search="909", labels="closed hat, open hat")),
    ("kick 1", said(search="1", labels="kick")),
    ("TR-909 clap", said(search="909", labels="clap")),
    ("TB-303 acid line", said(search="303 line", labels="bass", like="acid")),
    (
        "170-175 bpm dnb drum loop",
        said(kinds="LOOP", labels="drum loop", tempo=(170.0, 175.0), like="dnb"),
    ),
    ("drum and bass break at 174", said(labels="drum loop", tempo=(173.0, 175.0), like="dnb")),
    ("Drum & Bass loop 174", said(kinds="LOOP", tempo=(173.0, 175.0), like="dnb")),
    ("d'n'b break", said(labels="drum loop", like="dnb")),
    ("in A", said(keys="A major, A minor")),
    ("in a minor key", said(keys=ALL_MINOR)),
    ("bass in a minor", said(labels="bass, bass loop", keys="A minor")),
    ("a minor pad", said(labels="pad", keys=ALL_MINOR)),
    ("sad A minor piano", said(labels="keys", keys="A minor", like="sad")),
    ("in a big room", said(like="big room")),
    ("E piano in Eb major", said(labels="keys", keys="D# major")),
    ("e-piano chords Dm", said(search="chords", labels="keys", keys="D minor")),
    ("B side vocal chop", said(search="b side", labels="vocal")),
    ("4A pad", said(labels="pad", keys="F minor")),
    (
        "8B lead loop 128",
        said(
            kinds="LOOP", labels="melodic loop", keys="C major", tempo=(127.0, 129.0), like="lead"
        ),
    ),
    ("9m techno synth", said(labels=SYNTHS, keys="F minor", like="techno")),
    ("open key 3d pad", said(labels="pad", keys="D major")),
    ("2 second riser", said(labels="riser", duration_seconds=(1.8, 2.2))),
    ("riser under 2s", said(labels="riser", duration_seconds=(None, 2.0))),
    ("fx between 1 and 2 seconds", said(labels=EFFECTS, duration_seconds=(1.0, 2.0))),
    (
        "shaker loop 4 bars at 174",
        said(
            kinds="LOOP",
            labels="drum loop",
            tempo=(173.0, 175.0),
            duration_seconds=(5.376, 5.827),
            like="shaker",
        ),
    ),
    ("8 bar melodic loop", said(kinds="LOOP", labels="melodic loop", ignored="8 bar")),
    ("half-time drum loop 140", said(kinds="LOOP", labels="drum loop", tempo=(69.5, 70.5))),
    ("half-time 87 beat", said(labels="drum loop", tempo=(86.0, 88.0))),
    ("fast drum loop", said(kinds="LOOP", labels="drum loop", tempo=(140, None))),
    (
        "slow pad, not bright",
        said(labels="pad", without_labels="bright", tempo=(None, 90), unlike="bright"),
    ),
    ("vocals without reverb", said(labels="vocal", without_labels="wet", unlike="wet")),
    (
        "guitar loop 90 bpm in G major",
        said(
            kinds="LOOP", labels="melodic loop", keys="G major", tempo=(89.0, 91.0), like="guitar"
        ),
    ),
    (
        "melodic loop no drums",
        said(kinds="LOOP", labels="melodic loop", without_labels=[*DRUMS, "drum loop"]),
    ),
    (
        "no drums or vocals, 120 bpm loop",
        said(kinds="LOOP", without_labels=[*DRUMS, "drum loop", "vocal"], tempo=(119.0, 121.0)),
    ),
    ("snare, not too bright", said(labels="snare", without_labels="bright", unlike="bright")),
    ("dry rimshot", said(labels="rim", like="dry")),
    ("one-shot stab in C#m", said(kinds="ONE_SHOT", keys="C# minor")),
    ("one shots or loops with flute", said(kinds="ONE_SHOT LOOP", labels="wind")),
    ("Cm7 chord stab", said(search="chord", kinds="ONE_SHOT", keys="C minor")),
    ("loud impact", said(labels="impact", loudness=(-12, None))),
    ("pads around -20 LUFS", said(labels="pad", loudness=(-21.5, -18.5))),
    ("loop over 160 bpm", said(kinds="LOOP", tempo=(160.0, None))),
    ("techno kick 140", said(labels="drum loop", tempo=(139.0, 141.0), like="techno, kick")),
    (
        "house piano loop 124 bpm Gm",
        said(
            kinds="LOOP",
            labels="melodic loop",
            keys="G minor",
            tempo=(123.0, 125.0),
            like="house, keys",
        ),
    ),
    ("amen break 160", said(search="amen", labels="drum loop", tempo=(159.0, 161.0))),
    (
        "Reese bass 172 F",
        said(labels="bass loop", keys="F major, F minor", tempo=(171.0, 173.0), like="reese"),
    ),
    ("FM bass in fm", said(search="fm", labels="bass, bass loop", keys="F minor")),
    ("fm bell", said(search="fm", labels="bell")),
    ("24bit 44.1kHz foley", said(labels="effect", ignored="24bit, 44.1kHz")),
    ("90s breakbeat 165", said(search="90s", labels="drum loop", tempo=(164.0, 166.0))),
    ("Juno 106 pad", said(search="juno 106", labels="pad")),
    ("crash cymbals", said(labels="crash")),
    ("no kick drum loop 128", said(kinds="LOOP", without_labels="kick", tempo=(127.0, 129.0))),
    ("hats", said(labels="closed hat, open hat")),
    (
        "warm lush strings, long, not noisy",
        said(labels="strings", without_labels="noisy", like="warm, long", unlike="noisy"),
    ),
    ("lo-fi hip hop drums 85", said(labels="drum loop", tempo=(84.0, 86.0), like="lofi, hiphop")),
    (
        "trap hihat loop 140bpm",
        said(
            kinds="LOOP",
            labels="drum loop",
            tempo=(139.0, 141.0),
            like="trap, closed hat, open hat",
        ),
    ),
    ("clap w/o reverb", said(labels="clap", without_labels="wet", unlike="wet")),
    (
        "drumless loop at 100 BPM",
        said(kinds="LOOP", without_labels=["drum loop", *DRUMS], tempo=(99.0, 101.0)),
    ),
    (
        "I'm looking for a really dark, punchy kick please!",
        said(labels="kick", like="dark, punchy"),
    ),
    (
        "soft acoustic guitar in the key of D",
        said(labels="guitar", keys="D major, D minor", like="warm", unlike="punchy"),
    ),
    ("key: Bb minor, tempo: 128", said(keys="A# minor", tempo=(127.0, 129.0))),
    ("C2 808", said(search="808", labels="kick, bass", keys="C major, C minor")),
    ("a short snappy snare", said(labels="snare", like="short, punchy")),
    (
        "vocal phrase bpm 100-110 key Am",
        said(search="phrase", labels="vocal", keys="A minor", tempo=(100.0, 110.0)),
    ),
    ("tracks longer than 3 minutes", said(kinds="TRACK", duration_seconds=(180.0, None))),
    ("something like a cow bell", said(labels="cowbell")),
    ("bass one-shot C", said(kinds="ONE_SHOT", labels="bass", keys="C major, C minor")),
    ("kick and snare", said(labels="kick, snare")),
    ("hi-hat 3/4", said(labels="closed hat, open hat", ignored="3/4")),
    ("not a loop, vocals", said(kinds="ONE_SHOT TRACK", labels="vocal")),
    ("vocals but not a loop", said(kinds="ONE_SHOT TRACK", labels="vocal")),
    (
        "no vocals and drums, just strings",
        said(labels="strings", without_labels=["vocal", *DRUMS, "drum loop"]),
    ),
    (
        "strings with no vocals and dark",
        said(labels="strings", without_labels="vocal", like="dark"),
    ),
    ("bright or dark hats?", said(labels="closed hat, open hat", like="bright, dark")),
    ("140 bpm, 150 bpm and 160 bpm", said(tempo=(139.0, 141.0), ignored="150 bpm, 160 bpm")),
    ("~128 house", said(tempo=(124.16, 131.84), like="house")),
    ("tempo 90", said(tempo=(89.0, 91.0))),
    ("124-126", said(tempo=(124.0, 126.0))),
    ("pads, Bb", said(labels="pad", keys="A# major, A# minor")),
    (
        "F# 140 lead",
        said(labels="melodic loop", keys="F# major, F# minor", tempo=(139.0, 141.0), like="lead"),
    ),
    ("Gb major strings", said(labels="strings", keys="F# major")),
    ("B flat minor brass", said(labels="brass", keys="A# minor")),
    ("c sharp minor guitar", said(labels="guitar", keys="C# minor")),
    ("f minor or c minor pads", said(labels="pad", keys="F minor, C minor")),
    ("key of e", said(keys="E major, E minor")),
    ("in e", said(keys="E major, E minor")),
    ("a kick", said(labels="kick")),
    ("A bass in A", said(labels="bass, bass loop", keys="A major, A minor")),
    ("drums in D at 100", said(labels="drum loop", keys="D major, D minor", tempo=(99.0, 101.0))),
    ("1-2 s hits", said(kinds="ONE_SHOT", duration_seconds=(1.0, 2.0))),
    ("500 ms clicks", said(search="clicks", duration_seconds=(0.45, 0.55))),
    ("90 s drone", said(labels="pad", duration_seconds=(81.0, 99.0))),
    ("under 90s", said(duration_seconds=(None, 90.0))),
    (
        "techno 909 kick in G#",
        said(search="909", labels="kick", keys="G# major, G# minor", like="techno"),
    ),
    ("quiet room tone", said(search="room", loudness=(None, -24))),
    ("not loud shaker", said(labels="shaker", loudness=(None, -12))),
    ("reverby snare with long tail", said(labels="snare", like="wet, long")),
    (
        "deep house chords 122bpm Fmin",
        said(search="chords", keys="F minor", tempo=(121.0, 123.0), like="deep house"),
    ),
    (
        "less harsh hats",
        said(labels="closed hat, open hat", without_labels="noisy, bright", unlike="noisy, bright"),
    ),
    ("non-vocal loops", said(kinds="LOOP", without_labels="vocal")),
    ("vocal-free loop", said(kinds="LOOP", without_labels="vocal")),
    (
        "wobbly dubstep bass 140 E minor",
        said(labels="bass loop", keys="E minor", tempo=(139.0, 141.0), like="wobbly, dubstep"),
    ),
    ("xyzzy plugh", said(search="xyzzy plugh")),
    ("!!! ??? ...", said()),
    ("kick, kick, kick", said(labels="kick")),
    (
        '"hard techno rumble 145 BPM"',
        said(search="rumble", tempo=(144.0, 146.0), like="hard techno"),
    ),
    ("sample pack", said(search="pack")),
    ("hit-hat", said(kinds="ONE_SHOT", labels="closed hat, open hat")),
    ("im in a rush", said(search="rush")),
    ("give me something at 1/4 speed", said(ignored="1/4")),
    (
        "6/8 shuffle groove 110",
        said(search="shuffle", labels="drum loop", tempo=(109.0, 111.0), ignored="6/8"),
    ),
    ("2-step garage 132", said(search="2 step", tempo=(131.0, 133.0), like="garage")),
    ("16 beats at 120", said(tempo=(119.0, 121.0), duration_seconds=(7.775, 8.471))),
    ("4/4", said(ignored="4/4")),
    ("-6dB kick", said(labels="kick", ignored="-6dB")),
    ("3am vibes", said(search="3am")),
    ("E minor 3am", said(search="3am", keys="E minor")),
    ("top loop 174", said(kinds="LOOP", labels="drum loop", tempo=(173.0, 175.0))),
    ("120", said(tempo=(119.0, 121.0))),
    ("1200", said(search="1200")),
    (
        "808 120",
        said(search="808", labels="drum loop, bass loop", tempo=(119.0, 121.0), like="kick"),
    ),
]


@pytest.mark.parametrize(("prompt", "expected"), PROMPTS, ids=[prompt for prompt, _ in PROMPTS])
def test_is_understood(prompt: str, expected: Understanding) -> None:
    assert understand(prompt) == expected
    assert understand(f"  {prompt}\n") == expected


_OTHER_PIECES = """
    174 12 0 99999 1e9 -7 . | - # b m A a F#m 4A 9m 12d BPM bars s ms between and to around < ~
    not no without or half-time in key of LUFS \ue000 \ue001 d'n'b 90s 1/4 \u0130 ß ﬁ
"""
_PIECES = sorted({word for phrase in phrases() for word in phrase} | {*_OTHER_PIECES.split()})


@given(st.text() | st.lists(st.sampled_from(_PIECES)).map(" ".join))
@example("not " * 200)
@example("between 174 and")
@example("\ue000\ue005")
def test_anything_is_understood_somehow(prompt: str) -> None:
    found = understand(prompt)
    assert found == understand(prompt)
    filter_ = found.filter
    for ends in (filter_.tempo, filter_.duration_seconds, filter_.loudness):
        assert ends is None or ends.min is None or ends.max is None or ends.min <= ends.max
    labels = {*NAMES, *LOOPS, *DESCRIPTORS}
    assert labels >= {*(filter_.labels or ()), *(filter_.without_labels or ())}
    assert not {*found.like} & {*found.unlike}
    assert not {*(filter_.labels or ())} & {*(filter_.without_labels or ())}
    assert all(len(each) <= LONGEST_PROMPT for each in (*found.like, *found.ignored))


class TestTheVocabulary:
    def test_names_what_the_analysis_names(self):
        assert {*NAMES, *LOOPS, "full track"} == {*names()}
        assert {*LOOP_OF.values()} <= {*NAMES, *LOOPS}

    def test_describes_as_the_analysis_does(self):
        features = Features(np.concatenate([tone(220, 0.5), np.zeros(9_999)]).astype("f4"), 0.7)
        assert {*DESCRIPTORS} == {*by_spectrum(features), *by_envelope(features)}
        assert {*OPPOSITES} <= {*DESCRIPTORS}

    def test_every_label_can_be_asked_for_by_its_name(self):
        for name in (*NAMES, *LOOPS):
            found = understand(name)
            assert name in (found.filter.labels or ()), name
            assert not found.ignored
            assert found.filter.search is None
        for word in DESCRIPTORS:
            assert understand(word).like == (word,)

    def test_no_phrase_is_longer_than_is_looked_for(self):
        assert max(map(len, phrases())) == LONGEST_PHRASE
