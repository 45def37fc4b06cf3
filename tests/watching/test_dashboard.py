"""The dashboard, the alerts and the page for operators name what there is."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Metric

from samplemind.settings import Settings
from tests.watching.conftest import PARTS, Watched

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/samplemind.json").read_text())
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]

# Of whoever scrapes, and of histograms.
GIVEN = {"job", "instance", "le"}

EXPRESSIONS = {
    **{
        f"dashboard: {panel['title']}, {target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", ())
    },
    **{f"alert: {rule['alert']}": rule["expr"] for rule in RULES},
}


@pytest.fixture(scope="module")
async def told(watched: Watched) -> dict[str, set[str]]:
    """The names of all samples that a server and its workers tell after some work, with the names
    of their labels."""
    server = watched.server
    file = server.upload(server.sounds[1], level="BASIC")["audioFile"]
    await server.analyzed(file["id"])
    assert (await server.batch(filter={}, level="BASIC"))["failed"] == 0
    server.ask("{ audioFiles { totalCount } }")
    assert (await watched.producer.asked("good"))["aiStatus"] == "SUCCEEDED"
    told: dict[str, set[str]] = {}
    for part in PARTS:
        for metric in watched.metrics(part).values():
            for sample in metric.samples:
                told.setdefault(sample.name, set()).update(sample.labels)
    return told


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_what_is_asked_for_is_told(where: str, told: dict[str, set[str]]):
    expression = EXPRESSIONS[where]
    names = re.findall(r"\b(?:samplemind|process)_\w+", expression)
    assert names
    assert set(names) <= told.keys()
    known = GIVEN.union(*(told[name] for name in names))
    for name, condition in re.findall(r"\b((?:samplemind|process)_\w+)\{([^}]*)\}", expression):
        used = re.findall(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"", condition)
        assert used
        assert set(used) <= told[name] | GIVEN, name
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in labels.split(",")} <= known


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_speaks_of_codes_and_labels_that_there_are(
    rule: dict[str, Any], told: dict[str, set[str]]
):
    source = "".join(path.read_text() for path in (ROOT / "samplemind").rglob("*.py"))
    source += (ROOT / "schema/errors.py").read_text()
    for codes in re.findall(r'code=~"([^"]+)"', rule["expr"]):
        for code in codes.split("|"):
            assert f'"{code}"' in source, code
    kept = re.findall(r"\bby \((\w+)\)", rule["expr"])
    said = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
    assert set(said) <= set(kept)


def test_every_metric_of_ours_is_looked_at(watched: Watched, told: dict[str, set[str]]):
    """On the dashboard, or by an alert: what nobody looks at need not be counted."""
    asked = " ".join(EXPRESSIONS.values())
    for part in PARTS:
        for name in ours(watched.metrics(part)):
            assert name in asked, name


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs Debian's prometheus")
class TestPrometheus:
    def test_takes_the_configuration_and_the_rules(self):
        self._promtool("check", "config", "prometheus.yml")

    def test_speaks_when_it_should_and_only_then(self):
        self._promtool("test", "rules", "alerts_test.yml")

    def test_takes_every_expression_of_the_dashboard(self, tmp_path: Path):
        rules = [
            {"record": f"a:{number}", "expr": expression.replace("$__rate_interval", "5m")}
            for number, expression in enumerate(EXPRESSIONS.values())
        ]
        file = tmp_path / "rules.yml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
        self._promtool("check", "rules", str(file))

    def test_takes_what_is_told(self, watched: Watched):
        for part in PARTS:
            self._promtool("check", "metrics", given=watched.text(part))

    def _promtool(self, *arguments: str, given: str | None = None) -> None:
        ran = subprocess.run(
            ["promtool", *arguments],
            cwd=PROMETHEUS,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def ours(metrics: dict[str, Metric]) -> set[str]:
    return {name for name in metrics if name.startswith("samplemind_")}


class TestPageForOperators:
    TEXT = (ROOT / "docs/operations.md").read_text()
    ROWS = re.findall(
        r"^\| `(samplemind_\w+)` \|(.*?)\| (API|worker|AI worker) \|", TEXT, re.MULTILINE
    )

    def test_tells_every_metric_and_its_labels(self, told: dict[str, set[str]], watched: Watched):
        names = {
            "API": watched.metrics("api"),
            "worker": watched.metrics("worker"),
            "AI worker": watched.metrics("ai"),
        }
        assert {name.removesuffix("_total") for name, _, _ in self.ROWS} == ours(names["API"])
        for name, labels, of in self.ROWS:
            metric = names[of][name.removesuffix("_total")]
            sample = f"{name}_bucket" if metric.type == "histogram" else name
            assert told[sample] - GIVEN == set(re.findall(r"`(\w+)`", labels)), name

    def test_says_what_to_do_for_each_alert(self):
        _, _, alerts = self.TEXT.partition("\n## Alerts\n")
        assert re.findall(r"^### (\w+)$", alerts, re.MULTILINE) == [rule["alert"] for rule in RULES]

    def test_names_settings_that_there_are(self):
        known = {f"SAMPLEMIND_{field.upper()}" for field in Settings.model_fields}
        assert set(re.findall(r"SAMPLEMIND_\w+", self.TEXT)) <= known

    def test_tells_what_docker_compose_takes(self):
        compose = (ROOT / "docker-compose.yml").read_text()
        table = self.TEXT.partition("| in `.env` |")[2].partition("\n\n")[0]
        assert set(re.findall(r"`([A-Z_]+)`", table)) == set(re.findall(r"\$\{(\w+)", compose))
