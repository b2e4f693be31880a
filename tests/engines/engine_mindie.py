"""MindIE's server with openAiSupport = "vllm" (its default), everything on one address and port.
References [m1]... are those of docs/engines.md."""
import answers
from engine import DONE, Engine, chat_logprobs, completion_logprobs, dumps, event

TYPES = {400: "Bad Request", 404: "NotFoundError", 422: "Input Validation Error",
         424: "Generation Error", 500: "Incomplete Generation", 503: "Service Unavailable"}  # [m4]


class Mindie(Engine):
    name = "mindie"
    stream_type = "text/event-stream"
    closes_connections = True  # "Connection: close" with every answer [m4]
    completion_logprobs_max = 5  # [m2]
    chat_tokens_default = 512  # maxIterTimes [m6]
    completion_tokens_default = 512
    max_tokens_names = ("max_tokens",)  # max_completion_tokens is not read [m3]
    counts_eos = False

    # Errors [m4].

    def error_body(self, status, message, kind=None, param=None, code=None):
        return {"error": message, "error_type": kind or TYPES.get(status, "Incomplete Generation")}

    def check_model(self, request):  # each route says it in its own words [m1] [m2]
        if request.get("model") != self.options.model:
            self.refuse(422, "Model not found" if "messages" in request else
                        "Not found given model, please check modelName in config file.")

    def refuse_type(self, field, value):
        self.refuse(422, f"Parameter {field} must be number, got {dumps(value)}.")

    def refuse_logprobs(self, asked, most):
        name = "Parameter top logprobs must be" if most == 20 else "logprobs should be"
        middle = " in " if most == 20 else " in range "
        self.refuse(422, f"{name}{middle}[0, {most}], got {asked}.")

    def refuse_context(self, prompt_tokens, max_tokens):  # [m5]
        self.refuse(424, "Failed to enqueue inferRequest. This model's maximum input ids length "
                         f"cannot be greater than maxSeqLen {self.options.context_length},the input "
                         f"ids length is {prompt_tokens}")

    def refuse_overload(self):
        self.refuse(503, "The service has been stopped")

    def needs_key(self, path):
        return False  # client certificates in place of keys [m6]

    def mid_stream_error(self, g, message):
        return dumps(self.error_body(500, message))  # no "data:", no [DONE] [m5]

    def check_context(self, prompt_tokens, max_tokens):
        if prompt_tokens >= self.options.context_length:
            self.refuse_context(prompt_tokens, max_tokens)
        return prompt_tokens

    def logprobs_asked(self, request, chat):  # top_logprobs alone means logprobs too [m3]
        if not chat or request.get("top_logprobs") is None:
            return super().logprobs_asked(request, chat)
        return request["top_logprobs"]

    def new_id(self, chat):
        return f"endpoint_common_{self.requests_made}"

    # Answers [m1] [m2]. `usage` is in every stream, in the chunk that has the finish_reason.

    def usage(self, g):
        tokens = self.completion_tokens(g)
        cached = max(self.options.cached_tokens, 0)
        return {"prompt_tokens": g.prompt_tokens, "prompt_tokens_details": {"cached_tokens": cached},
                "completion_tokens": tokens, "completion_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": g.prompt_tokens + tokens}

    def logprobs(self, g, entries):
        if not g.wants_logprobs:
            return None
        return chat_logprobs(entries) if g.chat else completion_logprobs(entries)

    def tool_id(self, g):
        return g.tool_call_id("call_", 8)

    def whole(self, g):
        logprobs = self.logprobs(g, g.answer.logprobs)
        head = {"id": g.id, "object": "chat.completion" if g.chat else "text_completion",
                "created": g.created, "model": g.model}
        if not g.chat:
            finish = "length" if g.answer.finish == "length" else "stop"
            return head | {"choices": [{"index": 0, "text": g.answer.text, "logprobs": logprobs,
                                        "stop_reason": None, "finish_reason": finish}],
                           "usage": self.usage(g)}
        message = {"role": "assistant", "content": "" if g.answer.tool else g.answer.text,
                   "tool_calls": []}
        if g.answer.tool:
            message["tool_calls"] = [{"type": "function", "id": self.tool_id(g), "function": {
                "name": g.answer.tool, "arguments": g.answer.text}}]
        return head | {"choices": [{"index": 0, "message": message, "logprobs": logprobs,
                                    "finish_reason": g.answer.finish}], "usage": self.usage(g)}

    def chunk(self, g, choice, usage=None):
        head = {"id": g.id, "object": "chat.completion.chunk" if g.chat else "text_completion",
                "created": g.created, "model": g.model}
        if usage and g.chat:
            return event(head | {"usage": usage, "choices": [choice]})
        return event(head | {"choices": [choice]} | ({"usage": usage} if usage else {}))

    def opening(self, g):
        first = {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None,
                 "finish_reason": None}
        return [self.chunk(g, first)] if g.chat else []

    def _choice(self, g, delta, entries, finish):
        logprobs = self.logprobs(g, entries)
        if not g.chat:
            return {"index": 0, "text": delta, "logprobs": logprobs, "stop_reason": None,
                    "finish_reason": finish}
        return {"index": 0, "delta": {"role": "assistant"} | delta, "logprobs": logprobs,
                "finish_reason": finish}

    def step(self, g, i):
        text, entries = g.answer.tokens[i], g.answer.logprobs[i:i + 1]
        ended = i + 1 == len(g.answer.tokens) and g.answer.finish == "length"
        finish, usage = ("length", self.usage(g)) if ended else (None, None)
        if not g.answer.tool:
            delta = {"content": text} if g.chat else text
            return [self.chunk(g, self._choice(g, delta, entries, finish), usage)]
        named = [{"index": 0, "id": self.tool_id(g), "type": "function",
                  "function": {"name": g.answer.tool}}]
        more = [{"index": 0, "function": {"arguments": text}}]
        return [self.chunk(g, self._choice(g, {"tool_calls": calls}, (), None))
                for calls in ([named, more] if i == 0 else [more])]

    def closing(self, g):
        if g.answer.finish == "length":
            return [DONE]
        delta = {"content": ""} if g.chat else ""
        finish = g.answer.finish if g.chat else "stop"
        return [self.chunk(g, self._choice(g, delta, (), finish), self.usage(g)), DONE]

    # Other routes [m4] [m5] [m7].

    def routes(self):
        def tokenizer(request):
            body = request.json()
            if not isinstance(body.get("inputs"), str):
                return 422, self.json_type, dumps(self.error_body(
                    422, "Inputs in request body is invalid."))
            tokens = answers.pieces(body["inputs"])
            return self.answer_json({"token_number": len(tokens), "tokens": tokens})

        models = {"data": [{"id": self.options.model, "object": "model", "owned_by": "MindIE Server",
                            "parent": "null", "root": self.options.model}], "object": "list"}
        routes = {("GET", path): lambda r: (200, "", "") for path in
                  ("/health", "/v2/health/live", "/v2/health/ready")}
        return routes | {("GET", "/v1/models"): lambda r: self.answer_json(models),
                         ("GET", "/metrics"): lambda r: (200, "text/plain; charset=utf-8",
                                                         self.metrics()),
                         ("POST", "/v1/tokenizer"): tokenizer}

    def metrics(self):
        labels = f'{{model_name="{self.options.model}"}}'
        return (f"# TYPE num_requests_running gauge\nnum_requests_running{labels} {self.running}\n"
                f"# TYPE num_requests_waiting gauge\nnum_requests_waiting{labels} 0\n"
                f"# TYPE npu_cache_usage_perc gauge\nnpu_cache_usage_perc{labels} 0\n")
