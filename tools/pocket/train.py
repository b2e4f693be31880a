"""Trains both Pocket models, one after the other, on one GPU.

  train.py --data DIR --work DIR --small 4 --large 14     # minutes of each

DIR of --work holds vocab.json; it gets SIZE.pt, logs and the shards of documents,
which worker processes make while the models train. The learning rate follows the
share of the time that has passed, so a run always ends decayed. With no GPU it
runs on the CPU, thousands of times slower.
"""
import argparse
import glob
import multiprocessing
import os
import random
import threading
import time

import numpy as np
import torch

import bpe
import produce
from model import SIZES, Config, Pocket, block_mask

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
# Muon for the matrices inside the blocks, Adam for embedding and norms.
RATES = {
    "small": dict(muon=0.02, adam=4e-3, rows=32),
    "large": dict(muon=0.02, adam=3e-3, rows=32),
}
MUON_DECAY = 0.05


class Shards:
    """All shards made so far, on the device: new ones first, then the old again."""

    def __init__(self, folder, seed):
        self.folder, self.rng = folder, random.Random(seed)
        self.known, self.fresh, self.old, self.used = set(), [], [], 0
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            paths = [p for p in glob.glob(os.path.join(self.folder, "*.npz")) if p not in self.known]
            self.rng.shuffle(paths)
            for p in paths:
                self.known.add(p)
                z = np.load(p)
                self.fresh.append({k: torch.from_numpy(z[k]).to(DEVICE) for k in z.files})
            time.sleep(0.5)

    def batches(self, rows):
        weights = torch.tensor(produce.WEIGHTS, device=DEVICE)
        while True:
            while not self.fresh and len(self.old) < 3:
                time.sleep(0.2)
            if self.fresh:
                s = self.fresh.pop(0)
                self.old.append(s)
            else:
                s = self.rng.choice(self.old)
            self.used += 1
            order = torch.randperm(produce.ROWS, device=DEVICE)
            for i in range(0, produce.ROWS, rows):
                b = {k: v[order[i:i + rows]] for k, v in s.items()}
                yield b["ids"].long(), b["pos"].int(), b["mark"].int(), b["at"].long(), weights[b["weight"].long()]


def orthogonal(g):
    """Newton-Schulz iteration of Muon, on a stack of matrices."""
    x = g.bfloat16()
    tall = x.shape[1] > x.shape[2]
    if tall:
        x = x.transpose(1, 2)
    x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).bfloat16()
    for _ in range(5):
        a = torch.bmm(x, x.transpose(1, 2))
        b = torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315)
        x = torch.baddbmm(x, b, x, beta=3.4445)
    return (x.transpose(1, 2) if tall else x).float()


class Optimizer:
    def __init__(self, model, rates):
        self.rates, self.steps = rates, 0
        self.state = [(p, torch.zeros_like(p), torch.zeros_like(p)) for p in model.parameters()]

    @torch.no_grad()
    def step(self, scale):
        self.steps += 1
        momentum = min(0.95, 0.85 + 0.1 * self.steps / 300)
        fix1, fix2 = 1 / (1 - 0.9 ** self.steps), 1 / (1 - 0.98 ** self.steps)
        for p, m, v in self.state:
            g = p.grad
            if p.dim() == 3:
                rate = self.rates["muon"] * scale
                m.lerp_(g, 1 - momentum)
                p.mul_(1 - rate * MUON_DECAY).add_(orthogonal(g.lerp(m, momentum)), alpha=-rate * max(1.0, p.shape[1] / p.shape[2]) ** 0.5)
            else:
                m.lerp_(g, 0.1)
                v.lerp_(g.square(), 0.02)
                p.addcdiv_(m, (v * fix2).sqrt_().add_(1e-10), value=-self.rates["adam"] * scale * fix1)
            p.grad = None


def schedule(x):
    """Of the rates, by the share of the time passed."""
    return min(1.0, 0.05 + x / 0.01) if x < 0.4 else max(0.0, (1 - x) / 0.6)


def train(size, minutes, work, vocab, seed):
    torch.manual_seed(seed)
    log = open(os.path.join(work, "train-%s.log" % size), "w")

    def say(text):
        print(text, flush=True)
        log.write(text + "\n")
        log.flush()
    rates = RATES[size]
    cfg = Config(vocab=vocab, **SIZES[size])
    model = Pocket(cfg).to(DEVICE)
    opt = Optimizer(model, rates)
    loss_of = torch.compile(model.loss) if GPU else model.loss
    shards = Shards(os.path.join(work, "shards"), seed)
    say("%s: %d parameters" % (size, sum(p.numel() for p in model.parameters())))
    seen, kept, elapsed, sums, started = 0, 0, 0.0, None, None

    def save(name):
        weights = {k: v.detach().float().cpu() for k, v in model.named_parameters()}
        torch.save(dict(size=size, weights=weights, steps=opt.steps, seen=seen, elapsed=elapsed), os.path.join(work, name))

    for ids, pos, mark, at, weight in shards.batches(rates["rows"]):
        loss, nll = loss_of(ids, pos, block_mask(mark) if GPU else mark, at, weight, torch.bfloat16 if GPU else torch.float32)
        loss.backward()
        opt.step(schedule(elapsed / (60 * minutes)))
        if started is None or opt.steps == 10:  # the first steps compile
            torch.cuda.synchronize() if GPU else None
            started = last = time.time()
            seen, counted = 0, 0
        seen += ids.numel()
        w = weight.flatten()
        now = torch.stack([(nll * (w == 1)).sum(), (w == 1).sum(), (nll * (w == 3)).sum(), (w == 3).sum()])
        sums = now if sums is None else sums + now
        if opt.steps % 20 == 0:
            torch.cuda.synchronize() if GPU else None
            elapsed = time.time() - started
        if opt.steps % 200 == 0:
            s = sums.tolist()
            say("step %5d  min %5.2f  text %.4f  label %.4f  %.0f k tok/s  seen %.0f M  shards %d, used %d" % (
                opt.steps, elapsed / 60, s[0] / s[1], s[2] / max(1, s[3]), (seen - counted) / (time.time() - last) / 1000, seen / 1e6, len(shards.known), shards.used))
            sums, counted, last = None, seen, time.time()
        if elapsed > kept + 120:
            kept = elapsed
            save(size + ".part.pt")
        if elapsed >= 60 * minutes:
            break
    save(size + ".pt")
    say("%s done: %d steps, %.0f M tokens, %.1f minutes" % (size, opt.steps, seen / 1e6, elapsed / 60))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--small", type=float, default=0, help="minutes")
    ap.add_argument("--large", type=float, default=0, help="minutes")
    ap.add_argument("--data", required=True)
    ap.add_argument("--work", required=True)
    ap.add_argument("--workers", type=int, default=11)
    ap.add_argument("--shards", type=int, default=150, help="of each worker, a million tokens each")
    ap.add_argument("--seed", type=int, default=11)
    a = ap.parse_args()
    vocab, folder = os.path.join(a.work, "vocab.json"), os.path.join(a.work, "shards")
    os.makedirs(folder, exist_ok=True)
    start = multiprocessing.get_context("spawn")
    workers = [start.Process(target=produce.work, args=(1000 * a.seed + i, a.data, vocab, folder, a.shards), daemon=True) for i in range(a.workers)]
    for w in workers:
        w.start()
    torch.set_float32_matmul_precision("high")
    for size in SIZES:
        if getattr(a, size):
            train(size, getattr(a, size), a.work, len(bpe.Tokenizer.load(vocab).tokens), a.seed)
    for w in workers:
        w.terminate()


if __name__ == "__main__":
    main()
