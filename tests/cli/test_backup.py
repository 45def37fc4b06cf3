"""`samplemind backup` and `restore`, from one running server to another."""

import json
import subprocess
from pathlib import Path

from samplemind.store.migrations import CURRENT
from tests.cli.commands import samplemind
from tests.server import Server, running_server

LIBRARY = """{
  audioFiles(first: 20) { totalCount edges { node {
    id filename tags analysis { id kind labels { name score } tempo { bpm } }
    similarTo(first: 5) { edges { score node { id } } }
  } } }
  batchJobs(first: 5) { edges { node { id status total completed } } }
  libraryStats { audioFiles totalBytes }
}"""


def _samplemind(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return samplemind(*arguments, SAMPLEMIND_DATA_DIR=str(server.data_dir))


def test_a_library_moves_to_another_server(server: Server, tmp_path: Path) -> None:
    place = str(tmp_path / "backup")
    with running_server(tmp_path / "other", []) as other:
        assert other.ask(LIBRARY)["audioFiles"]["totalCount"] == 0
        made = _samplemind(server, "backup", place)
        assert made.returncode == 0, made.stderr
        before = server.ask(LIBRARY)
        count = before["audioFiles"]["totalCount"]
        assert count >= len(server.sounds)
        assert f"{count} files" in made.stdout
        whole = _samplemind(server, "restore", place, "--check")
        assert whole.returncode == 0, whole.stderr
        assert " is whole: " in whole.stdout
        refused = _samplemind(server, "restore", place)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Something is stored here already" in refused.stderr
        assert "Traceback" not in refused.stderr

        restored = _samplemind(other, "restore", place)
        assert restored.returncode == 0, restored.stderr
        assert " is restored: " in restored.stdout
        assert json.dumps(other.ask(LIBRARY)) == json.dumps(before)
        # And it goes on from there.
        assert other.upload(server.sounds[0])["errors"] == []
        assert other.ask(LIBRARY)["audioFiles"]["totalCount"] == count

        migrated = _samplemind(other, "migrate")
        assert migrated.stdout == f"The documents are at version {CURRENT}.\n"
        again = _samplemind(server, "backup", place, "--keep", "1")
        assert "0 new" in again.stdout
        assert "Kept the newest 1; 0 files removed" in again.stdout
