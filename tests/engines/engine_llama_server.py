"""llama-server of llama.cpp with one model. References [l1]... are those of docs/engines.md."""
import hashlib

import answers
from engine import DONE, Engine, Refused, alternatives, dumps, event, utf8

TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
         404: "not_found_error", 500: "server_error", 501: "not_supported_error",
         503: "unavailable_error"}  # [l3]
BUILD = "b9300-0123abcd"


class LlamaServer(Engine):
    name = "llama-server"
    server_headers = (("server", "llama.cpp"),)
    json_type = "application/json; charset=utf-8"
    stream_type = "text/event-stream"
    top_logprobs_max = None
    completion_logprobs_max = None
    completion_tokens_default = None  # n_predict = -1 [l1]
    max_tokens_names = ("n_predict", "max_completion_tokens", "max_tokens")

    # Errors [l3] [l5].

    def error_body(self, status, message, kind=None, param=None, code=None):
        return {"error": {"code": status, "message": message,
                          "type": kind or TYPES.get(status, "server_error")}}

    def refuse_type(self, field, value):
        self.refuse(400, f"field '{field}' must be a number")

    def refuse_context(self, prompt_tokens, max_tokens):
        length = self.options.context_length
        body = self.error_body(400, f"request ({prompt_tokens} tokens) exceeds the available context "
                                    f"size ({length} tokens), try increasing it",
                               "exceed_context_size_error")
        body["error"] |= {"n_prompt_tokens": prompt_tokens, "n_ctx": length}
        raise Refused(400, body)

    def refuse_unauthorized(self):
        self.refuse(401, "Invalid API Key")

    def refuse_overload(self):  # it queues without bound; this comes while the model loads [l1]
        self.refuse(503, "Loading model")

    def needs_key(self, path):
        open_to_all = ("/health", "/v1/health", "/models", "/v1/models", "/")
        return bool(self.options.api_key) and path not in open_to_all

    def mid_stream_error(self, g, message):  # nothing follows, no [DONE] [l4]
        if self.options.legacy:
            return f"error: {dumps(self.error_body(500, message)['error'])}\n\n"
        return event(self.error_body(500, message))

    def check_model(self, request):
        """With one model the name is not looked at."""

    def check_context(self, prompt_tokens, max_tokens):
        if prompt_tokens >= self.options.context_length:
            self.refuse_context(prompt_tokens, max_tokens)
        return prompt_tokens

    def check_fields(self, request, chat):
        super().check_fields(request, chat)
        if not chat:
            for field in ("best_of", "suffix"):  # [l3]
                if field in request:
                    self.refuse(400, f"Unsupported param: {field}")
        if chat and request.get("top_logprobs") is not None and not request.get("logprobs"):
            self.refuse(400, "top_logprobs requires logprobs to be set to true")
        if chat and request.get("logprobs") and request.get("tools") and request.get("stream"):
            self.refuse(400, "logprobs is not supported with tools + stream")

    def max_tokens(self, request, chat):
        asked = super().max_tokens(request, chat)
        return None if asked is None or asked < 0 else asked

    def logprobs_asked(self, request, chat):
        if chat and request.get("logprobs") and request.get("top_logprobs") is None:
            return 20  # [l3]
        return super().logprobs_asked(request, chat) or None

    def allowed(self, request):
        if request.get("grammar"):
            return alternatives(request["grammar"])
        return self.biased(request)

    def biased(self, request):
        """Pairs [token or text, bias] too, and texts as keys [l1]."""
        bias = request.get("logit_bias") or {}
        pairs = bias.items() if isinstance(bias, dict) else bias
        raised = {answers.token_text(int(t)) if str(t).lstrip("-").isdigit() else t
                  for t, b in pairs if not isinstance(b, bool) and b >= 50}
        return raised or None

    # Answers [l2].

    def usage(self, g):
        tokens = self.completion_tokens(g)
        return {"completion_tokens": tokens, "prompt_tokens": g.prompt_tokens,
                "total_tokens": tokens + g.prompt_tokens,
                "prompt_tokens_details": {"cached_tokens": max(self.options.cached_tokens, 0)}}

    def timings(self, g):
        cached, tokens = max(self.options.cached_tokens, 0), self.completion_tokens(g)
        return {"cache_n": cached, "prompt_n": g.prompt_tokens - cached, "prompt_ms": 1.0,
                "prompt_per_token_ms": 1.0, "prompt_per_second": 1000.0, "predicted_n": tokens,
                "predicted_ms": float(tokens), "predicted_per_token_ms": 1.0,
                "predicted_per_second": 1000.0}

    def logprobs(self, entries):
        """One form for both routes, with token ids."""
        def one(text, value):
            return {"id": answers.token_id(text), "token": text, "bytes": utf8(text),
                    "logprob": value}
        return {"content": [one(e.text, e.value) | {"top_logprobs": [one(t, v) for t, v in e.top]}
                            for e in entries]}

    def new_id(self, chat):
        return "chatcmpl-" + hashlib.md5(f"llama{self.requests_made}".encode()).hexdigest()

    def finish(self, g):
        return g.answer.finish if g.chat or g.answer.finish == "length" else "stop"

    def whole(self, g):
        if g.chat:
            message = {"role": "assistant", "content": None if g.answer.tool else g.answer.text}
            if g.answer.tool:
                message["tool_calls"] = [{"type": "function", "function": {
                    "name": g.answer.tool, "arguments": g.answer.text},
                    "id": g.tool_call_id("", 32)}]
            choice = {"finish_reason": self.finish(g), "index": 0, "message": message}
            if g.wants_logprobs:
                choice["logprobs"] = self.logprobs(g.answer.logprobs)
        else:
            choice = {"text": g.answer.text, "index": 0,
                      "logprobs": self.logprobs(g.answer.logprobs) if g.wants_logprobs else None,
                      "finish_reason": self.finish(g)}
        return {"choices": [choice], "created": g.created, "model": g.model,
                "system_fingerprint": BUILD,
                "object": "chat.completion" if g.chat else "text_completion",
                "usage": self.usage(g), "id": g.id, "timings": self.timings(g)}

    def chat_chunk(self, g, choices, **more):
        return event({"choices": choices, "created": g.created, "id": g.id, "model": g.model,
                      "system_fingerprint": BUILD, "object": "chat.completion.chunk"} | more)

    def delta(self, g, delta, entries=()):
        choice = {"finish_reason": None, "index": 0, "delta": delta}
        if g.wants_logprobs and entries:
            choice["logprobs"] = self.logprobs(entries)
        return self.chat_chunk(g, [choice])

    def text_chunk(self, g, text, entries=(), finish=None, **more):
        logprobs = self.logprobs(entries) if g.wants_logprobs and entries else None
        choice = {"text": text, "index": 0, "logprobs": logprobs, "finish_reason": finish}
        return event({"choices": [choice], "created": g.created, "model": g.model,
                      "system_fingerprint": BUILD, "object": "text_completion"} | more | {"id": g.id})

    def step(self, g, i):
        text, entries = g.answer.tokens[i], g.answer.logprobs[i:i + 1]
        if not g.chat:
            return [self.text_chunk(g, text, entries)]
        # The role's event and the first text's are written at once.
        events = self.delta(g, {"role": "assistant", "content": None}) if i == 0 else ""
        if not g.answer.tool:
            return [events + self.delta(g, {"content": text}, entries)]
        call = {"index": 0, "function": {"arguments": text}}
        if i == 0:
            call = {"index": 0, "id": g.tool_call_id("", 32), "type": "function",
                    "function": {"name": g.answer.tool, "arguments": text}}
        return [events + self.delta(g, {"tool_calls": [call]})]

    def closing(self, g):
        if not g.chat:  # usage comes whether or not it was asked for
            last = self.text_chunk(g, "", (), self.finish(g), usage=self.usage(g),
                                   timings=self.timings(g))
            return [last, DONE]
        last = [{"finish_reason": self.finish(g), "index": 0, "delta": {}}]
        if not g.include_usage:
            return [self.chat_chunk(g, last, timings=self.timings(g)), DONE]
        usage = self.chat_chunk(g, [], usage=self.usage(g), timings=self.timings(g))
        return [self.chat_chunk(g, last) + usage, DONE]

    # Other routes [l1] [l4].

    def routes(self):
        def tokenize(request):
            body = request.json()
            tokens = answers.pieces(body.get("content", ""))
            ids = [answers.token_id(t) for t in tokens]
            if body.get("with_pieces"):
                ids = [{"id": i, "piece": t} for i, t in zip(ids, tokens)]
            return self.answer_json({"tokens": ids})

        def detokenize(request):
            return self.answer_json(
                {"content": "".join(answers.token_text(i) for i in request.json()["tokens"])})

        def template(request):
            text = "".join(f"<|im_start|>{m['role']}\n{answers.message_text(m.get('content'))}"
                           "<|im_end|>\n" for m in request.json()["messages"])
            return self.answer_json({"prompt": text + "<|im_start|>assistant\n"})

        health = {"status": "ok"}
        routes = {("GET", path): lambda r: self.answer_json(health)
                  for path in ("/health", "/v1/health")}
        return routes | {("GET", "/v1/models"): lambda r: self.answer_json(self.models()),
                         ("GET", "/props"): lambda r: self.answer_json(self.props()),
                         ("GET", "/slots"): lambda r: self.answer_json(self.slots()),
                         ("GET", "/metrics"): lambda r: (200, "text/plain; version=0.0.4",
                                                         self.metrics()),
                         ("POST", "/tokenize"): tokenize, ("POST", "/detokenize"): detokenize,
                         ("POST", "/apply-template"): template}

    def models(self):
        meta = {"vocab_type": 2, "n_vocab": 32000, "n_ctx": self.options.context_length,
                "n_ctx_train": 131072, "n_embd": 4096, "n_params": 8030261312, "size": 4912898304,
                "ftype": "Q4_K - Medium"}
        return {"object": "list", "data": [{
            "id": self.options.model, "aliases": [self.options.model], "tags": [], "object": "model",
            "created": 1735142223, "owned_by": "llamacpp", "meta": meta}]}

    def props(self):
        return {"default_generation_settings": {"params": {}, "n_ctx": self.options.context_length},
                "total_slots": 4, "model_alias": self.options.model, "model_path": "/models/m.gguf",
                "modalities": {"vision": False, "video": False, "audio": False},
                "chat_template": "{% for m in messages %}...{% endfor %}", "chat_template_caps": {},
                "bos_token": "<s>", "eos_token": "</s>", "build_info": BUILD, "is_sleeping": False}

    def slots(self):
        return [{"id": i, "n_ctx": self.options.context_length, "speculative": False,
                 "is_processing": i < self.running} for i in range(4)]

    def metrics(self):
        return (f"# TYPE llamacpp:requests_processing gauge\n"
                f"llamacpp:requests_processing {self.running}\n"
                f"# TYPE llamacpp:requests_deferred gauge\nllamacpp:requests_deferred 0\n")
