"""`samplemind analyze`: real sounds, real processes, no server."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from samplemind.cli.processes import listen_in_processes
from samplemind.domain.analysis import AnalysisLevel
from tests.cli.commands import environment, samplemind, write_cadence, write_noise, write_tone
from tests.server import SAMPLEMIND

# Stands for the process that analyses: it dies over one file and answers for all others.
_MORTAL = """
import json, os, sys
for line in sys.stdin:
    path = json.loads(line)
    if path.startswith("kill"): os.kill(os.getpid(), 9)
    if path.startswith("exit"): sys.exit(3)
    print(json.dumps({"path": path}), flush=True)
"""

_HEAVY = ("celery", "chromadb", "fastapi", "motor", "strawberry", "uvicorn")


def objects(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_one_object_a_line_in_the_order_given(tmp_path: Path) -> None:
    long = write_noise(tmp_path / "z-long.wav", 30)
    short = write_tone(tmp_path / "a-short.wav", 440)
    deep = write_tone(tmp_path / "m" / "deep.flac", 220)
    done = samplemind("analyze", long, short, deep.parent, "--json", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    results = objects(done.stdout)
    assert [result["path"] for result in results] == [str(long), str(short), str(deep)]
    assert results[1]["durationSeconds"] == 0.5
    assert results[2]["format"] == "flac"


def test_fields_are_named_as_in_the_api(tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "tone.wav", 440, seconds=2)
    done = samplemind("analyze", sound, "--json", "--level", "DETAILED")
    assert done.returncode == 0, done.stderr
    [found] = objects(done.stdout)
    schema = (Path(__file__).parents[2] / "schema.graphql").read_text()
    fields = schema.split("type Analysis implements Node {")[1].split("\n}")[0]
    of_a_stored_one = {"audioFile", "failure", "finishedAt", "id", "queuedAt", "status"}
    of_a_stored_one |= {"ai", "aiFailure", "aiStatus"}
    names = {
        line.strip().partition(":")[0].partition("(")[0]
        for line in fields.splitlines()
        if ":" in line and '"' not in line
    }
    assert set(found) >= names - of_a_stored_one
    assert found["pitch"]["note"] == "A4"
    assert abs(found["pitch"]["cents"]) < 10
    reasons = {each["field"]: each["code"] for each in found["absences"]}
    assert reasons["timeSignature"] == "ONE_SHOT"
    assert all(each["message"] for each in found["absences"])
    assert all(found[field] is None for field in reasons)
    assert len(found["spectral"]["mfcc"]) == 20
    assert set(found["loudness"]) == {"integratedLufs", "truePeakDbtp", "rangeLu"}
    assert found["embedding"]
    assert found["level"] == "DETAILED"
    assert found["sampleRate"] == 22_050


def test_key_in_all_notations(tmp_path: Path) -> None:
    sound = write_cadence(tmp_path / "cadence.wav")
    [found] = objects(samplemind("analyze", sound, "--json", "--level", "BASIC").stdout)
    del found["key"]["confidence"]
    assert found["key"] == {"tonic": "C", "mode": "MAJOR", "camelot": "8B", "openKey": "1d"}
    assert found["loudness"] is None


@pytest.mark.parametrize("others", [0, 2])
def test_failures_are_objects_too(tmp_path: Path, others: int) -> None:
    text = tmp_path / "0-text.wav"
    text.write_text("This is no sound.")
    for number in range(others):
        write_tone(tmp_path / f"{number + 1}.wav", 300 + number)
    done = samplemind("analyze", tmp_path, "--json")
    assert done.returncode == 1
    first, *rest = objects(done.stdout)
    assert set(first) == {"path", "failure"}
    assert first["path"] == str(text)
    assert first["failure"]["code"] == "NOT_AUDIO"
    assert len(rest) == others
    assert all("failure" not in found for found in rest)


def test_table(tmp_path: Path) -> None:
    write_tone(tmp_path / "tone [bold].wav", 440)
    (tmp_path / "text.wav").write_text("This is no sound.")
    done = samplemind("analyze", tmp_path)
    assert done.returncode == 1
    assert "tone [bold].wav" in done.stdout
    assert "one-shot" in done.stdout
    assert "0.50 s" in done.stdout
    assert "LUFS" in done.stdout
    assert "text.wav: NOT_AUDIO: " in done.stderr


def test_no_sounds(tmp_path: Path) -> None:
    done = samplemind("analyze", tmp_path)
    assert (done.returncode, done.stdout) == (0, "There are no sounds to analyse.\n")
    done = samplemind("analyze", tmp_path, "--json")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_process_that_dies_loses_its_file_only(jobs: int) -> None:
    paths = [Path(name) for name in ("a", "kill-1", "b", "exit", "kill-2", "c")]
    command = [sys.executable, "-c", _MORTAL]
    results = list(listen_in_processes(paths, AnalysisLevel.BASIC, jobs, command))
    assert [result["path"] for result in results] == [str(path) for path in paths]
    failures = {r["path"]: r["failure"] for r in results if "failure" in r}
    assert {failure["code"] for failure in failures.values()} == {"WORKER_LOST"}
    assert "SIGKILL" in failures["kill-1"]["message"]
    assert "exit code 3" in failures["exit"]["message"]
    assert set(failures) == {"kill-1", "exit", "kill-2"}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """`analyze --json` over a short, a long and a short file: the command, from which the first
    has come, and its process, which is at the long one."""
    write_tone(tmp_path / "1.wav")
    write_noise(tmp_path / "2.wav", 300)
    write_tone(tmp_path / "3.wav")
    process = subprocess.Popen(
        [SAMPLEMIND, "analyze", tmp_path, "--json", "--jobs", "1"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert json.loads(process.stdout.readline())["path"].endswith("1.wav")
        [listener] = psutil.Process(process.pid).children()
        yield process, listener
    finally:
        process.kill()
        process.communicate()


def test_a_killed_process(running: tuple[subprocess.Popen[str], psutil.Process]) -> None:
    process, listener = running
    listener.kill()
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    long, short = objects(stdout)
    assert long["failure"]["code"] == "WORKER_LOST"
    assert "failure" not in short


def test_ctrl_c_ends_everything(running: tuple[subprocess.Popen[str], psutil.Process]) -> None:
    process, listener = running
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert (process.returncode, stdout, stderr) == (130, "", "Stopped.\n")
    assert not listener.is_running()


def test_processes_end_with_the_command(
    running: tuple[subprocess.Popen[str], psutil.Process],
) -> None:
    process, listener = running
    process.kill()
    listener.wait(60)


def test_starts_without_the_server(tmp_path: Path) -> None:
    sound = write_tone(tmp_path / "tone.wav")
    program = (
        "import sys; from samplemind.cli import app; "
        f"app(['analyze', {str(sound)!r}, '--json'], standalone_mode=False); "
        f"print([name for name in {_HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_help_imports_nothing_heavy() -> None:
    heavy = (*_HEAVY, "av", "httpx", "numpy", "scipy", "soundfile", "websockets")
    program = (
        "import sys, samplemind.cli; "
        f"print([name for name in {heavy} if name in sys.modules], end='')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]", done.stderr
