"""The emulators' processes, one of each engine, for the tests beside this."""
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import urllib.parse

EMULATOR = pathlib.Path(__file__).resolve().parent / "emulator.py"
ENGINES = ["vllm", "vllm-ascend", "sglang", "mindie", "llama-server", "ollama", "openai"]
PATIENCE_S = 60
HELLO = [{"role": "user", "content": "Hi"}]
ADD = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]


class Emulated:
    """An emulator's process, and what a client does with it."""

    def __init__(self, engine, *more):
        self.process = subprocess.Popen(
            [sys.executable, str(EMULATOR), "--engine", engine, "--model", "m", "--token-ms", "0",
             "--first-token-ms", "0", *more], stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.address = urllib.parse.urlsplit(self.url)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def exchange(self, method, path, body=None, headers=()):
        """(status, headers, text); the headers' names in lower case."""
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port,
                                                timeout=PATIENCE_S)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"content-type": "application/json", **dict(headers)})
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read().decode()
        finally:
            connection.close()

    def get(self, path):
        return json.loads(self.exchange("GET", path)[2])

    def post(self, path, **body):
        return self.exchange("POST", path, body)

    def chat(self, **body):
        return self.post("/v1/chat/completions", **{"model": "m", "messages": HELLO, **body})

    def complete(self, **body):
        return self.post("/v1/completions", **{"model": "m", "prompt": "Hi", **body})

    def stream(self, **body):
        """The events' data, parsed but for [DONE]."""
        return events_of(self.chat(stream=True, **body)[2])

    def faults(self, **faults):
        status, _, text = self.post("/_emulator/faults", **faults)
        assert status == 200, text

    def open_socket(self, body):
        """A request that is sent; its answer is not read yet."""
        data = json.dumps({"model": "m", "messages": HELLO, **body}).encode()
        client = socket.create_connection((self.address.hostname, self.address.port), PATIENCE_S)
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: e\r\ncontent-type: "
                       b"application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(data), data))
        return client

    def wait_for_state(self, **wanted):
        """Until the counts are these; a request to the emulator lets it go on."""
        for _ in range(100_000):
            state = self.get("/_emulator/state")
            if all(state[name] == count for name, count in wanted.items()):
                return
        raise AssertionError(f"{state} is not {wanted}")


def events_of(text):
    found = []
    for line in text.split("\n\n"):
        if line.startswith("data: "):
            data = line.removeprefix("data: ")
            found.append(data if data == "[DONE]" else json.loads(data))
    return found


def normal(value):
    """Texts to compare: as JSON with the fields in their order, ids and times made equal."""
    if isinstance(value, str):
        return value
    text = json.dumps(value, separators=(",", ":"))
    text = re.sub(r'"id":"(chatcmpl-|cmpl-|endpoint_common_)?[0-9a-f]{1,40}"', '"id":"ID"', text)
    text = re.sub(r'"id":"(chatcmpl-tool-|call_)[0-9a-f]{8,32}"', r'"id":"\1ID"', text)
    return re.sub(r'"created":\d+', '"created":0', text)


def golden(text):
    """One expected event a line; lines that begin with a space go on."""
    return re.sub(r"\n +", "", text.strip()).split("\n")


RUNNING = {}


def setUpModule():
    for engine in ENGINES:
        RUNNING[engine] = Emulated(engine)


def tearDownModule():
    for emulated in RUNNING.values():
        emulated.stop()
