"""Random choices that keep a part of what they choose from for evaluation.

`pick` draws from the front of a list in training and from its last fifth when
`held` is set; `made` draws composed names, of which every fifth (by checksum)
is held out. So held-out prompts use wordings, words and names that training
never saw. Lists of fewer than four are shared. So is what `choice` draws: facts,
which must be trained to be known, the operations of programs, kinds of task.
"""
import random
import zlib


class Rand(random.Random):
    def __init__(self, seed, held=False, new=None):
        """`new`: held-out names alone (None: as `held`), in wordings of training."""
        super().__init__(seed)
        self.held, self.new = held, held if new is None else new

    def pick(self, items):
        if len(items) < 4:
            return self.choice(items)
        cut = len(items) - max(1, len(items) // 5)
        return self.choice(items[cut:] if self.held else items[:cut])

    def made(self, make, *args):
        while True:
            x = make(self, *args)
            if (zlib.crc32(x.encode()) % 5 == 0) == self.new:
                return x

    def chance(self, p):
        return self.random() < p
