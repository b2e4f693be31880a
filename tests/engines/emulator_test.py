#!/usr/bin/env python3
"""The emulated engines answer and fail as docs/engines.md says that the engines do.

    python3 tests/engines/emulator_test.py
"""
import http.client
import json
import re
import select
import unittest

import shapes_test
from emulated import (
    EMULATOR, ENGINES, HELLO, PATIENCE_S, RUNNING, Emulated, normal, setUpModule, tearDownModule)


def load_tests(loader, tests, _pattern):
    tests.addTests(loader.loadTestsFromModule(shapes_test))
    return tests


class Documentation(unittest.TestCase):
    def test_each_reference_of_the_emulators_is_in_the_document(self):
        folder = EMULATOR.parent
        page = (folder.parents[1] / "docs" / "engines.md").read_text()
        listed = set(re.findall(r"^\[([a-z]\d+)\]: http", page, re.M))
        for path in folder.glob("engine_*.py"):
            cited = set(re.findall(r"\[([vsmlop]\d+)\]", path.read_text()))
            self.assertTrue(cited, path)
            self.assertEqual(cited - listed, set(), path)


class Probing(unittest.TestCase):
    """One token is asked for, with log-probabilities."""

    def first(self, emulated, text, **body):
        answer = json.loads(emulated.chat(max_tokens=1, logprobs=True, top_logprobs=5, messages=[
            {"role": "user", "content": text}], **body)[2])
        return answer["choices"][0]["logprobs"]["content"][0]

    def test_the_label_follows_from_the_message(self):
        for engine in ENGINES:
            for text, label in (("Write a python function", "code"), ("def f(x):", "code"),
                                ("How many eggs are left?", "math"), ("12 and 5", "math"),
                                ("Which river is longest?", "qa"),
                                ("code, qa or math?\nWhich river is longest?", "qa")):
                entry = self.first(RUNNING[engine], text)
                self.assertEqual(entry["token"], label, (engine, text))
                self.assertEqual(bytes(entry["bytes"]).decode(), label)
                self.assertEqual({"code", "qa", "math"} - {e["token"] for e in entry["top_logprobs"]},
                                 set())

    def test_labels_can_be_hidden(self):
        hiding = Emulated("sglang", "--hide-labels", "qa,math")
        self.addCleanup(hiding.stop)
        tokens = [e["token"] for e in self.first(hiding, "def f(x):")["top_logprobs"]]
        self.assertEqual((tokens[0], {"qa", "math"} & set(tokens), len(tokens)), ("code", set(), 5))

    def ids(self, emulated, *texts):
        return [json.loads(emulated.post("/tokenize", model="m", prompt=t, content=t)[2])["tokens"][0]
                for t in texts]

    def test_restricted_tokens(self):
        """vLLM and llama-server report what was before the restriction, SGLang what was after it."""
        vllm, sglang, server = RUNNING["vllm"], RUNNING["sglang"], RUNNING["llama-server"]
        question = "Which river is longest?"
        for entry in (self.first(vllm, question, structured_outputs={"choice": ["code", "math"]}),
                      self.first(vllm, question, guided_choice=["code", "math"]),
                      self.first(vllm, question, allowed_token_ids=self.ids(vllm, "code", "math")),
                      self.first(server, question, grammar='root ::= "code" | "math"')):
            self.assertIn(entry["token"], ("code", "math"))
            self.assertIn("qa", [e["token"] for e in entry["top_logprobs"]])
            self.assertLess(entry["logprob"], -2)
        bias = dict.fromkeys(map(str, self.ids(sglang, "code", "math")), 100)
        for entry in (self.first(sglang, question, regex="(code|math)"),
                      self.first(sglang, question, ebnf='root ::= "code" | "math"'),
                      self.first(sglang, question, logit_bias=bias)):
            self.assertEqual([e["token"] for e in entry["top_logprobs"]], ["code", "math"])
            self.assertGreater(entry["logprob"], -1)

    def test_vllm_gives_named_tokens_alone(self):
        vllm = RUNNING["vllm"]
        ids = self.ids(vllm, "code", "qa", "math")
        entry = self.first(vllm, "def f(x):", logprob_token_ids=ids)
        self.assertEqual([e["token"] for e in entry["top_logprobs"]], ["code", "qa", "math"])

    def test_completions_have_parallel_arrays(self):
        for engine in ("vllm", "sglang", "mindie", "openai"):
            logprobs = json.loads(RUNNING[engine].complete(
                prompt="def f(x):", max_tokens=1, logprobs=3)[2])["choices"][0]["logprobs"]
            self.assertEqual(list(logprobs), ["text_offset", "token_logprobs", "tokens",
                                              "top_logprobs"], engine)
            self.assertEqual((logprobs["tokens"], set(logprobs["top_logprobs"][0])),
                             (["code"], {"code", "qa", "math"}))


class Answering(unittest.TestCase):
    """What all engines share, and what tests can make them do."""

    def test_formats_are_kept_and_the_request_can_be_seen(self):
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        format_ = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
        for engine in ENGINES:
            answer = json.loads(RUNNING[engine].chat(response_format=format_)[2])
            self.assertEqual(json.loads(answer["choices"][0]["message"]["content"]), {"n": 1})
            seen = RUNNING[engine].get("/_emulator/requests?last=1")[0]
            self.assertEqual((seen["path"], seen["body"]["response_format"]),
                             ("/v1/chat/completions", format_))

    def test_stop_strings_and_lengths(self):
        for engine in ENGINES:
            for body, text, finish in (({"stop": ["Hi"]}, "Echo: ", "stop"),
                                       ({"max_tokens": 1}, "Echo:", "length"),
                                       ({}, "Echo: Hi.", "stop")):
                choice = json.loads(RUNNING[engine].chat(**body)[2])["choices"][0]
                self.assertEqual((choice["message"]["content"], choice["finish_reason"]),
                                 (text, finish), (engine, body))

    def test_connections_are_kept(self):
        for engine in set(ENGINES) - {"mindie"}:
            connection = http.client.HTTPConnection(RUNNING[engine].address.netloc, timeout=PATIENCE_S)
            for stream in (False, True, False):
                connection.request("POST", "/v1/chat/completions", json.dumps(
                    {"model": "m", "messages": HELLO, "stream": stream}))
                before = connection.sock
                self.assertEqual(connection.getresponse().read()[:1] in (b"{", b"d"), True)
                self.assertIs(connection.sock, before, engine)
            connection.close()

    def test_cached_tokens(self):
        for engine in ENGINES:
            emulated = Emulated(engine, "--cached-tokens", "5")
            usage = json.loads(emulated.chat()[2])["usage"]
            emulated.stop()
            if engine == "ollama":
                self.assertNotIn("prompt_tokens_details", usage)
            else:
                self.assertEqual(usage["prompt_tokens_details"]["cached_tokens"], 5, engine)

    def test_streams_cut_anywhere_are_the_same_stream(self):
        cut = Emulated("sglang", "--chunk-bytes", "7")
        self.addCleanup(cut.stop)
        self.assertEqual([normal(e) for e in cut.stream()],
                         [normal(e) for e in RUNNING["sglang"].stream()])


class Faults(unittest.TestCase):
    def setUp(self):
        self.emulated = Emulated("vllm")
        self.addCleanup(self.emulated.stop)

    def test_a_status_as_often_as_asked(self):
        self.emulated.faults(status=503, count=2, retry_after=1)
        answers = [self.emulated.chat() for _ in range(3)]
        self.assertEqual([a[0] for a in answers], [503, 503, 200])
        self.assertEqual(answers[0][1]["retry-after"], "1")
        self.assertEqual(json.loads(answers[0][2])["error"]["code"], 503)

    def test_faults_end_when_cleared(self):
        self.emulated.faults(status=500)
        self.assertEqual(self.emulated.chat()[0], 500)
        self.emulated.faults()
        self.assertEqual(self.emulated.chat()[0], 200)

    def test_unknown_faults_are_refused(self):
        self.assertEqual(self.emulated.post("/_emulator/faults", nonsense=1)[0], 400)

    def test_a_connection_breaks_after_tokens(self):
        self.emulated.faults(break_after_tokens=1, count=1)
        with self.assertRaises(http.client.IncompleteRead) as raised:
            self.emulated.chat(stream=True)
        self.assertIn(b"Echo:", raised.exception.partial)
        self.assertNotIn(b"Hi.", raised.exception.partial)
        self.emulated.faults(break_after_tokens=0, count=1)
        with self.assertRaises(http.client.IncompleteRead):
            self.emulated.chat()
        self.emulated.wait_for_state(broken=2, open=0)

    def test_a_client_that_leaves_a_stalled_stream_is_counted(self):
        self.emulated.faults(stall_after_tokens=1)
        client = self.emulated.open_socket({"stream": True})
        received = b""
        while b"Echo:" not in received:
            received += client.recv(4096)
        self.emulated.wait_for_state(open=1, cancelled=0)
        self.assertEqual(select.select([client], [], [], 0)[0], [])
        client.close()
        self.emulated.wait_for_state(open=0, cancelled=1)

    def test_a_stall_ends_with_the_fault(self):
        self.emulated.faults(stall_before_first=True)
        client = self.emulated.open_socket({})
        self.emulated.wait_for_state(open=1)
        self.emulated.faults()
        self.assertTrue(client.recv(4096).startswith(b"HTTP/1.1 200"))
        client.close()

    def test_reset(self):
        self.emulated.faults(reset=True, count=1)
        with self.assertRaises(ConnectionResetError):
            self.emulated.chat()
        self.assertEqual(self.emulated.chat()[0], 200)

    def test_garbage(self):
        self.emulated.faults(garbage=True)
        for stream in (False, True):
            status, _, text = self.emulated.chat(stream=stream)
            self.assertEqual(status, 200)
            with self.assertRaises(ValueError):
                json.loads(text.removeprefix("data: "))

    def test_pings_are_comments(self):
        self.emulated.faults(pings=2, count=1)
        self.assertTrue(self.emulated.chat(stream=True)[2].startswith(":\n\n:\n\ndata: {"))

    def test_health_alone(self):
        self.emulated.faults(health=503)
        self.assertEqual([self.emulated.exchange("GET", p)[0] for p in ("/health", "/v1/models")],
                         [503, 503])
        self.assertEqual(self.emulated.chat()[0], 200)


if __name__ == "__main__":
    unittest.main()
