"""The supervisor with real databases; small programs stand in for the API and the worker."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from pymongo import MongoClient
from redis import Redis

from samplemind.local import CannotStart, running_parts, serve
from samplemind.local.part import Part
from samplemind.local.records import MARK, end_leftovers, write_record
from samplemind.local.supervisor import Supervisor
from samplemind.settings import Settings

_ROOT = Path(__file__).parent.parent
_PATIENCE_SECONDS = 60.0

# Stands in for the API and the worker: notes what happens to it, has a process of its own as
# Celery's worker has, and as the API answers its health.
_STAND_IN = """
import http.server, json, os, signal, subprocess, sys, threading
from pathlib import Path

name, manner = sys.argv[1:3]
notes = Path(os.environ["SAMPLEMIND_DATA_DIR"], "notes")

def note(what):
    with notes.open("a") as file:
        file.write(f"{name} {what}\\n")

def end(*_):
    note("asked")
    if manner != "stubborn":
        note("ended")
        os._exit(0)

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        works = manner != "alone" and "worker started" in notes.read_text()
        parts = {"worker": {"status": "up" if works else "down"}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "up", "parts": parts}).encode())
    def log_message(self, *_):
        pass

signal.signal(signal.SIGTERM, end)
print("the words of", name, flush=True)
if manner == "broken" and name == "worker":
    sys.exit("it is broken")
subprocess.Popen(["sleep", "1000"])
note("started")
if name == "api":
    at = os.environ["SAMPLEMIND_HOST"], int(os.environ["SAMPLEMIND_PORT"])
    server = http.server.ThreadingHTTPServer(at, Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
# Waiting for a signal that may come a moment before the wait: `signal.pause` could miss it.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
while True:
    signal.sigwait([signal.SIGTERM])
    end()
"""

# `samplemind serve` but for the programs of the API and the worker.
_SERVE = """
import sys
from dataclasses import replace
from samplemind.local import CannotStart, catalogue, serve
from samplemind.settings import Settings

def stand_ins(settings):
    return [
        replace(part, command=(sys.executable, sys.argv[1], part.name, sys.argv[2]))
        for part in catalogue.processes(settings)
    ]
try:
    serve(Settings(), stand_ins)
except CannotStart as error:
    sys.exit(str(error))
"""


class Serving:
    """A `samplemind serve` in a process of its own."""

    def __init__(self, data_dir: Path, stand_in: Path, manner: str, port: int = 0) -> None:
        self.data_dir = data_dir
        self._output = data_dir.parent / "output"
        none_given = {f"SAMPLEMIND_{part}_URL": "" for part in ("MONGO", "REDIS", "CHROMA", "BLOB")}
        told = {"SAMPLEMIND_DATA_DIR": str(data_dir), "SAMPLEMIND_PORT": str(port)}
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                (sys.executable, "-c", _SERVE, str(stand_in), manner),
                cwd=_ROOT,
                env={**os.environ, **none_given, **told},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def notes(self) -> list[str]:
        path = self.data_dir / "notes"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, text: str) -> None:
        _until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output, self.output

    def until_ready(self) -> None:
        self.until("Open  ")

    def record(self, part: str) -> dict:
        return json.loads((self.data_dir / "run" / f"{part}.json").read_text())

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        return self.process.wait(_PATIENCE_SECONDS)


Serve = Callable[..., Serving]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Serve]:
    """Starts a Serving in one data directory; ends it, and whatever it left, after the test."""
    stand_in = tmp_path / "stand_in.py"
    stand_in.write_text(_STAND_IN)
    started = []

    def start(manner: str = "willing", port: int = 0) -> Serving:
        started.append(Serving(tmp_path / "data", stand_in, manner, port))
        return started[-1]

    yield start
    for serving in started:
        serving.process.kill()
        serving.process.wait()
    if started:
        end_leftovers(tmp_path / "data" / "run", say=lambda _: None, grace=5)


class TestServe:
    def test_starts_everything_says_where_and_stops_on_sigterm(self, start: Serve) -> None:
        serving = start()
        serving.until_ready()
        family = serving.family()
        assert len(family) == 7  # five parts, two of them with a process of their own
        for part in ("documents", "events", "vectors", "worker", "api"):
            assert f"{part:<10} ready" in serving.output
            assert f"pid {serving.record(part)['pid']}" in serving.output
        assert f"Data and logs  {serving.data_dir}" in serving.output
        assert "/graphql" in serving.output
        logs = serving.data_dir / "logs"
        assert {path.stem for path in logs.iterdir()} == {
            "documents",
            "events",
            "vectors",
            "worker",
        }
        assert "the words of worker" in (logs / "worker.log").read_text()
        assert "the words of api" in serving.output

        serving.signal(signal.SIGTERM)

        assert serving.ended() == 0
        assert _none_runs(family)
        assert list((serving.data_dir / "run").iterdir()) == []
        told = [note for note in serving.notes if "started" not in note]
        assert told == ["api asked", "api ended", "worker asked", "worker ended"]

    def test_starts_again_what_dies_at_the_same_address(self, start: Serve) -> None:
        serving = start()
        serving.until_ready()
        events, worker = serving.record("events")["pid"], serving.record("worker")["pid"]
        port = _listens_on(events)
        workers_child = psutil.Process(worker).children()

        os.kill(events, signal.SIGKILL)
        os.kill(worker, signal.SIGKILL)

        serving.until("events started again")
        serving.until("worker started again")
        assert f"events (pid {events}) ended with SIGKILL; starting it again in 0.5" in (
            serving.output
        )
        assert serving.record("events")["pid"] != events
        _until(lambda: _answers(port))
        assert _none_runs(workers_child)

    def test_a_part_that_fails_is_named_with_its_last_words(self, start: Serve) -> None:
        serving = start("broken")
        assert serving.ended() == 1
        assert "worker (samplemind worker) ended with exit code 1" in serving.output
        assert "it is broken" in serving.output
        assert list((serving.data_dir / "run").iterdir()) == []

    def test_waits_for_the_worker_and_ctrl_c_ends_the_waiting(self, start: Serve) -> None:
        serving = start("alone")
        serving.until("api        ready")
        serving.until("documents  ready")
        assert "worker     ready" not in serving.output
        assert "Open  " not in serving.output
        family = serving.family()
        serving.signal(signal.SIGINT)
        assert serving.ended() == 0
        assert _none_runs(family)

    def test_a_second_ctrl_c_hurries_and_leaves_nobody(self, start: Serve) -> None:
        serving = start("stubborn")
        serving.until_ready()
        family = serving.family()
        serving.signal(signal.SIGINT)
        _until(lambda: "api asked" in serving.notes)
        began = time.monotonic()
        serving.signal(signal.SIGINT)
        assert serving.ended() == 0
        assert time.monotonic() - began < 12  # 8 s of grace each for the API and the worker
        assert _none_runs(family)

    def test_a_killed_supervisor_leaves_nobody_and_the_next_start_works(self, start: Serve) -> None:
        port = _free_port()
        serving = start(port=port)
        serving.until_ready()
        parts = [psutil.Process(serving.record(part)["pid"]) for part in _PARTS]
        family = serving.family()

        serving.signal(signal.SIGKILL)
        serving.process.wait()
        following = start(port=port)

        following.until_ready()
        assert _none_runs(family)
        assert not {each.pid for each in parts} & {each.pid for each in following.family()}

    @pytest.mark.skipif(sys.platform != "linux", reason="the kernel's doing, on Linux only")
    def test_parts_end_with_a_killed_supervisor(self, start: Serve) -> None:
        serving = start()
        serving.until_ready()
        parts = [psutil.Process(serving.record(part)["pid"]) for part in _PARTS]
        serving.signal(signal.SIGKILL)
        serving.process.wait()
        assert _none_runs(parts)

    def test_a_second_start_is_refused_and_told_who_runs(self, start: Serve) -> None:
        first = start()
        first.until_ready()
        with pytest.raises(CannotStart, match=f"already runs in .*pid {first.process.pid}"):
            serve(Settings(data_dir=first.data_dir, port=0))
        assert first.process.poll() is None

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com"])
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({}, "SAMPLEMIND_AUTH_REQUIRED=true"),
            ({"secret": "0123456789abcdef" * 4}, "SAMPLEMIND_AUTH_REQUIRED=true"),
            ({"auth_required": True}, "SAMPLEMIND_SECRET"),
            ({"auth_required": True, "secret": "0123456789abcdef"}, "SAMPLEMIND_SECRET"),
            ({"auth_required": True, "secret": "secret" * 8}, "SAMPLEMIND_SECRET"),
            (
                {
                    "auth_required": True,
                    "secret": "0123456789abcdef" * 4,
                    "former_secrets": ("fedcba9876543210" * 4, "changeme"),
                },
                "SAMPLEMIND_FORMER_SECRETS",
            ),
        ],
    )
    def test_others_are_served_with_sign_in_and_a_secret_only(
        self, host: str, given: dict[str, Any], said: str, tmp_path: Path
    ) -> None:
        with pytest.raises(CannotStart, match=said):
            serve(Settings(host=host, data_dir=tmp_path, **given))
        assert list(tmp_path.iterdir()) == []

    def test_a_wrong_setting_is_told_in_a_sentence(self, tmp_path: Path) -> None:
        wrong = {"SAMPLEMIND_PORT": "a-port", "SAMPLEMIND_DATA_DIR": str(tmp_path)}
        done = subprocess.run(
            (sys.executable, "-m", "samplemind", "serve"),
            env={**os.environ, **wrong},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, "")
        [line] = done.stderr.splitlines()
        assert line.startswith("SAMPLEMIND_PORT: Input should be a valid integer")

    def test_a_taken_port_is_refused(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(CannotStart, match=f"Port {port} on 127.0.0.1"):
                serve(Settings(port=port, data_dir=tmp_path))
        assert not (tmp_path / "documents").exists()

    def test_stays_light(self) -> None:
        heavy = "{'chromadb', 'celery', 'strawberry', 'librosa', 'pymongo', 'fastapi', 'numpy'}"
        program = f"import sys, samplemind.local; sys.exit(bool({heavy} & set(sys.modules)))"
        subprocess.run((sys.executable, "-c", program), cwd=_ROOT, check=True)


class TestRunningParts:
    def test_data_outlives_a_stop(self, tmp_path: Path) -> None:
        with running_parts(tmp_path) as settings, _opened(settings) as (documents, events):
            documents["sounds"].insert_one({"_id": "kick"})
            events.set("kick", "1")
            _request(f"{settings.chroma_url}{_COLLECTIONS}", {"name": "sounds"})
            assert settings.blob_url == (tmp_path / "blobs").as_uri()
        with running_parts(tmp_path) as settings, _opened(settings) as (documents, events):
            assert documents["sounds"].count_documents({}) == 1
            assert events.get("kick") == b"1"
            assert b'"sounds"' in _request(f"{settings.chroma_url}{_COLLECTIONS}")

    def test_acknowledged_documents_outlive_a_kill(self, tmp_path: Path) -> None:
        with running_parts(tmp_path) as settings, _opened(settings) as (documents, _):
            for number in range(500):
                documents["sounds"].insert_one({"_id": number})
            record = json.loads((tmp_path / "run" / "documents.json").read_text())
            os.kill(record["pid"], signal.SIGKILL)
        with running_parts(tmp_path) as settings, _opened(settings) as (documents, _):
            assert documents["sounds"].count_documents({}) == 500

    def test_leaves_nobody_where_the_test_fails(self, tmp_path: Path) -> None:
        before = _descendants()
        family: set[psutil.Process] = set()
        with contextlib.suppress(ZeroDivisionError), running_parts(tmp_path):
            family = _descendants() - before
            raise ZeroDivisionError
        assert len(family) == 3
        assert _none_runs(family)
        assert list((tmp_path / "run").iterdir()) == []


class TestSupervisor:
    def test_stops_in_the_reverse_order_one_after_the_other(self, tmp_path: Path) -> None:
        supervisor = Supervisor(_stand_ins(tmp_path, "willing"), tmp_path, _silent, _Waiting())
        supervisor.start()
        _until(lambda: len(_notes(tmp_path)) == 3)
        supervisor.stop()
        assert _notes(tmp_path)[3:] == [
            *("three asked", "three ended", "two asked", "two ended", "one asked", "one ended")
        ]

    def test_kills_who_does_not_end_and_its_children(self, tmp_path: Path) -> None:
        waiting = _Waiting()
        supervisor = Supervisor(_stand_ins(tmp_path, "stubborn"), tmp_path, _silent, waiting)
        before = _descendants()
        supervisor.start()
        _until(lambda: len(_notes(tmp_path)) == 3)
        family = _descendants() - before
        assert len(family) == 6
        # On a busy machine the grace may be over before a part has even heard that it is asked.
        waiting.first = lambda: (
            len(_notes(tmp_path)) > 3 + sum(child.ended for child in supervisor.children)
        )
        supervisor.stop()
        assert _notes(tmp_path)[3:] == ["three asked", "two asked", "one asked"]
        assert _none_runs(family)

    def test_who_does_not_answer_in_time_is_named_with_the_reason(self, tmp_path: Path) -> None:
        parts = _stand_ins(tmp_path, "willing", check=_refuses)
        supervisor = Supervisor(parts, tmp_path, _silent, _Waiting())
        supervisor.start()
        try:
            with pytest.raises(CannotStart, match=r"one \(it\) is not ready .*: it sulks"):
                supervisor.wait_until_ready(0.2)
        finally:
            supervisor.stop()

    def test_who_ends_after_it_answered_fails_the_start_of_all(self, tmp_path: Path) -> None:
        answered = tmp_path / "answered"
        until_then = f"import pathlib\nwhile not pathlib.Path({str(answered)!r}).exists(): pass"
        ends, silent = _stand_ins(tmp_path, "willing")[:2]
        parts = [
            replace(ends, command=(sys.executable, "-c", until_then), check=answered.touch),
            replace(silent, check=_refuses),
        ]
        said: list[str] = []
        supervisor = Supervisor(parts, tmp_path, said.append, _Waiting())
        supervisor.start()
        try:
            with pytest.raises(CannotStart, match=r"one \(it\) ended with exit code 0"):
                supervisor.wait_until_ready(10)
        finally:
            supervisor.stop()
        assert any(line.startswith("one ") and "ready" in line for line in said)

    def test_waits_longer_each_time_before_it_starts_again(self, tmp_path: Path) -> None:
        part = Part("one", (sys.executable, "-c", ""), _silent_check, "it")
        said: list[str] = []
        waiting = _Waiting(until=lambda: sum("ended" in line for line in said) == 3)
        supervisor = Supervisor([part], tmp_path, said.append, waiting)
        supervisor.start()
        supervisor.watch()
        supervisor.stop()
        ends = [line for line in said if "ended" in line]
        for line, delay in zip(ends, ("0.5", "1", "2"), strict=True):
            assert f"starting it again in {delay} s" in line


class TestLeftovers:
    def test_are_ended_and_forgotten(self, tmp_path: Path) -> None:
        with _process("sleep", "1000") as process:
            write_record(tmp_path, "events", process.pid, run="1")
            said: list[str] = []
            end_leftovers(tmp_path, said.append)
            assert process.wait(5) == -signal.SIGTERM
        assert said == [f"Ending what an earlier run left: events (pid {process.pid})."]
        assert list(tmp_path.iterdir()) == []

    def test_are_killed_if_they_do_not_end(self, tmp_path: Path) -> None:
        with _process(
            "sh", "-c", "trap '' TERM; echo; sleep 1000 & wait; wait", mark="1"
        ) as process:
            assert process.stdout
            process.stdout.readline()
            write_record(tmp_path, "events", process.pid, run="1")
            child = psutil.Process(process.pid).children()
            end_leftovers(tmp_path, _silent, grace=0.2)
            assert process.wait(5) == -signal.SIGKILL
            assert _none_runs(child)

    def test_whose_parent_is_gone_are_known_by_their_mark(self, tmp_path: Path) -> None:
        with _process("sh", "-c", "sleep 1000 >&- & echo $!", mark="1") as process:
            write_record(tmp_path, "worker", process.pid, run="1")
            assert process.stdout
            orphan = psutil.Process(int(process.stdout.read()))
            process.wait()
            end_leftovers(tmp_path, _silent)
            assert _none_runs([orphan])

    def test_strangers_with_a_recycled_pid_are_spared(self, tmp_path: Path) -> None:
        with _process("sh", "-c", "sleep 1000 & echo; wait", mark="a stranger's") as stranger:
            assert stranger.stdout
            stranger.stdout.readline()
            write_record(tmp_path, "events", stranger.pid, run="1")
            path = tmp_path / "events.json"
            record = json.loads(path.read_text())
            path.write_text(json.dumps({**record, "created": record["created"] - 3600}))
            family = psutil.Process(stranger.pid).children()
            end_leftovers(tmp_path, _silent)
            assert stranger.poll() is None
            assert all(each.is_running() for each in family)
        assert list(tmp_path.iterdir()) == []

    def test_a_torn_record_is_dropped(self, tmp_path: Path) -> None:
        (tmp_path / "events.json").write_text('{"name": "ev')
        end_leftovers(tmp_path, _silent)
        assert list(tmp_path.iterdir()) == []


class TestStartApi:
    def test_says_which_python_it_needs(self, tmp_path: Path) -> None:
        old = f"""exec '{sys.executable}' -c "import sys; sys.version_info = (3, 10, 14); $2" """
        assert "needs Python 3.11 or newer" in _venv_sh(tmp_path, python=old)

    def test_says_what_a_python_without_venv_lacks(self, tmp_path: Path) -> None:
        said = _venv_sh(
            tmp_path,
            python=f"""
            case "$*" in
                *_base_executable*) echo "$0"; exit ;;
                *ensurepip*) exit 1 ;;
            esac
            exec '{sys.executable}' "$@"
            """,
        )
        assert "apt install python3-venv" in said
        assert not (tmp_path / ".venv").exists()


_PARTS = ("documents", "events", "vectors", "worker", "api")
_COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"


class _Waiting:
    """Asks to stop once `until` says so. A pause lasts until `first` is true, whatever it takes."""

    def __init__(self, until: Callable[[], bool] = lambda: False) -> None:
        self._until = until
        self.first: Callable[[], bool] = lambda: True

    @property
    def stops(self) -> int:
        return int(self._until())

    def pause(self, seconds: float | None) -> None:
        _until(self.first)
        time.sleep(0.02 if seconds is None else min(seconds, 0.02))


def _stand_ins(folder: Path, manner: str, check: Callable[[], None] = lambda: None) -> list[Part]:
    program = folder / "stand_in.py"
    program.write_text(_STAND_IN)
    return [
        Part(
            name,
            (sys.executable, str(program), name, manner),
            check,
            "it",
            environment={"SAMPLEMIND_DATA_DIR": str(folder)},
            grace=0.3 if manner == "stubborn" else 15.0,
        )
        for name in ("one", "two", "three")
    ]


def _refuses() -> None:
    raise ConnectionError("it sulks")


def _silent_check() -> None:
    pass


def _silent(_: str) -> None:
    pass


def _notes(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text().splitlines() if path.exists() else []


@contextlib.contextmanager
def _process(*command: str, mark: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, as the supervisor starts them."""
    process = subprocess.Popen(
        command,
        env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Any, Redis]]:
    with MongoClient(settings.mongo_url) as mongo, Redis.from_url(settings.redis_url) as redis:
        yield mongo.get_default_database(), redis


def _request(url: str, body: dict[str, str] | None = None) -> bytes:
    return httpx.request("POST" if body else "GET", url, json=body, timeout=10).content


def _venv_sh(folder: Path, python: str) -> str:
    """What deploy/venv.sh says of a Python interpreter that is this shell script."""
    (folder / "deploy").mkdir()
    shutil.copy(_ROOT / "deploy" / "venv.sh", folder / "deploy")
    interpreter = folder / "python"
    interpreter.write_text(f"#!/bin/sh\n{python}\n")
    interpreter.chmod(0o755)
    done = subprocess.run(
        ("sh", "deploy/venv.sh", "requirements.lock"),
        cwd=folder,
        env={**os.environ, "PYTHON": str(interpreter)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def _none_runs(those: Iterable[psutil.Process]) -> bool:
    """Who was killed ends when the kernel comes to it, so they are given a moment."""
    deadline = time.monotonic() + 5
    while any(_runs(each) for each in those):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(process: psutil.Process) -> bool:
    """A zombie that nobody collects has ended all the same."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _listens_on(pid: int) -> int:
    connections = psutil.Process(pid).net_connections("tcp4")
    return next(each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]
