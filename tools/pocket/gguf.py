"""Reads GGUF files, and writes a checkpoint as one (FP16, norms F32).

  gguf.py --checkpoint DIR/small.pt --vocab DIR/vocab.json --out pocket-small-f16.gguf
"""
import argparse
import math
import struct

import numpy as np

import bpe

ALIGN = 32
TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
U32, I32, F32, BOOL, STR, ARR = 4, 5, 6, 7, 8, 9


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
            self.tensors[name] = a.astype(np.float32).reshape(dims[::-1])

    def tokenizer(self):
        return bpe.Tokenizer(self.meta["tokenizer.ggml.tokens"], [x.split(" ") for x in self.meta["tokenizer.ggml.merges"]])

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


def text(s):
    b = s.encode("utf-8")
    return struct.pack("<Q", len(b)) + b


def value(kind, v):
    if kind == STR:
        return text(v)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], v)


def entry(key, kind, v, item=None):
    if kind != ARR:
        return text(key) + struct.pack("<I", kind) + value(kind, v)
    return text(key) + struct.pack("<IIQ", ARR, item, len(v)) + b"".join(value(item, x) for x in v)


def interleave(w, head_dim):
    """Training rotates (i, i + half); GGUF's llama rotates (2i, 2i + 1)."""
    return w.reshape(-1, 2, head_dim // 2, w.shape[1]).transpose(0, 2, 1, 3).reshape(w.shape)


def tensors(cfg, weights):
    """`weights` holds the layers stacked; GGUF wants them one by one."""
    yield "token_embd.weight", weights["embed"]
    for i in range(cfg.layers):
        for ours, theirs in (("attn_norm", "attn_norm"), ("wq", "attn_q"), ("wk", "attn_k"), ("wv", "attn_v"), ("wo", "attn_output"),
                             ("ffn_norm", "ffn_norm"), ("gate", "ffn_gate"), ("up", "ffn_up"), ("down", "ffn_down")):
            w = weights[ours][i]
            yield "blk.%d.%s.weight" % (i, theirs), interleave(w, cfg.head_dim) if ours in ("wq", "wk") else w
    yield "output_norm.weight", weights["norm"]


def write(path, size, cfg, weights, tok):
    """`weights` are float32 arrays by the names of model.Pocket."""
    special = {tok.ids[s] for s in bpe.SPECIAL}
    end, pad = tok.ids["<|im_end|>"], tok.ids["<|endoftext|>"]
    meta = [
        entry("general.architecture", STR, "llama"),
        entry("general.name", STR, "Pocket " + size),
        entry("general.license", STR, "apache-2.0"),
        entry("general.file_type", U32, 1),
        entry("llama.context_length", U32, cfg.context),
        entry("llama.embedding_length", U32, cfg.dim),
        entry("llama.block_count", U32, cfg.layers),
        entry("llama.feed_forward_length", U32, cfg.ffn),
        entry("llama.attention.head_count", U32, cfg.heads),
        entry("llama.attention.head_count_kv", U32, cfg.kv_heads),
        entry("llama.attention.layer_norm_rms_epsilon", F32, cfg.eps),
        entry("llama.rope.freq_base", F32, cfg.rope_base),
        entry("llama.rope.dimension_count", U32, cfg.head_dim),
        entry("llama.vocab_size", U32, cfg.vocab),
        entry("tokenizer.ggml.model", STR, "gpt2"),
        entry("tokenizer.ggml.pre", STR, "qwen2"),
        entry("tokenizer.ggml.tokens", ARR, tok.tokens, STR),
        entry("tokenizer.ggml.token_type", ARR, [3 if i in special else 1 for i in range(cfg.vocab)], I32),
        entry("tokenizer.ggml.merges", ARR, [" ".join(m) for m in tok.merges], STR),
        entry("tokenizer.ggml.bos_token_id", U32, pad),
        entry("tokenizer.ggml.eos_token_id", U32, end),
        entry("tokenizer.ggml.padding_token_id", U32, pad),
        entry("tokenizer.ggml.add_bos_token", BOOL, False),
        entry("tokenizer.chat_template", STR, TEMPLATE),
    ]
    infos, blobs, offset = [], [], 0
    for name, w in tensors(cfg, weights):
        half = w.ndim == 2
        blob = w.astype(np.float16 if half else np.float32).tobytes()
        dims = list(reversed(w.shape))
        infos.append(text(name) + struct.pack("<I", len(dims)) + struct.pack("<%dQ" % len(dims), *dims) + struct.pack("<IQ", 1 if half else 0, offset))
        blob += b"\0" * (-len(blob) % ALIGN)
        blobs.append(blob)
        offset += len(blob)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(meta)) + b"".join(meta) + b"".join(infos)
    with open(path, "wb") as f:
        f.write(head + b"\0" * (-len(head) % ALIGN))
        for blob in blobs:
            f.write(blob)


def main():
    import torch

    from model import SIZES, Config
    ap = argparse.ArgumentParser()
    ap.add_argument("--checkpoint", required=True)
    ap.add_argument("--vocab", required=True)
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    c = torch.load(a.checkpoint)
    tok = bpe.Tokenizer.load(a.vocab)
    write(a.out, c["size"], Config(vocab=len(tok.tokens), **SIZES[c["size"]]), {k: v.numpy() for k, v in c["weights"].items()}, tok)
    print("%s: %d steps, %.0f M tokens, %.1f minutes" % (a.out, c["steps"], c["seen"] / 1e6, c["elapsed"] / 60))


if __name__ == "__main__":
    main()
