"""What an emulated engine answers is, field by field, what docs/engines.md says of the engine.

The expected texts are written from that document's sources, not taken from the emulator. IDs and times
are compared as "ID" and 0. Run by emulator_test.py.
"""
import json
import unittest

from emulated import (
    ADD, RUNNING, Emulated, events_of, golden, normal, setUpModule, tearDownModule)


class Shapes(unittest.TestCase):
    maxDiff = None

    def check_stream(self, engine, expected, **body):
        self.assertEqual([normal(e) for e in RUNNING[engine].stream(**body)], golden(expected))

    def check_text_stream(self, engine, expected, **body):
        text = RUNNING[engine].complete(stream=True, **body)[2]
        self.assertEqual([normal(e) for e in events_of(text)], golden(expected))

    def check_whole(self, answer, expected):
        status, _, text = answer
        self.assertEqual(status, 200, text)
        self.assertEqual(normal(json.loads(text)), golden(expected)[0])

    def check_refused(self, answer, status, expected):
        self.assertEqual((answer[0], answer[2]), (status, golden(expected)[0]))


class VllmShapes(Shapes):
    CHUNK = '{"id":"ID","object":"chat.completion.chunk","created":0,"model":"m","choices":'

    def test_chat_stream(self):
        expected = f"""
{self.CHUNK}[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,
 "finish_reason":null}}],"prompt_token_ids":null,"prompt_text":null}}
{self.CHUNK}[{{"index":0,"delta":{{"content":"Echo:"}},"logprobs":null,"finish_reason":null,
 "token_ids":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"content":" Hi."}},"logprobs":null,"finish_reason":null,
 "token_ids":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"content":""}},"logprobs":null,"finish_reason":"stop",
 "stop_reason":null,"token_ids":null}}]}}
{self.CHUNK}[],"usage":{{"prompt_tokens":8,"total_tokens":11,"completion_tokens":3}}}}
[DONE]"""
        for engine in ("vllm", "vllm-ascend"):
            self.check_stream(engine, expected, stream_options={"include_usage": True})

    def test_what_ends_by_length_ends_with_its_last_text(self):
        self.check_stream("vllm", f"""
{self.CHUNK}[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,
 "finish_reason":null}}],"prompt_token_ids":null,"prompt_text":null}}
{self.CHUNK}[{{"index":0,"delta":{{"content":"Echo:"}},"logprobs":null,"finish_reason":"length",
 "stop_reason":null,"token_ids":null}}]}}
[DONE]""", max_tokens=1)

    def test_a_stop_string_is_its_reason(self):
        last = RUNNING["vllm"].stream(stop=["Hi"])[-2]["choices"][0]
        self.assertEqual((last["finish_reason"], last["stop_reason"]), ("stop", "Hi"))

    def test_chat(self):
        self.check_whole(RUNNING["vllm"].chat(), """
{"id":"ID","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":
 {"role":"assistant","content":"Echo: Hi.","refusal":null,"annotations":null,"audio":null,
 "function_call":null,"reasoning":null},"logprobs":null,"finish_reason":"stop","stop_reason":null,
 "token_ids":null,"routed_experts":null}],"service_tier":null,"system_fingerprint":null,
 "usage":{"prompt_tokens":8,"total_tokens":11,"completion_tokens":3,"prompt_tokens_details":null},
 "prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":null,
 "ec_transfer_params":null,"metrics":null}""")

    def test_completion_stream(self):
        chunk = '{"id":"ID","object":"text_completion","created":0,"model":"m","choices":'
        self.check_text_stream("vllm", f"""
{chunk}[{{"index":0,"text":"Echo:","logprobs":null,"finish_reason":null,"stop_reason":null,
 "prompt_token_ids":null,"token_ids":null}}]}}
{chunk}[{{"index":0,"text":" Hi.","logprobs":null,"finish_reason":null,"stop_reason":null,
 "prompt_token_ids":null,"token_ids":null}}]}}
{chunk}[{{"index":0,"text":"","logprobs":null,"finish_reason":"stop","stop_reason":null,
 "prompt_token_ids":null,"token_ids":null}}]}}
[DONE]""")

    def test_tool_call_stream(self):
        self.check_stream("vllm", f"""
{self.CHUNK}[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,
 "finish_reason":null}}],"prompt_token_ids":null,"prompt_text":null}}
{self.CHUNK}[{{"index":0,"delta":{{"tool_calls":[{{"id":"chatcmpl-tool-ID","type":"function",
 "index":0,"function":{{"name":"add"}}}}]}},"logprobs":null,"finish_reason":null,"token_ids":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":
 {{"arguments":"{{\\"text\\":"}}}}]}},"logprobs":null,"finish_reason":null,"token_ids":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":
 {{"arguments":" \\"call"}}}}]}},"logprobs":null,"finish_reason":null,"token_ids":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"tool_calls":[{{"index":0,"function":
 {{"arguments":" add\\"}}"}}}}]}},"logprobs":null,"finish_reason":null,"token_ids":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"tool_calls",
 "stop_reason":null,"token_ids":null}}]}}
[DONE]""", tools=ADD, messages=[{"role": "user", "content": "call add"}])

    def test_errors(self):
        vllm = RUNNING["vllm"]
        self.check_refused(vllm.chat(model="x"), 404, """
{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model",
 "code":404}}""")
        self.check_refused(vllm.chat(max_tokens=4096), 400, """
{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 4096 
 output tokens and your prompt contains at least 8 input tokens, for a total of at least 4104 tokens. 
 Please reduce the length of the input prompt or the number of requested output tokens.",
 "type":"BadRequestError","param":"input_tokens","code":400}}""")
        self.check_refused(vllm.chat(stream_options={"include_usage": True}), 400, """
{"error":{"message":"Stream options can only be defined when `stream=True`.",
 "type":"BadRequestError","param":"stream_options","code":400}}""")
        self.check_refused(vllm.chat(logprobs=True, top_logprobs=21), 400, """
{"error":{"message":"Requested sample logprobs of 21, which is greater than max allowed: 20",
 "type":"BadRequestError","param":null,"code":400}}""")
        status, _, text = vllm.chat(temperature="hot")
        self.assertEqual((status, json.loads(text)["error"]["type"]), (400, "Bad Request"))

    def test_errors_before_0_10_are_flat(self):
        old = Emulated("vllm", "--legacy")
        self.addCleanup(old.stop)
        self.check_refused(old.chat(model="x"), 404, """
{"object":"error","message":"The model `x` does not exist.","type":"NotFoundError","param":"model",
 "code":404}""")

    def test_an_error_within_a_stream_is_followed_by_done(self):
        RUNNING["vllm"].faults(error_after_tokens=1, count=1)
        error, done = RUNNING["vllm"].stream()[-2:]
        self.assertEqual(list(error["error"]), ["message", "type", "param", "code"])
        self.assertEqual(done, "[DONE]")

    def test_other_routes(self):
        vllm = RUNNING["vllm"]
        self.assertEqual(vllm.exchange("GET", "/health")[::2], (200, ""))
        card = vllm.get("/v1/models")["data"][0]
        self.assertEqual((card["id"], card["owned_by"], card["max_model_len"]), ("m", "vllm", 4096))
        tokens = json.loads(vllm.post("/tokenize", model="m", prompt="Hi you")[2])
        self.assertEqual((tokens["count"], tokens["max_model_len"], tokens["token_strs"]),
                         (2, 4096, None))
        self.assertEqual(vllm.post("/detokenize", model="m", tokens=tokens["tokens"])[2],
                         '{"prompt":"Hi you"}')
        self.assertIn('vllm:num_requests_running{engine="0",model_name="m"} 0.0',
                      vllm.exchange("GET", "/metrics")[2])

    def test_its_keys_guard_v1_alone(self):
        guarded = Emulated("vllm", "--api-key", "secret")
        self.addCleanup(guarded.stop)
        self.check_refused(guarded.chat(), 401, '{"error":"Unauthorized"}')
        self.assertEqual(guarded.exchange("GET", "/health")[0], 200)
        answer = guarded.exchange("GET", "/v1/models", None, {"authorization": "Bearer secret"})
        self.assertEqual(answer[0], 200)


class SglangShapes(Shapes):
    CHUNK = '{"id":"ID","object":"chat.completion.chunk","created":0,"model":"m","choices":'

    def test_chat_stream(self):
        self.check_stream("sglang", f"""
{self.CHUNK}[{{"index":0,"delta":{{"reasoning_content":null,"role":"assistant","content":""}},
 "logprobs":null,"finish_reason":null,"matched_stop":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"reasoning_content":null,"content":"Echo:"}},"logprobs":null,
 "finish_reason":null,"matched_stop":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"reasoning_content":null,"content":" Hi."}},"logprobs":null,
 "finish_reason":null,"matched_stop":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"reasoning_content":null}},"logprobs":null,
 "finish_reason":"stop","matched_stop":2}}]}}
{self.CHUNK}[],"usage":{{"prompt_tokens":8,"total_tokens":11,"completion_tokens":3,
 "prompt_tokens_details":null,"reasoning_tokens":0}}}}
[DONE]""", stream_options={"include_usage": True})

    def test_older_streams_send_every_null(self):
        old = Emulated("sglang", "--legacy")
        self.addCleanup(old.stop)
        self.assertEqual(normal(old.stream()[1]), golden(f"""
{self.CHUNK}[{{"index":0,"delta":{{"role":null,"content":"Echo:","reasoning_content":null,
 "tool_calls":null}},"logprobs":null,"finish_reason":null,"matched_stop":null}}],"usage":null}}""")[0])

    def test_chat(self):
        self.check_whole(RUNNING["sglang"].chat(), """
{"id":"ID","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":
 {"role":"assistant","content":"Echo: Hi.","reasoning_content":null,"tool_calls":null},
 "logprobs":null,"finish_reason":"stop","matched_stop":2}],"usage":{"prompt_tokens":8,
 "total_tokens":11,"completion_tokens":3,"prompt_tokens_details":null,"reasoning_tokens":0},
 "metadata":{"weight_version":"default"}}""")

    def test_tool_call_stream(self):
        deltas = [e["choices"][0]["delta"] for e in RUNNING["sglang"].stream(
            tools=ADD, messages=[{"role": "user", "content": "call add"}])[:-1]]
        nulls = '{"role":null,"content":null,"reasoning_content":null,'
        self.assertEqual([normal(d) for d in deltas[1:3]], golden(f"""
{nulls}"tool_calls":[{{"id":"call_ID","index":0,"type":"function","function":{{"name":"add",
 "arguments":""}}}}]}}
{nulls}"tool_calls":[{{"id":null,"index":0,"type":"function","function":{{"name":null,
 "arguments":"{{\\"text\\":"}}}}]}}"""))

    def test_errors(self):
        sglang = RUNNING["sglang"]
        self.check_refused(sglang.chat(messages=[{"role": "user", "content": "x " * 5000}]), 400, """
{"object":"error","message":"The input (5008 tokens) is longer than the model's context length (4096 
 tokens).","type":"BadRequestError","param":null,"code":400}""")
        sglang.faults(overloaded=True, count=1)
        self.check_refused(sglang.chat(), 503, """
{"object":"error","message":"The request queue is full.","type":"SERVICE_UNAVAILABLE","param":null,
 "code":503}""")

    def test_a_stream_is_refused_after_its_status(self):
        RUNNING["sglang"].faults(overloaded=True, count=1)
        status, _, text = RUNNING["sglang"].chat(stream=True)
        self.assertEqual(status, 200)
        self.assertEqual(text, """\
data: {"error":{"object":"error","message":"The request queue is full.",\
"type":"SERVICE_UNAVAILABLE","param":null,"code":503}}

data: [DONE]

""")

    def test_an_error_within_a_stream_is_the_flat_one_below_error(self):
        RUNNING["sglang"].faults(error_after_tokens=1, count=1)
        error, done = RUNNING["sglang"].stream()[-2:]
        self.assertEqual(list(error["error"]), ["object", "message", "type", "param", "code"])
        self.assertEqual(done, "[DONE]")

    def test_any_model_name_is_answered(self):
        self.assertEqual(json.loads(RUNNING["sglang"].chat(model="x")[2])["model"], "x")

    def test_other_routes(self):
        sglang = RUNNING["sglang"]
        self.assertEqual(sglang.exchange("GET", "/health")[::2], (200, ""))
        self.assertEqual(sglang.get("/v1/models")["data"][0]["max_model_len"], 4096)
        self.assertEqual(list(sglang.get("/get_model_info")),
                         ["model_path", "tokenizer_path", "is_generation",
                          "preferred_sampling_params", "weight_version"])
        tokens = json.loads(sglang.post("/tokenize", model="m", prompt="Hi you")[2])
        self.assertEqual(list(tokens), ["tokens", "count", "max_model_len"])
        self.assertIn('sglang:num_running_reqs{model_name="m"} 0.0',
                      sglang.exchange("GET", "/metrics")[2])


class MindieShapes(Shapes):
    CHUNK = '{"id":"ID","object":"chat.completion.chunk","created":0,"model":"m",'

    def test_chat_stream_has_usage_unasked_and_the_role_each_time(self):
        self.check_stream("mindie", f"""
{self.CHUNK}"choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,
 "finish_reason":null}}]}}
{self.CHUNK}"choices":[{{"index":0,"delta":{{"role":"assistant","content":"Echo:"}},
 "logprobs":null,"finish_reason":null}}]}}
{self.CHUNK}"choices":[{{"index":0,"delta":{{"role":"assistant","content":" Hi."}},
 "logprobs":null,"finish_reason":null}}]}}
{self.CHUNK}"usage":{{"prompt_tokens":8,"prompt_tokens_details":{{"cached_tokens":0}},
 "completion_tokens":2,"completion_tokens_details":{{"reasoning_tokens":0}},"total_tokens":10}},
 "choices":[{{"index":0,"delta":{{"role":"assistant","content":""}},"logprobs":null,
 "finish_reason":"stop"}}]}}
[DONE]""")

    def test_chat(self):  # an example in MindIE-LLM's documentation has these fields and order
        self.check_whole(RUNNING["mindie"].chat(max_tokens=1), """
{"id":"ID","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":
 {"role":"assistant","content":"Echo:","tool_calls":[]},"logprobs":null,"finish_reason":"length"}],
 "usage":{"prompt_tokens":8,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens":1,
 "completion_tokens_details":{"reasoning_tokens":0},"total_tokens":9}}""")

    def test_tool_call_stream(self):
        deltas = [e["choices"][0]["delta"] for e in RUNNING["mindie"].stream(
            tools=ADD, messages=[{"role": "user", "content": "call add"}])[:-1]]
        self.assertEqual([normal(d) for d in deltas[1:3]], golden("""
{"role":"assistant","tool_calls":[{"index":0,"id":"call_ID","type":"function","function":{"name":"add"}}]}
{"role":"assistant","tool_calls":[{"index":0,"function":{"arguments":"{\\"text\\":"}}]}"""))

    def test_errors(self):
        mindie = RUNNING["mindie"]
        self.check_refused(mindie.chat(model="x"), 422, """
{"error":"Model not found","error_type":"Input Validation Error"}""")
        self.check_refused(mindie.complete(model="x"), 422, """
{"error":"Not found given model, please check modelName in config file.",
 "error_type":"Input Validation Error"}""")
        self.check_refused(mindie.chat(logprobs=True, top_logprobs=21), 422, """
{"error":"Parameter top logprobs must be in [0, 20], got 21.","error_type":"Input Validation Error"}""")
        self.check_refused(mindie.complete(logprobs=6), 422, """
{"error":"logprobs should be in range [0, 5], got 6.","error_type":"Input Validation Error"}""")
        status, _, text = mindie.chat(messages=[{"role": "user", "content": "x " * 5000}])
        self.assertEqual((status, json.loads(text)["error_type"]), (424, "Generation Error"))

    def test_an_error_within_a_stream_is_no_event(self):
        RUNNING["mindie"].faults(error_after_tokens=1, count=1)
        text = RUNNING["mindie"].chat(stream=True)[2]
        self.assertRegex(text, r'\n\n\{"error":"[^"]+","error_type":"[^"]+"\}$')
        self.assertNotIn("[DONE]", text)

    def test_connections_are_closed(self):
        self.assertEqual(RUNNING["mindie"].chat()[1]["connection"], "close")

    def test_max_completion_tokens_is_not_read(self):
        self.assertIn('"finish_reason":"stop"', RUNNING["mindie"].chat(max_completion_tokens=1)[2])

    def test_other_routes(self):
        mindie = RUNNING["mindie"]
        for path in ("/health", "/v2/health/live", "/v2/health/ready"):
            self.assertEqual(mindie.exchange("GET", path)[::2], (200, ""))
        self.assertEqual(mindie.get("/v1/models"), {"object": "list", "data": [
            {"id": "m", "object": "model", "root": "m", "owned_by": "MindIE Server",
             "parent": "null"}]})
        self.assertEqual(mindie.post("/v1/tokenizer", inputs="Hi you")[2],
                         '{"token_number":2,"tokens":["Hi"," you"]}')
        self.assertIn('num_requests_running{model_name="m"} 0', mindie.exchange("GET", "/metrics")[2])


class LlamaServerShapes(Shapes):
    END = ('"created":0,"id":"ID","model":"m","system_fingerprint":"b9300-0123abcd",'
           '"object":"chat.completion.chunk"')

    def test_chat_stream(self):
        events = RUNNING["llama-server"].stream(stream_options={"include_usage": True})
        self.assertEqual(list(events[-2].pop("timings")), [
            "cache_n", "prompt_n", "prompt_ms", "prompt_per_token_ms", "prompt_per_second",
            "predicted_n", "predicted_ms", "predicted_per_token_ms", "predicted_per_second"])
        self.assertEqual([normal(e) for e in events], golden(f"""
{{"choices":[{{"finish_reason":null,"index":0,"delta":{{"role":"assistant","content":null}}}}],{self.END}}}
{{"choices":[{{"finish_reason":null,"index":0,"delta":{{"content":"Echo:"}}}}],{self.END}}}
{{"choices":[{{"finish_reason":null,"index":0,"delta":{{"content":" Hi."}}}}],{self.END}}}
{{"choices":[{{"finish_reason":"stop","index":0,"delta":{{}}}}],{self.END}}}
{{"choices":[],{self.END},"usage":{{"completion_tokens":3,"prompt_tokens":8,"total_tokens":11,
 "prompt_tokens_details":{{"cached_tokens":0}}}}}}
[DONE]"""))

    def test_chat(self):
        answer = json.loads(RUNNING["llama-server"].chat()[2])
        answer.pop("timings")
        self.assertEqual(normal(answer), golden("""
{"choices":[{"finish_reason":"stop","index":0,"message":{"role":"assistant",
 "content":"Echo: Hi."}}],"created":0,"model":"m","system_fingerprint":"b9300-0123abcd",
 "object":"chat.completion","usage":{"completion_tokens":3,"prompt_tokens":8,"total_tokens":11,
 "prompt_tokens_details":{"cached_tokens":0}},"id":"ID"}""")[0])

    def test_completion_stream_has_usage_unasked(self):
        events = events_of(RUNNING["llama-server"].complete(stream=True, max_tokens=1)[2])
        self.assertEqual(normal(events[0]), golden("""
{"choices":[{"text":"Echo:","index":0,"logprobs":null,"finish_reason":null}],"created":0,"model":"m",
 "system_fingerprint":"b9300-0123abcd","object":"text_completion","id":"ID"}""")[0])
        self.assertEqual((events[1]["choices"][0]["text"], events[1]["choices"][0]["finish_reason"],
                          events[1]["usage"]["total_tokens"]), ("", "length", 2))

    def test_tool_call_stream(self):
        deltas = [e["choices"][0]["delta"] for e in RUNNING["llama-server"].stream(
            tools=ADD, messages=[{"role": "user", "content": "call add"}])[:-1]]
        self.assertEqual([normal(d) for d in deltas[1:3]], golden("""
{"tool_calls":[{"index":0,"id":"ID","type":"function","function":{"name":"add","arguments":"{\\"text\\":"}}]}
{"tool_calls":[{"index":0,"function":{"arguments":" \\"call"}}]}"""))

    def test_log_probabilities_have_ids_on_both_routes(self):
        for answer in (RUNNING["llama-server"].chat(max_tokens=1, logprobs=True, top_logprobs=1),
                       RUNNING["llama-server"].complete(max_tokens=1, logprobs=1)):
            entry = json.loads(answer[2])["choices"][0]["logprobs"]["content"][0]
            self.assertEqual(list(entry), ["id", "token", "bytes", "logprob", "top_logprobs"])
            self.assertEqual(list(entry["top_logprobs"][0]), ["id", "token", "bytes", "logprob"])

    def test_errors(self):
        server = RUNNING["llama-server"]
        self.check_refused(server.chat(messages=[{"role": "user", "content": "x " * 5000}]), 400, """
{"error":{"code":400,"message":"request (5008 tokens) exceeds the available context size (4096 
 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":5008,
 "n_ctx":4096}}""")
        self.check_refused(server.chat(logprobs=True, stream=True, tools=ADD), 400, """
{"error":{"code":400,"message":"logprobs is not supported with tools + stream",
 "type":"invalid_request_error"}}""")
        guarded = Emulated("llama-server", "--api-key", "secret")
        self.addCleanup(guarded.stop)
        self.check_refused(guarded.chat(), 401, """
{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}""")
        self.assertEqual(guarded.exchange("GET", "/v1/models")[0], 200)

    def test_an_error_within_a_stream_is_the_last_event(self):
        RUNNING["llama-server"].faults(error_after_tokens=1, count=1)
        self.assertEqual(list(RUNNING["llama-server"].stream()[-1]["error"]),
                         ["code", "message", "type"])

    def test_other_routes(self):
        server = RUNNING["llama-server"]
        self.assertEqual(server.exchange("GET", "/health")[2], '{"status":"ok"}')
        meta = server.get("/v1/models")["data"][0]["meta"]
        self.assertEqual((meta["n_ctx"], meta["n_ctx_train"]), (4096, 131072))
        self.assertEqual(server.get("/props")["default_generation_settings"]["n_ctx"], 4096)
        self.assertEqual([slot["is_processing"] for slot in server.get("/slots")], [False] * 4)
        tokens = json.loads(server.post("/tokenize", content="Hi you", with_pieces=True)[2])["tokens"]
        self.assertEqual([t["piece"] for t in tokens], ["Hi", " you"])
        self.assertEqual(server.post("/detokenize", tokens=[t["id"] for t in tokens])[2],
                         '{"content":"Hi you"}')
        self.assertIn("llamacpp:requests_processing 0", server.exchange("GET", "/metrics")[2])


class OllamaShapes(Shapes):
    CHUNK = ('{"id":"ID","object":"chat.completion.chunk","created":0,"model":"m",'
             '"system_fingerprint":"fp_ollama","choices":')

    def test_chat_stream_has_the_role_with_the_first_text(self):
        self.check_stream("ollama", f"""
{self.CHUNK}[{{"index":0,"delta":{{"role":"assistant","content":"Echo:"}},"finish_reason":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{"content":" Hi."}},"finish_reason":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{}},"finish_reason":"stop"}}]}}
{self.CHUNK}[],"usage":{{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}}}}
[DONE]""", stream_options={"include_usage": True})

    def test_chat(self):
        self.check_whole(RUNNING["ollama"].chat(), """
{"id":"ID","object":"chat.completion","created":0,"model":"m","system_fingerprint":"fp_ollama",
 "choices":[{"index":0,"message":{"role":"assistant","content":"Echo: Hi."},
 "finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":3,"total_tokens":11}}""")

    def test_completion_stream_has_a_usage_of_zeros_in_each_chunk(self):
        chunk = '{"id":"ID","object":"text_completion","created":0,"choices":'
        end = '"model":"m","system_fingerprint":"fp_ollama","usage":'
        zeros = '{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}'
        self.check_text_stream("ollama", f"""
{chunk}[{{"text":"Echo:","index":0,"finish_reason":null}}],{end}{zeros}}}
{chunk}[{{"text":"","index":0,"finish_reason":"length"}}],{end}{zeros}}}
{chunk}[],{end}{{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}}}
[DONE]""", max_tokens=1, stream_options={"include_usage": True})

    def test_a_tool_call_comes_whole(self):
        self.check_stream("ollama", f"""
{self.CHUNK}[{{"index":0,"delta":{{"role":"assistant","content":"","tool_calls":[{{"id":"call_ID",
 "index":0,"type":"function","function":{{"name":"add","arguments":"{{\\"text\\": \\"call add\\"}}"}}}}]}},
 "finish_reason":null}}]}}
{self.CHUNK}[{{"index":0,"delta":{{}},"finish_reason":"tool_calls"}}]}}
[DONE]""", tools=ADD, messages=[{"role": "user", "content": "call add"}])

    def test_errors(self):
        ollama = RUNNING["ollama"]
        self.check_refused(ollama.chat(model="x"), 404, """
{"error":{"message":"model 'x' not found","type":"not_found_error","param":null,"code":null}}""")
        self.check_refused(ollama.chat(logprobs=True, top_logprobs=21), 400, """
{"error":{"message":"top_logprobs must be between 0 and 20","type":"invalid_request_error",
 "param":null,"code":null}}""")
        ollama.faults(overloaded=True, count=1)
        status, _, text = ollama.chat()
        self.assertEqual((status, json.loads(text)["error"]["type"]), (503, "api_error"))

    def test_a_prompt_that_is_too_long_is_cut_in_silence(self):
        status, _, text = RUNNING["ollama"].chat(messages=[{"role": "user", "content": "x " * 5000}],
                                                 max_tokens=1)
        self.assertEqual((status, json.loads(text)["usage"]["prompt_tokens"]), (200, 4096))

    def test_an_error_within_a_stream_ends_it_without_a_word(self):
        RUNNING["ollama"].faults(error_after_tokens=1, count=1)
        self.assertEqual(normal(RUNNING["ollama"].stream()[-1]), golden("""
{"id":"ID","object":"chat.completion.chunk","created":0,"model":"","system_fingerprint":"fp_ollama",
 "choices":[{"index":0,"delta":{"content":""},"finish_reason":null}]}""")[0])

    def test_completions_have_no_log_probabilities(self):
        choice = json.loads(RUNNING["ollama"].complete(logprobs=3, max_tokens=1)[2])["choices"][0]
        self.assertNotIn("logprobs", choice)

    def test_other_routes(self):
        ollama = RUNNING["ollama"]
        self.assertEqual(ollama.exchange("GET", "/")[2], "Ollama is running")
        self.assertEqual(ollama.get("/v1/models")["data"][0]["id"], "m:latest")
        self.assertEqual(ollama.exchange("GET", "/health")[0], 404)


class OpenAiShapes(Shapes):
    HEAD = ('{"id":"ID","object":"chat.completion.chunk","created":0,"model":"m",'
            '"service_tier":"default","system_fingerprint":"fp_44709d6fcb","choices":')

    def test_chat_stream(self):
        events = RUNNING["openai"].stream(stream_options={"include_usage": True})
        for event in events[:-1]:
            self.assertTrue(event.pop("obfuscation"))
        usage = events[-2].pop("usage")
        self.assertEqual((usage["total_tokens"], usage["prompt_tokens_details"]["cached_tokens"]),
                         (10, 0))
        self.assertEqual([normal(e) for e in events], golden(f"""
{self.HEAD}[{{"index":0,"delta":{{"role":"assistant","content":"","refusal":null}},"logprobs":null,
 "finish_reason":null}}],"usage":null}}
{self.HEAD}[{{"index":0,"delta":{{"content":"Echo:"}},"logprobs":null,"finish_reason":null}}],
 "usage":null}}
{self.HEAD}[{{"index":0,"delta":{{"content":" Hi."}},"logprobs":null,"finish_reason":null}}],
 "usage":null}}
{self.HEAD}[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"stop"}}],"usage":null}}
{self.HEAD}[]}}
[DONE]"""))

    def test_tool_call_stream(self):
        deltas = [e["choices"][0]["delta"] for e in RUNNING["openai"].stream(
            tools=ADD, messages=[{"role": "user", "content": "call add"}])[:-1]]
        self.assertEqual([normal(d) for d in deltas[:2]], golden("""
{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_ID","type":"function",
 "function":{"name":"add","arguments":""}}],"refusal":null}
{"tool_calls":[{"index":0,"function":{"arguments":"{\\"text\\":"}}]}"""))

    def test_errors(self):
        openai = RUNNING["openai"]
        self.check_refused(openai.chat(top_k=5), 400, """
{"error":{"message":"Unrecognized request argument supplied: top_k","type":"invalid_request_error",
 "param":null,"code":null}}""")
        self.check_refused(openai.chat(model="x"), 404, """
{"error":{"message":"The model `x` does not exist or you do not have access to it.",
 "type":"invalid_request_error","param":null,"code":"model_not_found"}}""")
        for body, code in (({"stop": list("abcde")}, "array_above_max_length"),
                           ({"logprobs": True, "top_logprobs": 21}, "integer_above_max_value"),
                           ({"messages": [{"role": "user", "content": "x " * 5000}]},
                            "context_length_exceeded")):
            status, _, text = openai.chat(**body)
            self.assertEqual((status, json.loads(text)["error"]["code"]), (400, code))
        self.assertEqual(openai.complete(logprobs=6)[0], 400)
        openai.faults(overloaded=True, count=1)
        status, headers, text = openai.chat()
        self.assertEqual((status, headers["retry-after"], json.loads(text)["error"]["code"]),
                         (429, "1", "rate_limit_exceeded"))

    def test_models_say_nothing_of_their_context(self):
        self.assertEqual(list(RUNNING["openai"].get("/v1/models")["data"][0]),
                         ["id", "object", "created", "owned_by"])
