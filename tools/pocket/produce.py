"""Makes training rows in worker processes: documents, packed.

A row has 4,096 tokens of whole documents. A shard is a file of many rows, written
under another name first, so that the trainer finds whole files only.
"""
import os
import random

import numpy as np

import bpe
import corpus
import texts
from model import BRANCHES

LENGTH = 4096   # tokens of a row
PLACES = 2048   # places of a row that are predicted; what is more is left out
ROWS = 256      # rows of a shard
OPEN = 24       # rows being filled at a time
WEIGHTS = [0.0, 1.0, 3.0, 0.5]


class Row:
    def __init__(self):
        self.ids, self.pos, self.mark, self.at, self.docs = [], [], [], [], 0

    def add(self, ids, pos, branch, at):
        base = len(self.ids)
        self.ids += ids
        self.pos += pos
        self.mark += [self.docs * BRANCHES + b for b in branch]
        self.at += [(base + i, WEIGHTS.index(w)) for i, w in at]
        self.docs += 1


def rows(builder, tok, rng):
    """Documents go into the first open row that has room."""
    opened = []
    while True:
        doc = corpus.render(tok, builder.document(), rng)
        n = len(doc[0])
        if n > corpus.LONGEST or not doc[3]:
            continue
        row = next((x for x in opened if len(x.ids) + n <= LENGTH), None)
        if row is None:
            if len(opened) == OPEN:
                fullest = max(opened, key=lambda x: len(x.ids))
                opened.remove(fullest)
                yield fullest
            row = Row()
            opened.append(row)
        row.add(*doc)


def shard(source, rng):
    out = dict(ids=np.zeros((ROWS, LENGTH), np.int16), pos=np.zeros((ROWS, LENGTH), np.int16), mark=np.full((ROWS, LENGTH), 4095 * BRANCHES, np.int16),
               at=np.zeros((ROWS, PLACES), np.int16), weight=np.zeros((ROWS, PLACES), np.int8))
    for i in range(ROWS):
        row = next(source)
        n, at = len(row.ids), row.at
        if len(at) > PLACES:
            at = sorted(rng.sample(at, PLACES))
        out["ids"][i, :n], out["pos"][i, :n], out["mark"][i, :n] = row.ids, row.pos, row.mark
        out["at"][i, :len(at)], out["weight"][i, :len(at)] = [p for p, _ in at], [w for _, w in at]
    return out


def work(seed, data, vocab, folder, most):
    """One worker: shards until `most` of them are there or the parent is gone."""
    os.nice(15)  # what compiles and feeds the GPU goes first
    tok = bpe.Tokenizer.load(vocab)
    texts.use_vocabulary(tok)
    rng, parent = random.Random(seed), os.getppid()
    source = rows(corpus.Builder(seed, tok, *corpus.load(data)), tok, rng)
    for k in range(most):
        path = os.path.join(folder, "%04d-%05d.npz" % (seed, k))
        with open(path + ".new", "wb") as f:
            np.savez(f, **shard(source, rng))
        os.rename(path + ".new", path)
        if os.getppid() != parent:
            return
