"""Playing and drawing a sound: signed URLs with byte ranges, and waveforms."""

import contextlib
import hashlib
import uuid
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.async_api import Browser, Response, async_playwright

from tests.e2e import sounds
from tests.e2e.test_explorer import CHROMIUM, CHROMIUM_ARGS
from tests.server import HTTP, Server

CONTENT = sounds.encoded(sounds.noise(2, 2))
SIZE = len(CONTENT)
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def url_of(server: Server, id_: str) -> str:
    query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { url } } }"
    return server.ask(query, id=id_)["node"]["url"]


@pytest.fixture(scope="module")
def url(server: Server) -> str:
    file = server.upload(CONTENT, "große trommel “1”.txt")["audioFile"]
    return url_of(server, file["id"])


def get(url: str, **headers: str) -> httpx.Response:
    return HTTP.get(url, headers={name.replace("_", "-"): text for name, text in headers.items()})


class TestUrl:
    def test_serves_the_bytes_as_what_they_are(self, server: Server, url: str):
        answer = get(url)
        assert url.startswith(f"{server.url}/media/")
        assert (answer.status_code, answer.content) == (200, CONTENT)
        headers = answer.headers
        assert headers["content-type"] == "audio/wav"
        assert headers["content-length"] == str(SIZE)
        assert headers["accept-ranges"] == "bytes"
        assert headers["etag"] == ETAG
        assert headers["cache-control"].startswith("private")
        assert headers["x-content-type-options"] == "nosniff"
        disposition = "inline; filename*=utf-8''gro%C3%9Fe%20trommel%20%E2%80%9C1%E2%80%9D.txt"
        assert headers["content-disposition"] == disposition

    def test_head(self, url: str):
        answer = HTTP.head(url, headers={"Range": "bytes=0-1"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == str(SIZE)

    @pytest.mark.parametrize(
        ("asked", "low", "high"),
        [
            ("bytes=0-0", 0, 1),
            ("bytes=2-4", 2, 5),
            ("Bytes=2-4", 2, 5),
            ("bytes=100-", 100, SIZE),
            ("bytes=-5", SIZE - 5, SIZE),
            (f"bytes=-{SIZE + 9}", 0, SIZE),
            (f"bytes=9-{SIZE + 9}", 9, SIZE),
            (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ],
    )
    def test_a_range(self, url: str, asked: str, low: int, high: int):
        answer = get(url, range=asked)
        assert (answer.status_code, answer.content) == (206, CONTENT[low:high])
        assert answer.headers["content-range"] == f"bytes {low}-{high - 1}/{SIZE}"
        assert answer.headers["content-length"] == str(high - low)
        assert answer.headers["etag"] == ETAG

    @pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=-0", f"bytes={SIZE}-{SIZE + 5}"])
    def test_a_range_that_is_not_there(self, url: str, asked: str):
        answer = get(url, range=asked)
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{SIZE}"

    @pytest.mark.parametrize(
        "asked", ["items=0-1", "bytes", "bytes=", "bytes=a-b", "bytes=5-2", "bytes=0-1,4-5"]
    )
    def test_what_is_no_range_of_ours_is_ignored(self, url: str, asked: str):
        assert get(url, range=asked).content == CONTENT

    def test_a_range_of_another_version_is_not_sent(self, url: str):
        assert get(url, range="bytes=2-4", if_range=ETAG).status_code == 206
        for other in ('"other"', f"W/{ETAG}", "Mon, 01 Jan 2024 00:00:00 GMT"):
            assert get(url, range="bytes=2-4", if_range=other).content == CONTENT

    def test_what_the_browser_has_is_not_sent_again(self, url: str):
        for known in (ETAG, f'"other", {ETAG}', f"W/{ETAG}", "*"):
            answer = get(url, if_none_match=known)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == ETAG
        assert get(url, if_none_match='"other"').status_code == 200

    def test_is_the_same_again(self, server: Server):
        file = server.upload(sounds.encoded(sounds.tone()))["audioFile"]
        # Once in ten minutes it changes, perhaps just now.
        assert len({url_of(server, file["id"]) for _ in range(3)}) <= 2

    def test_a_link_that_is_not_ours(self, server: Server, url: str):
        base, _, token = url.rpartition("/")
        head, body, signature = token.split(".")
        other = url_of(server, server.upload(sounds.encoded(sounds.tone()))["audioFile"]["id"])
        mixed = ".".join([head, other.split(".")[1], signature])
        for bad in ("x", "a.b.c", mixed, f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}"):
            answer = get(f"{base}/{bad}")
            assert answer.status_code == 403
            [error] = answer.json()["errors"]
            assert error["extensions"] == {"code": "LINK_INVALID"}
            assert error["message"]

    def test_a_deleted_file(self, server: Server):
        id_ = server.upload(sounds.encoded(sounds.tone()))["audioFile"]["id"]
        url = url_of(server, id_)
        assert get(url).status_code == 200
        server.ask(
            "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { deletedId } }", id=id_
        )
        answer = get(url)
        assert answer.status_code == 404
        assert answer.json()["errors"][0]["extensions"] == {"code": "NOT_FOUND"}

    async def test_over_a_web_socket_too(self, server: Server):
        content = sounds.encoded(sounds.tone())
        id_ = server.upload(content, level="BASIC")["audioFile"]["id"]
        query = "subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { audioFile { url }}}"
        events = server.watch(query, id=id_)
        async with contextlib.aclosing(events):
            event = await anext(events)
        assert get(event["analysisUpdated"]["audioFile"]["url"]).content == content

    def test_is_not_in_the_log(self, server: Server, url: str):
        get(url)
        log = (server.data_dir / "stderr.log").read_text()
        assert "/media/…" in log
        assert url.rpartition("/")[2] not in log


@pytest.fixture(scope="module")
async def browser():
    async with async_playwright() as playwright:
        args = [*CHROMIUM_ARGS, "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield browser
        await browser.close()


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("container", ["WAV", "FLAC", "MP3"])
async def test_a_browser_plays_and_seeks(browser: Browser, server: Server, container: str):
    """A minute, most of which is never asked for."""
    y = sounds.noise(60, 2)
    content = sounds.encoded(y, container)
    url = url_of(server, server.upload(content, "a minute")["audioFile"]["id"])
    page = await browser.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    # A page of ours that may play: all others may load nothing at all.
    await page.goto(f"{server.url}/graphql")
    played = await page.evaluate(
        """async (url) => {
            const audio = document.createElement("audio");
            audio.preload = "metadata";
            const event = (name) => new Promise((resolve, reject) => {
                audio.addEventListener(name, resolve, {once: true});
                audio.addEventListener("error", () => reject(audio.error), {once: true});
            });
            let loaded = event("loadedmetadata");
            audio.src = url;
            await loaded;
            const seeked = event("seeked");
            audio.currentTime = 50;
            await seeked;
            const going = event("timeupdate");
            await audio.play();
            await going;
            while (audio.currentTime <= 50.2) await event("timeupdate");
            const {currentTime, duration, error, seekable} = audio;
            return {currentTime, duration, error, seekableTo: seekable.end(0)};
        }""",
        url,
    )
    await page.close()
    assert played["error"] is None
    assert 50.2 < played["currentTime"] < 60
    assert played["duration"] == pytest.approx(60, abs=0.1)
    assert played["seekableTo"] == played["duration"]
    assert {answer.status for answer in answers if "/media/" in answer.url} == {206}


def waveform(server: Server, id_: str, points: str = "") -> list[float]:
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on AudioFile {{ waveform{points} }} }} }}"
    return server.ask(query, id=id_)["node"]["waveform"]


class TestWaveform:
    def test_has_as_many_points_as_asked(self, server: Server):
        y = np.repeat([0.1, 0.5, 0.25, 0.0], 11_025) * np.resize([1, -1], 44_100)
        y[-1] = int.from_bytes(uuid.uuid4().bytes[:2]) / 2**17
        id_ = server.upload(sounds.encoded(y, "WAV", "FLOAT"))["audioFile"]["id"]
        expected = pytest.approx([0.1, 0.5, 0.25, y[-1]], abs=1e-5)
        for _ in range(2):
            assert waveform(server, id_, "(points: 4)") == expected
        assert waveform(server, id_, "(points: 1)") == [0.5]
        assert len(waveform(server, id_)) == len(waveform(server, id_, "(points: null)")) == 400
        assert len(waveform(server, id_, "(points: 4000)")) == 4_000

    @pytest.mark.parametrize("points", [0, -1, 4_001, 2**31 - 1])
    def test_too_many_or_too_few(self, server: Server, points: int):
        query = (
            "query ($n: Int) { audioFiles(first: 1) { edges { node { waveform(points: $n) } } } }"
        )
        error = server.refused(query, n=points)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "4000" in error["message"]

    def test_of_a_page_of_files(self, server: Server):
        made = [server.upload(sounds.encoded(sounds.noise(1))) for _ in range(20)]
        query = (
            "{ audioFiles(first: 20, orderBy: {field: UPLOADED_AT, direction: DESC}) "
            "{ edges { node { id waveform(points: 100) } } } }"
        )
        edges: list[dict[str, Any]] = server.ask(query)["audioFiles"]["edges"]
        assert {edge["node"]["id"] for edge in edges} == {m["audioFile"]["id"] for m in made}
        for edge in edges:
            assert len(edge["node"]["waveform"]) == 100
            assert all(0.1 < point < 0.7 for point in edge["node"]["waveform"])
