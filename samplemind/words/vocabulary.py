"""The words that are understood, and what each of them asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from samplemind.domain.analysis import SampleKind

_HATS = ("closed hat", "open hat")
_CYMBALS = ("crash", "ride")
_PERCUSSION = ("conga", "tabla", "cowbell", "shaker", "rim", "tom", "clap")
_DRUMS = (
    "kick",
    "snare",
    "clap",
    "rim",
    "tom",
    *_HATS,
    *_CYMBALS,
    "conga",
    "tabla",
    "cowbell",
    "shaker",
)
_SYNTHS = ("lead", "pluck", "pad", "keys")
_EFFECTS = ("effect", "riser", "impact", "noise")
_MELODIC = ("bell", "brass", "guitar", "keys", "lead", "pluck", "strings", "wind")

NAMES = (*_DRUMS, *_MELODIC, *_EFFECTS, "bass", "pad", "vocal")
"""What one sound can be. Loops have names of their own."""

LOOP_OF = {
    **dict.fromkeys(_DRUMS, "drum loop"),
    **dict.fromkeys(_MELODIC, "melodic loop"),
    "bass": "bass loop",
    "impact": "effect",
}
"""What a loop of it is called; what is not here keeps its name."""

LOOPS = ("drum loop", "bass loop", "melodic loop")

DESCRIPTORS = ("bright", "dark", "tonal", "noisy", "warm", "short", "long", "punchy", "dry", "wet")
"""How a sound can be, in words of the analysis."""

OPPOSITES = {
    "bright": "dark",
    "dark": "bright",
    "tonal": "noisy",
    "noisy": "tonal",
    "short": "long",
    "long": "short",
    "dry": "wet",
    "wet": "dry",
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """`labels`: any of them. `weak` labels count where no others are said. `like` and `unlike` are
    DESCRIPTORS, or words that only names may hold; `without` are labels. `faster_than` and
    `slower_than` are ends of a tempo in BPM, `louder_than` and `quieter_than` of a loudness in
    LUFS.
    """

    labels: tuple[str, ...] = ()
    kinds: tuple[SampleKind, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    weak: bool = False
    faster_than: float | None = None
    slower_than: float | None = None
    louder_than: float | None = None
    quieter_than: float | None = None


def _words(text: str) -> list[str]:
    return [" ".join(phrase.split()) for phrase in text.split(",")]


_LABELS: dict[str, str] = {
    "kick": "kick, kick drum, kickdrum, bass drum, bassdrum, kik, bd",
    "snare": "snare, snare drum, sd, snr",
    "clap": "clap, handclap, hand clap, clp, snap, finger snap",
    "rim": """
        rim, rimshot, rim shot, rim click, side stick, sidestick, cross stick
    """,
    "closed hat": """
        closed hat, closed hi hat, closed hihat, closed high hat, ch, chh, hat closed
    """,
    "open hat": """
        open hat, open hi hat, open hihat, open high hat, oh, ohh, hat open
    """,
    ", ".join(_HATS): "hat, hi hat, hihat, high hat, hh",
    "tom": "tom, tom tom, floor tom, rack tom",
    "crash": "crash, crash cymbal, splash, splash cymbal",
    "ride": "ride, ride cymbal, ride bell",
    ", ".join(_CYMBALS): "cymbal, cym",
    "cowbell": "cowbell, cow bell",
    "conga": "conga, bongo",
    "tabla": "tabla, dayan, bayan",
    "shaker": "shaker, maraca, tambourine, cabasa, shake",
    ", ".join(_PERCUSSION): "perc, percussion, percussive hit, percs",
    ", ".join(_DRUMS): "drum, drums, drum kit, drum hit, drum sound",
    "drum loop": """
        drum loop, top loop, drum break, break, breakbeat, break beat, drum groove,
        percussion loop, perc loop, groove, beat, drum beat, drum fill, fill
    """,
    "bass": "bass, bassline, bass line, reese, wobble bass, growl bass",
    "bass loop": "bass loop, bassline loop",
    "melodic loop": """
        melody, melodic loop, melodic, riff, arp, arpeggio, chord progression, topline, top
        line, hook, lick
    """,
    "bell": """
        bell, glockenspiel, chime, celesta, tubular bell, music box, kalimba, vibraphone
    """,
    "brass": """
        brass, trumpet, trombone, horn, french horn, tuba, brass section
    """,
    "guitar": """
        guitar, acoustic guitar, electric guitar, gtr, ukulele, banjo
    """,
    "keys": """
        keys, piano, grand piano, e piano, epiano, electric piano, rhodes, wurlitzer, wurli,
        organ, clav, clavinet, harpsichord, keyboard, accordion
    """,
    "lead": "lead, lead synth, synth lead, lead line",
    "pluck": "pluck, plucked synth, pizzicato, harp, synth pluck",
    "strings": """
        strings, string section, violin, viola, cello, orchestra, orchestral
    """,
    "wind": """
        wind, flute, clarinet, oboe, sax, saxophone, woodwind, bassoon, pan flute, whistle
    """,
    "pad": "pad, synth pad, string pad, drone, ambient pad",
    ", ".join(_SYNTHS): "synth, synthesizer, synthesiser",
    "vocal": """
        vocal, vox, voice, voc, acapella, a cappella, acappella, choir, singing, singer,
        vocal chop, vocal sample, speech, spoken word, chant, shout, adlib, ad lib
    """,
    "riser": "riser, uplifter, build up, buildup, sweep up, rise",
    "impact": "impact, boom, downlifter, sub drop, slam",
    "noise": """
        noise, white noise, pink noise, vinyl noise, vinyl crackle, crackle, static, hiss
    """,
    "effect": "effect, laser, zap, siren, foley",
    ", ".join(_EFFECTS): "fx, sfx, sound effect, transition, sweep, whoosh",
}

_KINDS: dict[SampleKind, str] = {
    SampleKind.ONE_SHOT: """
        one shot, oneshot, single shot, single hit, shot, hit, stab, single note, single
    """,
    SampleKind.LOOP: "loop, looped, looping, loopable",
    SampleKind.TRACK: """
        track, song, tune, full track, full mix, full song, recording
    """,
}

_LIKE: dict[str, str] = {
    "bright": """
        bright, brighter, brilliant, crisp, airy, shiny, sparkly, glassy, shimmering,
        sizzling, tinny, trebly, high pitched, icy, sharp, top end
    """,
    "dark": """
        dark, darker, dull, muffled, gloomy, sombre, somber, murky, deep, deeper, moody,
        sinister, subby, bassy, low end, low pitched
    """,
    "warm": "warm, warmer, mellow, rich, round, smooth, lush, cosy, cozy",
    "punchy": """
        punchy, punchier, snappy, hard hitting, knocking, thumpy, slamming, fast attack,
        quick attack, hard, percussive, transient, crack, cracking
    """,
    "noisy": """
        noisy, noisier, hissy, gritty, dirty, distorted, crunchy, fuzzy, raspy, grainy,
        saturated, overdriven, breathy
    """,
    "noisy, bright": "harsh, abrasive, piercing",
    "tonal": "tonal, tuned, pitched, harmonic",
    "dry": "dry, drier, dead",
    "wet": """
        wet, wetter, reverb, reverberant, reverby, reverbed, roomy, spacious, washy, echoey,
        echo, cavernous, in a room, with room, ambient
    """,
    "short": "short, shorter, staccato, clipped, quick, brief",
    "short, dry": "tight, tighter",
    "long": """
        long, longer, sustained, evolving, endless, long tail, long decay, long release,
        legato, drawn out
    """,
    "punchy, noisy": "aggressive, angry, brutal",
}

# Heard in no label: sounds whose names hold the word stand for it.
_BY_NAME = """
    rolling, groovy, bouncy, funky, epic, dreamy, nasty, vintage, retro, lofi, chill, sad,
    happy, dusty, organic, metallic, hypnotic, driving, ethereal, eerie, cinematic, fat, phat,
    thick, thin, huge, big, massive, heavy, clean, glitchy, detuned, wobbly, wobble, growling,
    growl, uplifting, melancholic, emotional, euphoric, oldschool, tribal, industrial, acoustic,
    analog, analogue, digital, modern, classic, jazzy, soulful, swung, shuffled, minimal,
    liquid, acid, techno, house, trap, dubstep, drill, garage, trance, hardstyle, hardcore,
    gabber, jungle, disco, funk, soul, jazz, rock, metal, pop, reggae, reggaeton, dancehall,
    dub, grime, edm, electro, electronica, breakcore, downtempo music, synthwave, phonk,
    amapiano, afrobeat, afrobeats, afro house, deep house, tech house, progressive house, bass
    house, acid house, hard techno, minimal techno, future bass, bass music, big room, tropical
    house, boom bap, trip hop, uk garage, uk drill, g funk, moombahton, ambient music,
    psytrance, idm, rnb, hip hop, neurofunk, halftime dnb
"""

_SPELT: dict[str, str] = {
    "dnb": """
        drum and bass, drum & bass, drum n bass, drum 'n' bass, drum'n'bass, drumnbass, d&b,
        d n b, d'n'b, dnb, d and b
    """,
    "hiphop": "hip hop, hiphop, hip hop beat",
    "lofi": "lo fi, lofi",
    "rnb": "r&b, r n b, r'n'b, rnb",
    "oldschool": "old school, old skool, oldskool, oldschool",
    "reese": "reese, reese bass",
    "sub": "sub, sub bass, subbass",
}

_MACHINES = "808, 909, 707, 606, 727, 626, 505, 303, linndrum, linn, dmx, cr78"

_STOP = """
    a, an, the, some, any, of, for, with, and, or, in, on, at, to, from, is, are, was, it, its,
    that, this, these, those, my, me, i, im, i'm, we, you, your, want, need, looking, look,
    find, search, show, give, get, like, something, anything, sound, sounds, sounding, sample,
    samples, file, files, audio, wav, one, ones, kind, sort, type, style, please, very, really,
    so, too, quite, rather, pretty, super, extra, bit, little, more, most, much, lots, nice,
    good, great, best, cool, made, use, used, using, can, could, would, should, be, has, have,
    which, what, where, as, by, but, all, every, both, also, just, only, tempo, bpm, key, speed,
    length, duration, note, notes, hey, hi, there, around, about, approximately, maybe, say,
    between, under, over, below, above, than, tr, tb, per, minute, single, version, mood, feel,
    feeling, vibe, vibes, tone, toned, element, elements
"""

NEGATORS = frozenset(
    _words("not, no, less, without, w/o, non, never, minus, except, excluding, sans, none, lacking")
)
AND = frozenset(_words("and, or, nor, /, &"))
FILLERS = frozenset(
    _words("too, so, very, really, any, a, an, the, much, overly, of, bit, that, super, in")
)
"""What may stand between a "not" and what it is about."""


def _entries() -> Iterator[tuple[str, Meaning]]:
    for like, words in _LIKE.items():
        yield from ((word, Meaning(like=tuple(_words(like)))) for word in _words(words))
    yield from ((word, Meaning(like=(word,))) for word in _words(_BY_NAME))
    for word, spellings in _SPELT.items():
        yield from ((spelling, Meaning(like=(word,))) for spelling in _words(spellings))
    for labels, words in _LABELS.items():
        for word in _words(words):
            yield (
                word,
                Meaning(
                    labels=tuple(_words(labels)),
                    kinds=(SampleKind.LOOP,) if word.endswith(" loop") else (),
                ),
            )
    for kind, words in _KINDS.items():
        yield from ((word, Meaning(kinds=(kind,))) for word in _words(words))
    for machine in _words(_MACHINES):
        yield machine, Meaning(names=(machine,))
    yield "808", Meaning(labels=("kick", "bass"), names=("808",), weak=True)
    yield "303", Meaning(labels=("bass",), names=("303",), weak=True)
    yield "reese", Meaning(labels=("bass",), like=("reese",))
    yield "reese bass", Meaning(labels=("bass",), like=("reese",))
    for word in ("sub bass", "subbass", "sub"):
        yield word, Meaning(labels=("bass",), like=("dark",))
    yield "drumless", Meaning(without=("drum loop", *_DRUMS))
    yield "instrumental", Meaning(without=("vocal",))
    for word in ("soft", "softer", "gentle"):
        yield word, Meaning(like=("warm",), unlike=("punchy",))
    for word in ("slow attack", "long attack", "soft attack"):
        yield word, Meaning(unlike=("punchy",))
    for word in ("fast", "faster", "uptempo", "up tempo", "high tempo"):
        yield word, Meaning(faster_than=140)
    for word in ("slow", "slower", "downtempo", "down tempo", "low tempo"):
        yield word, Meaning(slower_than=90)
    for word in ("midtempo", "mid tempo"):
        yield word, Meaning(faster_than=95, slower_than=125)
    for word in ("loud", "louder", "hot level"):
        yield word, Meaning(louder_than=-12)
    for word in ("quiet", "quieter", "faint", "low volume"):
        yield word, Meaning(quieter_than=-24)


@cache
def phrases() -> dict[tuple[str, ...], Meaning]:
    """Words of a phrase, lower case and without hyphens, and what it asks for; the later wins."""
    return {tuple(phrase.split()): meaning for phrase, meaning in _entries()}


LONGEST_PHRASE = 3


@cache
def stop_words() -> frozenset[str]:
    return frozenset(_words(_STOP))
