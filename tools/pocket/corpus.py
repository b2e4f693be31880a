"""Builds the training documents, the evaluation files and the vocabulary.

A document is a list of turns (role, text) plus, for every user turn, its intent
(or None). Documents without an assistant turn train the intent alone.

  corpus.py --data DIR --out DIR            # documents and vocabulary
  corpus.py --data DIR --out DIR --eval     # eval_generated.jsonl, eval_real.jsonl
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
import programs
import topics
import world
from rand import Rand

LABELS = ["code", "qa", "math"]
VOCAB = 4096


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
    def __init__(self, seed, mbpp, gsm, mmlu, shift=0.0):
        """`shift` moves a share of the intent-only documents to the closed world."""
        self.r, self.shift = Rand(seed), shift
        self.mbpp, self.gsm, self.mmlu = mbpp, gsm, mmlu

    def closed(self):
        """(user, answer, intent) of the closed world."""
        r, x = self.r, self.r.random()
        if r.chance(0.18):
            return programs.copying(r)
        if x < 0.36:
            q, a, _ = programs.sample(r)
            return q, a, "code"
        if x < 0.69:
            q, a, _ = arithmetic.sample(r)
            return q, a, "math"
        q, a, _ = world.sample(r)
        return q, a, "qa"

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
        r, x = self.r, self.r.random()
        system = r.choice(SYSTEMS) if r.chance(0.08) else None
        s = self.shift
        if x < 0.86 + s:  # closed world, one or more turns
            n = 1 if r.chance(0.85) else r.randint(2, 3)
            turns, intents = [], []
            for _ in range(n):
                q, a, i = self.closed()
                if i != "code" and r.chance(0.12):
                    q = vary(r, q, 0.6)
                turns += [("user", q), ("assistant", a)]
                intents.append(i)
        elif x < 0.867 + s:  # GSM8K with its solution
            d = r.choice(self.gsm)
            turns, intents = [("user", d["question"]), ("assistant", strip_marks(d["answer"]))], ["math"]
        elif x < 0.872 + s:  # MBPP with its code
            d = r.choice(self.mbpp)
            turns, intents = [("user", self.mbpp_prompt(d)), ("assistant", "```python\n" + tidy_code(d["code"]) + "```")], ["code"]
        elif x < 0.88 + s:  # MMLU dev with its answer
            s, q, c, a = r.choice(self.mmlu)
            turns, intents = [("user", mmlu_text(r, s, q, c)), ("assistant", "%s. %s" % (a, c[ord(a) - 65]))], ["qa"]
        elif x < 0.985:  # intent only
            q, i = self.prompt_only()
            turns, intents = [("user", vary(r, q))], [i]
        elif x < 0.991:  # intent after other turns of other kinds
            turns, intents = [], []
            for _ in range(r.randint(1, 2)):
                q, a, i = self.closed()
                turns += [("user", q), ("assistant", a)]
                intents.append(i)
            q, i = self.prompt_only()
            turns, intents = turns + [("user", vary(r, q))], intents + [i]
        elif x < 0.996:
            q, i = self.few_shot()
            turns, intents = [("user", q)], [i]
        else:  # long prompts: passages and a question
            q, a, _ = world.reading(r, r.choice([2, 3, 4, 6, 8, 12, 16, 24]))
            turns, intents = [("user", q), ("assistant", a)], ["qa"]
        if system:
            turns = [("system", system)] + turns
        return {"turns": turns, "intents": intents}


def strip_marks(answer):
    return re.sub(r"<<.*?>>", "", answer)


def render(tok, doc, rng):
    """-> tokens, positions, branch, targets: list of (index, weight) where the
    token AFTER index (in its branch) is to be predicted."""
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
        head = [start] + tok.encode(role + "\n")
        body = tok.encode(text) + [end]
        p = put(head, p, 0)
        base = len(ids) - 1
        p = put(body + nl, p, 0)
        if role == "assistant":
            at += [(base + k, 1.0) for k in range(len(body))]
        else:
            # Only a sample of the user's words is predicted: cheaper, and
            # what is to be learnt is the answer.
            at += [(base + k, 1.0) for k in range(len(body)) if rng.random() < 0.12]
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

def eval_generated(seed=987):
    r = Rand(seed, held=True)
    rows = []
    for i in range(100):
        q, a, c = programs.sample(r)
        rows.append(dict(prompt=q, intent="code", check=c))
        q, a, c = arithmetic.sample(r)
        rows.append(dict(prompt=q, intent="math", check=c))
        if i % 2:
            q, a, c = world.sample(r)
            rows.append(dict(prompt=q, intent="qa", check=c))
        else:
            rows.append(dict(prompt=one_qa_prompt(r, None), intent="qa"))
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


def write_jsonl(path, rows):
    with open(path, "w") as f:
        for row in rows:
            f.write(json.dumps(row) + "\n")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--eval", action="store_true")
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    if a.eval:
        write_jsonl(os.path.join(a.out, "eval_generated.jsonl"), eval_generated())
        real = eval_real(a.data)
        write_jsonl(os.path.join(a.out, "eval_real.jsonl"), [x for x in real if x["set"] != "mmlu_no_choices"])
        write_jsonl(os.path.join(a.out, "eval_real_no_choices.jsonl"), [x for x in real if x["set"] != "mmlu"])
        return
    mbpp, gsm, mmlu = load(a.data)
    b = Builder(1, mbpp, gsm, mmlu)
    texts = []
    for _ in range(30000):
        texts += [t for _, t in b.document()["turns"]]
    texts += [d["question"] for d in gsm]
    tokens, merges = bpe.train(texts, VOCAB, LABELS + ["user", "assistant", "system", "intent"])
    tok = bpe.Tokenizer(tokens, merges)
    assert len(tokens) == VOCAB and len({tuple(tok.encode(l)) for l in LABELS}) == 3
    assert all(len(tok.encode(l)) == 1 for l in LABELS)
    tok.save(os.path.join(a.out, "vocab.json"))
    sample = [tok.encode(t) for t in texts]
    print("vocabulary", len(tokens), "bytes per token %.2f" % (sum(len(t.encode()) for t in texts) / sum(map(len, sample))))


if __name__ == "__main__":
    main()
