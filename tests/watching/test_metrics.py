"""What Prometheus is told, by a real server and its worker."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client import REGISTRY

from samplemind.domain.analysis import Lane
from samplemind.jobs.app import app
from samplemind.jobs.depth import queue_depths
from samplemind.jobs.queue import queue_analyses
from samplemind.parts import Parts
from samplemind.server.app import make_app
from samplemind.settings import Settings
from samplemind.store.places import Stage
from tests.domain.models import analysis
from tests.server import SAMPLEMIND
from tests.watching.conftest import Watched

WATCH = "subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { id status } }"


class TestOfTheApi:
    def test_an_operation_goes_by_its_field_of_the_root_and_its_code(self, watched: Watched):
        def count(operation: str, code: str) -> float:
            labels = {"operation": operation, "code": code}
            return watched.value("api", "samplemind_operations_total", **labels)

        asked = [
            ("query Mine { audioFiles(first: 3) { totalCount } }", "audioFiles", "OK"),
            ("{ viewer { id } rateLimit { limit } }", "other", "OK"),
            ("{ nonsense }", "other", "GRAPHQL_VALIDATION_FAILED"),
            ("query Mine {", "other", "GRAPHQL_PARSE_FAILED"),
            ("{ audioFiles(first: -1) { totalCount } }", "audioFiles", "BAD_USER_INPUT"),
            (
                'mutation { deleteAudioFile(input: {id: "x"}) { errors { code } } }',
                "deleteAudioFile",
                "BAD_USER_INPUT",
            ),
        ]
        for query, operation, code in asked:
            before = count(operation, code)
            watched.server.post(query)
            assert count(operation, code) == before + 1, query

    def test_no_name_of_a_stranger_becomes_a_label(self, watched: Watched):
        watched.server.ask("query StrangeName { strange: viewer { id } }")
        httpx.get(f"{watched.server.url}/strange/path")
        for metric in watched.metrics("api").values():
            for sample in metric.samples:
                assert "strange" not in json.dumps(sample.labels).lower()

    def test_time_and_points_of_an_operation_are_added_up(self, watched: Watched):
        def sums() -> list[float]:
            names = ("seconds_count", "seconds_sum", "points_total")
            names = (f"samplemind_operation_{name}" for name in names)
            return [watched.value("api", name, operation="rateLimit") for name in names]

        count, seconds, points = sums()
        answer = watched.server.post("{ rateLimit { limit } }").json()
        count_after, seconds_after, points_after = sums()
        assert count_after == count + 1
        assert 0 < seconds_after - seconds < 5
        assert points_after - points == answer["extensions"]["cost"]["requested"] > 0

    def test_a_loader_tells_how_many_keys_it_asked_for_at_once(self, watched: Watched):
        stored = [watched.server.upload(sound) for sound in watched.server.sounds[:3]]
        assert all(not each["errors"] for each in stored)

        def batches(name: str) -> float:
            labels = {"loader": "AnalysesOfFileLoader"}
            return watched.value("api", f"samplemind_loader_keys_{name}", **labels)

        count, keys = batches("count"), batches("sum")
        watched.server.ask(
            """{ audioFiles(first: 3) { edges { node {
                analyses(first: 1) { edges { node { id } } }
            } } } }"""
        )
        assert (batches("count"), batches("sum")) == (count + 1, keys + 3)

    def test_arriving_bytes_are_counted(self, watched: Watched):
        sound = watched.server.sounds[0]
        before = watched.value("api", "samplemind_upload_bytes_total")
        watched.server.upload(sound)
        after = watched.value("api", "samplemind_upload_bytes_total")
        assert after - before == sound.stat().st_size

    async def test_who_watches_live_is_counted_while_watching(self, watched: Watched):
        file = watched.server.upload(watched.server.sounds[0], level="BASIC")["audioFile"]

        def watching() -> float:
            return watched.value("api", "samplemind_live_subscriptions")

        before = watching()
        async with contextlib.aclosing(watched.server.watch(WATCH, id=file["id"])) as events:
            await anext(events)
            assert watching() == before + 1
        while watching() != before:
            pass

    def test_the_parts_the_queues_and_the_workers_are_told(self, watched: Watched):
        told = watched.metrics("api")
        up = {each.labels["part"]: each.value for each in told["samplemind_part_up"].samples}
        assert up == dict.fromkeys(("documents", "events", "vectors", "blobs", "worker", "ai"), 1)
        queues = {each.labels["queue"] for each in told["samplemind_queue_tasks"].samples}
        assert queues == {queue.name for queue in app.conf.task_queues}
        [processes] = told["samplemind_worker_processes"].samples
        assert processes.value == os.cpu_count()
        [workers] = told["samplemind_workers"].samples
        assert workers.value == 1

    def test_they_are_not_on_the_port_that_strangers_reach(self, watched: Watched):
        assert httpx.get(f"{watched.server.url}/metrics").status_code == 404


class TestOfTheWorker:
    async def test_analyses_are_counted_by_level_and_code(self, watched: Watched):
        server = watched.server

        def count(code: str) -> float:
            labels = {"level": "BASIC", "code": code}
            return watched.value("worker", "samplemind_analyses_total", **labels)

        good, bad = count("OK"), count("AUDIO_MISSING")
        seconds = watched.value("worker", "samplemind_analysis_seconds_sum", level="BASIC")
        waits = watched.value("worker", "samplemind_analysis_wait_seconds_count", of="one")
        first, second = (server.upload(sound)["audioFile"] for sound in server.sounds[3:5])
        for blob in (server.data_dir / "blobs").rglob(second["sha256"]):
            blob.unlink()
        for file in (first, second):
            payload = server.ask(
                """mutation ($id: ID!) { analyzeAudio(
                    input: {audioFileId: $id, level: BASIC, force: true}
                ) { analysis { id } errors { code } } }""",
                id=file["id"],
            )
            assert payload["analyzeAudio"]["errors"] == []
            await server.analyzed(file["id"])
        assert (count("OK"), count("AUDIO_MISSING")) == (good + 1, bad + 1)
        assert watched.value("worker", "samplemind_analysis_seconds_sum") > seconds
        after = watched.value("worker", "samplemind_analysis_wait_seconds_count", of="one")
        assert after == waits + 2

    async def test_what_a_lost_process_counted_stays_and_its_place_is_taken(self, watched: Watched):
        server = watched.server

        def count() -> float:
            return watched.value("worker", "samplemind_analyses_total")

        async def analyze_all() -> int:
            return (await server.batch(filter={}, level="BASIC"))["total"]

        before, files = count(), await analyze_all()
        assert count() == before + files
        worker = server.process("worker")
        lost = worker.children()
        for process in lost:
            os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(lost, timeout=30)
        await analyze_all()
        assert count() == before + 2 * files
        [folder] = {
            Path(file.path).parent
            for process in worker.children()
            for file in process.memory_maps()
            if "samplemind-metrics-" in file.path
        }
        places = {path.stem.rpartition("_")[2] for path in folder.glob("*.db")}
        assert places == {"main", *map(str, range(len(lost)))}


class TestOfWhoAsksAnAi:
    async def test_answers_are_counted_by_provider_and_code(self, watched: Watched):
        def count(code: str) -> float:
            labels = {"provider": "OPENAI", "code": code}
            return watched.value("ai", "samplemind_ai_answers_total", **labels)

        codes = ("OK", "KEPT", "AI_INVALID_ANSWER", "AI_QUESTION_REJECTED")
        before = [count(code) for code in codes]
        requests = watched.value("ai", "samplemind_ai_seconds_count", provider="OPENAI")
        asked = len(watched.producer.providers.asked)
        file = watched.producer.upload("cached")
        await watched.producer.settled(file, watched.producer.ask(file)["id"])
        await watched.server.batch(audioFileIds=[file], includeAi=True)
        await watched.producer.settled(file)
        for script in ("wrong-twice", "rejected"):
            assert (await watched.producer.asked(script))["aiStatus"] == "FAILED"
        assert [count(code) for code in codes] == [b + 1 for b in before]
        after = watched.value("ai", "samplemind_ai_seconds_count", provider="OPENAI")
        assert after - requests == len(watched.producer.providers.asked) - asked > 0

    async def test_tokens_and_dollars_are_those_of_the_user(self, watched: Watched):
        def counted() -> tuple[float, float, float]:
            def tokens(which: str) -> float:
                return watched.value("ai", "samplemind_ai_tokens_total", which=which)

            usd = watched.value("ai", "samplemind_ai_cost_usd_total", provider="OPENAI")
            return tokens("read"), tokens("written"), usd

        await watched.producer.asked("dear")
        used = watched.producer.usage()
        names = ("inputTokens", "outputTokens", "costUsd")
        assert counted() == pytest.approx([used[name] for name in names])
        assert used["costUsd"] > 0


async def test_a_queue_is_as_deep_as_what_waits_in_it(parts: Parts):
    before = await queue_depths(parts.events.redis)
    await queue_analyses(Lane.BATCH, ["one", "two"])
    after = await queue_depths(parts.events.redis)
    assert after == {**before, "batch": before["batch"] + 2}


async def test_the_oldest_is_what_was_asked_for_first_and_waits_still(parts: Parts, owner_id: str):
    store, long_ago = parts.store, datetime(2001, 1, 1, tzinfo=UTC)
    waiting = analysis(owner_id, "file", queued_at=long_ago)
    await store.analyses.add([waiting], Stage.SENT)
    assert await store.places.oldest_queued_at() == long_ago
    assert await store.analyses.start(waiting)
    assert await store.places.oldest_queued_at() != long_ago
    await store.analyses.forget_owner(owner_id)


async def test_trusted_operations_go_by_their_own_names(settings: Settings, tmp_path: Path):
    documents = tmp_path / "documents.json"
    documents.write_text(json.dumps({"1": "query MyLibrary { viewer { id } rateLimit { limit } }"}))
    app = make_app(settings.model_copy(update={"trusted_documents": documents}))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        count = await asyncio.to_thread(_counted, "MyLibrary")
        answer = await client.post("/graphql", json={"documentId": "1"})
        assert "errors" not in answer.json()
        assert await asyncio.to_thread(_counted, "MyLibrary") == count + 1


def _counted(operation: str) -> float:
    """Off the loop, since the parts are asked on it."""
    """Off the loop, since the parts are asked on it."""
    labels = {"operation": operation, "code": "OK"}
    return REGISTRY.get_sample_value("samplemind_operations_total", labels) or 0


def test_a_port_that_is_taken_is_told_in_a_sentence(watched: Watched):
    addresses = watched.server.process("api").environ()
    taken = {"SAMPLEMIND_METRICS_PORT": str(watched.metrics_port), "SAMPLEMIND_PORT": "0"}
    for command in (["api"], ["worker"], ["worker", "--ai"]):
        ended = subprocess.run(
            [SAMPLEMIND, *command],
            env=addresses | taken,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 1
        assert "set SAMPLEMIND_METRICS_PORT to another one" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_the_files_of_a_worker_that_was_killed_are_removed_by_the_next(tmp_path: Path):
    count = (
        "import os; from samplemind.cli.serve import counting_folder;"
        "made = counting_folder(); folder = made.__enter__()"
    )
    killed = f"{count}; os.kill(os.getpid(), 9)"
    lives = f"{count}; print(folder, flush=True); input()"
    env = {**os.environ, "TMPDIR": str(tmp_path)}

    def start(code: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", code]
        return subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True)

    with start(lives) as other:
        assert other.stdout
        others = other.stdout.readline().strip()
        with start(killed) as process:
            assert process.wait() == -signal.SIGKILL
        assert len([*tmp_path.iterdir()]) == 2
        with start(f"{count}; os._exit(0)") as process:
            process.wait()
        left = [path for path in tmp_path.iterdir() if str(path) != others]
        assert Path(others).is_dir()
        assert [path.name.split("-")[2] for path in left] == [str(process.pid)]
        other.communicate("")
