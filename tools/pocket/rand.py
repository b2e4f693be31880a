"""Random choices that keep a part of many lists for evaluation.

`pick` draws from the front of a list in training and from its last fifth when
`held` is set, so held-out questions use wordings and names that these lists
never gave to training. Lists of fewer than four are shared. So is what `choice`
draws: facts, which must be trained to be known, kinds of task and problem, and
the forms of multiple choice.
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
