"""SGLang. References [s1]... are those of docs/engines.md."""
import hashlib

import answers
from engine import DONE, Engine, Refused, alternatives, completion_logprobs, event, utf8

TYPES = {400: "BadRequestError", 404: "NotFoundError", 500: "InternalServerError",
         501: "NotImplementedError", 503: "SERVICE_UNAVAILABLE", 429: "TOO_MANY_REQUESTS"}


class Sglang(Engine):
    name = "sglang"
    server_headers = (("server", "uvicorn"),)
    top_logprobs_max = None
    completion_logprobs_max = None
    restricted_logprobs = True  # bias and grammar come before the log-softmax [s6]

    # Errors: flat, with "object" [s4]; within a stream the same below "error" [s2].

    def error_body(self, status, message, kind=None, param=None, code=None):
        return {"object": "error", "message": message,
                "type": kind or TYPES.get(status, "InternalServerError"), "param": param,
                "code": status}

    def refuse_type(self, field, value):
        self.refuse(400, f"1 validation error: body.{field}: Input should be a valid number",
                    "Bad Request")

    def refuse_context(self, prompt_tokens, max_tokens):
        length = self.options.context_length
        if prompt_tokens >= length:
            self.refuse(400, f"The input ({prompt_tokens} tokens) is longer than the model's context "
                             f"length ({length} tokens).")
        self.refuse(400, f"Requested token count exceeds the model's maximum context length of "
                         f"{length} tokens. You requested a total of {prompt_tokens + max_tokens} "
                         f"tokens: {prompt_tokens} tokens from the input messages and {max_tokens} "
                         "tokens for the completion.")

    def refuse_overload(self):  # --max-queued-requests [s7]
        self.refuse(503, "The request queue is full.")

    def overloaded_stream(self):  # the scheduler refuses when the stream has begun [s2]
        return event({"error": self.error_body(503, "The request queue is full.")}) + DONE

    def needs_key(self, path):  # [s5]
        return bool(self.options.api_key) and not path.startswith(("/health", "/metrics"))

    def mid_stream_error(self, g, message):
        return event({"error": self.error_body(500, message, "INTERNAL_SERVER_ERROR")}) + DONE

    def check_model(self, request):
        """The name is not looked at [s3]."""

    def answering_model(self, request):
        return request.get("model", "default")

    def new_id(self, chat):
        return hashlib.md5(f"sglang{self.requests_made}".encode()).hexdigest()

    def allowed(self, request):
        pattern = request.get("regex") or request.get("ebnf")
        return alternatives(pattern) if pattern else self.biased(request)

    # Answers [s1] [s2] [s3].

    def usage(self, g):
        tokens = self.completion_tokens(g)
        cached = self.options.cached_tokens  # --enable-cache-report
        return {"prompt_tokens": g.prompt_tokens, "total_tokens": g.prompt_tokens + tokens,
                "completion_tokens": tokens,
                "prompt_tokens_details": {"cached_tokens": cached} if cached >= 0 else None,
                "reasoning_tokens": 0}

    def chat_logprobs(self, entries):
        def one(text, value):
            return {"token": text, "bytes": utf8(text), "logprob": value}
        return {"content": [one(e.text, e.value) | {"top_logprobs": [one(t, v) for t, v in e.top]}
                            for e in entries]}

    def logprobs(self, g, entries):
        if not g.wants_logprobs or not entries:
            return None
        return self.chat_logprobs(entries) if g.chat else completion_logprobs(entries)

    def tool_calls(self, g, text, first):
        return [{"id": g.tool_call_id("call_", 24) if first else None, "index": 0, "type": "function",
                 "function": {"name": g.answer.tool if first else None, "arguments": text}}]

    def whole(self, g):
        logprobs = self.logprobs(g, g.answer.logprobs)
        ending = {"logprobs": logprobs, "finish_reason": g.answer.finish,
                  "matched_stop": g.answer.matched_stop}
        metadata = {"weight_version": "default"}
        if not g.chat:
            return {"id": g.id, "object": "text_completion", "created": g.created, "model": g.model,
                    "choices": [{"index": 0, "text": g.answer.text, **ending}],
                    "usage": self.usage(g), "metadata": metadata}
        calls = None
        if g.answer.tool:
            calls = self.tool_calls(g, g.answer.text, True)
        message = {"role": "assistant", "content": "" if calls else g.answer.text,
                   "reasoning_content": None, "tool_calls": calls}
        return {"id": g.id, "object": "chat.completion", "created": g.created, "model": g.model,
                "choices": [{"index": 0, "message": message, **ending}],
                "usage": self.usage(g), "metadata": metadata}

    def chunk(self, g, choices, **more):
        kind = "chat.completion.chunk" if g.chat else "text_completion"
        return event({"id": g.id, "object": kind, "created": g.created, "model": g.model,
                      "choices": choices} | more)

    def chat_chunk(self, g, delta, entries=(), finish=None, matched=None):
        """Text: reasoning_content is always there, other nulls are left out of the delta [s2].
        In older versions, and for tool calls: every field is there [s1]."""
        choice = {"index": 0, "delta": delta, "logprobs": self.logprobs(g, entries),
                  "finish_reason": finish, "matched_stop": matched}
        if self.options.legacy or "tool_calls" in delta:
            full = {"role": None, "content": None, "reasoning_content": None, "tool_calls": None}
            return self.chunk(g, [choice | {"delta": full | delta}], usage=None)
        return self.chunk(g, [choice | {"delta": {"reasoning_content": None} | delta}])

    def opening(self, g):
        return [self.chat_chunk(g, {"role": "assistant", "content": ""})] if g.chat else []

    def step(self, g, i):
        text, entries = g.answer.tokens[i], g.answer.logprobs[i:i + 1]
        if not g.chat:
            return [self.chunk(g, [{"index": 0, "text": text, "logprobs": self.logprobs(g, entries),
                                    "finish_reason": None, "matched_stop": None}], usage=None)]
        if not g.answer.tool:
            return [self.chat_chunk(g, {"content": text}, entries)]
        parts = [("", True), (text, False)] if i == 0 else [(text, False)]
        return [self.chat_chunk(g, {"tool_calls": self.tool_calls(g, *part)}) for part in parts]

    def closing(self, g):
        finish, matched = g.answer.finish, g.answer.matched_stop
        if g.chat:
            events = [self.chat_chunk(g, {}, (), finish, matched)]
        else:
            events = [self.chunk(g, [{"index": 0, "text": "", "logprobs": None,
                                      "finish_reason": finish, "matched_stop": matched}], usage=None)]
        if g.include_usage:
            events.append(self.chunk(g, [], usage=self.usage(g)))
        return events + [DONE]

    # Other routes [s5] [s8].

    def routes(self):
        def tokenize(request):
            body = request.json()
            if not isinstance(body.get("prompt"), str):
                raise Refused(400, self.error_body(400, "Exactly one of 'prompt' or 'messages' must be "
                                                        "provided.", "Bad Request"))
            tokens = answers.pieces(body["prompt"])
            return self.answer_json({"tokens": [answers.token_id(t) for t in tokens],
                                     "count": len(tokens),
                                     "max_model_len": self.options.context_length})

        def detokenize(request):
            return self.answer_json(
                {"text": "".join(answers.token_text(i) for i in request.json()["tokens"])})

        model = self.options.model
        card = {"id": model, "object": "model", "created": 1700000000, "owned_by": "sglang",
                "root": model, "parent": None, "max_model_len": self.options.context_length}
        info = {"model_path": model, "tokenizer_path": model, "is_generation": True,
                "preferred_sampling_params": None, "weight_version": "default"}
        return {("GET", "/health"): lambda r: (200, "", ""),
                ("GET", "/health_generate"): lambda r: (200, "", ""),
                ("GET", "/get_model_info"): lambda r: self.answer_json(info),
                ("GET", "/v1/models"): lambda r: self.answer_json({"object": "list", "data": [card]}),
                ("GET", "/metrics"): lambda r: (200, "text/plain; version=0.0.4; charset=utf-8",
                                                self.metrics()),
                ("POST", "/tokenize"): tokenize, ("POST", "/v1/tokenize"): tokenize,
                ("POST", "/detokenize"): detokenize, ("POST", "/v1/detokenize"): detokenize}

    def metrics(self):
        labels = f'{{model_name="{self.options.model}"}}'
        return (f"# TYPE sglang:num_running_reqs gauge\n"
                f"sglang:num_running_reqs{labels} {float(self.running)}\n"
                f"# TYPE sglang:num_queue_reqs gauge\nsglang:num_queue_reqs{labels} 0.0\n"
                f"# TYPE sglang:token_usage gauge\nsglang:token_usage{labels} 0.0\n")
