"""docker-compose.yml and deploy/Dockerfile, as far as they can be judged without an engine."""

import contextlib
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from redis import Redis

from samplemind.audio import ENGINE_VERSION
from samplemind.cli import app as cli
from samplemind.jobs.presence import ANALYZES, ASKS_AI, Heartbeat, WorkerPresence
from samplemind.refusal import refuse_unsafe
from samplemind.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")
APIS = ("api-1", "api-2")
OURS = (*APIS, "worker", "ai")
PARTS = ("mongo", "redis", "chroma")
WATCHING = ("prometheus", "grafana")
PROMETHEUS = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())


def instructions(name: str) -> list[str]:
    """What stands behind each `name` in the Dockerfile."""
    return re.findall(rf"^{name} +(.+)$", DOCKERFILE, re.MULTILINE)


def health_check(service: str, **changes: str) -> list[str]:
    """The check's own command, with `changes` of what differs outside the container."""
    kind, *command = SERVICES[service]["healthcheck"]["test"]
    assert kind == "CMD"
    command = [word.replace("$$", "$") for word in command]
    for old, new in changes.items():
        assert any(old in word for word in command)
        command = [word.replace(old, new) for word in command]
    return command


def interpolated(value: str, **given: str) -> str:
    """A value as compose makes it: ${NAME:-default} and ${NAME:?why it is needed}."""

    def found(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        assert name in given or operator == "-", f"{name} is needed: {rest}"
        return given.get(name, rest)

    return re.sub(r"\$\{(\w+):([-?])([^}]*)\}", found, value)


def succeeds(command: list[str], **env: str) -> bool:
    if command[0] == "python":
        command = [sys.executable, *command[1:]]
    ran = subprocess.run(command, env=os.environ | env, capture_output=True, timeout=30)
    return ran.returncode == 0


class TestServices:
    def test_are_a_proxy_two_apis_workers_databases_and_others_if_asked(self):
        assert set(SERVICES) == {"proxy", *OURS, *PARTS, *WATCHING}
        optional = {name for name in SERVICES if "profiles" in SERVICES[name]}
        assert optional == {*WATCHING, "ai"}

    def test_have_the_versions_that_are_promised(self):
        locked = re.search(r"^chromadb==(\S+)", (ROOT / "requirements.lock").read_text(), re.M)
        assert locked is not None
        assert SERVICES["mongo"]["image"] == "mongo:7.0"
        assert SERVICES["redis"]["image"] == "redis:7.2"
        assert SERVICES["chroma"]["image"] == f"chromadb/chroma:{locked[1]}"

    @pytest.mark.parametrize("name", SERVICES)
    def test_run_again_after_a_crash_and_tell_their_health(self, name: str):
        service = SERVICES[name]
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]
        assert service["healthcheck"].keys() >= {"interval", "timeout", "retries", "start_period"}

    @pytest.mark.parametrize("name", SERVICES)
    def test_share_a_network_of_their_own(self, name: str):
        assert list(COMPOSE["networks"]) == SERVICES[name]["networks"]

    @pytest.mark.parametrize("name", OURS)
    def test_wait_for_the_databases(self, name: str):
        healthy = {"condition": "service_healthy"}
        assert SERVICES[name]["depends_on"] == dict.fromkeys(PARTS, healthy)

    def test_publish_the_proxy_and_the_dashboard_alone_and_to_this_machine(self):
        published = {
            name: [interpolated(port) for port in service["ports"]]
            for name, service in SERVICES.items()
            if "ports" in service
        }
        assert published == {
            "proxy": ["127.0.0.1:8000:80", "127.0.0.1:8443:443"],
            "grafana": ["127.0.0.1:3000:3000"],
        }
        assert not any("network_mode" in service for service in SERVICES.values())

    def test_are_published_to_everybody_where_the_site_has_a_name(self):
        ports = SERVICES["proxy"]["ports"]
        given = {"HTTP_PORT": "80", "HTTPS_PORT": "443"}
        assert [interpolated(port, **given) for port in ports] == ["80:80", "443:443"]
        assert interpolated(SERVICES["proxy"]["environment"]["SITE"]) == ":80"

    def test_are_those_that_the_proxy_and_prometheus_ask(self):
        ports = {name: SERVICES[name]["environment"]["SAMPLEMIND_PORT"] for name in APIS}
        upstreams = SERVICES["proxy"]["environment"]["UPSTREAMS"]
        assert upstreams.split() == [f"{name}:{port}" for name, port in ports.items()]
        asked = {
            (name, str(found["port"]))
            for job in PROMETHEUS["scrape_configs"]
            for found in job["dns_sd_configs"]
            for name in found["names"]
        }
        told = {(name, SERVICES[name]["environment"]["SAMPLEMIND_METRICS_PORT"]) for name in OURS}
        assert asked == told

    def test_workers_are_as_many_as_asked_for(self):
        replicas = SERVICES["worker"]["deploy"]["replicas"]
        assert interpolated(replicas) == "1"
        assert interpolated(replicas, WORKERS="4") == "4"

    @pytest.mark.parametrize("name", APIS)
    def test_have_the_time_to_leave(self, name: str):
        env = SERVICES[name]["environment"]
        needed = int(env["SAMPLEMIND_DRAIN_SECONDS"]) + int(env["SAMPLEMIND_API_STOP_SECONDS"])
        assert needed < int(SERVICES[name]["stop_grace_period"].removesuffix("s"))

    @pytest.mark.parametrize("name", OURS)
    def test_run_a_command_that_exists(self, name: str):
        program, command, *options = SERVICES[name]["command"]
        assert program == "samplemind"
        is_ai = name == "ai"
        assert options == (["--ai"] if is_ai else [])
        assert command == ("worker" if is_ai else name.partition("-")[0])
        assert command in typer.main.get_group(cli).commands  # pyright: ignore[reportAttributeAccessIssue]

    @pytest.mark.parametrize("name", OURS)
    def test_are_given_settings_that_exist(self, name: str):
        given = SERVICES[name]["environment"]
        known = {f"SAMPLEMIND_{field.upper()}" for field in Settings.model_fields}
        assert given.keys() <= known

    @pytest.mark.parametrize("name", OURS)
    def test_have_settings_that_are_valid_and_name_every_part(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ):
        for key, value in SERVICES[name]["environment"].items():
            monkeypatch.setenv(key, interpolated(value, SAMPLEMIND_SECRET="0123456789abcdef" * 2))
        settings = Settings()
        if "SAMPLEMIND_HOST" in SERVICES[name]["environment"]:
            refuse_unsafe(settings)
        assert "//mongo:" in settings.mongo_url
        assert "//redis:" in settings.redis_url
        assert "//chroma:" in settings.chroma_url
        assert settings.blob_url

    def test_do_not_start_without_a_secret(self):
        with pytest.raises(AssertionError, match="SAMPLEMIND_SECRET is needed"):
            interpolated(SERVICES["api-1"]["environment"]["SAMPLEMIND_SECRET"])

    def test_hold_no_secret(self):
        text = (ROOT / "docker-compose.yml").read_text() + DOCKERFILE
        # What compose is to be given, and how to make it.
        text = re.sub(r"SAMPLEMIND_SECRET(: \$\{SAMPLEMIND_SECRET:\?|=\$\(openssl rand)", "", text)
        # What has nothing in it but what it is given.
        text = re.sub(r"(SAMPLEMIND_\w+): \$\{\1:-(?:\d+)?\}", "", text)
        assert not re.findall(r"(?i)\w*(?:password|passwd|secret|token|api_?key)\w*", text)
        assert not re.findall(r"//[^/\s\"]*@", text), "credentials in an address"
        assert not any("env_file" in service for service in SERVICES.values())


class TestData:
    def test_is_on_named_volumes(self):
        mounted = {
            volume.split(":")[0]
            for service in SERVICES.values()
            for volume in service.get("volumes", [])
        }
        of_the_repository = {name for name in mounted if name.startswith("./")}
        assert all((ROOT / name).exists() for name in of_the_repository)
        assert mounted - of_the_repository == set(COMPOSE["volumes"])

    def test_of_each_database_is_where_its_image_writes(self):
        assert SERVICES["mongo"]["volumes"] == ["documents:/data/db"]
        assert SERVICES["redis"]["volumes"] == ["events:/data"]
        command = SERVICES["chroma"]["command"]
        assert SERVICES["chroma"]["volumes"] == ["vectors:" + command[command.index("--path") + 1]]

    def test_of_redis_is_appended_to_a_file_and_never_evicted(self):
        command = " ".join(SERVICES["redis"]["command"])
        assert "--appendonly yes" in command
        assert "--maxmemory-policy noeviction" in command

    def test_of_audio_is_shared_by_api_and_worker_and_theirs_to_write(self):
        [mount] = SERVICES["worker"]["volumes"]
        assert all(mount in SERVICES[name]["volumes"] for name in APIS)
        folder = mount.split(":")[1]
        for name in OURS:
            assert SERVICES[name]["environment"]["SAMPLEMIND_BLOB_URL"] == f"file://{folder}"
        [made] = [run for run in instructions("RUN") if folder in run]
        uid, gid = instructions("USER")[-1].split(":")
        assert f"--owner={uid} --group={gid}" in made


class TestHealthChecks:
    """Their own commands, against real or stand-in servers."""

    @pytest.fixture
    def http_port(self, request: pytest.FixtureRequest) -> Iterator[str]:
        path, status = request.param

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == path else 404)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield str(server.server_port)
        server.shutdown()
        server.server_close()

    @pytest.mark.parametrize(
        ("http_port", "up"),
        [(("/health/ready", 200), True), (("/health/ready", 503), False)],
        indirect=["http_port"],
    )
    def test_of_the_api(self, http_port: str, up: bool):
        assert succeeds(health_check("api-1", **{":8000": f":{http_port}"})) is up

    @pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
    @pytest.mark.parametrize(
        ("http_port", "up"),
        [(("/api/v2/heartbeat", 200), True), (("/api/v2/heartbeat", 503), False)],
        indirect=["http_port"],
    )
    def test_of_chroma(self, http_port: str, up: bool):
        assert succeeds(health_check("chroma", **{"/8000": f"/{http_port}"})) is up

    @pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
    def test_of_chroma_where_nothing_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        assert not succeeds(health_check("chroma", **{"/8000": f"/{port}"}))

    @pytest.mark.parametrize(("service", "kind"), [("worker", ANALYZES), ("ai", ASKS_AI)])
    def test_of_a_worker(self, settings: Settings, service: str, kind: str):
        command = health_check(service)
        env = {"SAMPLEMIND_REDIS_URL": settings.redis_url}
        assert not succeeds(command, **env)
        other = WorkerPresence("another-machine:1", 1, "0", ENGINE_VERSION)
        mine = WorkerPresence(f"{socket.gethostname()}:1", 1, "0", ENGINE_VERSION)
        with contextlib.ExitStack() as stack:
            redis = stack.enter_context(Redis.from_url(settings.redis_url))
            for presence, up in ((other, False), (mine, True)):
                beat = Heartbeat(settings.redis_url, presence, tuple, lambda _: None, kind)
                beat.start()
                stack.callback(beat.stop)
                assert redis.exists(f"samplemind:{kind}:{presence.name}")
                assert succeeds(command, **env) is up


class TestImage:
    def test_is_what_compose_builds(self):
        for name in OURS:
            assert (ROOT / SERVICES[name]["build"]["dockerfile"]).is_file()

    def test_has_its_stages_on_one_slim_python(self):
        bases = {base.split(" ")[0] for base in instructions("FROM")}
        assert len(instructions("FROM")) == 2
        assert len(bases) == 1
        assert re.fullmatch(r"python:3\.\d+-slim", bases.pop())

    def test_does_not_run_as_root(self):
        user = instructions("USER")[-1]
        assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)

    def test_installs_only_what_the_lock_pins_and_builds_nothing(self):
        installs = [run for run in instructions("RUN") if "pip install" in run]
        assert len(installs) == 2
        for install in installs:
            is_locked = "--require-hashes --only-binary :all: -r requirements.lock" in install
            assert is_locked or "--no-deps --no-build-isolation ." in install
        assert "apt" not in DOCKERFILE

    def test_copies_what_exists_and_is_not_ignored(self):
        kept = [
            line[1:]
            for line in (ROOT / ".dockerignore").read_text().splitlines()
            if line.startswith("!")
        ]
        copied = [
            source
            for copy in instructions("COPY")
            if "--from" not in copy
            for source in copy.split()[:-1]
        ]
        assert set(copied) == set(kept)
        assert all((ROOT / source).exists() for source in copied)

    def test_holds_every_package(self):
        project = (ROOT / "pyproject.toml").read_text()
        found = re.search(r"^packages = \[(.+)\]", project, re.MULTILINE)
        assert found is not None
        packages = re.findall(r'"(\w+)"', found[1])
        copied = " ".join(instructions("COPY"))
        assert packages
        assert all(f"{package} {package}" in copied for package in packages)

    def test_holds_the_explorer_as_built(self):
        ignored = [
            line
            for line in (ROOT / ".dockerignore").read_text().splitlines()
            if line and line[0] not in "#!" and line != "*"
        ]
        built = list((ROOT / "samplemind/server/explorer/dist").iterdir())
        assert built
        for file in built:
            path = str(file.relative_to(ROOT))
            # A `*` of .dockerignore does not match a slash, as fnmatch's does.
            assert not any(
                fnmatch(path, pattern) and pattern.count("/") == path.count("/")
                for pattern in ignored
            )
