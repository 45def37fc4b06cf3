"""Uploads, as a client sends them: every container, hostile bytes, hostile requests."""

import asyncio
import hashlib
import io
import json
import struct
import threading
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from mutagen.flac import FLAC
from mutagen.id3 import TIT2, TPE1, TXXX
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.wave import WAVE

from tests.e2e import sounds
from tests.server import HTTP, UPLOAD, Server

WRITTEN = {
    "WAV 16": ("WAV", "PCM_16", "wav"),
    "WAV 24": ("WAV", "PCM_24", "wav"),
    "WAV 32": ("WAV", "PCM_32", "wav"),
    "WAV float": ("WAV", "FLOAT", "wav"),
    "RF64": ("RF64", "PCM_16", "wav"),
    "AIFF": ("AIFF", "PCM_16", "aiff"),
    "FLAC": ("FLAC", "PCM_16", "flac"),
    "MP3": ("MP3", "MPEG_LAYER_III", "mp3"),
    "OGG Vorbis": ("OGG", "VORBIS", "ogg"),
    "Opus": ("OGG", "OPUS", "opus"),
}
LOSSY = ("mp3", "ogg", "opus", "m4a")

FINDINGS = """
query ($id: ID!) {
  node(id: $id) {
    ... on AudioFile {
      analysis {
        id level status kind labels { name score } beats onsets
        engineVersion processingSeconds queuedAt finishedAt failure { code }
        tempo { bpm confidence alternatives }
        key { tonic mode camelot openKey confidence }
        timeSignature { numerator denominator confidence }
        pitch { hertz midi note confidence }
        loudness { integratedLufs truePeakDbtp rangeLu }
        spectral { centroidHz bandwidthHz rolloffHz flatness zeroCrossingRate contrastDb mfcc
                   chroma }
      }
    }
  }
}
"""


def stored(server: Server, **variables: Any) -> dict[str, Any]:
    """The file as it is read again."""
    return server.ask(
        """query ($id: ID!) { node(id: $id) { ... on AudioFile {
            id filename format sizeBytes sha256 durationSeconds sampleRate channels tags metadata
            uploadedAt } } }""",
        **variables,
    )["node"]


def count(server: Server, **filter_: Any) -> int:
    query = "query ($f: AudioFileFilter) { audioFiles(filter: $f) { totalCount } }"
    return server.ask(query, f=filter_)["audioFiles"]["totalCount"]


def blobs(server: Server) -> set[Path]:
    return {path for path in (server.data_dir / "blobs").rglob("*") if path.is_file()}


async def findings(server: Server, content: bytes, level: str) -> dict[str, Any]:
    """What an analysis at upload answers, once it is done."""
    payload = server.upload(content, level=level)
    assert payload["errors"] == []
    assert payload["analysis"]["level"] == level
    id_ = payload["audioFile"]["id"]
    ended = await server.analyzed(id_)
    assert ended["status"] == "SUCCEEDED", ended
    assert ended["id"] == payload["analysis"]["id"]
    return server.ask(FINDINGS, id=id_)["node"]["analysis"]


class TestContainers:
    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("name", WRITTEN)
    def test_its_content_decides(self, server: Server, name: str, channels: int):
        container, subtype, format_ = WRITTEN[name]
        rate = 48_000 if format_ == "opus" else 44_100
        y = sounds.noise(0.75, channels)
        content = sounds.encoded(y, container, subtype, rate)

        payload = server.upload(content, "misnamed.txt")

        assert payload["errors"] == []
        assert payload["analysis"] is None
        file = payload["audioFile"]
        assert file["format"] == format_
        assert file["sampleRate"] == rate
        assert file["channels"] == channels
        slack = 0.06 if format_ in LOSSY else 1e-6
        assert file["durationSeconds"] == pytest.approx(len(y) / rate, abs=slack)
        assert file["sizeBytes"] == len(content)
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert "truncated" not in file["metadata"]
        assert stored(server, id=file["id"]) == file

    def test_m4a(self, server: Server):
        file = server.upload(sounds.m4a(sounds.tone(seconds=0.75)), "tone.wav")["audioFile"]
        assert (file["format"], file["sampleRate"], file["channels"]) == ("m4a", 44_100, 1)
        assert file["durationSeconds"] == pytest.approx(0.75, abs=0.06)


class TestEmbeddedTags:
    @pytest.mark.parametrize(
        ("container", "subtype", "reader"),
        [("MP3", None, MP3), ("WAV", None, WAVE)],
    )
    def test_id3(self, server: Server, container: str, subtype: str | None, reader: Any):
        file = io.BytesIO(sounds.encoded(sounds.tone(), container, subtype))
        tagged = reader(file)
        tagged.add_tags()
        tagged.tags.add(TIT2(text=["Große Trommel"]))
        tagged.tags.add(TPE1(text=["Ada", "Bob"]))
        tagged.tags.add(TXXX(desc="pack", text=["Vol. 1"]))
        file.seek(0)
        tagged.save(file)

        metadata = server.upload(file.getvalue())["audioFile"]["metadata"]

        assert metadata["title"] == "Große Trommel"
        assert metadata["artist"] == ["Ada", "Bob"]
        assert metadata["pack"] == "Vol. 1"

    @pytest.mark.parametrize(
        ("container", "subtype", "reader"),
        [("OGG", "VORBIS", OggVorbis), ("OGG", "OPUS", OggOpus), ("FLAC", None, FLAC)],
    )
    def test_vorbis_comments(
        self, server: Server, container: str, subtype: str | None, reader: Any
    ):
        rate = 48_000 if subtype == "OPUS" else 44_100
        file = io.BytesIO(sounds.encoded(sounds.tone(), container, subtype, rate))
        tagged = reader(file)
        tagged["TITLE"] = "Kick"
        tagged["GENRE"] = ["Techno", "House"]
        file.seek(0)
        tagged.save(file)

        metadata = server.upload(file.getvalue())["audioFile"]["metadata"]

        assert metadata["title"] == "Kick"
        assert metadata["genre"] == ["Techno", "House"]

    def test_mp4_atoms(self, server: Server):
        file = io.BytesIO(sounds.m4a(sounds.tone()))
        tagged = MP4(file)
        tagged["\xa9nam"] = "Kick"
        tagged["tmpo"] = [124]
        file.seek(0)
        tagged.save(file)

        metadata = server.upload(file.getvalue())["audioFile"]["metadata"]

        assert metadata["title"] == "Kick"
        assert metadata["bpm"] == "124"

    def test_riff_info(self, server: Server):
        info = b"INFO" + b"".join(
            name + struct.pack("<I", len(text)) + text
            for name, text in ((b"INAM", b"Snare\0"), (b"IART", b"Ada Lovelace\0\0"))
        )
        content = sounds.encoded(sounds.tone()) + b"LIST" + struct.pack("<I", len(info)) + info
        content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]

        metadata = server.upload(content)["audioFile"]["metadata"]

        assert metadata["title"] == "Snare"
        assert metadata["artist"] == "Ada Lovelace"


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("kick.wav", sounds.encoded(sounds.tone()))
    return file.getvalue()


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "EMPTY_FILE"),
    "text": (lambda: b"This is not a sound.\n" * 100, "NOT_AUDIO"),
    "one byte": (lambda: b"R", "NOT_AUDIO"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200), "NOT_AUDIO"),
    "archive": (_zip, "NOT_AUDIO"),
    "playlist": (lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "NOT_AUDIO"),
    "header only": (lambda: sounds.encoded(np.zeros(0)), "NO_DECODABLE_SOUND"),
    "half a header": (lambda: sounds.encoded(sounds.tone())[:20], "NO_DECODABLE_SOUND"),
    "AIFF header only": (lambda: sounds.encoded(np.zeros(0), "AIFF"), "NO_DECODABLE_SOUND"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_a_sound_leaves_nothing_behind(server: Server, what: str):
    make, code = REFUSED[what]
    files, bytes_ = count(server), blobs(server)

    payload = server.upload(make(), "kick.wav", tags=["x"], level="STANDARD")

    [error] = payload["errors"]
    assert error["code"] == code
    assert error["message"]
    assert payload["audioFile"] is None
    assert payload["analysis"] is None
    assert count(server) == files
    assert blobs(server) == bytes_


@pytest.mark.parametrize("container", ["WAV", "AIFF", "FLAC", "OGG", "MP3"])
async def test_a_truncated_file_is_kept_as_far_as_it_decodes(server: Server, container: str):
    content = sounds.encoded(sounds.noise(2), container)
    payload = server.upload(content[: len(content) // 2], level="STANDARD")
    assert payload["errors"] == []
    file = payload["audioFile"]
    assert file["metadata"]["truncated"] is True
    assert file["durationSeconds"] == pytest.approx(1, abs=0.7)
    assert (await server.analyzed(file["id"]))["status"] == "SUCCEEDED"


async def test_silence_has_loudness_and_neither_tempo_nor_key(server: Server):
    silence = np.zeros(30_000 + int.from_bytes(uuid.uuid4().bytes[:2]))
    found = await findings(server, sounds.encoded(silence), "DETAILED")
    assert found["loudness"]["integratedLufs"] == -70
    for absent in ("tempo", "key", "beats", "timeSignature", "pitch"):
        assert found[absent] is None, absent
    assert found["labels"] == []


class TestLevels:
    BASIC = frozenset({"kind", "tempo"})
    STANDARD = BASIC | {"loudness", "spectral", "labels"}
    OPTIONAL = ("kind", "tempo", "key", "loudness", "spectral", "labels", "beats", "onsets")
    OPTIONAL += ("timeSignature", "pitch")

    def present(self, found: dict[str, Any]) -> set[str]:
        return {name for name in self.OPTIONAL if found[name] not in (None, [])}

    @pytest.mark.parametrize(
        ("level", "expected"),
        [
            ("BASIC", BASIC),
            ("STANDARD", STANDARD),
            ("DETAILED", STANDARD | {"beats", "onsets", "timeSignature"}),
            ("PROFESSIONAL", STANDARD | {"beats", "onsets", "timeSignature"}),
        ],
    )
    async def test_a_loop(self, server: Server, level: str, expected: frozenset[str]):
        found = await findings(server, sounds.encoded(sounds.beat(120, bars=4)), level)

        assert self.present(found) == expected
        assert found["failure"] is None
        assert found["engineVersion"]
        assert found["processingSeconds"] > 0
        assert found["queuedAt"] < found["finishedAt"]
        assert found["kind"] == "LOOP"
        assert found["tempo"]["bpm"] == pytest.approx(120, abs=1)
        assert 0 < found["tempo"]["confidence"] <= 1
        if "loudness" in expected:
            assert -30 < found["loudness"]["integratedLufs"] < -5
            assert -6 < found["loudness"]["truePeakDbtp"] < 2
            scores = [label["score"] for label in found["labels"]]
            assert all(0 < score <= 1 for score in scores)
            assert scores == sorted(scores, reverse=True)
            sizes = {"contrastDb": 7, "mfcc": 20, "chroma": 12}
            assert {name: len(found["spectral"][name]) for name in sizes} == sizes
            assert max(found["spectral"]["chroma"]) == pytest.approx(1)
        if "beats" in expected:
            gaps = np.diff(found["beats"])
            assert gaps == pytest.approx(0.5, abs=0.03)
            assert len(found["beats"]) == pytest.approx(16, abs=1)

    @pytest.mark.parametrize("level", ["STANDARD", "DETAILED"])
    async def test_a_note(self, server: Server, level: str):
        found = await findings(server, sounds.encoded(sounds.tone(440)), level)
        assert found["kind"] == "ONE_SHOT"
        assert found["tempo"] is found["beats"] is found["timeSignature"] is None
        if level == "STANDARD":
            assert found["pitch"] is found["onsets"] is None
        else:
            assert found["pitch"]["note"] == "A4"
            assert found["pitch"]["hertz"] == pytest.approx(440, rel=0.01)
            assert found["pitch"]["midi"] == pytest.approx(69, abs=0.1)
            assert found["onsets"] == pytest.approx([0], abs=0.05)

    async def test_a_chord_has_a_key(self, server: Server):
        found = await findings(server, sounds.encoded(sounds.chord()), "BASIC")
        key = found["key"]
        assert (key["tonic"], key["mode"]) == ("A", "MINOR")
        assert (key["camelot"], key["openKey"]) == ("8A", "1m")

    def test_standard_where_none_is_named(self, server: Server):
        operations = {"query": UPLOAD, "variables": {"file": None, "analyze": {}}}
        answer = post_parts(
            server,
            ("operations", None, json.dumps(operations).encode()),
            ("map", None, b'{"0": ["variables.file"]}'),
            ("0", b"a.wav", sounds.encoded(sounds.tone())),
        ).json()
        assert answer["data"]["uploadAudio"]["analysis"]["level"] == "STANDARD"

    async def test_the_same_bytes_are_not_analysed_again(self, server: Server):
        content = sounds.encoded(sounds.tone())
        first = server.upload(content, level="STANDARD")["analysis"]
        assert server.upload(content, level="BASIC")["analysis"]["id"] == first["id"]
        deeper = server.upload(content, level="DETAILED")["analysis"]
        assert deeper["id"] != first["id"]
        assert deeper["level"] == "DETAILED"


class TestSameBytes:
    def test_the_same_file_with_the_tags_of_both(self, server: Server):
        content, tag = sounds.encoded(sounds.tone()), uuid.uuid4().hex
        first = server.upload(content, "one.wav", tags=[tag, "a"])["audioFile"]
        again = server.upload(content, "two.wav", tags=["b", "a"])["audioFile"]
        assert again["id"] == first["id"]
        assert again["filename"] == "one.wav"
        assert again["tags"] == [tag, "a", "b"]
        assert again["uploadedAt"] == first["uploadedAt"]
        assert count(server, tags=[tag]) == 1
        assert count(server, tags=[tag, "b"], search="b") == 1

    async def test_at_the_same_time(self, server: Server):
        content, tag = sounds.encoded(sounds.noise(1)), uuid.uuid4().hex
        files, bytes_ = count(server), blobs(server)

        payloads = await asyncio.gather(
            *(
                asyncio.to_thread(server.upload, content, f"{n}.wav", tags=[tag, f"{tag}-{n}"])
                for n in range(8)
            )
        )

        assert [payload["errors"] for payload in payloads] == [[]] * 8
        [id_] = {payload["audioFile"]["id"] for payload in payloads}
        assert count(server) == files + 1
        [blob] = blobs(server) - bytes_
        assert blob.read_bytes() == content
        expected = {tag, *(f"{tag}-{n}" for n in range(8))}
        assert set(stored(server, id=id_)["tags"]) == expected
        assert count(server, search=f"{tag} 3", tags=[f"{tag}-7"]) == 1


class TestNames:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("../../etc/passwd", "passwd"),
            ("/etc/shadow.wav", "shadow.wav"),
            ("C:\\sounds\\kick.wav", "kick.wav"),
            ("ki\x01\x1b\x7fck.wav", "kick.wav"),
            ("kick.wav\x00.png", "kick.wav.png"),
            ("evil\u202egpj.wav", "evilgpj.wav"),
            ("a" * 500 + ".wav", "a" * 196 + ".wav"),
            ("", "untitled"),
            ("...", "untitled"),
            ("  808   kick.wav ", "808 kick.wav"),
            ("Größe 鼓 🥁.wav", "Größe 鼓 🥁.wav"),
            ("<script>alert(1)</script>", "script>"),
        ],
    )
    def test_a_filename_is_made_safe(self, server: Server, sent: str, kept: str):
        operations = json.dumps({"query": UPLOAD, "variables": {"file": None}}).encode()
        answer = post_parts(
            server,
            ("operations", None, operations),
            ("map", None, b'{"0": ["variables.file"]}'),
            ("0", sent.encode().replace(b"\\", b"\\\\"), sounds.encoded(sounds.tone())),
        ).json()
        payload = answer["data"]["uploadAudio"]
        assert payload["errors"] == []
        assert payload["audioFile"]["filename"] == kept
        assert stored(server, id=payload["audioFile"]["id"])["filename"] == kept

    def test_tags_are_trimmed_and_distinct(self, server: Server):
        tags = [" deep  house ", "deep house", "", "   ", "Kick"]
        file = server.upload(sounds.encoded(sounds.tone()), tags=tags)["audioFile"]
        assert file["tags"] == ["deep house", "Kick"]

    @pytest.mark.parametrize("tags", [["x" * 61], ["a\u202eb"], [f"{n}" for n in range(51)]])
    def test_tags_that_cannot_be(self, server: Server, tags: list[str]):
        before = count(server), blobs(server)
        [error] = server.upload(sounds.encoded(sounds.tone()), tags=tags)["errors"]
        assert error["code"] == "BAD_USER_INPUT"
        assert error["field"] == ["input", "tags"]
        assert (count(server), blobs(server)) == before


def test_a_large_file_does_not_pass_through_memory(server: Server, tmp_path: Path):
    """The API process may grow by the few parts that are under way, whatever the size."""
    path = tmp_path / "large.wav"
    path.write_bytes(sounds.encoded(sounds.noise(360, 2)))
    size = path.stat().st_size
    assert size > 60e6
    server.upload(sounds.encoded(sounds.noise(20)))  # what a first upload costs
    api = server.process("api")
    before = api.memory_info().rss
    most, done = before, threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(0.005):
            most = max(most, api.memory_info().rss)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        with path.open("rb") as file:
            answer = HTTP.post(
                f"{server.url}/graphql",
                data={
                    "operations": json.dumps({"query": UPLOAD, "variables": {"file": None}}),
                    "map": '{"0": ["variables.file"]}',
                },
                files={"0": ("large.wav", file)},
                headers={"apollo-require-preflight": "true"},
            ).json()
    finally:
        done.set()
        watching.join()

    file = answer["data"]["uploadAudio"]["audioFile"]
    assert file["sizeBytes"] == size
    assert most - before < size / 2
    delete = "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { deletedId } }"
    server.ask(delete, id=file["id"])


class TestForeignPages:
    def post(self, server: Server, **headers: str) -> httpx.Response:
        return HTTP.post(
            f"{server.url}/graphql",
            data={
                "operations": json.dumps({"query": UPLOAD, "variables": {"file": None}}),
                "map": '{"0": ["variables.file"]}',
            },
            files={"0": ("a.wav", sounds.encoded(sounds.tone()))},
            headers=headers,
        )

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", ""])
    def test_are_refused_without_a_preflight(self, server: Server, origin: str):
        """Whatever the origin, our own too: an old browser may leave it out."""
        before = count(server), blobs(server)
        answer = self.post(server, origin=origin or server.url)
        assert answer.status_code == 403
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"]
        assert "apollo-require-preflight" in error["message"]
        assert (count(server), blobs(server)) == before

    @pytest.mark.parametrize("header", ["apollo-require-preflight", "x-apollo-operation-name"])
    def test_may_upload_after_a_preflight(self, server: Server, header: str):
        answer = self.post(server, **{"origin": "https://friend.example", header: "yes"})
        assert answer.json()["data"]["uploadAudio"]["errors"] == []


OPERATIONS = json.dumps({"query": UPLOAD, "variables": {"file": None}}).encode()
LIST = b'{"query": "{ __typename }", "variables": {"files": [null]}}'
MAP = b'{"0": ["variables.file"]}'

MALFORMED: dict[str, dict[str, bytes]] = {
    "operations missing": {"map": MAP},
    "operations null": {"operations": b"null", "map": MAP},
    "operations not JSON": {"operations": b"{not json", "map": MAP},
    "operations not text": {"operations": b'"\xff\xfe"', "map": MAP},
    "operations empty": {"operations": b"", "map": MAP},
    "operations a string": {"operations": b'"{ viewer { id } }"', "map": MAP},
    "operations a list": {"operations": b"[" + OPERATIONS + b"]", "map": MAP},
    "operations deep": {"operations": b"[" * 100_000, "map": MAP},
    "operations large": {"operations": OPERATIONS + b" " * 2**21, "map": MAP},
    "operations without a query": {"operations": b'{"variables": {"file": null}}', "map": MAP},
    "query not text": {"operations": b'{"query": 5, "variables": {"file": null}}', "map": MAP},
    "variables missing": {"operations": b'{"query": "{ viewer { id } }"}', "map": MAP},
    "variables null": {"operations": b'{"query": "x", "variables": null}', "map": MAP},
    "variables a string": {"operations": b'{"query": "x", "variables": "file"}', "map": MAP},
    "map missing": {"operations": OPERATIONS},
    "map null": {"operations": OPERATIONS, "map": b"null"},
    "map not JSON": {"operations": OPERATIONS, "map": b"{0: file}"},
    "map a list": {"operations": OPERATIONS, "map": b'["variables.file"]'},
    "map of text": {"operations": OPERATIONS, "map": b'{"0": "variables.file"}'},
    "map of numbers": {"operations": OPERATIONS, "map": b'{"0": [0]}'},
    "map to no part": {"operations": OPERATIONS, "map": b'{"1": ["variables.file"]}'},
    "map to a part of text": {"operations": OPERATIONS, "map": b'{"map": ["variables.file"]}'},
    "path to elsewhere": {"operations": OPERATIONS, "map": b'{"0": ["query"]}'},
    "path to the query": {"operations": OPERATIONS, "map": b'{"0": ["query.file"]}'},
    "path unknown": {"operations": OPERATIONS, "map": b'{"0": ["variables.other"]}'},
    "path too deep": {"operations": OPERATIONS, "map": b'{"0": ["variables.file.x"]}'},
    "path empty": {"operations": OPERATIONS, "map": b'{"0": [""]}'},
    "path into a list": {"operations": LIST, "map": b'{"0": ["variables.files.1"]}'},
    "path into a list by name": {"operations": LIST, "map": b'{"0": ["variables.files.x"]}'},
    "path taken": {"operations": OPERATIONS.replace(b"null", b"5"), "map": MAP},
    "path twice": {"operations": OPERATIONS, "map": b'{"0": ["variables.file", "variables.file"]}'},
}


class TestMalformedRequests:
    def refused(self, answer: httpx.Response) -> None:
        assert answer.status_code == 400, answer.text
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"]
        assert error["message"]

    @pytest.mark.parametrize("what", MALFORMED)
    def test_parts(self, server: Server, what: str):
        parts = [(name, None, content) for name, content in MALFORMED[what].items()]
        self.refused(post_parts(server, *parts, ("0", b"a.wav", b"RIFF")))

    def test_too_many_parts(self, server: Server):
        parts = [(f"p{n}", None, b"") for n in range(1_100)]
        self.refused(post_parts(server, ("operations", None, OPERATIONS), *parts))

    @pytest.mark.parametrize(
        "content_type",
        [
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=other",
        ],
    )
    def test_boundary(self, server: Server, content_type: str):
        body = _multipart(("operations", None, OPERATIONS), ("map", None, MAP), ("0", b"a", b"x"))
        self.refused(_post(server, body, content_type))

    @pytest.mark.parametrize("cut", [0, 10, 120, 600, -20])
    def test_cut_short(self, server: Server, cut: int):
        body = _multipart(("operations", None, OPERATIONS), ("map", None, MAP), ("0", b"a", b"x"))
        self.refused(_post(server, body[:cut]))

    def test_a_variable_that_is_no_file(self, server: Server):
        for value in ("a.wav", 5, {"name": "a.wav"}):
            [error] = server.ask(UPLOAD, file=value)["uploadAudio"]["errors"]
            assert error["code"] == "BAD_USER_INPUT", value
            assert error["field"] == ["input", "file"]
        assert server.refused(UPLOAD, file=None)["extensions"]["code"] == "BAD_USER_INPUT"


_BOUNDARY = b"a-boundary"


def post_parts(server: Server, *parts: tuple[str, bytes | None, bytes]) -> httpx.Response:
    """A multipart request of (name, filename, content), byte for byte: no client's good manners."""
    return _post(server, _multipart(*parts))


def _multipart(*parts: tuple[str, bytes | None, bytes]) -> bytes:
    body = b""
    for name, filename, content in parts:
        head = b'Content-Disposition: form-data; name="%s"' % name.encode()
        if filename is not None:
            head += b'; filename="%s"' % filename
        body += b"--%s\r\n%s\r\n\r\n%s\r\n" % (_BOUNDARY, head, content)
    return body + b"--%s--\r\n" % _BOUNDARY


def _post(
    server: Server,
    body: bytes,
    content_type: str = f"multipart/form-data; boundary={_BOUNDARY.decode()}",
) -> httpx.Response:
    headers = {"content-type": content_type, "apollo-require-preflight": "true"}
    return HTTP.post(f"{server.url}/graphql", content=body, headers=headers)
