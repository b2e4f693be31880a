"""The llama architecture, written for training on one GPU in bfloat16 over float32 weights.

A row packs many documents. A document is a tree: the conversation is its trunk
(branch 0), and after each user message hangs a small branch that asks for the
intent. A token sees its own branch and the trunk before it, so the intent task
costs five tokens instead of a second copy of the prompt, and the answer never
sees the intent that training added. The matrices of all layers are stacked, which
lets the optimizer treat them at once.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

BRANCHES = 8  # a mark is document * BRANCHES + branch


@dataclass
class Config:
    vocab: int
    dim: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    context: int = 4096
    eps: float = 1e-5
    rope_base: float = 10000.0


SIZES = {
    "small": dict(dim=192, layers=4, heads=6, kv_heads=2, head_dim=32, ffn=512),
    "large": dict(dim=512, layers=8, heads=8, kv_heads=2, head_dim=64, ffn=1280),
}


def sees(mark, b, q, k):
    """Whether token q of row b attends to token k."""
    own, other = mark[b, q], mark[b, k]
    return (q >= k) & ((own == other) | (own // BRANCHES * BRANCHES == other))


def block_mask(mark):
    """The blocks of the attention matrix that hold anything, for FlexAttention."""
    from torch.nn.attention.flex_attention import create_block_mask
    rows, length = mark.shape
    return create_block_mask(lambda b, h, q, k: sees(mark, b, q, k), rows, None, length, length, device=mark.device, _compile=True)


def attention(q, k, v, mask):
    """`mask`: a block mask on a GPU, the marks on a CPU (slow, for trying only)."""
    if q.is_cuda:
        from torch.nn.attention.flex_attention import flex_attention
        return flex_attention(q, k, v, block_mask=mask, enable_gqa=True)
    group, i = q.shape[1] // k.shape[1], torch.arange(q.shape[2])
    allowed = sees(mask, torch.arange(len(mask))[:, None, None], i[:, None], i)[:, None]
    s = (q @ k.repeat_interleave(group, 1).transpose(2, 3)).float() * q.shape[-1] ** -0.5
    return s.masked_fill(~allowed, -1e9).softmax(-1).to(v.dtype) @ v.repeat_interleave(group, 1)


def rms_norm(x, w, eps):
    f = x.float()
    return (f * torch.rsqrt(f.square().mean(-1, keepdim=True) + eps) * w).to(x.dtype)


def rope(x, cos, sin):
    a, b = x.float().chunk(2, -1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1).to(x.dtype)


class Pocket(nn.Module):
    LAYER = ["attn_norm", "wq", "wk", "wv", "wo", "ffn_norm", "gate", "up", "down"]

    def __init__(self, cfg):
        super().__init__()
        self.cfg, n, d = cfg, cfg.layers, cfg.dim
        q, kv, out = cfg.heads * cfg.head_dim, cfg.kv_heads * cfg.head_dim, 0.5 / math.sqrt(2 * cfg.layers)

        def mat(rows, cols, scale=0.5):
            return nn.Parameter(torch.randn(n, rows, cols) * (scale / math.sqrt(cols)))
        self.embed, self.norm = nn.Parameter(torch.randn(cfg.vocab, d) * 0.02), nn.Parameter(torch.ones(d))
        self.attn_norm, self.ffn_norm = nn.Parameter(torch.ones(n, d)), nn.Parameter(torch.ones(n, d))
        self.wq, self.wk, self.wv, self.wo = mat(q, d), mat(kv, d), mat(kv, d), mat(d, q, out)
        self.gate, self.up, self.down = mat(cfg.ffn, d), mat(cfg.ffn, d), mat(d, cfg.ffn, out)

    def hidden(self, tokens, positions, mask, dtype):
        c = self.cfg
        rows, length = tokens.shape
        freq = c.rope_base ** (-torch.arange(c.head_dim // 2, device=tokens.device).float() / (c.head_dim // 2))
        angle = positions.float()[:, None, :, None] * freq
        cos, sin = angle.cos(), angle.sin()
        x = F.embedding(tokens, self.embed.to(dtype))
        for attn_norm, wq, wk, wv, wo, ffn_norm, gate, up, down in zip(*(getattr(self, k).to(dtype).unbind(0) for k in self.LAYER)):
            h = rms_norm(x, attn_norm, c.eps)
            q, k, v = (F.linear(h, w).view(rows, length, -1, c.head_dim).transpose(1, 2) for w in (wq, wk, wv))
            a = attention(rope(q, cos, sin), rope(k, cos, sin), v, mask)
            x = x + F.linear(a.transpose(1, 2).reshape(rows, length, -1), wo)
            h = rms_norm(x, ffn_norm, c.eps)
            x = x + F.linear(F.silu(F.linear(h, gate)) * F.linear(h, up), down)
        return rms_norm(x, self.norm, c.eps)

    def loss(self, tokens, positions, mask, at, weight, dtype=torch.bfloat16):
        """Cross entropies of the tokens after the places `at` of each row (only
        these: the vocabulary is much of a tiny model's work): the weighted mean to
        learn from, and each by itself."""
        h = self.hidden(tokens, positions, mask, dtype)
        h = h.gather(1, at[..., None].expand(-1, -1, h.shape[-1]))
        logits = F.linear(h, self.embed.to(dtype)).float().flatten(0, 1)
        nll = F.cross_entropy(logits, tokens.gather(1, at + 1).flatten(), reduction="none")
        w = weight.flatten()
        return (nll * w).sum() / w.sum(), nll.detach()
