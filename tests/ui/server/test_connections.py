"""A connection may neither keep the server waiting for the rest of a request nor take the place of all others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import uvicorn

from grouprec.ui.server import connections
from grouprec.ui.server.connections import Connection

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PATIENCE = 30.0  # seconds; only a test that fails anyway waits so long
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _app(scope: dict, receive: Callable, send: Callable) -> None:
    while scope["type"] == "http" and (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def serve(talk: Callable[[Callable[[], Awaitable[Streams]], uvicorn.Server], Awaitable[None]]) -> None:
    """Run a server with our limits, let ``talk`` connect to it, and stop it."""

    async def main() -> None:
        config = uvicorn.Config(_app, port=0, lifespan="off", log_level="error", http=Connection)
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            await asyncio.wait_for(talk(lambda: asyncio.open_connection("127.0.0.1", port), server), PATIENCE)
        finally:
            server.servers[0].close()

    asyncio.run(main())


async def ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionResetError:
        return True


HALF = {
    "nothing": b"",
    "half a head": b"POST / HTTP/1.1\r\nHost: loc",
    "half a body": b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc",
}


@pytest.mark.parametrize("sent", HALF.values(), ids=HALF)
def test_half_a_request_ends_and_others_are_answered_meanwhile(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.05)

    async def talk(connect: Callable[[], Awaitable[Streams]], server: uvicorn.Server) -> None:
        slow, to_slow = await connect()
        to_slow.write(sent)
        reader, writer = await connect()
        writer.write(WHOLE)
        assert b" 200 " in await reader.readline()
        assert await ended(slow)
        to_slow.close()
        writer.close()

    serve(talk)


def test_a_body_that_goes_on_is_waited_for_and_one_that_stops_is_not() -> None:
    async def talk(connect: Callable[[], Awaitable[Streams]], server: uvicorn.Server) -> None:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\n" + b"x" * 2000)
        while not any(one._bytes > 2000 for one in server.server_state.connections):
            await asyncio.sleep(0)
        (connection,) = server.server_state.connections
        connection._look()
        assert not connection.transport.is_closing()
        connection._look()
        assert connection.transport.is_closing() and await ended(reader)
        writer.close()

    serve(talk)


def test_there_are_no_more_connections_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 2)

    async def talk(connect: Callable[[], Awaitable[Streams]], server: uvicorn.Server) -> None:
        kept = [await connect() for _ in range(2)]
        for reader, writer in kept:  # both are with the server once they are answered
            writer.write(WHOLE)
            assert b" 200 " in await reader.readline()
        surplus, to_surplus = await connect()
        assert await ended(surplus)
        for writer in (to_surplus, *(writer for _, writer in kept)):
            writer.close()

    serve(talk)


def test_uvicorn_takes_these_limits_where_it_would_choose_a_protocol_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.config.HTTP_PROTOCOLS", {})
    connections.limit()
    config = uvicorn.Config(_app)
    config.load()
    assert config.http_protocol_class is Connection
