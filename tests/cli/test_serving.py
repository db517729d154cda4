"""The server's process: it is the command's own, ends when asked, and frees its port, also with a page open."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.commands import call


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def connect(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    """Return a connection as soon as the server takes one."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, "the server did not start"
            time.sleep(0.05)


def open_websocket(connection: socket.socket, port: int) -> bytes:
    """Open a page's connection, which stays, and return the first line of the answer."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        *("GET /_stcore/stream HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}"),
        *("Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"),
    ]
    connection.sendall("".join(f"{line}\r\n" for line in [*lines, ""]).encode())
    return connection.recv(4096).splitlines()[0]


@pytest.mark.skipif(os.name == "nt", reason="a process cannot become another one there")
def test_asked_to_stop_the_app_stops_and_frees_its_port(runs_root: Path, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    words = [sys.executable, "-m", "grouprec", "app", "--port", str(port)]
    with log.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out) as server:
        with connect(port, server) as page:
            assert b" 101 " in open_websocket(page, port), log.read_text()
            server.send_signal(signal.SIGTERM)
            status = server.wait(30)
        assert status in (0, -signal.SIGTERM, 128 + signal.SIGTERM), log.read_text()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
    assert "Traceback" not in log.read_text()


def test_a_port_that_is_taken_is_told_before_anybody_is_sent_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for words in (("app", "--port", port), ("app", "--port", 99_999), ("app", "--address", "192.0.2.1")):
            answer = call(*words, "--runs", tmp_path)
            assert answer.refused and "No server can listen on port" in answer.err and "Dashboard" not in answer.out
