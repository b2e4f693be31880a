"""Tasks whose answers are mostly copied: from a text (qa) or from a program (code).

All answers are exact, so they are measured exactly. What is copied is composed
anew each time (texts.py), so that copying is learnt and not the text."""
import json
import re

import programs
import texts
import world


def length(r):
    """About how many tokens: mostly 20 to 300, some 800."""
    return r.choice([r.randint(5, 40), r.randint(20, 120), r.randint(60, 250), r.randint(150, 420)]) if r.chance(0.93) else r.randint(400, 800)



def ask(r, wordings, text, **v):
    """The task before or after the text."""
    q = r.pick(wordings).format(**v)
    shape = r.choice(["{q}\n\n{t}", "{q}\n{t}", "{t}\n\n{q}", "{q}\n\nText:\n{t}", "{q}\n\n\"{t}\""])
    return shape.format(q=q + ("" if q[-1] in ".?!:" else ":"), t=text)


def any_text(r, n=None):
    n = n or length(r)
    if r.chance(0.12):
        return "\n\n".join(world.passage(world.outer(r, texts.name(r), texts.name(r))) for _ in range(max(1, n // 90)))
    return texts.some(r, n)


def repeat(r):
    t = any_text(r)
    if r.chance(0.15):
        t = program(r, r.randint(1, 3))
    if r.chance(0.3):
        return r.pick(["Repeat: {t}", "Repeat after me: {t}", "Say this: {t}", "Copy this text: {t}", "Write this again: {t}"]).format(t=t), t
    return ask(r, ["Repeat the text exactly", "Copy the following text word for word.", "Write the text below once more, without any change.", "Give this text back exactly as it is.",
                   "Repeat this exactly:", "Print the text again.", "Return the text unchanged.", "Copy this, character by character.", "Say exactly the same again.", "Reproduce the text exactly."], t), t


def replace(r):
    t = any_text(r)
    if r.chance(0.5):  # a name that occurs more than once
        x = texts.person(r)
        t = " ".join(texts.sentence(r, x if r.chance(0.35) else None) for _ in range(r.randint(2, 16))) + " " + texts.sentence(r, x)
        a, b = x, texts.person(r)
    else:
        words = re.findall(r"\b[A-Za-z]{3,}\b", t)
        if not words:
            return replace(r)
        a = r.choice(words)
        b = texts.word(r) if r.chance(0.5) else r.choice(texts.NOUN)
    return ask(r, ["Replace {a} by {b} in this text.", "Write the text again with {b} instead of {a}.", "Change every {a} to {b}.", "In the text, replace the word {a} with {b}.",
                   "Repeat the text, but say {b} instead of {a}.", "Swap {a} for {b} in the following text.", "Rewrite this with {b} in place of {a}.", "Put {b} wherever the text says {a}.",
                   "Substitute {b} for {a} in the text."], t, a=a, b=b), re.sub(r"\b%s\b" % re.escape(a), lambda _: b, t)


def names(r, n):
    """n names of which none is a part of another."""
    out = []
    while len(out) < n:
        x = texts.person(r)
        if not any(x.split()[0] == y.split()[0] for y in out):
            out.append(x)
    return out


def extract(r):
    """All sentences about one of several people, in order. Every sentence begins
    with a name."""
    people = names(r, r.randint(2, 5))
    x = people[0]
    about = [r.choice(people) for _ in range(r.randint(3, 24))]
    about.insert(r.randrange(len(about) + 1), x)
    marked = [(texts.sentence(r, p, True), p) for p in about]
    return ask(r, ["Extract all sentences about {x}.", "List every sentence about {x}.", "Which sentences speak of {x}? Copy them.", "Copy the sentences about {x}, in order.",
                   "Give me all sentences of the text about {x}.", "Find what the text says about {x} and copy it.", "Write down every sentence about {x}.",
                   "Quote all that is said about {x}."], " ".join(s for s, _ in marked), x=x), "\n".join(s for s, p in marked if p == x)


def lines_with(r):
    """Lines begin with one of a few keys; those of one key are wanted."""
    keys = names(r, r.randint(2, 6)) if r.chance(0.5) else [texts.word(r) for _ in range(r.randint(2, 6))]
    key, sep = keys[0], r.choice([": ", " ", ", ", " - "])
    chosen = [r.choice(keys) for _ in range(r.randint(3, 22))]
    chosen.insert(r.randrange(len(chosen) + 1), key)
    lines = [(k, k + sep + " ".join(texts.item(r) for _ in range(r.randint(1, 5)))) for k in chosen]
    return ask(r, ["List the lines that contain {y}.", "Print all lines of {y}.", "Which lines contain {y}? Copy them.", "Filter the lines: keep those of {y}.", "Copy every line that contains {y}.",
                   "Give me the lines that start with {y}.", "Select the lines of {y}.", "Show only the lines with {y} in them."], "\n".join(l for _, l in lines), y=key), \
        "\n".join(l for k, l in lines if k == key)


def summary(r):
    ps = [[texts.sentence(r) for _ in range(r.randint(2, 6))] for _ in range(r.randint(2, 9))]
    return ask(r, ["Summarise the text by the first sentence of each paragraph.", "Copy the first sentence of every paragraph.", "Give the first sentence of each paragraph.",
                   "Shorten the text: keep only the first sentence of each paragraph.", "Sum up the text with the first sentences of its paragraphs.", "Summarise: one sentence a paragraph, the first.",
                   "Write a summary made of the first sentence of each paragraph."], "\n\n".join(" ".join(p) for p in ps)), "\n".join(p[0] for p in ps)


def correct(r):
    """Words in [brackets] say how the word before them should be."""
    out, want = [], []
    for w in any_text(r, r.randint(20, 250)).split(" "):
        want.append(w)
        if len(w) > 3 and w.isalpha() and r.chance(0.1):
            i = r.randrange(len(w) - 1)
            w = r.choice([w[:i] + w[i + 1:], w[:i] + w[i + 1] + w[i] + w[i + 2:], w[:i] + w[i] + w[i:]]) + " [" + w + "]"
        out.append(w)
    return ask(r, ["Correct the text: brackets hold the right spelling of the word before them.", "Fix the typing errors marked with the right word in brackets.",
                   "Write the text with the corrections in brackets applied.", "Apply the corrections in brackets.", "The right spelling stands in brackets. Write the corrected text.",
                   "Correct the marked errors."], " ".join(out)), " ".join(want)


def reformat(r):
    xs = [texts.item(r) for _ in range(r.randint(2, 30))]
    k = r.randrange(4)
    t = r.choice([", ", ", ", "\n", "; "]).join(xs)
    if k == 0:
        return ask(r, ["Write this list as bullets.", "Make a bullet list of this.", "Turn the list into bullets.", "Format the items as a bullet list.", "Show this as bullet points."], t), "\n".join("- " + x for x in xs)
    if k == 1:
        return ask(r, ["Write this list as JSON.", "Make a JSON array of this.", "Turn the list into a JSON array.", "Format the items as JSON.", "Convert this to a JSON array."], t), json.dumps(xs)
    if k == 2:
        return ask(r, ["Number the items.", "Write this as a numbered list.", "Make a numbered list of this.", "Turn the list into a numbered one.", "Give each item its number."], t), \
            "\n".join("%d. %s" % (i + 1, x) for i, x in enumerate(xs))
    keys = list(dict.fromkeys(programs.free_name(r) for _ in xs[:12]))
    pairs = [(key, x) for key, x in zip(keys, xs)]
    return ask(r, ["Write these lines as a JSON object.", "Turn the pairs into JSON.", "Make a JSON object of this.", "Format this as a JSON object.", "Convert the settings to JSON."],
               "\n".join("%s: %s" % p for p in pairs)), json.dumps(dict(pairs))


# --- programs -----------------------------------------------------------------

def statements(r, names, indent, n):
    """Lines over `names`, which they may add to."""
    out, pad = [], " " * indent
    value = lambda: r.choice(names) if r.chance(0.6) else str(r.randint(0, 200))
    for _ in range(n):
        k = r.random()
        if k < 0.35:
            v = programs.free_arg(r)
            out.append("%s%s = %s %s %s" % (pad, v, value(), r.choice("+-*"), value()))
            names.append(v)
        elif k < 0.5:
            out.append("%s%s %s %s" % (pad, r.choice(names), r.choice(["+=", "-=", "*="]), value()))
        elif k < 0.6:
            out.append('%sprint("%s", %s)' % (pad, texts.word(r), r.choice(names)))
        elif k < 0.8 and indent < 12:
            out.append("%sif %s %s %s:" % (pad, r.choice(names), r.choice(["<", ">", "==", "!=", "<=", ">="]), value()))
            out += statements(r, names, indent + 4, r.randint(1, 2))
        elif indent < 12:
            v = programs.free_arg(r)
            out.append("%sfor %s in range(%s):" % (pad, v, value()))
            out += statements(r, names + [v], indent + 4, r.randint(1, 2))
        else:
            out.append("%sreturn %s" % (pad, value()))
    return out


def function(r):
    if r.chance(0.5):
        name, _, args, kind, _, body, _ = programs._parts(r) if r.chance(0.4) else programs._fixed(r)
        return name, args, body.split("\n")
    args = list(dict.fromkeys(programs.free_arg(r) for _ in range(r.randint(1, 3))))
    names = list(args)
    body = statements(r, names, 4, r.randint(1, 6))
    return programs.free_name(r), args, body + ["    return " + r.choice(names)]


def parts(r, n):
    """-> (constants, functions, last lines)"""
    constants = [(programs.free_name(r).upper(), r.randint(0, 5000)) for _ in range(r.choice([0, 1, 1, 2, 3]))]
    functions = []
    while len(functions) < n:
        f = function(r)
        if f[0] not in [g[0] for g in functions]:
            functions.append(f)
    last = ["print(%s(%s))" % (f[0], ", ".join(str(r.randint(0, 99)) for _ in f[1])) for f in functions if r.chance(0.4)]
    return constants, functions, last


def joined(constants, functions, last, heads=None):
    text = "".join("%s = %s\n" % c for c in constants) + ("\n\n" if constants else "")
    text += "\n\n\n".join("\n".join([(heads or {}).get(f[0]) or "def %s(%s):" % (f[0], ", ".join(f[1]))] + f[2]) for f in functions)
    return text + ("\n\n\n" + "\n".join(last) if last else "")


def program(r, n):
    return joined(*parts(r, n))


def edit(r):
    """A change to a program; the answer is the whole new program."""
    constants, functions, last = parts(r, r.choice([1, 1, 2, 2, 3, 4, 6]))
    before = joined(constants, functions, last)
    f = r.choice(functions)
    k = r.random()
    words = lambda s: set(re.findall(r"\w+", s))
    if k < 0.25:
        a, b = f[0], programs.free_name(r)
        q = r.pick(["Rename the function {a} to {b}.", "Rename {a} to {b}.", "Change the name of the function {a} to {b}.", "Call the function {a} {b} instead.", "The function {a} shall be called {b}.",
                    "Give the function {a} the name {b}."]).format(a=a, b=b)
        after = re.sub(r"\b%s\b" % a, b, before)
    elif k < 0.5:
        local = [w for w in re.findall(r"\b([a-zA-Z_]\w*) [-+*]?= ", "\n".join(f[2]))] + f[1]
        a, b = r.choice(local), programs.free_name(r)
        if b in words(before):
            return edit(r)
        q = r.pick(["Rename the variable {a} to {b}.", "Rename {a} to {b}.", "Change the name of the variable {a} to {b}.", "Use the name {b} instead of {a}.", "Replace the variable {a} by {b}.",
                    "Call the variable {b}, not {a}."]).format(a=a, b=b)
        after = re.sub(r"\b%s\b" % a, b, before)
    elif k < 0.7 and constants:
        a, old = r.choice(constants)
        new = r.randint(0, 5000)
        q = r.pick(["Change {a} to {v}.", "Set {a} to {v}.", "Set the constant {a} to {v}.", "The constant {a} should be {v}.", "Make {a} equal to {v}.", "Let {a} be {v}."]).format(a=a, v=new)
        after = re.sub(r"(?m)^%s = \d+$" % a, "%s = %d" % (a, new), before)
    elif k < 0.85:
        doc = texts.sentence(r)
        q = r.pick(['Add the docstring "{d}" to {f}.', 'Give the function {f} the docstring "{d}".', 'Document {f} with "{d}"', 'Put the docstring "{d}" into {f}.', 'Add "{d}" as the docstring of {f}.']).format(d=doc, f=f[0])
        after = joined(constants, [(g[0], g[1], ['    """%s"""' % doc] + g[2]) if g is f else g for g in functions], last)
    else:
        types = [r.choice(["int", "str", "float", "bool", "list"]) for _ in f[1]]
        ret = r.choice(["int", "str", "float", "bool", "list"])
        said = " and ".join("%s is %s" % z for z in zip(f[1], types))
        q = r.pick(["Add type hints to {f}: {s}, and it returns {t}.", "Give {f} type hints ({s}; returns {t}).", "Annotate {f}: {s}, the result is {t}.", "Write type hints for {f}. {s}; it returns {t}.",
                    "Add types to {f}: {s}, result {t}."]).format(f=f[0], s=said, t=ret)
        after = joined(constants, functions, last, {f[0]: "def %s(%s) -> %s:" % (f[0], ", ".join("%s: %s" % z for z in zip(f[1], types)), ret)})
    q += r.choice(["", "", " Return the whole program.", " Give the whole program back.", " Change nothing else."])
    shape = r.choice(["{q}\n\n```python\n{p}\n```", "{q}\n\n{p}", "{p}\n\n{q}", "```python\n{p}\n```\n{q}"])
    return shape.format(q=q, p=before), "```python\n%s\n```" % after


TEXT = [repeat, repeat, replace, replace, extract, lines_with, summary, correct, reformat]


def sample(r):
    """-> (prompt, answer, intent)"""
    return (*edit(r), "code") if r.chance(0.35) else (*r.choice(TEXT)(r), "qa")
