"""OpenAI's own service, as its OpenAPI description and guides have it. References [p1]... are those of
docs/engines.md."""
from engine import DONE, Engine, chat_logprobs, completion_logprobs, event

CHAT_FIELDS = set("""messages model audio frequency_penalty function_call functions logit_bias logprobs
    max_completion_tokens max_tokens metadata modalities moderation n parallel_tool_calls prediction
    presence_penalty prompt_cache_key reasoning_effort response_format safety_identifier seed
    service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user
    verbosity web_search_options prompt_cache_retention""".split())
COMPLETION_FIELDS = set("""model prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n
    presence_penalty seed stop stream stream_options suffix temperature top_p user""".split())
FINGERPRINT = "fp_44709d6fcb"


class OpenAi(Engine):
    name = "openai"
    completion_logprobs_max = 5  # [p1]
    counts_eos = False

    # Errors [p2] [p3].

    def error_body(self, status, message, kind=None, param=None, code=None):
        kinds = {401: "invalid_request_error", 429: "rate_limit_error", 500: "server_error",
                 503: "service_unavailable_error"}
        codes = {429: "rate_limit_exceeded", 503: "server_is_overloaded"}
        return {"error": {"message": message,
                          "type": kind or kinds.get(status, "invalid_request_error"),
                          "param": param, "code": code or codes.get(status)}}

    def refuse_model(self, name):
        self.refuse(404, f"The model `{name}` does not exist or you do not have access to it.",
                    code="model_not_found")

    def refuse_type(self, field, value):
        self.refuse(400, f"Invalid type for '{field}': expected a decimal, but got a string instead.",
                    param=field, code="invalid_type")

    def refuse_context(self, prompt_tokens, max_tokens):
        self.refuse(400, f"This model's maximum context length is {self.options.context_length} tokens. "
                         f"However, your messages resulted in {prompt_tokens} tokens. Please reduce the "
                         "length of the messages.", param="messages", code="context_length_exceeded")

    def refuse_logprobs(self, asked, most):
        field = "top_logprobs" if most == 20 else "logprobs"
        self.refuse(400, f"Invalid '{field}': integer above maximum value. Expected a value <= {most}, "
                         f"but got {asked} instead.", param=field, code="integer_above_max_value")

    def refuse_unauthorized(self):
        self.refuse(401, "Incorrect API key provided.", code="invalid_api_key")

    def refuse_overload(self):
        self.refuse(429, "Rate limit reached for requests", headers=[("retry-after", "1")])

    def check_fields(self, request, chat):
        for field in request:
            if field not in (CHAT_FIELDS if chat else COMPLETION_FIELDS):
                self.refuse(400, f"Unrecognized request argument supplied: {field}")
        super().check_fields(request, chat)
        if request.get("stream_options") and not request.get("stream"):
            self.refuse(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                        param="stream_options")
        if isinstance(request.get("stop"), list) and len(request["stop"]) > 4:  # [p1]
            self.refuse(400, "Invalid 'stop': array too long. Expected an array with maximum length 4, "
                             f"but got an array with length {len(request['stop'])} instead.",
                        param="stop", code="array_above_max_length")

    def allowed(self, request):
        return self.biased(request)

    # Answers [p1].

    def usage(self, g):
        tokens = self.completion_tokens(g)
        return {"prompt_tokens": g.prompt_tokens, "completion_tokens": tokens,
                "total_tokens": g.prompt_tokens + tokens,
                "prompt_tokens_details": {"cached_tokens": max(self.options.cached_tokens, 0),
                                          "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0}}

    def logprobs(self, g, entries):
        if not g.wants_logprobs:
            return None
        return chat_logprobs(entries) | {"refusal": None} if g.chat else completion_logprobs(entries)

    def whole(self, g):
        logprobs = self.logprobs(g, g.answer.logprobs)
        head = {"id": g.id, "object": "chat.completion" if g.chat else "text_completion",
                "created": g.created, "model": g.model}
        if not g.chat:
            choice = {"text": g.answer.text, "index": 0, "logprobs": logprobs,
                      "finish_reason": g.answer.finish}
            return head | {"choices": [choice], "usage": self.usage(g),
                           "system_fingerprint": FINGERPRINT}
        message = {"role": "assistant", "content": None if g.answer.tool else g.answer.text}
        if g.answer.tool:
            message["tool_calls"] = [{"id": g.tool_call_id("call_", 24), "type": "function",
                                      "function": {"name": g.answer.tool,
                                                   "arguments": g.answer.text}}]
        message |= {"refusal": None, "annotations": []}
        choice = {"index": 0, "message": message, "logprobs": logprobs,
                  "finish_reason": g.answer.finish}
        return head | {"choices": [choice], "usage": self.usage(g), "service_tier": "default",
                       "system_fingerprint": FINGERPRINT}

    def chunk(self, g, choices, usage=None):
        """Every chunk has `usage` once it was asked for: null but in the last."""
        if g.chat:
            head = {"id": g.id, "object": "chat.completion.chunk", "created": g.created,
                    "model": g.model, "service_tier": "default", "system_fingerprint": FINGERPRINT}
        else:
            head = {"id": g.id, "object": "text_completion", "created": g.created, "model": g.model,
                    "system_fingerprint": FINGERPRINT}
        more = {"usage": usage} if g.include_usage else {}
        return event(head | {"choices": choices} | more | ({"obfuscation": "r4N7vQ2m"} if g.chat
                                                           else {}))

    def delta(self, g, delta, entries=(), finish=None):
        logprobs = self.logprobs(g, entries) if entries else None
        return self.chunk(g, [{"index": 0, "delta": delta, "logprobs": logprobs,
                               "finish_reason": finish}])

    def text(self, g, text, entries=(), finish=None):
        logprobs = self.logprobs(g, entries) if entries else None
        return self.chunk(g, [{"text": text, "index": 0, "logprobs": logprobs,
                               "finish_reason": finish}])

    def opening(self, g):
        if not g.chat:
            return []
        if not g.answer.tool:
            return [self.delta(g, {"role": "assistant", "content": "", "refusal": None})]
        call = {"index": 0, "id": g.tool_call_id("call_", 24), "type": "function",
                "function": {"name": g.answer.tool, "arguments": ""}}
        return [self.delta(g, {"role": "assistant", "content": None, "tool_calls": [call],
                               "refusal": None})]

    def step(self, g, i):
        text, entries = g.answer.tokens[i], g.answer.logprobs[i:i + 1]
        if not g.chat:
            return [self.text(g, text, entries)]
        if g.answer.tool:
            return [self.delta(g, {"tool_calls": [{"index": 0, "function": {"arguments": text}}]})]
        return [self.delta(g, {"content": text}, entries)]

    def closing(self, g):
        finish = g.answer.finish
        events = [self.delta(g, {}, (), finish) if g.chat else self.text(g, "", (), finish)]
        if g.include_usage:
            events.append(self.chunk(g, [], self.usage(g)))
        return events + [DONE]

    def routes(self):  # no health, metrics or tokenizer
        listed = {"id": self.options.model, "object": "model", "created": 1700000000,
                  "owned_by": "system"}
        return {("GET", "/v1/models"): lambda r: self.answer_json({"object": "list",
                                                                   "data": [listed]})}
