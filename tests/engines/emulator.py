#!/usr/bin/env python3
"""One engine's HTTP server, without a model: it frames its answers as that engine does, and fails when
it is told to. What it says is in answers.py, how each engine says it in engine_*.py.

    emulator.py --engine vllm --port 0 --model NAME [--api-key K] [--token-ms 5] [--first-token-ms 5]

prints one line of JSON, {"url": ...}, when it listens. Besides the engine's routes:

    GET  /_emulator/requests?last=N   the last N request bodies, oldest first, with path and headers
    GET  /_emulator/state             how many requests are open, finished, cancelled, refused, broken
    POST /_emulator/faults            what shall go wrong; {} ends it. With "count", so often only:
        {"status": 503, "count": 3, "retry_after": 1}   that status, with or without retry-after
        {"overloaded": true}          what the engine itself answers when too many requests wait
        {"break_after_tokens": 4}     the connection ends there
        {"error_after_tokens": 4}     the engine's way to say that a stream failed
        {"stall_after_tokens": 2}     nothing more comes, until the faults change
        {"stall_before_first": true}  not even the headers come
        {"reset": true}               RST in place of an answer
        {"garbage": true}             200 with what is no JSON
        {"slow_factor": 10}           everything takes so many times as long
        {"pings": 2}                  so many comment lines before a stream's first event
        {"health": 503}               only health checks and the list of models fail
"""
import argparse
import asyncio
import collections
import email.utils
import json
import pathlib
import ssl
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from engine import Options, Refused, dumps  # noqa: E402
from engine_llama_server import LlamaServer  # noqa: E402
from engine_mindie import Mindie  # noqa: E402
from engine_ollama import Ollama  # noqa: E402
from engine_openai import OpenAi  # noqa: E402
from engine_sglang import Sglang  # noqa: E402
from engine_vllm import Vllm, VllmAscend  # noqa: E402
from http11 import ClientGone, Connection  # noqa: E402

ENGINES = {e.name: e for e in (Vllm, VllmAscend, Sglang, Mindie, LlamaServer, Ollama, OpenAi)}
HEALTH_ROUTES = {"/", "/health", "/v1/health", "/health_generate", "/v2/health/live",
                 "/v2/health/ready", "/v1/models"}
GENERATIONS = {"/v1/chat/completions": True, "/v1/completions": False}
FAULTS = {"status", "count", "retry_after", "overloaded", "break_after_tokens", "error_after_tokens",
          "stall_after_tokens", "stall_before_first", "reset", "garbage", "slow_factor", "pings",
          "health"}
REQUESTS_KEPT = 1000


class Broken(Exception):
    """The emulator itself ended the connection, because of a fault."""


class Emulator:
    def __init__(self, engine, token_ms, first_token_ms, chunk_bytes):
        self.engine = engine
        self.token_s, self.first_token_s = token_ms / 1000, first_token_ms / 1000
        self.chunk_bytes = chunk_bytes
        self.faults = {}
        self.requests = collections.deque(maxlen=REQUESTS_KEPT)
        self.counts = dict.fromkeys(("open", "finished", "cancelled", "refused", "broken",
                                     "connections"), 0)
        self.routes = engine.routes()

    # Connections.

    async def serve(self, reader, writer):
        connection = Connection(reader, writer)
        self.counts["connections"] += 1
        try:
            while True:
                request = await connection.read_request()
                connection.close_after |= self.engine.closes_connections
                await self.dispatch(connection, request)
                if connection.close_after:
                    break
        except (ClientGone, Broken):
            pass
        finally:
            self.counts["connections"] -= 1
            await connection.close()

    async def dispatch(self, connection, request):
        if request.path.startswith("/_emulator/"):
            return await self.control(connection, request)
        if self.engine.needs_key(request.path) and not self.has_key(request):
            return await self.refuse(connection, self.engine.refuse_unauthorized)
        if "health" in self.faults and request.path in HEALTH_ROUTES:
            status = self.faults["health"]
            return await self.answer(connection, status, self.engine.json_type,
                                     dumps(self.engine.error_body(status, "unhealthy")))
        if request.method == "POST" and request.path in GENERATIONS:
            return await self.generate(connection, request, GENERATIONS[request.path])
        route = self.routes.get((request.method, request.path))
        if not route:
            return await self.answer(connection, 404, self.engine.json_type,
                                     dumps(self.engine.error_body(404, "Not Found")))
        try:
            await self.answer(connection, *route(request))
        except Refused as refused:
            await self.answer(connection, refused.status, self.engine.json_type, dumps(refused.body))

    def has_key(self, request):
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and key == self.engine.options.api_key

    def headers(self, content_type):
        headers = [("date", email.utils.formatdate(usegmt=True)), *self.engine.server_headers]
        if self.engine.closes_connections:
            headers.append(("Connection", "close"))
        return headers + ([("content-type", content_type)] if content_type else [])

    async def answer(self, connection, status, content_type, text, more=()):
        await connection.answer(status, [*self.headers(content_type), *more], text.encode())

    async def refuse(self, connection, how, *arguments, more=()):
        try:
            how(*arguments)
        except Refused as refused:
            await self.answer(connection, refused.status, self.engine.json_type, dumps(refused.body),
                              [*refused.headers, *more])

    # What tests see and set.

    async def control(self, connection, request):
        what = request.path.removeprefix("/_emulator/")
        if (request.method, what) == ("GET", "requests"):
            last = int(request.query.get("last", REQUESTS_KEPT))
            return await self.answer(connection, 200, "application/json",
                                     json.dumps(list(self.requests)[-last:]))
        if (request.method, what) == ("GET", "state"):
            return await self.answer(connection, 200, "application/json", json.dumps(self.counts))
        if (request.method, what) == ("POST", "faults"):
            faults = request.json()
            if unknown := set(faults) - FAULTS:
                return await self.answer(connection, 400, "application/json",
                                         json.dumps({"error": f"no such fault: {sorted(unknown)}"}))
            self.faults = faults
            return await self.answer(connection, 200, "application/json", "{}")
        await self.answer(connection, 404, "application/json", '{"error": "no such control"}')

    def faults_of_this_request(self):
        """Those that are set, one less of their count."""
        faults = self.faults
        if "count" in faults:
            faults["count"] -= 1
            if faults["count"] <= 0:
                self.faults = {}
        return faults

    # Generations.

    async def generate(self, connection, request, chat):
        self.counts["open"] += 1
        self.engine.running += 1
        end = "broken"
        try:
            end = await self.generate_with_faults(connection, request, chat)
        except ClientGone:
            end = "cancelled"
            raise
        finally:
            self.counts["open"] -= 1
            self.counts[end] += 1
            self.engine.running -= 1

    async def generate_with_faults(self, connection, request, chat):
        """Returns the name of what is counted."""
        try:
            body = request.json()
        except ValueError:
            await self.refuse(connection, self.engine.refuse, 400, "The body is not JSON")
            return "refused"
        self.requests.append({"path": request.path, "headers": request.headers, "body": body})
        faults = self.faults_of_this_request()
        if faults.get("reset"):
            connection.reset()
            raise Broken()
        if faults.get("stall_before_first"):
            await self.stall(connection)
        if "status" in faults or faults.get("overloaded"):
            await self.fail(connection, faults, body)
            return "refused"
        if faults.get("garbage"):
            await self.garble(connection, body)
            raise Broken()
        try:
            generation = self.engine.generate(body, chat)
        except Refused as refused:
            await self.answer(connection, refused.status, self.engine.json_type, dumps(refused.body),
                              refused.headers)
            return "refused"
        how = self.stream if body.get("stream") else self.whole
        await how(connection, generation, faults)
        return "finished"

    async def fail(self, connection, faults, body):
        more = [("retry-after", str(faults["retry_after"]))] if "retry_after" in faults else []
        if faults.get("overloaded"):
            if body.get("stream") and self.engine.overloaded_stream:
                return await self.begin_and_end_stream(connection, self.engine.overloaded_stream())
            return await self.refuse(connection, self.engine.refuse_overload, more=more)
        await self.refuse(connection, self.engine.refuse, faults["status"], "as the test wanted",
                          more=more)

    async def garble(self, connection, body):
        connection.close_after = True
        if not body.get("stream"):
            return await self.answer(connection, 200, self.engine.json_type, '{"choices": [{"mess')
        await self.begin_and_end_stream(connection, 'data: {"choices": [{"del\n\n')

    async def begin_and_end_stream(self, connection, text):
        await connection.head(200, [*self.headers(self.engine.stream_type),
                                    ("transfer-encoding", "chunked")])
        await self.write_chunk(connection, text)
        await connection.last_chunk()

    async def stall(self, connection):
        """Until the client goes, or a test sets other faults."""
        faults = self.faults
        while self.faults is faults:
            await connection.wait(0.01)

    async def write_chunk(self, connection, text):
        data = text.encode()
        size = self.chunk_bytes or len(data)
        for at in range(0, len(data), size):
            await connection.chunk(data[at:at + size])
            if self.chunk_bytes:
                await asyncio.sleep(0)

    async def at_token(self, connection, i, faults):
        """What goes wrong before token `i` is sent."""
        if faults.get("break_after_tokens") == i:
            raise Broken()
        if faults.get("stall_after_tokens") == i:
            await self.stall(connection)

    async def stream(self, connection, g, faults):
        slow = faults.get("slow_factor", 1)
        await connection.wait(self.first_token_s * slow)
        await connection.head(200, [*self.headers(self.engine.stream_type),
                                    ("transfer-encoding", "chunked")])
        for _ in range(faults.get("pings", 0)):
            await self.write_chunk(connection, ":\n\n")
        for text in self.engine.opening(g):
            await self.write_chunk(connection, text)
        steps = [self.engine.step(g, i) for i in range(len(g.answer.tokens))]
        for i, texts in enumerate([*steps, self.engine.closing(g)]):
            await self.at_token(connection, i, faults)
            if faults.get("error_after_tokens") == i:
                texts = [self.engine.mid_stream_error(g, "it failed")]
            for text in texts:
                await self.write_chunk(connection, text)
            if faults.get("error_after_tokens") == i:
                break
            if i < len(steps):
                await connection.wait(self.token_s * slow)
        await connection.last_chunk()

    async def whole(self, connection, g, faults):
        slow = faults.get("slow_factor", 1)
        await connection.wait(self.first_token_s * slow)
        text = dumps(self.engine.whole(g))
        if "break_after_tokens" in faults:
            await connection.head(200, [*self.headers(self.engine.json_type),
                                        ("content-length", str(len(text.encode())))])
            await connection.write(text.encode()[:len(text) // 2])
            raise Broken()
        if "error_after_tokens" in faults:
            return await self.refuse(connection, self.engine.refuse, 500, "it failed")
        if "stall_after_tokens" in faults:
            await self.stall(connection)
        await connection.wait(self.token_s * slow * len(g.answer.tokens))
        await self.answer(connection, 200, self.engine.json_type, text)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--engine", choices=sorted(ENGINES), required=True)
    parser.add_argument("--model", required=True, help="its name on the wire")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--api-key", default="")
    parser.add_argument("--token-ms", type=float, default=5)
    parser.add_argument("--first-token-ms", type=float, default=5)
    parser.add_argument("--context-length", type=int, default=4096)
    parser.add_argument("--cached-tokens", type=int, default=-1,
                        help="reported of every prompt, where the engine reports it")
    parser.add_argument("--labels", default=",".join(Options.labels),
                        help="what a probing prompt may be answered with")
    parser.add_argument("--hide-labels", nargs="?", const="qa,math", default="",
                        help="labels that the returned distribution leaves out (qa,math)")
    parser.add_argument("--legacy", action="store_true", help="the engine's older shapes")
    parser.add_argument("--chunk-bytes", type=int, default=0,
                        help="streams are cut in HTTP chunks of so many bytes")
    parser.add_argument("--cert", help="PEM; then it speaks TLS")
    parser.add_argument("--key", help="PEM; without it the key is in --cert")
    parser.add_argument("--client-ca", help="PEM; then clients must show a certificate of its")
    return parser.parse_args(arguments)


async def main(arguments):
    options = Options(
        model=arguments.model, api_key=arguments.api_key, context_length=arguments.context_length,
        cached_tokens=arguments.cached_tokens, labels=tuple(arguments.labels.split(",")),
        hidden_labels=tuple(filter(None, arguments.hide_labels.split(","))), legacy=arguments.legacy)
    emulator = Emulator(ENGINES[arguments.engine](options), arguments.token_ms,
                        arguments.first_token_ms, arguments.chunk_bytes)
    context = None
    if arguments.cert:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(arguments.cert, arguments.key)
    if arguments.client_ca:
        context.load_verify_locations(arguments.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    server = await asyncio.start_server(emulator.serve, arguments.host, arguments.port, ssl=context)
    port = server.sockets[0].getsockname()[1]
    scheme = "https" if context else "http"
    print(json.dumps({"url": f"{scheme}://{arguments.host}:{port}"}), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main(parse_arguments(sys.argv[1:])))
    except KeyboardInterrupt:
        pass
