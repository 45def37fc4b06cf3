"""Whether a part answers. Each check asks once and raises OSError where it does not.

The three databases are asked in their own protocols by hand: it is a few bytes each, and their
client libraries would triple the supervisor's memory.
"""

import http.client
import json
import socket
import struct

_TIMEOUT_SECONDS = 5.0


def documents_answer(port: int) -> None:
    """MongoDB's `hello`, as an OP_MSG; a server that takes writes says isWritablePrimary."""
    body = b"\x10hello\0" + struct.pack("<i", 1) + b"\x02$db\0" + struct.pack("<i", 6) + b"admin\0"
    document = struct.pack("<i", len(body) + 5) + body + b"\0"
    message = struct.pack("<i", 0) + b"\0" + document
    header = struct.pack("<iiii", 16 + len(message), 1, 0, 2013)
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS) as connection:
        connection.sendall(header + message)
        reply = _receive(connection, 4)
        reply += _receive(connection, struct.unpack("<i", reply)[0] - 4)
    if b"\x08isWritablePrimary\0\x01" not in reply:
        raise ConnectionError("it does not take writes yet")


def redis_answers(port: int) -> None:
    """Redis's PING; while it still loads its file it answers LOADING instead of PONG."""
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_SECONDS) as connection:
        connection.sendall(b"PING\r\n")
        reply = connection.recv(200)
    if reply != b"+PONG\r\n":
        raise ConnectionError(reply.decode(errors="replace").strip() or "it hung up")


def chroma_answers(port: int) -> None:
    status, _ = _get("127.0.0.1", port, "/api/v2/heartbeat")
    if status != 200:
        raise ConnectionError(f"it answers {status}")


def api_answers(host: str, port: int) -> None:
    """The API is up when every part it stands on is."""
    health = _health(host, port)
    if health.get("status") != "up":
        parts = health.get("parts", {})
        down = [name for name, part in parts.items() if part.get("status") != "up"]
        raise ConnectionError(f"it answers, but {', '.join(down) or 'something'} is down")


def worker_answers(host: str, port: int) -> None:
    """Only the API can tell: a worker listens on no port."""
    if _health(host, port).get("parts", {}).get("worker", {}).get("status") != "up":
        raise ConnectionError("the API sees no worker yet")


def _health(host: str, port: int) -> dict:
    _, body = _get(host, port, "/api/v1/health")
    try:
        return json.loads(body)
    except ValueError:
        raise ConnectionError("its health is not JSON") from None


def _get(host: str, port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise ConnectionError(f"it does not speak HTTP: {error!r}") from None
    finally:
        connection.close()


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        more = connection.recv(size - len(received))
        if not more:
            raise ConnectionError("it hung up")
        received += more
    return received
