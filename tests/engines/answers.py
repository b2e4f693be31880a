"""What the emulated model says: a function of the request alone, so that tests can compare.

The answer to a text is "Echo:", its words, and a full stop. One piece (a word with the space before
it) is one token. The end-of-sequence token is EOS_ID and has no text.
"""
import dataclasses
import json
import math
import re
import zlib

EOS_ID = 2
FILLERS = ["The", "I", "A", "It", "This", "Sure", "Yes", "No", "To", "In", "Here", "We", "You", "If",
           "For", "As", "On", "So", "Well", "OK", "An", "Let", "And", "Of", "But", "My", "Your", "One"]
LABELS = ["code", "qa", "math"]
_CODE = re.compile(r"\bdef |\bpython\b|\bfunction\b|\bcode\b", re.IGNORECASE)
_MATH = re.compile(r"\d|\bhow many\b", re.IGNORECASE)

_texts_by_id = {}  # what was ever tokenised here, so that it can be turned back


def pieces(text):
    return re.findall(r"\s*\S+|\s+$", text)


def token_id(piece):
    number = 1000 + zlib.crc32(piece.encode()) % 30000
    _texts_by_id[number] = piece
    return number


def token_text(number):
    return "" if number == EOS_ID else _texts_by_id.get(number, f"<{number}>")


for _label in LABELS + FILLERS:
    token_id(_label)
    token_id(" " + _label)


@dataclasses.dataclass
class Logprob:
    text: str
    value: float
    top: list = dataclasses.field(default_factory=list)  # of (text, value), most likely first


@dataclasses.dataclass
class Answer:
    tokens: list  # texts; joined they are the answer, or a tool call's arguments
    finish: str  # "stop", "length" or "tool_calls"
    matched_stop: object = None  # the stop string that occurred; EOS_ID; or None
    tool: str = ""  # name of the function called
    logprobs: list = dataclasses.field(default_factory=list)  # of Logprob, one a token, or empty

    @property
    def text(self):
        return "".join(self.tokens)


def message_text(content):
    if isinstance(content, list):
        return " ".join(part.get("text", "") for part in content if isinstance(part, dict))
    return content or ""


def last_message(messages):
    return message_text(messages[-1].get("content")) if messages else ""


def prompt_tokens_of_chat(messages):
    """Four tokens a message and three for the answer's beginning stand for the template's."""
    return 3 + sum(4 + len(pieces(message_text(m.get("content")))) for m in messages)


def label_of(text, labels):
    """Which label a probing prompt gets. Lines that name several labels are instructions."""
    lines = [line for line in text.splitlines() if sum(label in line for label in labels) < 2]
    query = "\n".join(lines)
    if _CODE.search(query):
        return "code"
    return "math" if _MATH.search(query) else "qa"


def next_token_distribution(text, labels):
    """[(token, logprob)] of the first token, most likely first; sums to a little less than 1."""
    chosen = label_of(text, labels)
    if chosen not in labels:
        chosen = labels[0]
    others = [label for label in labels if label != chosen]
    found = [(chosen, 0.9)] + [(label, 0.06 / 2**i) for i, label in enumerate(others)]
    found += [(word, 0.004 / 1.5**i) for i, word in enumerate(FILLERS)]
    return [(word, math.log(p)) for word, p in found]


def restrict(distribution, allowed):
    """The same, where only `allowed` may come, as probabilities that sum to 1."""
    kept = [(t, v) for t, v in distribution if t in allowed]
    total = sum(math.exp(v) for _, v in kept)
    return [(t, v - math.log(total)) for t, v in kept]


def instance_of(schema):
    """A value that a JSON Schema of the common kinds accepts."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object")
    if kind == "object":
        required = schema.get("required", list(schema.get("properties", {})))
        return {name: instance_of(schema.get("properties", {}).get(name, {})) for name in required}
    if kind == "array":
        return [instance_of(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
    return {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}[kind]


def wanted_tool(request, text):
    """The function that "call NAME" in the last message asks for, if it was offered."""
    if request.get("tool_choice") == "none":
        return ""
    asked = re.search(r"\bcall (\w+)", text)
    offered = [t.get("function", {}).get("name") for t in request.get("tools") or []]
    return asked.group(1) if asked and asked.group(1) in offered else ""


def _text_for(request, said):
    format_ = request.get("response_format") or {}
    if format_.get("type") == "json_object":
        return json.dumps({"echo": said})
    if format_.get("type") == "json_schema":
        return json.dumps(instance_of(format_.get("json_schema", {}).get("schema", {})))
    words = said.split()
    return "Echo: " + " ".join(words) + "." if words else "Echo."


def _stop_at(tokens, stops):
    """Cuts before the first stop string. Returns the tokens and the string that was met."""
    text = "".join(tokens)
    found = [(text.find(s), s) for s in stops if s and s in text]
    if not found:
        return tokens, None
    at, stop = min(found)
    kept, length = [], 0
    for token in tokens:
        if length + len(token) > at:
            if at > length:
                kept.append(token[:at - length])
            break
        kept.append(token)
        length += len(token)
    return kept, stop


def ordinary_logprobs(tokens, top):
    """Every token was 0.9 likely, and `top` alternatives follow it."""
    alternatives = [(word, math.log(0.05 / 1.5**i)) for i, word in enumerate(FILLERS)]
    result = []
    for token in tokens:
        rest = [a for a in alternatives if a[0] != token]
        result.append(Logprob(token, math.log(0.9), ([(token, math.log(0.9))] + rest)[:top]))
    return result


def answer(request, said, max_tokens):
    """What comes without restrictions on tokens; `said` is the last message or the prompt."""
    tool = wanted_tool(request, said)
    if tool:
        return Answer(pieces(json.dumps({"text": said})), "tool_calls", EOS_ID, tool)
    tokens = pieces(_text_for(request, said))
    if request.get("ignore_eos") and max_tokens:
        tokens = (tokens * (max_tokens // len(tokens) + 1))[:max_tokens]
    stops = request.get("stop") or []
    cut, stop = _stop_at(tokens, [stops] if isinstance(stops, str) else stops)
    if stop is not None and (max_tokens is None or len(cut) < max_tokens):
        return Answer(cut, "stop", stop)
    if max_tokens is not None and len(tokens) >= max_tokens:
        return Answer(tokens[:max_tokens], "length")
    return Answer(tokens, "stop", EOS_ID)
