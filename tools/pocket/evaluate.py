"""Measures GGUF files of the pair, on a GPU if there is one.

  evaluate.py MODEL.gguf --tasks RUN/tasks.jsonl      # greedy answers, right or wrong, by task
  evaluate.py MODEL.gguf --probe RUN/eval_*.jsonl     # intent, by label and by set
  evaluate.py LARGE.gguf --draft SMALL.gguf --tasks RUN/tasks.jsonl   # also: how often the small one agrees
  evaluate.py MODEL.gguf --chat "Who rules Brell?"
  evaluate.py MODEL.gguf --encode FILE.inp            # ids of the texts of src/tokenizer/golden

Reads the file with its own code, interleaved rotation and all, in float32, so
that it also checks what the writer wrote.
"""
import argparse
import collections
import concurrent.futures
import json
import re
import subprocess
import sys

import torch
import torch.nn.functional as F

from corpus import LABELS
from gguf import Gguf

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
CHUNK = 256


class Model:
    def __init__(self, path):
        g = Gguf(path)
        self.t, m = {k: torch.from_numpy(v).to(DEVICE) for k, v in g.tensors.items()}, g.meta
        self.tok = g.tokenizer()
        self.layers, self.heads, self.kv = m["llama.block_count"], m["llama.attention.head_count"], m["llama.attention.head_count_kv"]
        self.hd, self.eps = m["llama.rope.dimension_count"], m["llama.attention.layer_norm_rms_epsilon"]
        self.freq = (m["llama.rope.freq_base"] ** (-torch.arange(0, self.hd, 2).float() / self.hd)).to(DEVICE)
        self.end = m["tokenizer.ggml.eos_token_id"]

    def norm(self, x, name):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.t[name + ".weight"]

    def rotate(self, x, angle):
        c, s = angle.cos()[:, :, None], angle.sin()[:, :, None]
        a, b = x[..., 0::2], x[..., 1::2]
        return torch.stack([a * c - b * s, a * s + b * c], -1).flatten(-2)

    def cache(self, batch, length):
        return [torch.zeros(2, batch, length, self.kv, self.hd, device=DEVICE) for _ in range(self.layers)]

    def forward(self, ids, pos, cache):
        """Hidden states of a batch of tokens, [batch, n]; `pos` may differ from row to row."""
        b, n = ids.shape
        rows, angle, top = torch.arange(b, device=DEVICE)[:, None], pos[..., None] * self.freq, int(pos.max()) + 1
        mask = torch.arange(top, device=DEVICE) > pos[..., None]
        x = self.t["token_embd.weight"][ids]
        for i in range(self.layers):
            p = "blk.%d." % i
            w = lambda name: self.t[p + name + ".weight"]
            h = self.norm(x, p + "attn_norm")
            q = self.rotate(F.linear(h, w("attn_q")).view(b, n, self.heads, self.hd), angle)
            cache[i][0][rows, pos] = self.rotate(F.linear(h, w("attn_k")).view(b, n, self.kv, self.hd), angle)
            cache[i][1][rows, pos] = F.linear(h, w("attn_v")).view(b, n, self.kv, self.hd)
            k, v = (c[:, :top].transpose(1, 2)[:, :, None] for c in cache[i])
            q = q.view(b, n, self.kv, -1, self.hd).permute(0, 2, 3, 1, 4)
            s = ((q @ k.transpose(-1, -2)) * self.hd ** -0.5).masked_fill(mask[:, None, None], float("-inf"))
            x = x + F.linear((s.softmax(-1) @ v).permute(0, 3, 1, 2, 4).reshape(b, n, -1), w("attn_output"))
            h = self.norm(x, p + "ffn_norm")
            x = x + F.linear(F.silu(F.linear(h, w("ffn_gate"))) * F.linear(h, w("ffn_up")), w("ffn_down"))
        return x

    def logits(self, x):
        return F.linear(self.norm(x, "output_norm"), self.t["token_embd.weight"])

    def read(self, prompts, room):
        """-> hidden states [batch, longest] of prompts (lists of ids), lengths, cache. Shorter ones are
        padded behind; what follows a prompt overwrites its padding in the cache."""
        n = torch.tensor([len(p) for p in prompts], device=DEVICE)
        ids = torch.zeros(len(prompts), int(n.max()), dtype=torch.long)
        for i, p in enumerate(prompts):
            ids[i, :len(p)] = torch.tensor(p)
        ids = ids.to(DEVICE)
        cache = self.cache(len(prompts), ids.shape[1] + room)
        pos = torch.arange(ids.shape[1], device=DEVICE).expand(len(prompts), -1)
        x = torch.cat([self.forward(ids[:, i:i + CHUNK], pos[:, i:i + CHUNK], cache) for i in range(0, ids.shape[1], CHUNK)], 1)
        return x, n, cache

    def prompt(self, text, ask):
        start, e = self.tok.ids["<|im_start|>"], self.tok.encode
        return [start] + e("user\n" + text) + [self.end] + e("\n") + [start] + e(ask + "\n")

    @torch.no_grad()
    def probe(self, texts):
        """-> (label, entropy in nats) of each"""
        x, n, _ = self.read([self.prompt(t, "intent") for t in texts], 0)
        p = self.logits(x[torch.arange(len(texts)), n - 1])[:, [self.tok.encode(l)[0] for l in LABELS]].softmax(-1)
        return [(LABELS[i], e) for i, e in zip(p.argmax(-1).tolist(), (-(p * p.clamp_min(1e-12).log()).sum(-1)).tolist())]

    @torch.no_grad()
    def answers(self, texts, limit=160):
        """Greedy answers, as lists of ids."""
        x, pos, cache = self.read([self.prompt(t, "assistant") for t in texts], limit)
        x = x[torch.arange(len(texts)), pos - 1]
        out = []
        done = torch.zeros(len(texts), dtype=torch.bool, device=DEVICE)
        while len(out) < limit and not done.all():
            got = self.logits(x).argmax(-1)
            done |= got == self.end
            out.append(torch.where(done, self.end, got))
            x = self.forward(got[:, None], pos[:, None], cache)[:, 0]
            pos = pos + 1
        rows = torch.stack(out, 1).tolist()
        return [r[:r.index(self.end)] if self.end in r else r for r in rows]

    @torch.no_grad()
    def agreement(self, texts, answers):
        """Of the tokens of answers (another model's), how many this one would have said next."""
        prompts = [self.prompt(t, "assistant") for t in texts]
        x, _, _ = self.read([p + a + [self.end] for p, a in zip(prompts, answers)], 0)
        same = total = 0
        for row, p, a in zip(x, prompts, answers):
            got = self.logits(row[len(p) - 1:len(p) + len(a)]).argmax(-1)
            same += int((got == torch.tensor(a + [self.end], device=DEVICE)).sum())
            total += len(a) + 1
        return same / total


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
        return subprocess.run([sys.executable, "-S", "-c", RUN], input=job.encode(), timeout=10, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def right(row, text):
    if row.get("exact"):
        return text == row["answer"]
    if row["intent"] == "code":
        return runs(row["check"], text)
    if row["intent"] == "math":
        return text.rstrip().endswith("#### %s" % row["check"])
    return row["check"].lower() in text.lower()


def rows(path):
    return [json.loads(l) for l in open(path)]


def batched(items, size):
    return [items[i:i + size] for i in range(0, len(items), size)]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("model")
    ap.add_argument("--tasks")
    ap.add_argument("--draft", help="a second model: how often it agrees with the first one's answers")
    ap.add_argument("--probe", nargs="*", default=[])
    ap.add_argument("--chat", nargs="*", default=[])
    ap.add_argument("--encode")
    ap.add_argument("--batch", type=int, default=200 if DEVICE == "cuda" else 4)
    ap.add_argument("--most", type=int, default=1000, help="items of each task")
    ap.add_argument("--only", nargs="*", help="tasks whose names begin so")
    ap.add_argument("--show", type=int, default=0, help="print so many wrong items of each")
    a = ap.parse_args()
    m = Model(a.model)
    if a.encode:
        for text in open(a.encode, newline="").read().split("\n__ggml_vocab_test__\n")[:-1]:
            print(*m.tok.encode(text))
    for text in a.chat:
        print(m.probe([text])[0], m.tok.decode(m.answers([text], 400)[0]))
    for path in a.probe:
        got, shown = collections.defaultdict(list), 0
        for part in batched(rows(path), a.batch):
            for row, (label, entropy) in zip(part, m.probe([x["prompt"] for x in part])):
                ok = label == row["intent"]
                for key in (row["intent"] + " (" + row.get("set", "generated") + ")", "all"):
                    got[key].append((ok, entropy))
                if not ok and shown < a.show:
                    shown += 1
                    print("  wrong: %s for %s, %.2f nats: %r" % (label, row["intent"], entropy, row["prompt"][:150]))
        for key, v in got.items():
            e = [x for ok, x in v if ok]
            print("%s  %-22s %d/%d right, entropy: mean %.3f; of the right ones %.1f%% below 0.45" % (
                path.split("/")[-1], key, len(e), len(v), sum(x for _, x in v) / len(v), 100 * sum(x < 0.45 for x in e) / max(1, len(e))), flush=True)
    if a.tasks:
        by_task = collections.defaultdict(list)
        for row in rows(a.tasks):
            if a.only and not row["task"].startswith(tuple(a.only)):
                continue
            by_task[row["task"]].append(row)
        draft = Model(a.draft) if a.draft else None
        pool = concurrent.futures.ThreadPoolExecutor(12)
        for task, items in by_task.items():
            ok, shown, agree, tokens = 0, 0, [], 0
            items = items[:a.most]
            for part in batched(items, a.batch):
                prompts = [x["prompt"] for x in part]
                out = m.answers(prompts, 900 if task.startswith("copy") else 300)
                said = [m.tok.decode(x) for x in out]
                tokens += sum(map(len, out))
                if draft:
                    agree.append(draft.agreement(prompts, out))
                for row, text, good in zip(part, said, pool.map(right, part, said)):
                    ok += good
                    if not good and shown < a.show:
                        shown += 1
                        print("  wrong: %r\n    wanted %r\n    got    %r" % (row["prompt"][-300:], str(row["answer"])[:300], text[:300]))
            print("%-20s %d/%d right (%.1f %%), %.0f tokens an answer%s" % (task, ok, len(items), 100 * ok / len(items), tokens / len(items),
                  ", draft agrees on %.1f %%" % (100 * sum(agree) / len(agree)) if agree else ""), flush=True)


if __name__ == "__main__":
    main()
