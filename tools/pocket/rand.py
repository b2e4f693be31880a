"""Random choices that keep a part of every list for evaluation.

`pick` draws from the front of a list in training and from its last fifth when
`held` is set, so held-out questions use wordings and names never trained on.
Lists of facts are drawn with `choice`: facts must be trained to be known.
"""
import random


class Rand(random.Random):
    def __init__(self, seed, held=False):
        super().__init__(seed)
        self.held = held

    def pick(self, items):
        if len(items) < 4:
            return self.choice(items)
        cut = len(items) - max(1, len(items) // 5)
        return self.choice(items[cut:] if self.held else items[:cut])

    def chance(self, p):
        return self.random() < p
