"""Byte-level BPE: training and encoding, in the form GGUF calls gpt2 / qwen2.

Training counts words once, then keeps the pair counts up to date merge by
merge, so that 4,096 tokens over some tens of MB of text take a few seconds.
"""
import collections
import heapq
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


def train(texts, size, whole_words=()):
    """-> (tokens, merges); `whole_words` are made sure of as single tokens."""
    words = collections.Counter()
    for t in texts:
        words.update(QWEN2.findall(t))
    for w in whole_words:
        words[w] += 10 ** 9
    tokens = [BYTES[b] for b in range(256)]
    seqs, freqs = [], []
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for w, f in sorted(words.items()):
        s = [BYTES[b] for b in w.encode("utf-8")]
        if len(s) < 2:
            continue
        for p in zip(s, s[1:]):
            pairs[p] += f
            where[p].add(len(seqs))
        seqs.append(s)
        freqs.append(f)
    heap = [(-f, p) for p, f in pairs.items()]
    heapq.heapify(heap)
    merges, known = [], set(tokens)
    while len(tokens) < size - len(SPECIAL) and heap:
        f, p = heapq.heappop(heap)
        if pairs[p] != -f:
            if pairs[p] > 0:
                heapq.heappush(heap, (-pairs[p], p))
            continue
        merges.append(p)
        new = p[0] + p[1]
        if new not in known:
            known.add(new)
            tokens.append(new)
        changed = set()
        for i in where.pop(p):
            s, f = seqs[i], freqs[i]
            for q in zip(s, s[1:]):
                pairs[q] -= f
            out, k = [], 0
            while k < len(s):
                if k + 1 < len(s) and s[k] == p[0] and s[k + 1] == p[1]:
                    out.append(new)
                    k += 2
                else:
                    out.append(s[k])
                    k += 1
            seqs[i] = out
            for q in zip(out, out[1:]):
                pairs[q] += f
                where[q].add(i)
                changed.add(q)
        pairs[p] = 0
        for q in changed:
            heapq.heappush(heap, (-pairs[q], q))
    return tokens + SPECIAL, merges


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
