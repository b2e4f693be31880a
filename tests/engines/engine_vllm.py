"""vLLM, and vLLM with the Ascend plugin: the same server. References [v1]... are those of
docs/engines.md."""
import answers
from engine import (DONE, Engine, alternatives, chat_logprobs, completion_logprobs, event)

TYPES = {400: "BadRequestError", 404: "NotFoundError", 500: "InternalServerError",
         501: "NotImplementedError", 503: "Service Unavailable", 429: "Too Many Requests"}


class Vllm(Engine):
    name = "vllm"
    server_headers = (("server", "uvicorn"),)

    # Errors [v5]: {"error": {...}} since 0.10; before, the same fields flat with "object".

    def error_body(self, status, message, kind=None, param=None, code=None):
        fields = {"message": message, "type": kind or TYPES.get(status, "InternalServerError"),
                  "param": param, "code": status}
        return {"object": "error"} | fields if self.options.legacy else {"error": fields}

    def refuse_model(self, name):
        self.refuse(404, f"The model `{name}` does not exist.", param="model")

    def refuse_type(self, field, value):  # FastAPI's validation as 400 [v5]
        self.refuse(400, f"1 validation error:\n  {{'loc': ('body', '{field}'), 'msg': 'Input should "
                         f"be a valid number', 'input': {value!r}}}", "Bad Request")

    def refuse_context(self, prompt_tokens, max_tokens):
        length = self.options.context_length
        self.refuse(400, f"This model's maximum context length is {length} tokens. However, you "
                         f"requested {max_tokens} output tokens and your prompt contains at least "
                         f"{prompt_tokens} input tokens, for a total of at least "
                         f"{prompt_tokens + max_tokens} tokens. Please reduce the length of the input "
                         "prompt or the number of requested output tokens.", param="input_tokens")

    def refuse_logprobs(self, asked, most):  # --max-logprobs [v7]
        self.refuse(400, f"Requested sample logprobs of {asked}, which is greater than max allowed: "
                         f"{most}")

    def check_fields(self, request, chat):
        super().check_fields(request, chat)
        if request.get("stream_options") and not request.get("stream"):  # [v1]
            self.refuse(400, "Stream options can only be defined when `stream=True`.",
                        param="stream_options")

    # Restrictions of the next token [v1] [v6]. Log-probabilities are those before them [v7].

    def allowed(self, request):
        structured = request.get("structured_outputs") or {}
        if request.get("allowed_token_ids"):
            return {answers.token_text(i) for i in request["allowed_token_ids"]}
        if choice := structured.get("choice") or request.get("guided_choice"):
            return set(choice)
        for pattern in (structured.get("regex"), structured.get("grammar"),
                        request.get("guided_regex"), request.get("guided_grammar")):
            if pattern:
                return alternatives(pattern)
        return self.biased(request)

    def top_of(self, request, text, value, shown, top):
        if ids := request.get("logprob_token_ids"):  # these and the sampled token, nothing else [v1]
            wanted = {answers.token_text(i) for i in ids}
            return [(text, value)] + [(t, v) for t, v in shown if t in wanted and t != text]
        # The sampled token comes first, whether or not it is among the likely ones [v2].
        return ([(text, value)] + [(t, v) for t, v in shown if t != text])[:top]

    # Answers [v1] [v2] [v3] [v4].

    def usage(self, g, details=True):
        tokens = self.completion_tokens(g)
        usage = {"prompt_tokens": g.prompt_tokens, "total_tokens": g.prompt_tokens + tokens,
                 "completion_tokens": tokens}
        if self.options.cached_tokens >= 0:  # --enable-prompt-tokens-details
            return usage | {"prompt_tokens_details": {"cached_tokens": self.options.cached_tokens}}
        return usage | {"prompt_tokens_details": None} if details else usage

    def stop_reason(self, g):
        return g.answer.matched_stop if isinstance(g.answer.matched_stop, str) else None

    def logprobs(self, g, entries):
        if not g.wants_logprobs:
            return None
        return chat_logprobs(entries) if g.chat else completion_logprobs(entries)

    def tool_id(self, g):
        return g.tool_call_id("chatcmpl-tool-", 32)

    def whole(self, g):
        logprobs = self.logprobs(g, g.answer.logprobs)
        ending = {"finish_reason": g.answer.finish, "stop_reason": self.stop_reason(g),
                  "token_ids": None}
        if not g.chat:
            choice = {"index": 0, "text": g.answer.text, "logprobs": logprobs, **ending,
                      "prompt_logprobs": None, "prompt_token_ids": None, "routed_experts": None}
            return {"id": g.id, "object": "text_completion", "created": g.created, "model": g.model,
                    "choices": [choice], "service_tier": None, "system_fingerprint": None,
                    "usage": self.usage(g), "kv_transfer_params": None, "ec_transfer_params": None,
                    "metrics": None}
        message = {"role": "assistant", "content": None if g.answer.tool else g.answer.text,
                   "refusal": None, "annotations": None, "audio": None, "function_call": None}
        if g.answer.tool:
            message["tool_calls"] = [{"id": self.tool_id(g), "type": "function", "function": {
                "name": g.answer.tool, "arguments": g.answer.text}}]
        elif self.options.legacy:
            message["tool_calls"] = []
        message["reasoning_content" if self.options.legacy else "reasoning"] = None
        choice = {"index": 0, "message": message, "logprobs": logprobs, **ending,
                  "routed_experts": None}
        return {"id": g.id, "object": "chat.completion", "created": g.created, "model": g.model,
                "choices": [choice], "service_tier": None, "system_fingerprint": None,
                "usage": self.usage(g), "prompt_logprobs": None, "prompt_token_ids": None,
                "prompt_text": None, "kv_transfer_params": None, "ec_transfer_params": None,
                "metrics": None}

    def chunk(self, g, choices, **more):
        kind = "chat.completion.chunk" if g.chat else "text_completion"
        return event({"id": g.id, "object": kind, "created": g.created, "model": g.model,
                      "choices": choices} | more)

    def choice(self, g, delta, entries=(), finish=None, ended=False):
        """Fields that were set are sent even when null; others are not (exclude_unset) [v2] [v4]."""
        logprobs = self.logprobs(g, entries)
        if not g.chat:
            return {"index": 0, "text": delta, "logprobs": logprobs, "finish_reason": finish,
                    "stop_reason": self.stop_reason(g) if ended else None,
                    "prompt_token_ids": None, "token_ids": None}
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        if ended:
            choice["stop_reason"] = self.stop_reason(g)
        return choice | {"token_ids": None}

    def opening(self, g):
        if not g.chat:
            return []
        first = {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None,
                 "finish_reason": None}
        return [self.chunk(g, [first], prompt_token_ids=None, prompt_text=None)]

    def step(self, g, i):
        text, entries = g.answer.tokens[i], g.answer.logprobs[i:i + 1]
        # What ends by length ends with the chunk of its last token.
        ended = i + 1 == len(g.answer.tokens) and g.answer.finish == "length"
        finish = "length" if ended else None
        if not g.answer.tool:
            delta = {"content": text} if g.chat else text
            return [self.chunk(g, [self.choice(g, delta, entries, finish, ended)])]
        named = [{"id": self.tool_id(g), "type": "function", "index": 0,
                  "function": {"name": g.answer.tool}}]
        more = [{"index": 0, "function": {"arguments": text}}]
        return [self.chunk(g, [self.choice(g, {"tool_calls": calls})])
                for calls in ([named, more] if i == 0 else [more])]

    def closing(self, g):
        events = []
        if g.answer.finish != "length":
            end = answers.Logprob("<|im_end|>", -0.01, [])
            delta = {} if g.answer.tool else {"content": ""} if g.chat else ""
            entries = [end] if g.answer.matched_stop == answers.EOS_ID else []
            events.append(self.chunk(g, [self.choice(g, delta, entries, g.answer.finish, True)]))
        if g.include_usage:
            events.append(self.chunk(g, [], usage=self.usage(g, details=False)))
        return events + [DONE]

    # Other routes [v8] [v9] [v10].

    def routes(self):
        return {("GET", "/health"): lambda r: (200, "", ""),
                ("GET", "/ping"): lambda r: (200, "", ""),
                ("GET", "/version"): lambda r: self.answer_json({"version": "0.20.2"}),
                ("GET", "/v1/models"): lambda r: self.answer_json(self.models()),
                ("GET", "/metrics"): lambda r: (200, "text/plain; version=0.0.4; charset=utf-8",
                                                self.metrics()),
                ("POST", "/tokenize"): self.tokenize,
                ("POST", "/detokenize"): lambda r: self.answer_json(
                    {"prompt": "".join(answers.token_text(i) for i in r.json()["tokens"])})}

    def models(self):
        permission = {"id": "modelperm-0", "object": "model_permission", "created": 1700000000,
                      "allow_create_engine": False, "allow_sampling": True, "allow_logprobs": True,
                      "allow_search_indices": False, "allow_view": True, "allow_fine_tuning": False,
                      "organization": "*", "group": None, "is_blocking": False}
        return {"object": "list", "data": [{
            "id": self.options.model, "object": "model", "created": 1700000000, "owned_by": "vllm",
            "root": self.options.model, "parent": None,
            "max_model_len": self.options.context_length, "permission": [permission]}]}

    def tokenize(self, request):
        body = request.json()
        text = body.get("prompt")
        if text is None:
            text = "".join(answers.message_text(m.get("content")) for m in body.get("messages", []))
        tokens = answers.pieces(text)
        return self.answer_json({"count": len(tokens), "max_model_len": self.options.context_length,
                                 "tokens": [answers.token_id(t) for t in tokens],
                                 "token_strs": tokens if body.get("return_token_strs") else None})

    def metrics(self):
        labels = f'{{engine="0",model_name="{self.options.model}"}}'
        return (f"# TYPE vllm:num_requests_running gauge\n"
                f"vllm:num_requests_running{labels} {float(self.running)}\n"
                f"# TYPE vllm:num_requests_waiting gauge\n"
                f"vllm:num_requests_waiting{labels} 0.0\n"
                f"# TYPE vllm:kv_cache_usage_perc gauge\n"
                f"vllm:kv_cache_usage_perc{labels} 0.0\n")


class VllmAscend(Vllm):
    name = "vllm-ascend"
