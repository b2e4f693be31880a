"""Measures a GGUF file: intent accuracy and entropy, answers of the closed world.

  evaluate.py MODEL.gguf --probe FILE.jsonl ...     # intent, by label and by set
  evaluate.py MODEL.gguf --answers FILE.jsonl       # greedy answers of generated items
  evaluate.py MODEL.gguf --chat "Who rules Brell?"
  evaluate.py MODEL.gguf --encode FILE.inp          # ids of the texts of src/tokenizer/golden

Reads the file with its own code, interleaved rotation and all, in float32, so
that it also checks what the writer wrote.
"""
import argparse
import collections
import json
import math
import re
import struct
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F

import bpe
from corpus import LABELS


class Gguf:
    def __init__(self, path):
        self.d = open(path, "rb").read()
        self.p = 0
        assert self.d[:4] == b"GGUF"
        self.p = 4
        _, tensors, keys = self.read("<IQQ")
        self.meta, infos = {}, []
        for _ in range(keys):
            k = self.text()
            self.meta[k] = self.value(self.read("<I")[0])
        for _ in range(tensors):
            name, n = self.text(), self.read("<I")[0]
            infos.append((name, self.read("<%dQ" % n), *self.read("<IQ")))
        base = -(-self.p // 32) * 32
        self.tensors = {}
        for name, dims, kind, off in infos:
            a = np.frombuffer(self.d, "<f2" if kind == 1 else "<f4", math.prod(dims), base + off)
            self.tensors[name] = torch.from_numpy(a.astype(np.float32).reshape(dims[::-1]))

    def read(self, form):
        v = struct.unpack_from(form, self.d, self.p)
        self.p += struct.calcsize(form)
        return v

    def text(self):
        n = self.read("<Q")[0]
        self.p += n
        return self.d[self.p - n:self.p].decode()

    def value(self, kind):
        if kind == 8:
            return self.text()
        if kind == 9:
            item, n = self.read("<IQ")
            return [self.value(item) for _ in range(n)]
        return self.read({4: "<I", 5: "<i", 6: "<f", 7: "<?"}[kind])[0]


def linear(x, w):
    # As a convolution: it is oneDNN's, many times faster than a plain BLAS.
    return F.conv1d(x.t()[None], w[:, :, None])[0].t() if len(x) > 1 else (w @ x[0])[None]


class Model:
    def __init__(self, path):
        g = Gguf(path)
        self.t, m = g.tensors, g.meta
        self.tok = bpe.Tokenizer(m["tokenizer.ggml.tokens"], [x.split(" ") for x in m["tokenizer.ggml.merges"]])
        self.layers, self.heads, self.kv = m["llama.block_count"], m["llama.attention.head_count"], m["llama.attention.head_count_kv"]
        self.hd, self.eps = m["llama.rope.dimension_count"], m["llama.attention.layer_norm_rms_epsilon"]
        self.freq = m["llama.rope.freq_base"] ** (-torch.arange(0, self.hd, 2).float() / self.hd)
        self.end = m["tokenizer.ggml.eos_token_id"]

    def norm(self, x, name):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.t[name + ".weight"]

    def rotate(self, x, angle):
        c, s = angle.cos()[:, None], angle.sin()[:, None]
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * c - b * s, a * s + b * c], -1).flatten(-2)

    def forward(self, ids, cache):
        """Logits after the last of `ids`; `cache` is a list of (k, v) per layer."""
        n, past = len(ids), cache[0][0].shape[0] if cache else 0
        angle = torch.arange(past, past + n).float()[:, None] * self.freq
        mask = torch.full((n, past + n), float("-inf")).triu(past + 1)
        x = self.t["token_embd.weight"][torch.tensor(ids)]
        for i in range(self.layers):
            b = "blk.%d." % i
            w = lambda name: self.t[b + name + ".weight"]
            h = self.norm(x, b + "attn_norm")
            q = self.rotate(linear(h, w("attn_q")).view(n, self.heads, self.hd), angle)
            k = self.rotate(linear(h, w("attn_k")).view(n, self.kv, self.hd), angle)
            v = linear(h, w("attn_v")).view(n, self.kv, self.hd)
            if len(cache) > i:
                k, v = torch.cat([cache[i][0], k]), torch.cat([cache[i][1], v])
                cache[i] = (k, v)
            else:
                cache.append((k, v))
            g = self.heads // self.kv
            kk, vv = k.repeat_interleave(g, 1).transpose(0, 1), v.repeat_interleave(g, 1).transpose(0, 1)
            s = (q.transpose(0, 1) @ kk.transpose(1, 2)) * self.hd ** -0.5 + mask
            a = (s.softmax(-1) @ vv).transpose(0, 1).reshape(n, -1)
            x = x + linear(a, w("attn_output"))
            h = self.norm(x, b + "ffn_norm")
            x = x + linear(F.silu(linear(h, w("ffn_gate"))) * linear(h, w("ffn_up")), w("ffn_down"))
        return self.t["token_embd.weight"] @ self.norm(x[-1], "output_norm")

    def prompt(self, text):
        start, e = self.tok.ids["<|im_start|>"], self.tok.encode
        return [start] + e("user\n" + text) + [self.end] + e("\n")

    def probe(self, text):
        ids = self.prompt(text) + [self.tok.ids["<|im_start|>"]] + self.tok.encode("intent\n")
        p = self.forward(ids, [])[[self.tok.encode(l)[0] for l in LABELS]].softmax(-1)
        return LABELS[int(p.argmax())], float(-(p * p.clamp_min(1e-12).log()).sum())

    def answer(self, text, limit=160):
        ids, cache, out = self.prompt(text) + [self.tok.ids["<|im_start|>"]] + self.tok.encode("assistant\n"), [], []
        while len(out) < limit:
            n = int(self.forward(ids, cache).argmax())
            if n == self.end:
                break
            out.append(n)
            ids = [n]
        return self.tok.decode(out)


RUN = """
import json, sys
want, got, name, examples, any_name = json.loads(sys.stdin.read())
a, b = {}, {}
exec(want, a)
exec(got, b)
if any_name:
    name_b = [k for k, v in b.items() if callable(v) and hasattr(v, "__code__")][-1]
else:
    name_b = name
for e in examples:
    try:
        w = eval("%s(%s)" % (name, e), a)
    except Exception:
        continue
    assert eval("%s(%s)" % (name_b, e), b) == w
"""


def runs(check, text):
    code = re.sub(r"```(python)?", "", text)
    job = json.dumps([check["ref"], code, check["name"], check["examples"], check.get("any_name", False)])
    try:
        return subprocess.run([sys.executable, "-c", RUN], input=job.encode(), timeout=10, stderr=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def right(row, text):
    if row["intent"] == "code":
        return runs(row["check"], text)
    if row["intent"] == "math":
        return text.rstrip().endswith("#### %s" % row["check"])
    return row["check"].lower() in text.lower()


def rows(path):
    return [json.loads(l) for l in open(path)]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("model")
    ap.add_argument("--probe", nargs="*", default=[])
    ap.add_argument("--answers")
    ap.add_argument("--chat")
    ap.add_argument("--encode")
    ap.add_argument("--show", type=int, default=0, help="print so many wrong items")
    a = ap.parse_args()
    torch.set_num_threads(1)
    m = Model(a.model)
    if a.encode:
        for text in open(a.encode, newline="").read().split("\n__ggml_vocab_test__\n")[:-1]:
            print(*m.tok.encode(text))
    if a.chat:
        print(m.probe(a.chat), m.answer(a.chat))
    for path in a.probe:
        got = collections.defaultdict(list)
        shown = 0
        for row in rows(path):
            label, entropy = m.probe(row["prompt"])
            ok = label == row["intent"]
            for key in (row["intent"] + " (" + row.get("set", "generated") + ")", "all"):
                got[key].append((ok, entropy))
            if not ok and shown < a.show:
                shown += 1
                print("  wrong: %s for %s, %.2f nats: %r" % (label, row["intent"], entropy, row["prompt"][:150]))
        for key, v in got.items():
            e = [x for ok, x in v if ok]
            n = max(len(e), 1)
            print("%s  %-22s %d/%d right, entropy of the right ones: mean %.3f, below 0.45: %.1f%%" % (
                path.split("/")[-1], key, len(e), len(v), sum(e) / n, 100 * sum(x < 0.45 for x in e) / n), flush=True)
    if a.answers:
        got = collections.defaultdict(list)
        shown = 0
        for row in rows(a.answers):
            if "check" not in row:
                continue
            text = m.answer(row["prompt"])
            ok = right(row, text)
            got[row["intent"]].append(ok)
            if not ok and shown < a.show:
                shown += 1
                print("  wrong: %r -> %r" % (row["prompt"], text))
        for key, v in got.items():
            print("answers %-5s %d/%d right" % (key, sum(v), len(v)), flush=True)


if __name__ == "__main__":
    main()
