"""A TCP proxy on loopback that can swallow, cut and delay data; it runs in a thread with its own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import weakref
from typing import Literal

Mode = Literal["pass", "blackhole", "reset", "slow"]
CHUNK_BYTES = 65_536
LOOP_GRACE_S = 0.1  # seconds, for what the loop still has to do
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER without lingering: close() sends a reset


class Proxy:
    """Forward everything by default. Blackhole: connections stay open, nothing arrives."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._mode: Mode = "pass"
        self._delay = 0.0
        self._open = asyncio.Event()  # cleared while everything is swallowed
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._transports: weakref.WeakSet[asyncio.WriteTransport] = weakref.WeakSet()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = threading.Event()
        self.port = 0
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        self._started.wait()

    def be(self, mode: Mode, delay: float = 0.0) -> None:
        """Change the mode. `reset` cuts what is open; leaving `blackhole` cuts it too, as a lost route does."""
        asyncio.run_coroutine_threadsafe(self._set_mode(mode, delay), self._loop).result(10)

    def stop(self) -> None:
        """Cut everything and stop listening."""
        self.be("reset")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _set_mode(self, mode: Mode, delay: float) -> None:
        cut = mode == "reset" or self._mode == "blackhole"
        self._mode, self._delay = mode, delay
        (self._open.clear if mode == "blackhole" else self._open.set)()
        for writer in list(self._writers) if cut else ():
            _cut(writer)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=256))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        for transport in self._transports:
            transport.abort()
        self._loop.run_until_complete(
            asyncio.sleep(LOOP_GRACE_S)
        )  # an aborted transport closes its socket a little later
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await self._join(reader, writer)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._transports.add(writer.transport)
        if self._mode == "reset":
            _cut(writer)
            return
        self._writers.add(writer)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            self._forget(writer)
            return
        self._writers.add(there_writer)
        self._transports.add(there_writer.transport)
        await asyncio.gather(self._pump(reader, there_writer), self._pump(there_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                if self._mode == "slow":
                    await asyncio.sleep(self._delay)
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        self._forget(writer)

    def _forget(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()


def _cut(writer: asyncio.StreamWriter) -> None:
    end: socket.socket | None = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        if end is not None:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
