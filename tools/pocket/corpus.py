"""Mixes the training documents and writes what measures the models.

A document is a list of turns (role, text) plus, for every user turn, its intent
(or None). Documents without an assistant turn train the intent alone.

  corpus.py --data DIR --vocab-of FILE.gguf --out DIR               # vocab.json and the evaluation files
  corpus.py --vocab-of FILE.gguf --workloads models/pocket-workloads.jsonl   # prompts to time decoding on
  corpus.py --vocab-of FILE.gguf --suites models/suites                      # what `aio eval` asks
"""
import argparse
import csv
import glob
import gzip
import json
import os
import re

import arithmetic
import bpe
import copying
import longer
import programs
import texts
import topics
import world
from gguf import Gguf
from rand import Rand

LABELS = ["code", "qa", "math"]
LONGEST = 3900  # tokens of a document


def jsonl(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def load(data):
    """Train splits only."""
    mbpp = [d for d in jsonl(os.path.join(data, "mbpp/mbpp.jsonl")) if 601 <= d["task_id"] <= 974]
    gsm = jsonl(os.path.join(data, "gsm8k/train.jsonl"))
    mmlu = []
    for p in sorted(glob.glob(os.path.join(data, "mmlu/dev/*.csv"))):
        subject = os.path.basename(p)[:-8].replace("_", " ")
        for row in csv.reader(open(p, newline="")):
            mmlu.append((subject, row[0], row[1:5], row[5]))
    programs.more_words([d["question"] for d in gsm])
    return mbpp, gsm, mmlu


def tidy_code(code):
    return code.replace("\r\n", "\n").replace("\t", "    ").rstrip() + "\n"


# --- small changes of form that keep the meaning ---------------------------

PREFIXES = ["Please ", "Question: ", "Q: ", "Hi, ", "Hello! ", "Task: ", "I have a question. ", "Help me: ", "Could you help? ", "Problem: ", "User: ", "Hey, ",
            "Answer this: ", "Instruction: ", "### Instruction:\n", "Quick one: ", "Solve: ", "Next: "]
SUFFIXES = [" Thanks!", " Please.", "\nAnswer:", "\n", " Thank you.", "\nA:", " Explain briefly.", "\nLet's think step by step.", " Be short."]


def typo(r, s):
    if len(s) < 8:
        return s
    i = r.randrange(len(s) - 1)
    k = r.randrange(3)
    if k == 0:
        return s[:i] + s[i + 1:]
    if k == 1:
        return s[:i] + s[i + 1] + s[i] + s[i + 2:]
    return s[:i] + s[i] + s[i:]


def vary(r, s, strength=1.0):
    """Case, prefixes, suffixes and typing errors, for the intent task."""
    if r.chance(0.10 * strength):
        s = s.lower()
    elif r.chance(0.03 * strength):
        s = s.upper()
    if r.chance(0.12 * strength):
        s = r.pick(PREFIXES) + s
    if r.chance(0.10 * strength):
        s = s + r.pick(SUFFIXES)
    for _ in range(3):
        if r.chance(0.06 * strength):
            s = typo(r, s)
    if r.chance(0.05 * strength):
        s = s.rstrip(".?!")
    return s


SYSTEMS = ["You are a helpful assistant.", "You are Pocket, a small assistant.", "Answer briefly.", "You are a careful expert.", "Be kind and precise.",
           "You are an assistant that answers questions, solves problems and writes code."]


def mmlu_text(r, subject, q, choices):
    k = r.random()
    if k < 0.4:
        return q
    head = r.choice(["", "", "", "Question: ", "Q: ", "Answer the following question.\n\n",
                     "The following are multiple choice questions (with answers) about %s.\n\n" % subject,
                     "The following is a multiple choice question about %s.\n" % subject, "Choose the correct answer.\n\n"])
    return world.choices_text(r, q, choices, head)


def one_qa_prompt(r, mmlu):
    """A qa prompt of the real world: made up from word lists or of MMLU dev."""
    if mmlu and r.chance(0.3):
        subject, q, choices, _ = r.choice(mmlu)
        return mmlu_text(r, subject, q, choices)
    q = topics.question(r)
    if r.chance(0.4):
        head = None
        if r.chance(0.2):
            head = "The following are multiple choice questions (with answers) about %s.\n\n" % r.pick(
                ["history", "law", "high school physics", "medicine", "college mathematics", "business", "world religions", "biology", "statistics"])
        return world.choices_text(r, q, [topics.choice(r) for _ in range(4)], head)
    return q


class Builder:
    """Draws documents. MIX gives the share of each kind among documents; a long or
    copied one has far more tokens than a question about a fact."""
    MIX = (("world", 0.37), ("math", 0.23), ("code", 0.12), ("copying", 0.11), ("long", 0.05), ("train splits", 0.02), ("intent alone", 0.10))

    def __init__(self, seed, tok, mbpp, gsm, mmlu):
        self.r, self.tok = Rand(seed), tok
        self.mbpp, self.gsm, self.mmlu = mbpp, gsm, mmlu

    def count(self, text):
        return len(self.tok.encode(text))

    def closed(self, kind):
        """(user, answer, intent) of one kind."""
        r = self.r
        if kind == "world":
            return (*world.sample(r)[:2], "qa")
        if kind == "math":
            return (*arithmetic.sample(r)[:2], "math")
        if kind == "code":
            return programs.copying(r) if r.chance(0.25) else (*programs.sample(r)[:2], "code")
        if kind == "copying":
            return copying.sample(r)
        return longer.sample(r, self.count)

    def prompt_only(self):
        """(user, intent) for the intent task."""
        r, x = self.r, self.r.random()
        if x < 0.25:
            return topics.code(r), "code"
        if x < 0.31:
            return self.mbpp_prompt(r.choice(self.mbpp)), "code"
        if x < 0.56:
            return r.choice(self.gsm)["question"], "math"
        if x < 0.60:
            return topics.sums(r), "math"
        return one_qa_prompt(r, self.mmlu), "qa"

    def mbpp_prompt(self, d):
        r = self.r
        text, test = d["text"], "\n".join(d["test_list"][:r.choice([1, 3])])
        return r.choice(["{t}", "{t}", "{t}\n{e}", "You are an expert Python programmer, and here is your task: {t} Your code should pass these tests:\n\n{e}",
                         '"""\n{t}\n{e}\n"""\n', "{t}\nYour code should satisfy these tests:\n{e}"]).format(t=text, e=test)

    def few_shot(self):
        """Examples of the same kind in front of the last question."""
        r = self.r
        kind, n = r.choice(LABELS), r.randint(1, 4)
        def item():
            if kind == "math":
                if r.chance(0.5):
                    d = r.choice(self.gsm)
                    return d["question"], strip_marks(d["answer"])
                return arithmetic.sample(r)[:2]
            if kind == "code":
                return programs.sample(r)[:2]
            s, q, c, a = r.choice(self.mmlu)
            return mmlu_text(r, s, q, c), a
        form = r.choice(["Q: {q}\nA: {a}\n\n", "Question: {q}\nAnswer: {a}\n\n", "{q}\n{a}\n\n", "Example:\n{q}\nSolution: {a}\n\n"])
        text = "".join(form.format(q=q, a=a) for q, a in (item() for _ in range(n)))
        return text + form.split("{q}")[0] + item()[0], kind

    def document(self):
        """-> dict(turns, intents): intents has one entry for each user turn."""
        r = self.r
        kinds, shares = zip(*self.MIX)
        kind = r.choices(kinds, shares)[0]
        system = r.choice(SYSTEMS) if r.chance(0.06) else None
        turns, intents = [], []
        if kind == "train splits":
            x = r.random()
            if x < 0.5:
                d = r.choice(self.gsm)
                turns, intents = [("user", d["question"]), ("assistant", strip_marks(d["answer"]))], ["math"]
            elif x < 0.75:
                d = r.choice(self.mbpp)
                turns, intents = [("user", self.mbpp_prompt(d)), ("assistant", "```python\n" + tidy_code(d["code"]) + "```")], ["code"]
            else:
                s, q, c, a = r.choice(self.mmlu)
                turns, intents = [("user", mmlu_text(r, s, q, c)), ("assistant", "%s. %s" % (a, c[ord(a) - 65]))], ["qa"]
        elif kind == "intent alone":
            for _ in range(r.choice([0] * 8 + [1, 2])):  # after turns of other kinds
                q, a, i = self.closed(r.choice(["world", "math", "code"]))
                turns += [("user", q), ("assistant", a)]
                intents.append(i)
            q, i = self.few_shot() if r.chance(0.06) else self.prompt_only()
            turns, intents = turns + [("user", vary(r, q))], intents + [i]
        else:
            for _ in range(1 if kind == "long" or r.chance(0.85) else r.randint(2, 3)):
                q, a, i = self.closed(kind)
                if kind in ("world", "math") and r.chance(0.10):
                    q = vary(r, q, 0.6)
                turns += [("user", q), ("assistant", a)]
                intents.append(i)
                kind = r.choice(["world", "math", "code", "copying"])
        if system:
            turns = [("system", system)] + turns
        return {"turns": turns, "intents": intents}


def strip_marks(answer):
    return re.sub(r"<<.*?>>", "", answer)


def render(tok, doc, rng):
    """-> tokens, positions, branch, at: a list of (index, weight) where the token
    AFTER index (in its branch) is to be predicted."""
    ids, pos, branch, at = [], [], [], []
    end, start = tok.ids["<|im_end|>"], tok.ids["<|im_start|>"]
    nl = tok.encode("\n")
    p, b, user = 0, 0, 0

    def put(tokens, first, br):
        ids.extend(tokens)
        pos.extend(range(first, first + len(tokens)))
        branch.extend([br] * len(tokens))
        return first + len(tokens)

    for role, text in doc["turns"]:
        # What a model says begins after its header; what a user says is one text with it.
        head, body = (tok.encode(role + "\n"), tok.encode(text)) if role == "assistant" else (tok.encode(role + "\n" + text), [])
        p = put([start] + head, p, 0)
        if role == "assistant":
            at += [(len(ids) - 1 + k, 1.0) for k in range(len(body) + 1)]
        else:
            # Only a sample of the user's words is predicted: cheaper, and
            # what is to be learnt is the answer.
            at += [(len(ids) - 1 - k, 1.0) for k in range(len(head)) if rng.random() < 0.1]
        p = put(body + [end] + nl, p, 0)
        if role == "user":
            label = doc["intents"][user]
            user += 1
            if label:
                b += 1
                first = len(ids)
                put([start] + tok.encode("intent\n") + tok.encode(label) + [end], p, b)
                n = len(ids) - first
                at += [(first + n - 3, 3.0), (first + n - 2, 0.5)]
    return ids, pos, branch, at


# --- evaluation -------------------------------------------------------------

def tasks(tok, n=200, seed=987, wordings=False):
    """Held-out items: {task: rows with prompt, intent and what a right answer is}. All have
    names and texts never trained on; with `wordings`, so are the words of the requests."""
    r = Rand(seed, held=wordings, new=True)
    count = lambda s: len(tok.encode(s))
    def row(q, intent, **right):
        return dict(prompt=q, intent=intent, **right)
    def exact(pair, intent):
        return row(pair[0], intent, exact=True, answer=pair[1])
    def checked(f, intent, *args):
        q, a, c = f(r, *args)
        return row(q, intent, check=c, answer=a)
    out = {"code": lambda: checked(programs.sample, "code"), "math": lambda: checked(arithmetic.sample, "math"), "qa": lambda: checked(world.knowledge, "qa")}
    for budget in (1000, 2000, 3200):
        out["code %d" % budget] = lambda b=budget: checked(longer.code, "code", count, b)
        out["math %d" % budget] = lambda b=budget: checked(longer.math, "math", count, b)
        out["qa %d" % budget] = lambda b=budget: checked(longer.qa, "qa", count, b)
    for f in sorted(set(copying.TEXT), key=copying.TEXT.index):
        out["copy: " + f.__name__] = lambda f=f: exact(f(r), "qa")
    out["copy: code edit"] = lambda: exact(copying.edit(r), "code")
    result = {}
    for name, make in out.items():
        result[name] = []
        while len(result[name]) < n:
            x = make()
            if count(x["prompt"]) + count(str(x["answer"])) < 4000:
                result[name].append(x)
    return result


def eval_generated(seed=987):
    """Prompts for the intent, 100 of each label."""
    r = Rand(seed, held=True)
    rows = []
    for i in range(100):
        rows.append(dict(prompt=programs.sample(r)[0] if i % 3 else copying.edit(r)[0], intent="code"))
        rows.append(dict(prompt=arithmetic.sample(r)[0], intent="math"))
        q = world.sample(r)[0] if i % 3 == 0 else one_qa_prompt(r, None) if i % 3 == 1 else r.choice(copying.TEXT)(r)[0]
        rows.append(dict(prompt=q, intent="qa"))
    return rows


def eval_real(data, seed=4321):
    """Unseen real prompts; MMLU both with choices and without."""
    r = Rand(seed)
    he = [json.loads(l) for l in gzip.open(os.path.join(data, "humaneval/HumanEval.jsonl.gz"), "rt")]
    gsm = jsonl(os.path.join(data, "gsm8k/test.jsonl"))
    mm = []
    for p in sorted(glob.glob(os.path.join(data, "mmlu/test/*.csv"))):
        mm += list(csv.reader(open(p, newline="")))
    rows = [dict(prompt=d["prompt"], intent="code", set="humaneval") for d in r.sample(he, 100)]
    rows += [dict(prompt=d["question"], intent="math", set="gsm8k") for d in r.sample(gsm, 100)]
    picked = r.sample(mm, 100)
    rows += [dict(prompt=m[0] + "".join("\n%s. %s" % z for z in zip("ABCD", m[1:5])), intent="qa", set="mmlu") for m in picked]
    rows += [dict(prompt=m[0], intent="qa", set="mmlu_no_choices") for m in picked]
    return rows


def workloads(tok, n=12, seed=555):
    """Prompts to time decoding on: new names and texts in wordings of training."""
    r = Rand(seed, held=False, new=True)
    count = lambda s: len(tok.encode(s))
    rows = []

    def add(workload, make, low=0, high=10 ** 6, answer=(30, 420)):
        while True:
            q, a = make()
            if low <= count(q) <= high and answer[0] <= count(a) <= answer[1]:
                rows.append(dict(workload=workload, prompt=q, max_tokens=min(512, count(a) + 16)))
                return
    for i in range(n):
        f = [copying.repeat, copying.replace, copying.extract, copying.summary, copying.correct, copying.lines_with][i % 6]
        add("copy", lambda: f(r), 150, 900, (80, 400))
        add("code-edit", lambda: copying.edit(r), 100, 900, (80, 400))
        add("code", lambda: programs.sample(r)[:2])
        if i == 0:
            add("chat", lambda: (r.pick(world.SMALL_TALK[0][0]), world.SMALL_TALK[0][1]), answer=(10, 60))
        elif i == 1:
            add("chat", lambda: world.small_talk(r)[:2], answer=(10, 60))
        else:
            add("chat", lambda: world.describe(r)[:2], answer=(60, 300))
        add("arithmetic", lambda: arithmetic.sample(r)[:2], answer=(30, 200))
        add("random", lambda: (texts.random_tokens(r, r.randint(100, 500)), ""), answer=(0, 99))
        rows[-1]["max_tokens"] = 128
    rows.sort(key=lambda x: x["workload"])
    return rows


SUITE_CONTEXTS = ((0, 200), (1000, 30), (3200, 30))  # tokens of the prompt (0: the request alone), items


def python_test(check):
    """The body of a test as HumanEval's: check(candidate) against what the reference answers."""
    scope, lines = {}, []
    exec(check["ref"], scope)
    for e in check["examples"]:
        try:
            want = eval("%s(%s)" % (check["name"], e), scope)
        except Exception:
            continue  # max of an empty list and the like
        lines.append("    assert candidate(%s) == %r" % (e, want))
    return "def check(candidate):\n" + "\n".join(lines) + "\n" if lines else None


def suites(tok, seed=31337):
    """What `aio eval` asks: {suite: rows}. New names, numbers and programs in wordings of training."""
    r = Rand(seed, held=False, new=True)
    count = lambda s: len(tok.encode(s))
    short = {"code": lambda: programs.sample(r), "math": lambda: arithmetic.sample(r), "qa": lambda: world.knowledge(r)}
    long = {"code": longer.code, "math": longer.math, "qa": longer.qa}
    out = {}
    for kind in LABELS:
        name, out[kind] = "pocket-" + kind, []
        for context, n in SUITE_CONTEXTS:
            seen = set()
            while len(seen) < n:
                q, a, c = long[kind](r, count, context) if context else short[kind]()
                row = dict(task=name, id="%s-%d-%d" % (name, context, len(seen)), intent=kind, context=context, prompt=q)
                if kind == "code":
                    test = python_test(c)
                    if test is None or c.get("any_name"):
                        continue  # a request that names no function leaves open which to test
                    row.update(entry_point=c["name"], test=test)
                elif kind == "math":
                    row["answer"] = str(c)
                else:
                    row["answers"] = [c]
                if q not in seen and count(q) + count(a) < 4000:
                    seen.add(q)
                    out[kind].append(row)
    return out


def write_jsonl(path, rows):
    with open(path, "w") as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--vocab-of", required=True, help="a GGUF file whose vocabulary is kept")
    ap.add_argument("--data", help="for --out: the folder of the data sets")
    ap.add_argument("--out", help="vocab.json and evaluation files go here")
    ap.add_argument("--workloads", help="write the prompts to time decoding on")
    ap.add_argument("--suites", help="write the suites that `aio eval` asks into this folder")
    a = ap.parse_args()
    tok = Gguf(a.vocab_of).tokenizer()
    texts.use_vocabulary(tok)
    if a.workloads:
        write_jsonl(a.workloads, workloads(tok))
    if a.suites:
        os.makedirs(a.suites, exist_ok=True)
        for kind, rows in suites(tok).items():
            write_jsonl(os.path.join(a.suites, "pocket-%s.jsonl" % kind), rows)
    if a.out:
        os.makedirs(a.out, exist_ok=True)
        load(a.data)
        tok.save(os.path.join(a.out, "vocab.json"))
        for name, wordings in (("tasks", False), ("tasks_wordings", True)):
            write_jsonl(os.path.join(a.out, name + ".jsonl"), [dict(x, task=t) for t, xs in tasks(tok, wordings=wordings).items() for x in xs])
        write_jsonl(os.path.join(a.out, "eval_generated.jsonl"), eval_generated())
        real = eval_real(a.data)
        write_jsonl(os.path.join(a.out, "eval_real.jsonl"), [x for x in real if x["set"] != "mmlu_no_choices"])
        write_jsonl(os.path.join(a.out, "eval_real_no_choices.jsonl"), [x for x in real if x["set"] != "mmlu"])


if __name__ == "__main__":
    main()
