"""Byte-level BPE: encoding and decoding, in the form GGUF calls gpt2 / qwen2."""
import json

import regex

QWEN2 = regex.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_chars():
    """GPT-2's printable stand-in for each byte."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + extra)
            extra += 1
    return table


BYTES = byte_chars()


class Tokenizer:
    def __init__(self, tokens, merges):
        self.tokens, self.merges = tokens, [tuple(m) for m in merges]
        self.ids = {t: i for i, t in enumerate(tokens)}
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.cache = {}
        self.unbyte = {c: b for b, c in BYTES.items()}

    @classmethod
    def load(cls, path):
        d = json.load(open(path))
        return cls(d["tokens"], d["merges"])

    def save(self, path):
        json.dump({"tokens": self.tokens, "merges": self.merges}, open(path, "w"))

    def _word(self, w):
        s = [BYTES[b] for b in w.encode("utf-8")]
        while len(s) > 1:
            r, i = min((self.rank.get(p, 1 << 30), i) for i, p in enumerate(zip(s, s[1:])))
            if r == 1 << 30:
                break
            s[i:i + 2] = [s[i] + s[i + 1]]
        return [self.ids[t] for t in s]

    def encode(self, text):
        """Plain text; special tokens are ids, never text, in this code."""
        out = []
        for w in QWEN2.findall(text):
            ids = self.cache.get(w)
            if ids is None:
                ids = self.cache[w] = self._word(w)
            out += ids
        return out

    def decode(self, ids):
        data = bytearray()
        for i in ids:
            t = self.tokens[i]
            data += t.encode() if t in SPECIAL else bytes(self.unbyte[c] for c in t)
        return data.decode("utf-8", "replace")
