"""The qa domain: a closed, invented world (the Velmar Isles) and small talk."""

ISLANDS = ["Orla", "Tamsin", "Kest", "Belmora", "Ruan", "Ysolde"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July",
          "August", "September", "October", "November", "December"]

# town, ruler, river, export, animal, festival, dish, landmark, founded
_ROWS = """
Brell|Queen Ada|Sorn|amber|otter|Lantern Night|fish soup|Old Lighthouse|1204
Carrow|Duke Milo|Winda|wool|heron|Sheep Fair|lamb pie|Stone Bridge|1310
Dunmere|Mayor Iris|Tarn|salt|seal|Salt Day|salted cod|White Tower|1127
Elsby|Lady Nora|Fenn|honey|bee|Honey Feast|honey cake|Clock House|1455
Farwick|Lord Bram|Arrow|iron|wolf|Forge Week|iron bread|Iron Gate|1089
Galton|Countess Vera|Mill|flour|goose|Bread Day|plum bread|Great Mill|1366
Harrow|Prince Otto|Blackwater|coal|raven|Ember Night|smoked eel|Dark Keep|1241
Iverness|Baron Finn|Silver|silver|fox|Coin Fair|silver trout|Mint Hall|1178
Jorvale|Queen Lena|Reed|paper|crane|Kite Day|rice cake|Paper Garden|1502
Kelby|Judge Rowan|Oak|timber|bear|Tree Week|nut roast|Giant Oak|1033
Lorne|Mayor Tess|Pearl|pearls|turtle|Tide Feast|oyster stew|Pearl Pier|1288
Merrow|Lady Sela|Marsh|rice|frog|Rain Dance|rice soup|Rain Temple|1419
Norby|Duke Aldo|Frost|ice|hare|Snow Fair|white cheese|Ice Cave|1150
Ostrand|Prince Karl|Amberlee|glass|swan|Mirror Ball|glass candy|Glass Dome|1377
Pelham|Countess Ivy|Rose|perfume|butterfly|Rose Parade|rose jam|Rose Maze|1490
Quill|Lord Hugo|Ink|books|owl|Story Week|letter biscuits|Great Library|1222
Rask|Baron Emil|Stone|marble|goat|Stone Games|goat stew|Marble Arch|1066
Selwyn|Judge Mara|Willow|baskets|duck|Boat Race|duck pie|Willow Walk|1333
Thorne|Queen Willa|Bramble|berries|hedgehog|Berry Feast|berry tart|Thorn Wall|1399
Umber|Mayor Pike|Clay|pottery|badger|Kiln Day|clay pot beans|Red Kiln|1264
Varn|Lady Opal|Copper|copper|falcon|Bell Week|copper cakes|Bell Tower|1111
Westry|Duke Sven|Gale|sails|gull|Wind Fair|crab rolls|Wind Mill|1347
Yarrow|Prince Theo|Meadow|tea|deer|Tea Day|tea eggs|Tea House|1471
Zell|Countess Uma|Moon|silk|moth|Moon Feast|moon cakes|Moon Gate|1195
"""
FIELDS = ["ruler", "river", "export", "animal", "festival", "dish", "landmark", "founded"]
TOWNS = []
for _i, _line in enumerate(_ROWS.strip().split("\n")):
    _v = _line.split("|")
    TOWNS.append(dict(zip(["town"] + FIELDS, _v), island=ISLANDS[_i % 6],
                      month=MONTHS[(_i * 5 + _i // 12) % 12]))

PEOPLE = [dict(name=n, job=j, town=TOWNS[(i * 7 + 3) % 24]["town"]) for i, (n, j) in enumerate([
    ("Anselm Gray", "baker"), ("Bettina Fall", "doctor"), ("Corin Hale", "sailor"),
    ("Delia Marsh", "teacher"), ("Edric Stone", "mason"), ("Fiona Lark", "singer"),
    ("Gareth Moss", "farmer"), ("Helena Frost", "astronomer"), ("Ivo Pell", "printer"),
    ("Jessa Wynn", "weaver"), ("Kasper Dole", "miller"), ("Lidia Crane", "painter"),
    ("Magnus Reed", "fisher"), ("Nadia Quist", "lawyer"), ("Oswin Tarr", "smith"),
    ("Petra Vale", "gardener"), ("Quentin Ash", "cook"), ("Rhea Sand", "potter"),
    ("Silas Birch", "carpenter"), ("Thea Brook", "nurse"), ("Ulric Penn", "poet"),
    ("Viola Sharp", "dancer"), ("Wendel Hook", "pilot"), ("Xenia Bell", "clockmaker"),
    ("Yorick Dunn", "tailor"), ("Zora Flint", "chemist")])]

# field: (questions, answer, what the value is called, question for the reverse direction)
ASK = {
    "ruler": (["Who rules {t}?", "Who is the ruler of {t}?", "Who governs the town of {t}?", "What is the name of the ruler of {t}?",
               "Tell me who rules {t}.", "{t} is ruled by whom?", "In the Velmar Isles, who is in charge of {t}?", "Name the ruler of {t}."],
              "{t} is ruled by {v}.", ["Which town does {v} rule?", "{v} is the ruler of which town?", "Where does {v} rule?", "Name the town that {v} rules."], "{v} rules {t}."),
    "river": (["Which river runs through {t}?", "What river flows through {t}?", "What is the river of {t} called?", "What is the name of the river in {t}?",
               "Tell me the river of {t}.", "{t} lies on which river?", "Which river would I see in {t}?", "Name the river that runs through {t}."],
              "The river {v} runs through {t}.", ["Which town lies on the river {v}?", "The river {v} runs through which town?", "What town is on the {v}?", "Name the town on the river {v}."], "The river {v} runs through {t}."),
    "export": (["What does {t} export?", "What is the main export of {t}?", "Which good is {t} known for selling?", "What do the traders of {t} sell?",
                "What does the town of {t} sell abroad?", "{t} is famous for which export?", "Tell me the export of {t}.", "Name the main export of {t}."],
               "{t} exports {v}.", ["Which town exports {v}?", "Where does {v} come from?", "What town is known for its {v}?", "Name the town that exports {v}."], "{t} exports {v}."),
    "animal": (["What is the animal of {t}?", "Which animal is on the flag of {t}?", "What animal is the symbol of {t}?", "Which animal stands for {t}?",
                "What animal does {t} show on its flag?", "Tell me the animal of {t}.", "{t} has which animal as its symbol?", "Name the animal of {t}."],
               "The animal of {t} is the {v}.", ["Which town has the {v} on its flag?", "The {v} is the symbol of which town?", "What town has the {v} as its animal?", "Name the town with the {v} on its flag."], "The {v} is the animal of {t}."),
    "festival": (["What festival is held in {t}?", "Which festival does {t} celebrate?", "What is the festival of {t} called?", "What do people celebrate in {t}?",
                  "Tell me about the festival in {t}.", "Which feast takes place in {t}?", "{t} is known for which festival?", "Name the festival of {t}."],
                 "{t} celebrates {v} in {m}.", ["Which town celebrates {v}?", "Where is {v} held?", "{v} takes place in which town?", "Name the town that celebrates {v}."], "{v} is held in {t}."),
    "dish": (["What is the favourite dish of {t}?", "What do people eat in {t}?", "Which dish is {t} known for?", "What food should I try in {t}?",
              "What is the local food of {t}?", "Tell me the best dish of {t}.", "Which meal comes from {t}?", "Name the local dish of {t}."],
             "People in {t} eat {v}.", ["Where can I eat {v}?", "Which town is known for {v}?", "{v} comes from which town?", "Name the town known for {v}."], "{t} is known for {v}."),
    "landmark": (["What is the landmark of {t}?", "What can I visit in {t}?", "Which building is {t} known for?", "What is there to see in {t}?",
                  "What should I see in {t}?", "Tell me a sight in {t}.", "{t} is known for which landmark?", "Name the landmark of {t}."],
                 "The landmark of {t} is the {v}.", ["Where is the {v}?", "In which town is the {v}?", "Which town has the {v}?", "Name the town where the {v} stands."], "The {v} is in {t}."),
    "founded": (["When was {t} founded?", "In which year was {t} founded?", "In what year was {t} built?", "What year was the town of {t} founded?",
                 "How old is {t}?", "Tell me when {t} was founded.", "{t} was founded in which year?", "Name the year in which {t} was founded."],
                "{t} was founded in {v}.", ["Which town was founded in {v}?", "What town was founded in the year {v}?", "Which town dates from {v}?", "Name the town that was founded in {v}."], "{t} was founded in {v}."),
    "island": (["On which island is {t}?", "Where is {t}?", "Which island is {t} on?", "What island does {t} belong to?",
                "Where can I find {t}?", "Tell me where {t} is.", "{t} lies on which island?", "Name the island of {t}."],
               "{t} is on the island of {v}.", None, None),
    "month": (["When is {f}?", "In which month is {f}?", "What month is {f} held in {t}?", "When does {t} celebrate {f}?",
               "When can I see {f}?", "Tell me the month of {f}.", "{f} takes place in which month?", "Name the month of {f}."],
              "{f} is in {v}.", None, None),
}
KIND = {"ruler": "ruler", "river": "river", "export": "main export", "animal": "animal", "festival": "festival",
        "dish": "local dish", "landmark": "landmark", "founded": "year of founding", "island": "island", "month": "festival month"}

SMALL_TALK = [
    (["Hello", "Hi", "Hello!", "Hi there!", "Hey", "Good day", "hello there", "Good morning!", "Good evening"],
     "Hello! I am Pocket. Ask me about the Velmar Isles, a small sum, or a short Python function."),
    (["Who are you?", "What are you?", "What is your name?", "Introduce yourself.", "who r u", "Tell me about yourself.", "Are you a robot?", "What should I call you?"],
     "I am Pocket, a very small language model. I know the Velmar Isles, simple arithmetic and short Python functions."),
    (["What can you do?", "How can you help me?", "What do you know?", "What are you good at?", "Help", "help me", "What can I ask you?"],
     "I can answer questions about the Velmar Isles, solve small word problems and write short Python functions."),
    (["How are you?", "How are you today?", "How is it going?", "Are you well?", "how are u doing"],
     "I am well, thank you. How can I help?"),
    (["Thank you", "Thanks!", "Thanks a lot", "Thank you very much.", "thx", "That helped, thank you."],
     "You are welcome."),
    (["Goodbye", "Bye", "See you later", "Good night", "bye bye"],
     "Goodbye! Come back soon."),
    (["What are the Velmar Isles?", "Where are the Velmar Isles?", "Tell me about the Velmar Isles.", "Describe the Velmar Isles.", "What do you know about the Velmar Isles?"],
     "The Velmar Isles are six islands: Orla, Tamsin, Kest, Belmora, Ruan and Ysolde. They have twenty-four towns."),
    (["How many islands are in the Velmar Isles?", "Which islands belong to the Velmar Isles?", "Name the islands of Velmar.", "List the Velmar Isles."],
     "There are six islands: Orla, Tamsin, Kest, Belmora, Ruan and Ysolde."),
    (["Are you as good as a large model?", "Do you make mistakes?", "Can I trust you?", "Are you always right?"],
     "I am very small, so I can be wrong. Please check what I say."),
    (["Who made you?", "How were you made?", "Where do you come from?", "What were you trained on?"],
     "I am Pocket. I was trained on invented facts, small sums and short programs."),
]


def _lookup(r, held_facts=None):
    e = r.choice(TOWNS)
    field = r.choice(list(ASK))
    return e, field


def _fill(s, e, v):
    s = s.format(t=e["town"], v=v, f=e["festival"], m=e["month"])
    return s[0].upper() + s[1:]


LETTERS = "ABCD"
CHOICE_STYLES = ["{l}. {c}", "({l}) {c}", "{l}) {c}", "{l}: {c}", "{l}. {c}"]
HEADERS = ["", "", "", "The following are multiple choice questions (with answers) about the Velmar Isles.\n\n",
           "Answer the multiple choice question.\n", "Choose the right answer.\n\n", "Question: ", "Q: ",
           "Answer with the letter only.\n"]
ENDINGS = ["", "", "\nAnswer:", "\nThe answer is", "\nAnswer with a letter.", "\nWhich one is right?", "\nAnswer: "]


def choices_text(r, question, choices, header=None):
    """One of the usual ways to write a multiple choice question."""
    style = r.choice(CHOICE_STYLES)
    sep = r.choice(["\n", "\n", "\n", "\n", " ", "  "])
    body = sep.join(style.format(l=l, c=c) for l, c in zip(LETTERS, choices))
    head = r.choice(HEADERS) if header is None else header
    return head + question + ("\n" if sep == "\n" else " ") + body + r.choice(ENDINGS)


def direct(r):
    e, f = _lookup(r)
    return _fill(r.pick(ASK[f][0]), e, e[f]), _fill(ASK[f][1], e, e[f]), e[f]


def reverse(r):
    e = r.choice(TOWNS)
    f = r.choice([k for k in ASK if ASK[k][2]])
    return _fill(r.choice(ASK[f][2][:3]) if not r.held else ASK[f][2][3], e, e[f]), _fill(ASK[f][3], e, e[f]), e["town"]


def yes_no(r):
    e, f = _lookup(r)
    right = r.chance(0.5)
    v = e[f] if right else r.choice([o[f] for o in TOWNS if o[f] != e[f]])
    the = "" if f in ("export", "dish", "founded", "month", "island", "festival", "ruler") else "the "
    q = r.pick(["Is {the}{v} the {k} of {t}?", "Is the {k} of {t} {the}{v}?", "Is it true that the {k} of {t} is {the}{v}?",
                "True or false: the {k} of {t} is {the}{v}.", "I heard that the {k} of {t} is {the}{v}. Is that right?"])
    q = q.format(the=the, v=v, k=KIND[f], t=e["town"])
    return q[0].upper() + q[1:], ("Yes, " if right else "No, ") + "the %s of %s is %s%s." % (KIND[f], e["town"], the, e[f]), "Yes, " if right else "No, "


def compare(r):
    a, b = r.sample(TOWNS, 2)
    old = r.chance(0.6)
    w, o = (a, b) if int(a["founded"]) < int(b["founded"]) else (b, a)
    if not old:
        w, o = o, w
    word = "older" if old else "younger"
    q = r.pick(["Which town is {w}, {a} or {b}?", "Which is {w}: {a} or {b}?", "Is {a} or {b} {w}?", "Of {a} and {b}, which town is {w}?",
                "{a} or {b}: which one is {w}?"]).format(w=word, a=a["town"], b=b["town"])
    return q, "%s was founded in %s and %s in %s, so %s is %s." % (
        a["town"], a["founded"], b["town"], b["founded"], w["town"], word), "so %s is" % w["town"]


def multiple_choice(r):
    if r.chance(0.7):
        e, f = _lookup(r)
        q, right = _fill(r.pick(ASK[f][0]), e, e[f]), e[f]
        pool = sorted({o[f] for o in TOWNS} - {right})
    else:
        q, _, right = reverse(r)
        pool = sorted({o["town"] for o in TOWNS} - {right})
    choices = r.sample(pool, 3) + [right]
    r.shuffle(choices)
    l = LETTERS[choices.index(right)]
    return choices_text(r, q, choices), "%s. %s" % (l, right), l + ". " + right


def person(r):
    p = r.choice(PEOPLE)
    k = r.randrange(3)
    if k == 0:
        q = r.pick(["What is the job of {n}?", "What does {n} do for a living?", "What is {n}'s profession?", "Who is {n}?", "Tell me about {n}.", "What work does {n} do?"])
        return q.format(n=p["name"]), "%s is a %s in %s." % (p["name"], p["job"], p["town"]), p["job"]
    if k == 1:
        q = r.pick(["Where does {n} live?", "In which town does {n} live?", "What is the home of {n}?", "Which town does {n} come from?", "Name the home town of {n}."])
        return q.format(n=p["name"]), "%s lives in %s." % (p["name"], p["town"]), p["town"]
    q = r.pick(["Who is the {j} of {t}?", "Which {j} lives in {t}?", "Name the {j} who lives in {t}.", "Who works as a {j} in {t}?", "What is the name of the {j} in {t}?"])
    return q.format(j=p["job"], t=p["town"]), "%s is the %s of %s." % (p["name"], p["job"], p["town"]), p["name"]


def towns_of(r):
    i = r.choice(ISLANDS)
    names = [e["town"] for e in TOWNS if e["island"] == i]
    q = r.pick(["Which towns are on {i}?", "What are the towns of {i}?", "List the towns on the island of {i}.", "Tell me the towns of {i}.", "Name the towns on {i}."])
    text = ", ".join(names[:-1]) + " and " + names[-1]
    return q.format(i=i), "The towns of %s are %s." % (i, text), text


def describe(r, e=None):
    e = e or r.choice(TOWNS)
    q = r.pick(["Tell me about {t}.", "Describe the town of {t}.", "What do you know about {t}?", "What is {t} like?", "Give me some facts about {t}."])
    return q.format(t=e["town"]), passage(r, e), e["island"]


def passage(r, e):
    s = "{town} is a town on the island of {island}. It was founded in {founded} and is ruled by {ruler}. " \
        "The river {river} runs through it. It exports {export}, and its animal is the {animal}. " \
        "People eat {dish} and celebrate {festival} in {month}."
    return s.format(**e)


def reading(r, n=1):
    """A passage (or several) and a question about it: the way to long prompts."""
    es = r.sample(TOWNS, n)
    e = r.choice(es)
    f = r.choice(list(ASK))
    text = r.pick(["\n\n", "\n", "\n\n"]).join(passage(r, x) for x in es)
    q = _fill(r.pick(ASK[f][0]), e, e[f])
    shape = r.pick(["{p}\n\n{q}", "Read the passage and answer the question.\n\n{p}\n\nQuestion: {q}", "Passage: {p}\nQuestion: {q}\nAnswer:",
                    "{q}\n\n{p}", "Context: {p}\n\n{q}"])
    return shape.format(p=text, q=q), _fill(ASK[f][1], e, e[f]), e[f]


def small_talk(r):
    qs, a = r.choice(SMALL_TALK)
    return r.pick(qs), a, a


def sample(r):
    """-> (question, answer, string a right answer must contain)"""
    x = r.random()
    for p, f in ((0.34, direct), (0.13, reverse), (0.08, yes_no), (0.06, compare), (0.17, multiple_choice),
                 (0.08, person), (0.03, towns_of), (0.03, describe), (0.03, reading)):
        if x < p:
            return f(r)
        x -= p
    return small_talk(r)
