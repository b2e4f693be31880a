"""Composed words, names, sentences and paragraphs: the stuff that copying and
reading are practised on. There must be so many that no model can know them."""
import arithmetic
import programs

ONSET = "b br c ch d dr f fl g gr h j k kl l m n p pr qu r s sh sk st t th tr v w z".split()
VOWEL = "a a e e i i o o u ai ea ee ou".split()
CODA = ["", "", "", "n", "r", "l", "s", "m", "k", "th", "nd", "x"]


def syllables(r, n):
    return "".join(r.choice(ONSET) + r.choice(VOWEL) + r.choice(CODA) for _ in range(n))


def _word(r):
    return syllables(r, r.choice([1, 2, 2, 3]))


def word(r):
    """A word that nobody has seen before."""
    return r.made(_word)


def name(r):
    return word(r).capitalize()


def person(r):
    first = r.choice(arithmetic.MORE_NAMES) if r.chance(0.5) else name(r)
    return first if r.chance(0.3) else first + " " + name(r)


ADJ = ("old young quiet loud tall short brave tired happy sad clever slow quick rich poor kind proud shy busy calm careful cold warm dark bright dusty "
       "empty famous gentle green golden grey heavy hungry lazy lucky narrow new odd pale plain red rough round sharp silver simple small soft strange "
       "strong sweet thin tiny warm wet white wide wild wise yellow").split()
NOUN = ("baker farmer sailor doctor teacher singer painter printer miller weaver mason smith cook gardener poet dancer pilot tailor guard clerk king queen "
        "child stranger merchant hunter shepherd captain judge nurse lamp table chair window door boat cart wheel bell book letter map ring coin box basket "
        "bottle cup plate knife rope ladder hammer clock mirror candle blanket coat hat boot glove apple pear plum nut loaf cheese fish goose horse dog cat "
        "goat owl fox bear river hill bridge tower garden field forest road market harbour island valley mill gate wall roof garden").split()
VERB = ("found lost bought sold carried hid painted repaired opened closed broke cleaned moved drew followed watched visited forgot remembered wanted "
        "borrowed returned counted measured lifted dropped wrapped burned built admired stole guarded").split()
WHERE = ("near the {n}|behind the {n}|under the {n}|beside a {a} {n}|in {p}|on the road to {p}|at the {n}|inside the {a} {n}|in front of the {n}|close to {p}|"
         "between the {n} and the {m}|far from {p}").split("|")
WHEN = ("in the morning|at noon|at night|last week|in spring|on Monday|before breakfast|after the storm|during the feast|long ago|on a {a} day|in the year {y}|"
        "every summer|on the {k}th of May").split("|")
SENTENCES = ["The {a} {n} {v} the {b} {m} {w}.", "{x} {v} a {n} {w} {t}.", "{T}, {x} {v} {k} {n}s for the {m}.", "The {n} of {p} {v} {x}'s {m}.",
             "A {a} {n} and a {b} {m} {v} the {o} {w}.", "{x} and {z} {v} the {n} {t}.", "The price of the {a} {n} was {k} coins.", "Nobody {v} the {n} {w}.",
             "{x} said that the {n} was {a}.", "There were {k} {n}s {w}, but only one was {a}.", "{x} lives {w} with a {a} {n}.", "{x} is a {a} {n} from {p}.", "{x} {v} the {a} {n} {w}.", "{x} has {k} {n}s and one {a} {m}.", "{x}, the {n} of {p}, {v} the {m}.", "The {n} is {a} and the {m} is {b}.",
             "When the {n} came, {x} {v} the {m}.", "{T} the {a} {n} {v} {x}.", "The {m} {w} belongs to {x} of {p}."]


def sentence(r, x=None, first=False):
    """One sentence about nothing; it is about `x` if that is given, and begins with
    the name if `first`."""
    f = r.choice(SENTENCES)
    while x and "{x}" not in f or first and not f.startswith("{x}"):
        f = r.choice(SENTENCES)
    v = dict(a=r.choice(ADJ), b=r.choice(ADJ), n=r.choice(NOUN), m=r.choice(NOUN), o=r.choice(NOUN), v=r.choice(VERB), x=x or person(r), z=person(r), p=name(r),
             k=r.randint(2, 999), y=r.randint(1000, 1999))
    v["w"], v["t"] = r.choice(WHERE).format(**v), r.choice(WHEN).format(**v)
    v["T"] = v["t"][0].upper() + v["t"][1:]
    return f.format(**v)


def paragraph(r, n):
    return " ".join(sentence(r) for _ in range(n))


TOKENS = []  # of the vocabulary, as text


def use_vocabulary(tok):
    for i, t in enumerate(tok.tokens[:-3]):
        s = tok.decode([i])
        if s.isascii() and s.isprintable():
            TOKENS.append(s)


def random_tokens(r, n):
    return "".join(r.choice(TOKENS) for _ in range(n)).strip()


def item(r):
    """A short thing as lists hold them."""
    k = r.randrange(7)
    return (word(r) if k == 0 else person(r) if k == 1 else "%s %s" % (r.choice(ADJ), r.choice(NOUN)) if k == 2 else str(r.randint(0, 99999)) if k == 3 else
            programs.free_name(r) if k == 4 else r.choice(NOUN) if k == 5 else "%s%d" % (word(r), r.randint(0, 99)))


def some(r, n):
    """About n tokens of some text or other."""
    k = r.random()
    if k < 0.45:
        return paragraph(r, max(1, n // 17))
    if k < 0.55:
        return "\n\n".join(paragraph(r, max(1, n // 51)) for _ in range(3))
    if k < 0.65:
        return r.choice([" ", ", "]).join(r.choice(programs.WORDS) for _ in range(max(2, n * 2 // 3)))
    if k < 0.75:
        return r.choice([" ", ", ", "\n"]).join(item(r) for _ in range(max(2, n // 4)))
    if k < 0.82:
        return " ".join(word(r) for _ in range(max(2, n // 4)))
    if k < 0.88:
        return r.choice([" ", ", "]).join(str(r.randint(0, 10 ** r.randint(1, 6))) for _ in range(max(2, n // 5)))
    return random_tokens(r, n)
