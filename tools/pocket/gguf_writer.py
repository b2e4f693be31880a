"""Writes a checkpoint as GGUF (FP16, norms F32).

  gguf_writer.py --checkpoint DIR/small.pt --vocab DIR/vocab.json --out pocket-small-f16.gguf
"""
import argparse
import struct

import torch

import bpe
from model import SIZES, Config

ALIGN = 32
TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
            "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
U32, I32, F32, BOOL, STR, ARR = 4, 5, 6, 7, 8, 9


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


def interleave(w, heads, head_dim):
    """Training rotates (i, i + half); GGUF's llama rotates (2i, 2i + 1)."""
    return w.view(heads, 2, head_dim // 2, -1).transpose(1, 2).reshape(w.shape)


def tensors(cfg, weights):
    yield "token_embd.weight", weights["embed"]
    for i in range(cfg.layers):
        b, o = "blocks.%d." % i, "blk.%d." % i
        yield o + "attn_norm.weight", weights[b + "attn_norm"]
        yield o + "attn_q.weight", interleave(weights[b + "wq"], cfg.heads, cfg.head_dim)
        yield o + "attn_k.weight", interleave(weights[b + "wk"], cfg.kv_heads, cfg.head_dim)
        yield o + "attn_v.weight", weights[b + "wv"]
        yield o + "attn_output.weight", weights[b + "wo"]
        yield o + "ffn_norm.weight", weights[b + "ffn_norm"]
        yield o + "ffn_gate.weight", weights[b + "gate"]
        yield o + "ffn_up.weight", weights[b + "up"]
        yield o + "ffn_down.weight", weights[b + "down"]
    yield "output_norm.weight", weights["norm"]


def write(path, size, weights, tok):
    layers = sum(n.endswith("attn_norm") for n in weights)  # fewer in an early checkpoint
    cfg = Config(vocab=len(tok.tokens), **dict(SIZES[size], layers=layers))
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
        half = w.dim() == 2
        blob = w.to(torch.float16 if half else torch.float32).contiguous().numpy().tobytes()
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
    ap = argparse.ArgumentParser()
    ap.add_argument("--checkpoint", required=True)
    ap.add_argument("--vocab", required=True)
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    c = torch.load(a.checkpoint)
    write(a.out, c["size"], dict(zip(c["names"], c["master"])), bpe.Tokenizer.load(a.vocab))
    print("%s: step %d, %.1f training minutes" % (a.out, c["steps"], c["elapsed"] / 60))


if __name__ == "__main__":
    main()
