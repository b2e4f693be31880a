"""HTTP/1.1 as far as the emulator needs it: keep-alive, chunked answers, and to notice at once that
a client went away."""
import asyncio
import json
import socket
import struct
import urllib.parse

REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
           405: "Method Not Allowed", 413: "Payload Too Large", 422: "Unprocessable Entity",
           424: "Failed Dependency", 429: "Too Many Requests", 500: "Internal Server Error",
           501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable"}


class ClientGone(Exception):
    """The client closed the connection before its answer was complete."""


class HttpRequest:
    def __init__(self, method, target, headers, body):
        self.method = method
        self.path, _, query = target.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        self.headers = headers  # names in lower case
        self.body = body

    def json(self):
        return json.loads(self.body or b"{}")


class Connection:
    """A client. A task of its own reads all the time, so that an end is seen while answering."""

    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._buffer = bytearray()
        self._arrived = asyncio.Event()
        self.gone = asyncio.Event()
        self.close_after = False
        self._pump = asyncio.create_task(self._read_all())

    async def _read_all(self):
        try:
            while data := await self._reader.read(65536):
                self._buffer += data
                self._arrived.set()
        except (ConnectionError, OSError):
            pass
        self.gone.set()
        self._arrived.set()

    async def _more(self):
        if self.gone.is_set():
            raise ClientGone()
        self._arrived.clear()
        await self._arrived.wait()

    async def _take_until(self, end):
        while end not in self._buffer:
            await self._more()
        at = self._buffer.index(end)
        taken = bytes(self._buffer[:at])
        del self._buffer[:at + len(end)]
        return taken

    async def _take(self, count):
        while len(self._buffer) < count:
            await self._more()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def read_request(self):
        """The next request. ClientGone when there is none."""
        head = (await self._take_until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, version = head[0].split(" ", 2)
        headers = {}
        for line in head[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        connection = headers.get("connection", "").lower()
        self.close_after = connection == "close" or (version == "HTTP/1.0" and
                                                     connection != "keep-alive")
        if headers.get("expect", "").lower() == "100-continue":
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return HttpRequest(method, target, headers, await self._chunked_body())
        return HttpRequest(method, target, headers,
                           await self._take(int(headers.get("content-length", 0))))

    async def _chunked_body(self):
        body = b""
        while size := int((await self._take_until(b"\r\n")).split(b";")[0], 16):
            body += await self._take(size)
            await self._take(2)
        while await self._take_until(b"\r\n"):
            pass
        return body

    async def write(self, data):
        if self.gone.is_set():
            raise ClientGone()
        try:
            self._writer.write(data)
            await self._writer.drain()
        except (ConnectionError, OSError) as error:
            raise ClientGone() from error

    async def head(self, status, headers):
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if self.close_after and not any(name.lower() == "connection" for name, _ in headers):
            lines.append("connection: close")
        await self.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def answer(self, status, headers, body):
        await self.head(status, [*headers, ("content-length", str(len(body)))])
        await self.write(body)

    async def chunk(self, data):
        await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def last_chunk(self):
        await self.write(b"0\r\n\r\n")

    async def wait(self, seconds):
        """Sleeps, unless the client goes: ClientGone then. None: until it goes."""
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise ClientGone()

    def reset(self):
        """Ends the connection with RST in place of FIN."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self):
        self._pump.cancel()
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except (ConnectionError, OSError):
            pass
