"""Trains one Pocket model on one CPU core for a given number of minutes.

  train.py --size small --minutes 45 --data DIR --work DIR

The large model starts with half of its layers and gets the rest late (grow_at):
a new layer begins as the identity, so nothing is lost, and the steps before it
cost about half.

The learning rate follows the share of the time that has passed, so a run on a
busy machine makes fewer steps but always ends decayed. Run it again with the
same --work to go on from the last checkpoint.
"""
import argparse
import math
import os
import random
import signal
import time

import torch

import bpe
import corpus
from model import SIZES, Config, Pocket

# Muon for the matrices inside the blocks, Adam for embedding and norms.
RATES = {
    "small": dict(muon=0.02, adam=4e-3, step_tokens=4096, shift=0.0, start_layers=4, grow_at=None),
    "large": dict(muon=0.015, adam=2.5e-3, step_tokens=5120, shift=0.03, start_layers=4, grow_at=0.9),
}


class Stream:
    """Documents made on the fly, sorted into batches of like length."""

    def __init__(self, tok, data, seed, shift):
        self.tok, self.rng = tok, random.Random(seed)
        self.builder = corpus.Builder(seed, *corpus.load(data), shift=shift)
        self.ready = []

    def refill(self):
        docs = [corpus.render(self.tok, self.builder.document(), self.rng) for _ in range(1024)]
        docs = [d for d in docs if d[3]]
        docs.sort(key=lambda d: len(d[0]))
        batch = []
        for d in docs:
            if batch and len(d[0]) * (len(batch) + 1) > 2048:
                self.ready.append(batch)
                batch = []
            batch.append(d)
        self.rng.shuffle(self.ready)  # the unfinished rest (the longest) is rare enough to
        self.ready.append(batch)      # come last each time

    def batch(self):
        if not self.ready:
            self.refill()
        return collate(self.ready.pop(0), self.tok.ids["<|endoftext|>"])


def collate(docs, pad):
    t = max(len(d[0]) for d in docs)
    ids = torch.full((len(docs), t), pad, dtype=torch.long)
    pos = torch.zeros(len(docs), t, dtype=torch.long)
    branch = torch.full((len(docs), t), -1, dtype=torch.long)
    at, target, weight = [], [], []
    for i, (a, p, b, w) in enumerate(docs):
        n = len(a)
        ids[i, :n], pos[i, :n], branch[i, :n] = torch.tensor(a), torch.tensor(p), torch.tensor(b)
        for k, x in w:
            at.append(i * t + k)
            target.append(a[k + 1])
            weight.append(x)
    return ids, pos, branch, torch.tensor(at), torch.tensor(target), torch.tensor(weight)


def orthogonal(g):
    """Newton-Schulz iteration of Muon, on a stack of matrices."""
    x = g.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.transpose(1, 2)
    x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).bfloat16()
    for _ in range(5):
        a = torch.bmm(x, x.transpose(1, 2).contiguous())
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, b, x, beta=3.4445)
    return (x.transpose(1, 2) if tall else x).float()


class Optimizer:
    """Float32 master weights beside the bfloat16 model that computes."""

    def __init__(self, model, rates):
        self.rates = rates
        named = list(model.named_parameters())
        self.params = [p for _, p in named]
        self.master = [p.detach().float().clone() for p in self.params]
        self.is_matrix = [n.startswith("blocks") and p.dim() == 2 for n, p in named]
        self.m = [torch.zeros_like(p) for p in self.master]
        self.v = [torch.zeros_like(p) if not k else None for p, k in zip(self.master, self.is_matrix)]
        self.groups = {}
        for i, p in enumerate(self.params):
            if self.is_matrix[i]:
                self.groups.setdefault(tuple(p.shape), []).append(i)
        self.steps = 0

    def step(self, scale):
        self.steps += 1
        grads = [p.grad.float() for p in self.params]
        norm = math.sqrt(sum(float(g.square().sum()) for g in grads))
        clip = min(1.0, 1.0 / (norm + 1e-6))
        momentum = min(0.95, 0.85 + 0.1 * self.steps / 200)
        for shape, idx in self.groups.items():
            for i in idx:
                self.m[i].lerp_(grads[i], 1 - momentum)
            update = orthogonal(torch.stack([grads[i].lerp(self.m[i], momentum) for i in idx]))
            rate = self.rates["muon"] * scale * max(1.0, shape[0] / shape[1]) ** 0.5
            for i, u in zip(idx, update):
                self.master[i].mul_(1 - 0.02 * self.rates["adam"] * scale).add_(u, alpha=-rate)
        b1, b2 = 0.9, 0.98
        for i, p in enumerate(self.master):
            if not self.is_matrix[i]:
                g = grads[i] * clip
                self.m[i].lerp_(g, 1 - b1)
                self.v[i].lerp_(g.square(), 1 - b2)
                mh = self.m[i] / (1 - b1 ** self.steps)
                vh = self.v[i] / (1 - b2 ** self.steps)
                p.addcdiv_(mh, vh.sqrt() + 1e-10, value=-self.rates["adam"] * scale)
        for p, w in zip(self.params, self.master):
            p.data.copy_(w)
            p.grad = None
        return norm


def make(size, layers, vocab, rates):
    cfg = Config(vocab=vocab, **dict(SIZES[size], layers=layers))
    model = Pocket(cfg)
    opt = Optimizer(model, rates)
    model.bfloat16()
    opt.params = list(model.parameters())
    return model, opt


def use(opt, master):
    for p, mine, w in zip(opt.params, opt.master, master):
        mine.copy_(w)
        p.data.copy_(w)


def grown(names, values, new):
    """Each block is followed by a new one; `new(name, value)` makes its parts."""
    out = {}
    for name, w in zip(names, values):
        if not name.startswith("blocks"):
            out[name] = w
            continue
        _, i, rest = name.split(".")
        out["blocks.%d.%s" % (2 * int(i), rest)] = w
        out["blocks.%d.%s" % (2 * int(i) + 1, rest)] = None if w is None else new(rest, w)
    return out


def grow(old_model, old, size, layers, vocab, rates):
    """Doubles the layers. A new one is a copy whose outputs are zero: the
    identity at first."""
    model, opt = make(size, layers, vocab, rates)
    was = [n for n, _ in old_model.named_parameters()]
    names = [n for n, _ in model.named_parameters()]
    master = grown(was, old.master, lambda n, w: torch.zeros_like(w) if n in ("wo", "down") else w)
    zero = lambda n, w: torch.zeros_like(w)
    m, v = grown(was, old.m, zero), grown(was, old.v, zero)
    use(opt, [master[n] for n in names])
    opt.m, opt.v, opt.steps = [m[n] for n in names], [v[n] for n in names], old.steps
    return model, opt


def schedule(x):
    if x < 0.01:
        return 0.1 + 0.9 * x / 0.01
    return 1.0 if x < 0.3 else max(0.0, (1 - x) / 0.7)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--size", choices=SIZES, required=True)
    ap.add_argument("--minutes", type=float, required=True)
    ap.add_argument("--data", required=True)
    ap.add_argument("--work", required=True, help="holds vocab.json; checkpoints go here")
    ap.add_argument("--seed", type=int, default=11)
    ap.add_argument("--threads", type=int, default=1)
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    tok = bpe.Tokenizer.load(os.path.join(a.work, "vocab.json"))
    rates = RATES[a.size]
    layers, full = rates["start_layers"], SIZES[a.size]["layers"]
    path = os.path.join(a.work, a.size + ".pt")
    elapsed, seen, seed = 0.0, 0, a.seed
    saved_state = torch.load(path) if os.path.exists(path) else None
    if saved_state:
        layers = 1 + max(int(n.split(".")[1]) for n in saved_state["names"] if n.startswith("blocks"))
    model, opt = make(a.size, layers, len(tok.tokens), rates)
    if saved_state:
        use(opt, saved_state["master"])
        opt.m, opt.v, opt.steps = saved_state["m"], saved_state["v"], saved_state["steps"]
        # The seed moves on, so that the documents already seen do not come again.
        elapsed, seen, seed = saved_state["elapsed"], saved_state["seen"], saved_state["seed"] + 1
    stream = Stream(tok, a.data, seed, rates["shift"])
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))

    def save():
        torch.save(dict(master=opt.master, m=opt.m, v=opt.v, steps=opt.steps, elapsed=elapsed, seen=seen, seed=seed,
                        names=[n for n, _ in model.named_parameters()], size=a.size), path + ".new")
        os.replace(path + ".new", path)

    print("%s: %d parameters, %d documents of train splits" % (a.size, sum(p.numel() for p in opt.params),
          sum(map(len, (stream.builder.mbpp, stream.builder.gsm, stream.builder.mmlu)))), flush=True)
    budget, last = a.minutes * 60, time.time()
    logged, saved = elapsed, elapsed
    sums, tokens = {}, 0
    while elapsed < budget and not stop:
        if layers < full and elapsed > rates["grow_at"] * budget:
            layers *= 2
            model, opt = grow(model, opt, a.size, layers, len(tok.tokens), rates)
            print("grown to %d layers at step %d" % (layers, opt.steps), flush=True)
        batches, n = [], 0
        while n < rates["step_tokens"]:
            batches.append(stream.batch())
            n += batches[-1][0].numel()
        total = sum(float(b[5].sum()) for b in batches)
        for b in batches:
            loss, nll = model.loss(*b[:5], b[5] / total)
            loss.backward()
            for key, w in (("label", 3.0), ("text", 1.0)):
                pick = nll[b[5] == w]
                s = sums.setdefault(key, [0.0, 0])
                s[0] += float(pick.sum())
                s[1] += len(pick)
        norm = opt.step(schedule(elapsed / budget))
        now = time.time()
        elapsed, last = elapsed + now - last, now
        seen += n
        tokens += n
        if elapsed - logged > 30:
            print("step %d  min %.1f  text %.3f  label %.4f  norm %.2f  %.0f tok/s  seen %.2fM  left %.0f min" % (
                opt.steps, elapsed / 60, sums["text"][0] / max(1, sums["text"][1]), sums["label"][0] / max(1, sums["label"][1]),
                norm, tokens / (elapsed - logged), seen / 1e6, (budget - elapsed) / 60), flush=True)
            logged, tokens, sums = elapsed, 0, {}
        if elapsed - saved > 180:
            save()
            saved = elapsed
    save()
    print("done" if elapsed >= budget else "stopped", flush=True)


if __name__ == "__main__":
    main()
