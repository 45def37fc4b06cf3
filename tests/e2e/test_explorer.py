"""The explorer in a real browser without a network: what a first visitor does, tab after tab."""

import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, Route, WebSocket, async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

LOOPBACK = "127.0.0.1"
# A busy machine is slow, and that is no failure.
expect.set_options(timeout=30_000)

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # The network is off: no name resolves, for workers and WebSockets neither.
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}",
]


class Server(Protocol):
    url: str
    sounds: list[Path]


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, server: Server) -> AsyncIterator[Page]:
    """The explorer as on a first visit. Fails on a request to elsewhere or a console error."""
    context = await browser.new_context()
    left: list[str] = []
    errors: list[str] = []

    async def guard(route: Route) -> None:
        if urlsplit(route.request.url).hostname == LOOPBACK:
            await route.continue_()
        else:
            left.append(route.request.url)
            await route.abort()

    await context.route("**/*", guard)
    context.set_default_timeout(60_000)
    page = await context.new_page()
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: errors.append(str(error)))

    await page.goto(f"{server.url}/graphql")
    # Its buttons do nothing before both editors are there.
    await expect(page.locator(".graphiql-query-editor .view-line").first).to_be_visible()
    await expect(page.locator(".result-window .monaco-editor").first).to_be_visible()
    yield page

    await context.close()
    assert left == []
    assert errors == []


async def run(page: Page, tab: str, *, until: str = "true") -> dict[str, Any]:
    """Opens a tab, runs it and returns the first `answer` that fulfils `until` (JavaScript)."""
    await page.get_by_role("tab", name=tab).click()
    await page.get_by_role("button", name=re.compile("^Execute")).click()
    # The page shows only the lines that fit, so the answer is read from the editor's model.
    answer = await page.wait_for_function(f"""() => {{
        const models = globalThis.__MONACO.editor.getModels();
        const text = models.find(({{uri}}) => uri.path.endsWith("response.json")).getValue();
        const answer = text && JSON.parse(text);
        return answer && ({until}) && answer;
    }}""")
    return await answer.json_value()


async def choose(page: Page, *paths: Path) -> None:
    await page.get_by_role("button", name="Show Files").click()
    await page.get_by_label("Choose sounds").set_input_files(paths)


async def test_opens_with_an_example_for_each_task(page: Page):
    await expect(page).to_have_title("SampleMind")
    names = ["List", "Similar", "Upload", "Batch", "Subscription"]
    await expect(page.get_by_role("tab")).to_have_text([re.compile(f"^{name}") for name in names])


async def test_list_shows_the_sounds(page: Page):
    files = (await run(page, "List"))["data"]["audioFiles"]
    assert files["totalCount"] >= len(files["edges"]) > 0
    assert any(edge["node"]["analysis"] for edge in files["edges"])


async def test_similar_shows_scores(page: Page):
    [edge] = (await run(page, "Similar"))["data"]["audioFiles"]["edges"]
    scores = [similar["score"] for similar in edge["node"]["similarTo"]["edges"]]
    assert scores
    assert scores == sorted(scores, reverse=True)


async def test_upload_sends_the_sound_chosen_in_the_files_panel(page: Page, server: Server):
    path = server.sounds[0]
    await choose(page, path)
    payload = (await run(page, "Upload"))["data"]["uploadAudio"]
    assert payload["errors"] == []
    assert payload["audioFile"]["filename"] == path.name


async def test_upload_without_a_sound_says_where_to_choose_one(page: Page):
    [error] = (await run(page, "Upload"))["errors"]
    assert error["extensions"]["code"] == "FILE_MISSING"
    assert "Files panel" in error["message"]
    await expect(page.get_by_label("Choose sounds")).to_be_attached()


async def test_subscription_follows_the_batch_to_its_end(page: Page):
    batch = (await run(page, "Batch"))["data"]["createBatchJob"]
    assert batch["errors"] == []
    assert batch["batchJob"]["total"] > 0

    frames: list[dict[str, Any]] = []

    def listen(socket: WebSocket) -> None:
        assert urlsplit(socket.url).hostname == LOOPBACK
        socket.on("framereceived", lambda frame: frames.append(json.loads(frame)))

    page.on("websocket", listen)
    # The tab has found the batch's id by itself.
    status = "answer.data?.batchProgress?.batchJob.status"
    last = await run(
        page, "Subscription", until=f"answer.errors || !['QUEUED', 'RUNNING'].includes({status})"
    )
    assert "errors" not in last
    job = last["data"]["batchProgress"]["batchJob"]
    assert job["completed"] + job["failed"] == job["total"] == batch["batchJob"]["total"]
    await expect(page.get_by_role("button", name=re.compile("^Execute"))).to_be_visible()

    sequences = [
        frame["payload"]["data"]["batchProgress"]["sequence"]
        for frame in frames
        if frame["type"] == "next"
    ]
    assert len(sequences) > 1
    assert sequences == sorted(set(sequences))
