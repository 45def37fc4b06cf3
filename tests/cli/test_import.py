"""`samplemind import` against a real server."""

import asyncio
import hashlib
import os
import pty
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from samplemind.cli.options import server_address
from tests.cli.commands import environment, samplemind, write_noise, write_tone
from tests.cli.relay import relay
from tests.server import SAMPLEMIND, Server

TAG = "cli-import"


@pytest.fixture
def folder(server: Server, tmp_path: Path) -> Iterator[Path]:
    """An empty folder; what is imported from it with TAG is deleted afterwards."""
    yield tmp_path
    for file in stored(server):
        answer = server.ask(
            "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { errors { code } } }",
            id=file["id"],
        )
        assert answer["deleteAudioFile"]["errors"] == []


def stored(server: Server) -> list[dict]:
    """What these tests have put into the library."""
    page = server.ask(
        """query ($tag: String!) { audioFiles(first: 200, filter: {tags: [$tag]}) {
             edges { node { id filename tags analysis { level } } } } }""",
        tag=TAG,
    )["audioFiles"]
    return [edge["node"] for edge in page["edges"]]


def import_(server: Server | str, *arguments: str | Path):
    url = server if isinstance(server, str) else server.url
    return samplemind("import", *arguments, "--url", url, "--tag", TAG)


def test_uploads_and_analyses_a_folder(server: Server, folder: Path) -> None:
    write_tone(folder / "kick.wav", 60)
    write_tone(folder / "deep" / "er" / "tone [808] ünï.FLAC", 500)
    done = import_(server, folder, "--level", "detailed")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2 uploaded, 0 already there, 0 refused, 2 analysed, 0 failed in")
    found = {file["filename"]: file for file in stored(server)}
    assert set(found) == {"kick.wav", "tone [808] ünï.FLAC"}
    assert all(file["analysis"]["level"] == "DETAILED" for file in found.values())


def test_a_second_import_does_nothing(server: Server, folder: Path) -> None:
    write_tone(folder / "a.wav", 70)
    write_tone(folder / "b.wav", 80)
    assert import_(server, folder).returncode == 0
    again = import_(server, folder)
    assert again.returncode == 0
    assert again.stdout.startswith("0 uploaded, 2 already there, 0 refused, 0 analysed, 0 failed")
    assert "Uploading" not in again.stderr


def test_the_same_bytes_are_uploaded_once(server: Server, folder: Path) -> None:
    sound = write_tone(folder / "a.wav", 75)
    shutil.copy(sound, folder / "b.wav")
    done = import_(server, folder, "--no-analyze")
    assert done.stdout.startswith("1 uploaded, 1 already there, 0 refused in")
    assert len(stored(server)) == 1


def test_what_is_there_without_an_analysis_is_analysed(server: Server, folder: Path) -> None:
    write_tone(folder / "a.wav", 85)
    assert import_(server, folder, "--no-analyze").returncode == 0
    assert stored(server)[0]["analysis"] is None
    done = import_(server, folder, "--level", "BASIC")
    assert done.stdout.startswith("0 uploaded, 1 already there, 0 refused, 1 analysed")
    # Less than what is asked for is not enough.
    assert "1 analysed" in import_(server, folder, "--level", "STANDARD").stdout
    assert "0 analysed" in import_(server, folder, "--level", "BASIC").stdout


def test_what_is_there_gets_the_tags(server: Server, folder: Path) -> None:
    write_tone(folder / "a.wav", 90)
    import_(server, folder, "--no-analyze", "--tag", "one")
    done = import_(server, folder, "--no-analyze", "-t", "two words ", "-t", "one")
    assert done.returncode == 0, done.stdout
    assert set(stored(server)[0]["tags"]) == {TAG, "one", "two words"}


def test_names_each_refused_file(server: Server, folder: Path) -> None:
    write_tone(folder / "good.wav", 100)
    (folder / "text.wav").write_text("This is no sound.")
    (folder / "empty.mp3").touch()
    done = import_(server, folder)
    assert done.returncode == 1
    assert f"refused: {folder}/text.wav: NOT_AUDIO: " in done.stdout
    assert f"refused: {folder}/empty.mp3: EMPTY_FILE: " in done.stdout
    assert "1 uploaded, 0 already there, 2 refused, 1 analysed, 0 failed" in done.stdout


def test_names_each_failed_file(server: Server, folder: Path) -> None:
    gone = write_tone(folder / "gone.wav", 105)
    assert import_(server, folder, "--no-analyze").returncode == 0
    with server.without_bytes({"sha256": hashlib.sha256(gone.read_bytes()).hexdigest()}):
        done = import_(server, folder)
    assert done.returncode == 1
    assert f"failed: {gone}: " in done.stdout
    assert "0 analysed, 1 failed" in done.stdout


def test_looks_only_for_sounds_in_folders(server: Server, folder: Path) -> None:
    for hidden in ("._a.wav", ".b.wav", "__MACOSX/c.wav", ".git/d.wav", "notes.txt"):
        path = folder / hidden
        path.parent.mkdir(exist_ok=True)
        path.write_text("no sound")
    assert import_(server, folder).stdout == "There are no sounds to import.\n"
    named = import_(server, folder / "notes.txt", folder / ".b.wav")
    assert named.returncode == 1
    assert named.stdout.count("NOT_AUDIO") == 2


def test_names_that_are_no_text(server: Server, folder: Path) -> None:
    sound = write_tone(folder / "a.wav", 110)
    sound.rename(folder / os.fsdecode(b"caf\xe9\x1b[31m\n.wav"))
    (folder / "no\x1b[31m.wav").write_text("no sound")
    done = import_(server, folder, "--no-analyze")
    assert "1 uploaded" in done.stdout
    assert "\x1b" not in done.stdout
    assert "no\ufffd[31m.wav: NOT_AUDIO" in done.stdout


async def test_goes_on_after_lost_connections(server: Server, folder: Path) -> None:
    for number in range(6):
        write_tone(folder / f"{number}.wav", 120 + number)
    async with relay(server.url, cuts=2) as network:
        done = await asyncio.to_thread(import_, network.url, folder)
    assert done.returncode == 0, done.stderr
    assert "6 uploaded, 0 already there, 0 refused, 6 analysed, 0 failed" in done.stdout
    assert network.sockets >= 2
    assert network.cuts < 2


async def test_ctrl_c_leaves_the_rest_to_the_server(server: Server, folder: Path) -> None:
    write_tone(folder / "a.wav", 130)
    async with relay(server.url, is_mute=True) as network:
        process = await asyncio.create_subprocess_exec(
            *(SAMPLEMIND, "import", folder, "--url", network.url, "--tag", TAG),
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr
        await process.stderr.readuntil(b"Analysing: 1 file\n")
        process.send_signal(signal.SIGINT)
        stdout, stderr = await process.communicate()
    assert process.returncode == 130
    assert stdout == b""
    assert stderr.decode().splitlines() == [
        "Stopped. What is uploaded stays; the same command goes on from there."
    ]
    [file] = stored(server)
    assert (await server.analyzed(file["id"]))["status"] == "SUCCEEDED"


async def test_shows_bars_on_a_terminal(server: Server, folder: Path) -> None:
    write_noise(folder / "a.wav", 20)
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(SAMPLEMIND, "import", folder, "--url", server.url, "--tag", TAG),
        env=environment(TERM="xterm"),
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)

    def read() -> str:
        seen = b""
        try:
            while data := os.read(ours, 65_536):
                seen += data
        except OSError:  # What Linux says when the other end is closed.
            return seen.decode()
        return seen.decode()

    seen = await asyncio.to_thread(read)
    os.close(ours)
    assert await process.wait() == 0
    for expected in ("Reading", "Uploading", "Analysing", "1/1 file", "MB/s", "1 analysed"):
        assert expected in seen


def test_says_where_no_server_answers(folder: Path) -> None:
    write_tone(folder / "a.wav")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        done = samplemind("import", folder, SAMPLEMIND_URL=url)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"No server answers at {url}: start one with ./start_api.sh, or name another with --url.\n"
    )


async def test_says_where_another_server_answers(tmp_path: Path) -> None:
    write_tone(tmp_path / "a.wav")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nNope.")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        url = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        done = await asyncio.to_thread(samplemind, "import", tmp_path, "--url", url)
    assert done.returncode == 1
    assert f"{url} answers (HTTP 404), but not as a SampleMind server does." in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("/no/such/file.wav",),
        ("/dev/null",),
        (__file__, "--level", "HIGH"),
        (__file__, "--jobs", "0"),
        (__file__, "--url", "ftp://x"),
        (__file__, "--url", "http://x:port"),
    ],
)
def test_usage_errors(arguments: tuple[str, ...]) -> None:
    assert samplemind("import", *arguments).returncode == 2


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000/graphql", "http://127.0.0.1:8000"),
        ("https://host.example/graphql/", "https://host.example"),
        (" https://host.example/samples/ ", "https://host.example/samples"),
    ],
)
def test_every_form_of_an_address(given: str, address: str) -> None:
    assert server_address(given) == address
