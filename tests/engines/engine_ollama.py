"""Ollama's OpenAI-compatible routes. References [o1]... are those of docs/engines.md."""
from engine import DONE, Engine, chat_logprob, event

TYPES = {400: "invalid_request_error", 404: "not_found_error"}  # others: api_error [o1]


class Ollama(Engine):
    name = "ollama"
    stream_type = "text/event-stream"
    completion_tokens_default = None
    completion_logprobs_max = None  # the field is read there and nothing comes of it [o1]
    max_tokens_names = ("max_tokens",)  # max_completion_tokens is not read [o1]

    # Errors [o1] [o3].

    def error_body(self, status, message, kind=None, param=None, code=None):
        return {"error": {"message": message, "type": kind or TYPES.get(status, "api_error"),
                          "param": None, "code": None}}

    def refuse_model(self, name):
        self.refuse(404, f"model '{name}' not found")

    def refuse_type(self, field, value):
        kind = "string" if isinstance(value, str) else "bool" if isinstance(value, bool) else "array"
        self.refuse(400, f"json: cannot unmarshal {kind} into Go struct field "
                         f"ChatCompletionRequest.{field} of type float64")

    def refuse_logprobs(self, asked, most):
        self.refuse(400, "top_logprobs must be between 0 and 20")

    def refuse_overload(self):  # OLLAMA_MAX_QUEUE [o4]
        self.refuse(503, "server busy, please try again.  maximum pending requests exceeded")

    def needs_key(self, path):
        return False

    def mid_stream_error(self, g, message):
        """The error itself is lost: an empty chunk comes, then the end, no [DONE] [o2]."""
        return event({"id": g.id, "object": "chat.completion.chunk", "created": g.created, "model": "",
                      "system_fingerprint": "fp_ollama", "choices": [
                          {"index": 0, "delta": {"content": ""}, "finish_reason": None}]})

    def check_fields(self, request, chat):
        super().check_fields(request, chat)
        if isinstance(request.get("prompt"), list):
            self.refuse(400, "json: cannot unmarshal array into Go struct field "
                             "CompletionRequest.prompt of type string")

    def check_model(self, request):  # NAME and NAME:latest are one
        if str(request.get("model", "")).split(":latest")[0] != self.options.model:
            self.refuse_model(request.get("model"))

    def check_context(self, prompt_tokens, max_tokens):
        """Messages that do not fit are dropped, oldest first, without a word [o5]."""
        return min(prompt_tokens, self.options.context_length)

    def logprobs_asked(self, request, chat):
        return super().logprobs_asked(request, chat) if chat else None

    def answering_model(self, request):
        return request.get("model")

    def new_id(self, chat):
        return f"{'chatcmpl' if chat else 'cmpl'}-{self.requests_made % 999}"

    # Answers [o1] [o2].

    def usage(self, g):
        tokens = self.completion_tokens(g)
        return {"prompt_tokens": g.prompt_tokens, "completion_tokens": tokens,
                "total_tokens": g.prompt_tokens + tokens}

    def logprobs(self, entries):
        """top_logprobs is left out when empty."""
        return {"content": [
            chat_logprob(e.text, e.value) |
            ({"top_logprobs": [chat_logprob(t, v) for t, v in e.top]} if e.top else {})
            for e in entries]}

    def tool_calls(self, g):
        return [{"id": g.tool_call_id("call_", 8), "index": 0, "type": "function",
                 "function": {"name": g.answer.tool, "arguments": g.answer.text}}]

    def whole(self, g):
        head = {"id": g.id, "object": "chat.completion" if g.chat else "text_completion",
                "created": g.created, "model": g.model, "system_fingerprint": "fp_ollama"}
        if g.chat:
            message = {"role": "assistant", "content": "" if g.answer.tool else g.answer.text}
            if g.answer.tool:
                message["tool_calls"] = self.tool_calls(g)
            choice = {"index": 0, "message": message, "finish_reason": g.answer.finish}
            if g.wants_logprobs:
                choice["logprobs"] = self.logprobs(g.answer.logprobs)
        else:
            choice = {"text": g.answer.text, "index": 0, "finish_reason": g.answer.finish}
        return head | {"choices": [choice], "usage": self.usage(g)}

    def chunk(self, g, choices, usage=None):
        if not g.chat:
            return event({"id": g.id, "object": "text_completion", "created": g.created,
                          "choices": choices, "model": g.model, "system_fingerprint": "fp_ollama"} |
                         ({"usage": usage} if usage else {}))
        return event({"id": g.id, "object": "chat.completion.chunk", "created": g.created,
                      "model": g.model, "system_fingerprint": "fp_ollama", "choices": choices} |
                     ({"usage": usage} if usage else {}))

    def step(self, g, i):
        text, entries = g.answer.tokens[i], g.answer.logprobs[i:i + 1]
        if not g.chat:
            zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
            return [self.chunk(g, [{"text": text, "index": 0, "finish_reason": None}],
                               zero if g.include_usage else None)]
        if g.answer.tool:  # a call comes whole
            if i + 1 < len(g.answer.tokens):
                return []
            delta = {"role": "assistant", "content": "", "tool_calls": self.tool_calls(g)}
        else:  # the role is in the first text's chunk, no chunk of its own
            delta = ({"role": "assistant"} if i == 0 else {}) | {"content": text}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        if g.wants_logprobs and entries:
            choice["logprobs"] = self.logprobs(entries)
        return [self.chunk(g, [choice])]

    def closing(self, g):
        finish = g.answer.finish
        zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        if g.chat:
            events = [self.chunk(g, [{"index": 0, "delta": {}, "finish_reason": finish}])]
        else:
            events = [self.chunk(g, [{"text": "", "index": 0, "finish_reason": finish}],
                                 zero if g.include_usage else None)]
        if g.include_usage:
            events.append(self.chunk(g, [], self.usage(g)))
        return events + [DONE]

    # Other routes [o3]: no /health, no metrics, no tokenizer.

    def routes(self):
        model = self.options.model
        listed = {"id": f"{model}:latest", "object": "model", "created": 1700000000,
                  "owned_by": "library"}
        running = {"models": [{"name": f"{model}:latest", "model": f"{model}:latest",
                               "context_length": self.options.context_length}]}
        shown = {"model_info": {"general.architecture": "llama", "llama.context_length": 131072}}
        return {("GET", "/"): lambda r: (200, "text/plain; charset=utf-8", "Ollama is running"),
                ("GET", "/api/version"): lambda r: self.answer_json({"version": "0.20.0"}),
                ("GET", "/api/ps"): lambda r: self.answer_json(running),
                ("POST", "/api/show"): lambda r: self.answer_json(shown),
                ("GET", "/v1/models"): lambda r: self.answer_json({"object": "list",
                                                                   "data": [listed]})}
