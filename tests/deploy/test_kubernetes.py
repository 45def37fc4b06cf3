"""deploy/kubernetes, as far as it can be judged without a cluster."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from samplemind.refusal import refuse_unsafe, refuse_without_addresses
from samplemind.settings import Settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
# 1.30 is the first whose preStop sleeps without being told to.
VERSIONS = ("1.30", kubernetes_validate.latest_version())


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


APPLIED = [each for name in KUSTOMIZATION["resources"] for each in documents(name)]
[SECRET] = documents("secret.example.yaml")
ALL = [*APPLIED, SECRET]


def titled(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in ALL if each["kind"] == kind}


DEPLOYMENTS = named("Deployment")
CONFIG: dict[str, str] = named("ConfigMap")["samplemind"]["data"]


def pod(name: str) -> dict[str, Any]:
    return DEPLOYMENTS[name]["spec"]["template"]["spec"]


def container(name: str) -> dict[str, Any]:
    [only] = pod(name)["containers"]
    return only


def settings_given(monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in SECRET["stringData"]:
        value = "0123456789abcdef" * 2 if name == "SAMPLEMIND_SECRET" else f"x://{name.lower()}"
        monkeypatch.setenv(name, value)
    for name, value in CONFIG.items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", ALL, ids=titled)
def test_a_cluster_would_take_it(manifest: dict[str, Any], version: str):
    kubernetes_validate.validate(manifest, version, strict=True)


def test_every_file_is_applied_but_the_secret_and_what_needs_more_than_kubernetes():
    assert {path.name for path in FOLDER.glob("*.yaml")} == {
        "kustomization.yaml",
        "secret.example.yaml",
        *KUSTOMIZATION["resources"],
    }


def test_nothing_secret_is_in_it():
    assert set(SECRET["stringData"].values()) == {""}
    assert not any(re.search(r"SECRET|PASSWORD|_KEY|MONGO|REDIS|CHROMA", name) for name in CONFIG)


class TestSettings:
    def test_exist(self):
        given = {*CONFIG, *SECRET["stringData"]}
        known = {f"SAMPLEMIND_{field.upper()}" for field in Settings.model_fields}
        assert {name for name in given if name.startswith("SAMPLEMIND_")} <= known
        text = "".join(path.read_text() for path in FOLDER.rglob("*.yaml"))
        assert set(re.findall(r"SAMPLEMIND_\w+", text)) - {"SAMPLEMIND_"} <= known

    def test_are_safe_and_name_every_part(self, monkeypatch: pytest.MonkeyPatch):
        settings = settings_given(monkeypatch)
        refuse_unsafe(settings)
        refuse_without_addresses(settings)
        assert settings.auth_required
        assert settings.production

    @pytest.mark.parametrize("name", DEPLOYMENTS)
    def test_are_given_and_no_address_of_a_service_gets_among_them(self, name: str):
        assert container(name)["envFrom"] == [
            {"configMapRef": {"name": "samplemind"}},
            {"secretRef": {"name": "samplemind"}},
        ]
        assert pod(name)["enableServiceLinks"] is False

    def test_fit_the_ports(self, monkeypatch: pytest.MonkeyPatch):
        settings = settings_given(monkeypatch)
        ports = {
            (port["name"], port["containerPort"])
            for name in DEPLOYMENTS
            for port in container(name)["ports"]
        }
        assert ports == {("http", settings.port), ("metrics", settings.metrics_port)}

    def test_leave_the_time_to_stop(self, monkeypatch: pytest.MonkeyPatch):
        settings = settings_given(monkeypatch)
        waits = container("samplemind-api")["lifecycle"]["preStop"]["sleep"]["seconds"]
        api, worker = (
            pod(f"samplemind-{name}")["terminationGracePeriodSeconds"] for name in ("api", "worker")
        )
        assert waits + settings.drain_seconds + settings.api_stop_seconds < api
        assert settings.worker_stop_seconds < worker

    def test_leave_the_memory_that_a_file_may_take(self, monkeypatch: pytest.MonkeyPatch):
        settings = settings_given(monkeypatch)
        for name, processes in (("api", 1), ("worker", settings.workers)):
            limit = container(f"samplemind-{name}")["resources"]["limits"]["memory"]
            assert processes * settings.max_process_bytes < int(limit.removesuffix("Gi")) * 2**30


class TestNames:
    """What one manifest says of another is so."""

    def test_of_labels(self):
        labels = {
            name: each["spec"]["template"]["metadata"]["labels"]
            for name, each in DEPLOYMENTS.items()
        }
        for name, deployment in DEPLOYMENTS.items():
            assert deployment["spec"]["selector"]["matchLabels"] == labels[name]
            assert named("Service")[name]["spec"]["selector"] == labels[name]
            assert named("Service")[name]["metadata"]["labels"] == labels[name]
            budget = named("PodDisruptionBudget")[name]["spec"]
            assert budget["selector"]["matchLabels"] == labels[name]
            assert budget["maxUnavailable"] == 1

    def test_of_ports(self):
        for name, service in named("Service").items():
            offered = {port["name"] for port in container(name)["ports"]}
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= offered
        for policy in named("NetworkPolicy").values():
            for rule in policy["spec"].get("ingress", ()):
                assert {port["port"] for port in rule["ports"]} <= {"http", "metrics"}

    def test_of_who_is_scaled(self):
        scalers = named("HorizontalPodAutoscaler")
        assert scalers.keys() == DEPLOYMENTS.keys()
        for name, scaler in scalers.items():
            assert scaler["spec"]["scaleTargetRef"]["name"] == name
            # Else each time that it is applied would undo what the autoscaler has done.
            assert "replicas" not in DEPLOYMENTS[name]["spec"]

    def test_of_the_figures_that_workers_are_scaled_by(self):
        rules = documents("monitoring/adapter.yaml")[0]["rules"]["external"]
        asked = {
            metric["external"]["metric"]["name"]
            for metric in named("HorizontalPodAutoscaler")["samplemind-worker"]["spec"]["metrics"]
        }
        assert {rule["name"]["as"] for rule in rules} == asked
        assert all(rule["seriesQuery"] in rule["metricsQuery"] for rule in rules)

    def test_of_where_requests_go(self):
        spec = named("Ingress")["samplemind"]["spec"]
        [rule] = spec["rules"]
        [path] = rule["http"]["paths"]
        service = path["backend"]["service"]
        ports = named("Service")[service["name"]]["spec"]["ports"]
        assert service["port"]["name"] in {port["name"] for port in ports}
        assert spec["tls"][0]["hosts"] == [rule["host"]]
        assert CONFIG["SAMPLEMIND_PUBLIC_URL"] == f"https://{rule['host']}"

    def test_of_the_namespace(self):
        assert named("Namespace").keys() == {KUSTOMIZATION["namespace"]}
        assert SECRET["metadata"]["namespace"] == KUSTOMIZATION["namespace"]
        [monitor] = documents("monitoring/servicemonitor.yaml")
        assert monitor["metadata"]["namespace"] == KUSTOMIZATION["namespace"]
        [expression] = monitor["spec"]["selector"]["matchExpressions"]
        assert {*expression["values"]} == DEPLOYMENTS.keys()

    def test_of_the_image(self):
        assert {container(name)["image"] for name in DEPLOYMENTS} == {
            image["name"] for image in KUSTOMIZATION["images"]
        }


class TestPods:
    @pytest.mark.parametrize("name", DEPLOYMENTS)
    def test_may_do_nothing_that_they_need_not(self, name: str):
        """As the namespace demands of all that run in it."""
        security = {**pod(name)["securityContext"], **container(name)["securityContext"]}
        assert security["runAsNonRoot"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod(name)["automountServiceAccountToken"] is False
        user = f"{security['runAsUser']}:{security['runAsGroup']}"
        assert f"\nUSER {user}\n" in (ROOT / "deploy/Dockerfile").read_text()

    @pytest.mark.parametrize("name", DEPLOYMENTS)
    def test_are_replaced_before_they_go(self, name: str):
        assert DEPLOYMENTS[name]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0

    @pytest.mark.parametrize("name", DEPLOYMENTS)
    def test_have_a_place_for_what_is_on_its_way(self, name: str):
        assert container(name)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108
        assert [volume["name"] for volume in pod(name)["volumes"]] == ["tmp"]

    @pytest.mark.parametrize("name", DEPLOYMENTS)
    def test_run_a_command(self, name: str):
        assert container(name)["command"] == ["samplemind", name.removeprefix("samplemind-")]
