"""The llama architecture, written for training on a CPU core in bfloat16.

A batch is a set of short documents, padded to one length. A document is a tree:
the conversation is its trunk (branch 0), and after each user message hangs a
small branch that asks for the intent. A token sees its own branch and the trunk
before it, so the intent task costs five tokens instead of a second copy of
the prompt, and the answer never sees the intent that training added.
"""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


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
    "large": dict(dim=384, layers=8, heads=6, kv_heads=2, head_dim=64, ffn=1024),
}


class RmsNorm(torch.autograd.Function):
    """Fused by hand: autograd's own version makes several passes more."""

    @staticmethod
    def forward(ctx, x, w, eps):
        xf = x.float()
        r = torch.rsqrt(xf.square().mean(-1, keepdim=True) + eps)
        n = (xf * r).to(x.dtype)
        ctx.save_for_backward(n, w, r)
        return n * w

    @staticmethod
    def backward(ctx, g):
        n, w, r = ctx.saved_tensors
        dw = (g * n).flatten(0, -2).sum(0, dtype=torch.float32).to(w.dtype)
        gn = g * w
        c = (gn * n).mean(-1, keepdim=True, dtype=torch.float32)
        dx = torch.addcmul(gn, n, c.to(n.dtype), value=-1) * r.to(n.dtype)
        return dx, dw, None


class SwiGlu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up):
        ctx.save_for_backward(gate, up)
        return F.silu(gate) * up

    @staticmethod
    def backward(ctx, g):
        gate, up = ctx.saved_tensors
        s = torch.sigmoid(gate)
        act = gate * s
        # silu' = s + act * (1 - s)
        return g * up * torch.addcmul(s, act, 1 - s), g * act


class Embed(torch.autograd.Function):
    """Sums the gradients of frequent tokens in float32: bfloat16 would lose them."""

    @staticmethod
    def forward(ctx, tokens, w):
        ctx.save_for_backward(tokens)
        ctx.shape = w.shape
        return F.embedding(tokens, w)

    @staticmethod
    def backward(ctx, g):
        (tokens,) = ctx.saved_tensors
        dw = torch.zeros(ctx.shape)
        dw.index_add_(0, tokens.flatten(), g.flatten(0, -2).float())
        return None, dw.bfloat16()


def rope_tables(positions, cfg):
    """cos and sin for the half-split layout: [batch, time, 1, head_dim]."""
    half = cfg.head_dim // 2
    freq = cfg.rope_base ** (-torch.arange(half, dtype=torch.float32) / half)
    angle = positions.float()[..., None] * freq
    cos, sin = angle.cos(), angle.sin()
    return (torch.cat([cos, cos], -1)[:, :, None].bfloat16(),
            torch.cat([-sin, sin], -1)[:, :, None].bfloat16())


def rope(x, cos, sin):
    half = x.shape[-1] // 2
    return torch.addcmul(x * cos, torch.cat([x[..., half:], x[..., :half]], -1), sin)


class Block(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        d, q, kv = cfg.dim, cfg.heads * cfg.head_dim, cfg.kv_heads * cfg.head_dim
        self.cfg = cfg
        self.attn_norm = nn.Parameter(torch.ones(d))
        self.ffn_norm = nn.Parameter(torch.ones(d))
        out = 0.5 / math.sqrt(2 * cfg.layers)
        def mat(rows, cols, scale=0.5):
            return nn.Parameter(torch.randn(rows, cols) * (scale / math.sqrt(cols)))
        self.wq, self.wk, self.wv = mat(q, d), mat(kv, d), mat(kv, d)
        self.wo = mat(d, q, out)
        self.gate, self.up, self.down = mat(cfg.ffn, d), mat(cfg.ffn, d), mat(d, cfg.ffn, out)

    def forward(self, x, cos, sin, mask):
        c = self.cfg
        b, t, _ = x.shape
        group = c.heads // c.kv_heads
        h = RmsNorm.apply(x, self.attn_norm, c.eps)
        q = rope(F.linear(h, self.wq).view(b, t, c.heads, c.head_dim), cos, sin)
        k = rope(F.linear(h, self.wk).view(b, t, c.kv_heads, c.head_dim), cos, sin)
        v = F.linear(h, self.wv).view(b, t, c.kv_heads, c.head_dim)
        # All query heads of one key head are stacked as rows of one product.
        q = (q * c.head_dim ** -0.5).view(b, t, c.kv_heads, group, c.head_dim)
        q = q.permute(0, 2, 3, 1, 4).reshape(b * c.kv_heads, group * t, c.head_dim)
        k = k.transpose(1, 2).reshape(b * c.kv_heads, t, c.head_dim)
        v = v.transpose(1, 2).reshape(b * c.kv_heads, t, c.head_dim)
        s = torch.bmm(q, k.transpose(1, 2)).view(b, c.heads, t, t) + mask
        s = s.softmax(-1).view(b * c.kv_heads, group * t, t)
        a = torch.bmm(s, v).view(b, c.kv_heads, group, t, c.head_dim)
        a = a.permute(0, 3, 1, 2, 4).reshape(b, t, -1)
        x = x + F.linear(a, self.wo)
        h = RmsNorm.apply(x, self.ffn_norm, c.eps)
        return x + F.linear(SwiGlu.apply(F.linear(h, self.gate), F.linear(h, self.up)), self.down)


def tree_mask(branch):
    """Additive [batch, 1, time, time] mask; branch < 0 marks padding."""
    b, t = branch.shape
    seen = (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
    seen &= torch.ones(t, t, dtype=torch.bool).tril()
    return torch.zeros(b, t, t, dtype=torch.bfloat16).masked_fill_(~seen, -1e4)[:, None]


class Pocket(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.embed = nn.Parameter(torch.randn(cfg.vocab, cfg.dim) * 0.02)
        self.blocks = nn.ModuleList(Block(cfg) for _ in range(cfg.layers))
        self.norm = nn.Parameter(torch.ones(cfg.dim))

    def hidden(self, tokens, positions, branch):
        cos, sin = rope_tables(positions, self.cfg)
        mask = tree_mask(branch)
        x = Embed.apply(tokens, self.embed)
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        return RmsNorm.apply(x, self.norm, self.cfg.eps)

    def loss(self, tokens, positions, branch, at, target, weight):
        """Weighted sum of cross entropies at the flat positions `at` only:
        the vocabulary product is half of a tiny model's work."""
        h = self.hidden(tokens, positions, branch).flatten(0, 1)[at]
        return WeightedLoss.apply(F.linear(h, self.embed), target, weight)


class WeightedLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, target, weight):
        logp = F.log_softmax(logits.float(), -1)
        nll = -logp.gather(1, target[:, None])[:, 0]
        ctx.save_for_backward(logp, target, weight)
        return (nll * weight).sum(), nll.detach()

    @staticmethod
    def backward(ctx, g, _):
        logp, target, weight = ctx.saved_tensors
        p = logp.exp_()
        p[torch.arange(len(target)), target] -= 1
        return (p * (weight * g)[:, None]).bfloat16(), None, None
