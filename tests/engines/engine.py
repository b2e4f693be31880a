"""What the emulated engines share: how a request is checked and answered, and the names of what each
engine's own module fills in. Facts and their sources: docs/engines.md."""
import dataclasses
import hashlib
import json
import re
import time

import answers


class Refused(Exception):
    def __init__(self, status, body, headers=()):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, list(headers)


@dataclasses.dataclass
class Options:
    model: str
    api_key: str = ""
    context_length: int = 4096
    cached_tokens: int = -1  # reported as prompt_tokens_details.cached_tokens; -1: not reported
    labels: tuple = tuple(answers.LABELS)
    hidden_labels: tuple = ()  # left out of what is returned of the distribution
    legacy: bool = False  # the engine's older shapes, where docs/engines.md names them


@dataclasses.dataclass
class Generation:
    request: dict
    chat: bool
    id: str
    model: str
    prompt_tokens: int
    answer: answers.Answer
    created: int = dataclasses.field(default_factory=lambda: int(time.time()))

    @property
    def include_usage(self):
        return bool((self.request.get("stream_options") or {}).get("include_usage"))

    @property
    def wants_logprobs(self):
        return bool(self.answer.logprobs)

    def tool_call_id(self, prefix, length):
        return prefix + hashlib.md5(self.answer.tool.encode()).hexdigest()[:length]


def dumps(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def event(value):
    return f"data: {dumps(value)}\n\n"


DONE = "data: [DONE]\n\n"


def utf8(text):
    return list(text.encode())


def alternatives(pattern):
    """The words that "(a|b|c)" or a grammar of quoted words lets through; None for other patterns."""
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"', pattern)
    if quoted:
        return set(quoted)
    plain = re.fullmatch(r"\^?\(?(?:\?:)?([^()\[\]*+.\\]+)\)?\$?", pattern.strip())
    return set(plain.group(1).split("|")) if plain else None


class Engine:
    name = ""
    server_headers = ()  # besides content-type
    json_type = "application/json"
    stream_type = "text/event-stream; charset=utf-8"
    closes_connections = False
    top_logprobs_max = 20  # None: no bound
    completion_logprobs_max = 20
    chat_tokens_default = None  # None: until the model ends or the context is full
    completion_tokens_default = 16
    max_tokens_names = ("max_completion_tokens", "max_tokens")  # the first that is there counts
    counts_eos = True  # usage.completion_tokens counts the end-of-sequence token
    restricted_logprobs = False  # log-probabilities are those after restrictions of the token
    numbers = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "presence_penalty",
               "frequency_penalty", "seed", "n", "top_k", "min_p", "repetition_penalty",
               "repeat_penalty", "top_logprobs")

    def __init__(self, options):
        self.options = options
        self.requests_made = 0
        self.running = 0  # for metrics; set by the server

    # Errors, in the engine's shape.

    def error_body(self, status, message, kind=None, param=None, code=None):
        raise NotImplementedError

    def refuse(self, status, message, kind=None, param=None, code=None, headers=()):
        raise Refused(status, self.error_body(status, message, kind, param, code), headers)

    def refuse_model(self, name):
        self.refuse(404, f"The model `{name}` does not exist.")

    def refuse_type(self, field, value):
        self.refuse(400, f"{field}: {value!r} is not a number", param=field)

    def refuse_context(self, prompt_tokens, max_tokens):
        raise NotImplementedError

    def refuse_logprobs(self, asked, most):
        self.refuse(400, f"top_logprobs: {asked} is more than {most}", param="top_logprobs")

    def refuse_unauthorized(self):
        raise Refused(401, {"error": "Unauthorized"})

    def refuse_overload(self):
        """What comes when too many requests wait."""
        self.refuse(503, "The server is overloaded.")

    overloaded_stream = None  # a function, where a stream is refused after its status 200

    def needs_key(self, path):
        return bool(self.options.api_key) and path.startswith("/v1")

    def mid_stream_error(self, g, message):
        """Text that ends a stream that failed after it began."""
        return event(self.error_body(500, message)) + DONE

    # Requests.

    def check_fields(self, request, chat):
        for field in self.numbers:
            value = request.get(field)
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                self.refuse_type(field, value)
        asked = self.logprobs_asked(request, chat)
        most = self.top_logprobs_max if chat else self.completion_logprobs_max
        if asked is not None and most is not None and asked > most:
            self.refuse_logprobs(asked, most)

    def check_model(self, request):
        if request.get("model") != self.options.model:
            self.refuse_model(request.get("model"))

    def check_context(self, prompt_tokens, max_tokens):
        """Returns how many tokens of the prompt are used."""
        if prompt_tokens + (max_tokens or 1) > self.options.context_length:
            self.refuse_context(prompt_tokens, max_tokens or 0)
        return prompt_tokens

    def max_tokens(self, request, chat):
        for name in self.max_tokens_names:
            if request.get(name) is not None:
                return request[name]
        return self.chat_tokens_default if chat else self.completion_tokens_default

    def logprobs_asked(self, request, chat):
        """How many alternatives are wanted of each token; None: no log-probabilities."""
        if not chat:
            return request.get("logprobs")
        return (request.get("top_logprobs") or 0) if request.get("logprobs") else None

    def prompt_of(self, request):
        """A completion's prompt as text and its number of tokens."""
        prompt = request.get("prompt") or ""
        if isinstance(prompt, list):
            return "".join(answers.token_text(i) for i in prompt), len(prompt)
        return prompt, len(answers.pieces(prompt))

    def allowed(self, request):
        """The texts that the next token may be, or None."""
        return None

    def biased(self, request):
        """Of logit_bias: tokens raised so much that nothing else comes."""
        bias = request.get("logit_bias") or {}
        raised = {answers.token_text(int(i)) for i, b in dict(bias).items() if b >= 50}
        return raised or None

    def generate(self, request, chat):
        self.check_fields(request, chat)
        self.check_model(request)
        if chat:
            said = answers.last_message(request.get("messages") or [])
            prompt_tokens = answers.prompt_tokens_of_chat(request.get("messages") or [])
        else:
            said, prompt_tokens = self.prompt_of(request)
        max_tokens = self.max_tokens(request, chat)
        prompt_tokens = self.check_context(prompt_tokens, max_tokens)
        self.requests_made += 1
        return Generation(request, chat, self.new_id(chat), self.answering_model(request),
                          prompt_tokens, self._answer(request, chat, said, max_tokens))

    def _answer(self, request, chat, said, max_tokens):
        top = self.logprobs_asked(request, chat)
        allowed = self.allowed(request)
        if max_tokens == 1 and (top is not None or allowed):
            return self._one_token(request, said, top, allowed)
        answer = answers.answer(request, said, max_tokens)
        if top is not None:
            answer.logprobs = answers.ordinary_logprobs(answer.tokens, top)
        return answer

    def _one_token(self, request, said, top, allowed):
        found = answers.next_token_distribution(said, self.options.labels)
        known = {text for text, _ in found}
        found += [(text, -9.0) for text in sorted(allowed or ()) if text not in known]
        permitted = answers.restrict(found, allowed) if allowed else found
        text = permitted[0][0]
        shown = permitted if self.restricted_logprobs else found
        value = dict(shown)[text]
        shown = [(t, v) for t, v in shown if t not in self.options.hidden_labels]
        answer = answers.Answer([text], "length")
        if top is not None:
            answer.logprobs = [answers.Logprob(text, value, self.top_of(request, text, value,
                                                                       shown, top))]
        return answer

    def top_of(self, request, text, value, shown, top):
        """Which alternatives are returned."""
        return shown[:top]

    def new_id(self, chat):
        number = hashlib.md5(f"{self.options.model}{self.requests_made}".encode()).hexdigest()
        return ("chatcmpl-" if chat else "cmpl-") + number

    def answering_model(self, request):
        return self.options.model

    def completion_tokens(self, g):
        ended = self.counts_eos and g.answer.matched_stop == answers.EOS_ID
        return len(g.answer.tokens) + (1 if ended else 0)

    # Answers. A stream is opening(), step() for each token, closing(): lists of texts, each of one
    # or more events that are written in one chunk.

    def whole(self, g):
        raise NotImplementedError

    def opening(self, g):
        return []

    def step(self, g, i):
        raise NotImplementedError

    def closing(self, g):
        raise NotImplementedError

    # Other routes: {(method, path): function of the HttpRequest -> (status, type, text)}.

    def routes(self):
        return {}

    def answer_json(self, value, status=200):
        return status, self.json_type, dumps(value)


def completion_logprobs(logprobs):
    """OpenAI's older form: parallel arrays, and alternatives as an object by token."""
    offsets, at = [], 0
    for entry in logprobs:
        offsets.append(at)
        at += len(entry.text)
    return {"text_offset": offsets, "token_logprobs": [e.value for e in logprobs],
            "tokens": [e.text for e in logprobs],
            "top_logprobs": [dict(e.top) | {e.text: e.value} for e in logprobs]}


def chat_logprob(text, value):
    return {"token": text, "logprob": value, "bytes": utf8(text)}


def chat_logprobs(logprobs):
    """{"content": [...]} in OpenAI's order of fields."""
    return {"content": [chat_logprob(e.text, e.value) |
                        {"top_logprobs": [chat_logprob(t, v) for t, v in e.top]}
                        for e in logprobs]}
