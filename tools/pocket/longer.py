"""Long prompts: one thing to be found among many of its like.

Everything in them is invented for the one prompt, so it has to be read there. The
length is given in tokens, by a `count` function of texts."""
import programs
import arithmetic
import copying
import texts
import world


def filled(r, count, budget, make, need, depth=None):
    """Paragraphs of `make` up to the budget, those of `need` among them."""
    out, n = [], sum(count(p) + 1 for p in need)
    while n < budget:
        p = make()
        n += count(p) + 1
        out.append(p)
    for p in need:
        at = int((depth if depth is not None else r.random()) * (len(out) + 1))
        out.insert(min(at, len(out)), p)
    return r.choice(["\n\n", "\n\n", "\n"]).join(out)


def shaped(r, text, question):
    return r.pick(["{p}\n\n{q}", "Read the passage and answer the question.\n\n{p}\n\nQuestion: {q}", "Passage: {p}\nQuestion: {q}\nAnswer:", "{q}\n\n{p}", "Context: {p}\n\n{q}",
                   "Notes:\n{p}\n\n{q}", "Here are some notes.\n\n{p}\n\nNow: {q}"]).format(p=text, q=question)


def invented(r):
    return world.outer(r, texts.name(r), texts.name(r))


def portrait(r, e):
    """A town in a few sentences, fewer than world.passage and shuffled."""
    fields = r.sample(["ruler", "river", "export", "animal", "dish", "landmark", "founded", "island"], r.randint(3, 6))
    return fields, " ".join(world.asked_answer(e, f) for f in fields)


def town(r, count, budget):
    """A fact of one town among many towns."""
    if r.chance(0.5):
        e, f = invented(r), r.choice([f for f in world.ASK if f != "month"])
        text = filled(r, count, budget, lambda: world.passage(invented(r)), [world.passage(e)])
    else:
        e = invented(r)
        fields, p = portrait(r, e)
        f = r.choice(fields)
        text = filled(r, count, budget, lambda: portrait(r, invented(r))[1], [p])
    q, a = world.asked(r, e, f)
    return shaped(r, text, q), a, e[f]


def home(r, count, budget):
    """Two steps: where somebody lives, and a fact of that town."""
    e, who = invented(r), texts.person(r)
    f = r.choice([f for f in world.ASK if f != "month"])
    def other():
        x = invented(r)
        return world.passage(x) if r.chance(0.7) else "%s lives in %s." % (texts.person(r), x["town"])
    text = filled(r, count, budget, other, ["%s lives in %s." % (who, e["town"]), world.passage(e)])
    q, a = world.asked(r, e, f, r.pick(["the town where {n} lives", "the home town of {n}", "the town of {n}", "the home of {n}", "the place where {n} lives"]).format(n=who))
    return shaped(r, text, q), "%s lives in %s. %s" % (who, e["town"], a), e[f]


def needle(r, count, budget, depth=None):
    """The number of one name, hidden in sentences about nothing."""
    def fact(x, k):
        return r.choice(["The secret code of {x} is {k}.", "{x} has the number {k}.", "The key of {x} is {k}.", "Remember that the code of {x} is {k}."]).format(x=x, k=k)
    x, k = texts.person(r), r.randint(1000, 999999)
    def other():
        s = [texts.sentence(r) for _ in range(r.randint(2, 5))]
        if r.chance(0.3):
            s.insert(r.randrange(len(s)), fact(texts.person(r), r.randint(1000, 999999)))
        return " ".join(s)
    s = [texts.sentence(r) for _ in range(3)]
    s.insert(r.randrange(4), fact(x, k))
    text = filled(r, count, budget, other, [" ".join(s)], depth)
    q = r.pick(["What is the code of {x}?", "What is the secret code of {x}?", "Which number belongs to {x}?", "Tell me the code of {x}.", "What is the number of {x}?", "What is the key of {x}?",
                "Find the code of {x}."]).format(x=x)
    return shaped(r, text, q), "The code of %s is %d." % (x, k), str(k)


def qa(r, count, budget):
    """-> (prompt, answer, string a right answer must contain)"""
    x = r.random()
    return town(r, count, budget) if x < 0.4 else home(r, count, budget) if x < 0.7 else needle(r, count, budget)


def math(r, count, budget):
    """One of several stories."""
    text, q, lines, n = arithmetic.story(r)
    # The names of stories are drawn from a list: the others must not share them.
    own = set(w.strip(".,'s") for w in text.split() if w[0].isupper())
    def other():
        if r.chance(0.4):
            return texts.paragraph(r, r.randint(1, 3))
        while True:
            t = arithmetic.story(r)[0]
            if not own & set(w.strip(".,'s") for w in t.split() if w[0].isupper() and w not in ("There", "Then", "The", "At", "After", "Soon")):
                return t
    return shaped(r, filled(r, count, budget, other, [text]), q), arithmetic.solved(lines, n), n


def code(r, count, budget):
    """One of several specifications, or a plain request after much else."""
    if r.chance(0.4):
        q, a, check = programs.sample(r)
        text = filled(r, count, budget - count(q), lambda: copying.program(r, 1) if r.chance(0.5) else texts.paragraph(r, r.randint(1, 4)), [])
        return r.pick(["{t}\n\n{q}", "Notes, not needed here:\n{t}\n\n{q}", "Context:\n{t}\n\nTask: {q}", "{t}\n\nNow something else. {q}", "Some old text:\n\n{t}\n\n{q}"]).format(t=text, q=q), a, check
    def spec(name=None):
        n, d, args, kind, _, body, examples = programs._parts(r) if r.chance(0.4) else programs._fixed(r)
        n = name or programs.free_name(r)
        return "Function %s(%s): %s." % (n, ", ".join(args), d), n, args, body, examples
    text, n, args, body, examples = spec(programs.free_name(r))
    paragraphs = filled(r, count, budget, lambda: spec()[0] if r.chance(0.4) else texts.paragraph(r, r.randint(1, 3)), [text])
    head = "def %s(%s):" % (n, ", ".join(args))
    q = r.pick(["Write the function {f} described above.", "Write the Python function {f} from the notes.", "Implement {f} as it is specified.", "Write the function {f}.", "Code the function {f} of the text.",
                "Program {f} as described."]).format(f=n)
    return shaped(r, paragraphs, q), "```python\n%s\n%s\n```" % (head, body), dict(name=n, ref="%s\n%s\n" % (head, body), examples=examples)


def sample(r, count):
    """-> (prompt, answer, intent), of 100 to 3,500 tokens"""
    budget = r.choice([r.randint(100, 400), r.randint(150, 600), r.randint(150, 600), r.randint(300, 1200), r.randint(300, 1200), r.randint(600, 2200), r.randint(1500, 3450)])
    x = r.random()
    f, intent = (qa, "qa") if x < 0.55 else (math, "math") if x < 0.78 else (code, "code")
    q, a, _ = f(r, count, budget)
    return q, a, intent
