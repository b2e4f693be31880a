"""The qa domain: a closed, invented world and small talk.

The Velmar Isles have 24 towns written by hand; around them lie 5,600 outer towns
and 4,000 people made from a seed, about 64,000 facts: more than the small model can hold.
"""
import random

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

# --- the outer towns: made from one seed, so that they are facts --------------

NEW_TOWNS, NEW_PEOPLE = 5600, 4000
_START = "Al An Ar Bal Bar Ber Bor Cal Cor Dal Dor El Er Fal Fen Gal Gor Hal Hol Is Jun Kal Kor Lan Lor Mal Mer Nal Nor Ol Or Pal Pel Ral Ros Sal Sel Tal Tor Ul Val Vel Wal Wen Yar Zan".split()
_MID = "a e i o u ba da de di do la le li lo ma mi mo na ni no ra re ri ro sa se ta ti to va".split()
_END = "bury by dale den don field ford gate ham holm ley low mar mere mont mouth nor port ra ridge stead ston ter ton vale vik wick wold".split()
_TITLES = "Queen Duke Mayor Lady Lord Countess Prince Baron Judge King Abbot Captain Regent Duchess Elder Marquis".split()
_FIRST = ("Adela Aldric Alma Amos Arlo Aster Beata Boris Bruno Celia Clement Cora Dagmar Darius Delphine Dorian Edda Egon Elias Elsa Emery Esme Ewan Fabian Felice Flora Fritz Gideon "
          "Gilda Greta Gunnar Hedda Hector Hilda Horace Ignaz Ilka Ines Ingrid Jonas Jorin Judith Justus Katrin Klara Konrad Lambert Leonie Levin Lothar Lucia Ludwig Malte Marius Martha "
          "Matilda Melvin Minna Moritz Nestor Ottilie Oskar Pascal Paulina Philo Ramona Raul Regina Remo Roland Rufus Sabine Selma Sixtus Stella Sybil Tamara Thaddeus Tilda Tobin Ulla "
          "Urban Valentin Verena Victor Wanda Werner Wilma Xaver Yolanda Yvo Zeno Zita").split()
_EXPORTS = ("almonds anchors apples apricots arrows axes barley barrels beads beans bells belts blankets boats bolts bowls bracelets bricks bronze brooms brushes butter buttons candles "
            "cards carpets carts cement chairs chalk charcoal cheese cherries cider cinnamon clocks cloth coats coffee cork cotton cups dates dolls drums dyes eggs feathers felt figs "
            "flax flowers flutes furs garlic ginger glue gold grapes gravel hammers harps hats hay hides hinges honeycomb hops horns horses ink ivory jam jade jars jewels jugs kettles keys "
            "kites knives lace lamps lanterns lead leather lemons lime linen locks looms maps masks mats medicine melons milk millet mirrors mustard nails needles nets nuts oats oil olives "
            "onions opals oranges ovens paint peaches pears pencils pepper pins pipes planks plates plums poppies potatoes pumps quilts raisins resin ribbons rings ropes rubies rugs saddles "
            "saffron scarves scissors seeds shells shields shoes slate soap spices sponges spoons steel straw sugar swords tar tiles tin tobacco tools toys turnips twine vases velvet vinegar "
            "violins wagons walnuts wax wheat wheels whistles wine wire yarn zinc").split()
_ANIMALS = ("ant antelope badgerling bat beaver beetle bison boar buffalo bull camel carp cat cheetah cobra cock cod condor cow crab cricket crow cuckoo dolphin donkey dove dragonfly eagle "
            "eel elephant elk ermine ferret finch firefly flamingo gazelle gecko giraffe grasshopper grouse hamster hawk hen hornet horse hound ibex iguana jackal jaguar jay kestrel kingfisher "
            "kite ladybird lamb lark leopard lion lizard llama lobster lynx mackerel magpie marten mink mole monkey moose mouse mule newt nightingale octopus osprey ostrich ox panther parrot "
            "partridge peacock pelican penguin perch pheasant pig pigeon pike pony puffin quail rabbit ram rat reindeer robin rook salmon scorpion shark sheep shrew skunk snail snake sparrow "
            "spider squid squirrel stag starling stoat stork sturgeon swallow tiger toad trout viper vulture walrus wasp weasel whale woodpecker wren yak zebra").split()
_ADJ = ("Amber Ancient Ashen Autumn Azure Black Blue Brass Bright Broken Bronze Burning Crimson Crooked Crystal Dancing Deep Double Drowned Eastern Elder Emerald Empty Endless Fallen First "
        "Floating Flower Forgotten Frozen Golden Grand Green Grey Harvest Hidden High Hollow Honest Humming Hunter Island Ivory Jade Jolly King Last Laughing Little Lonely Long Lost Lucky "
        "Maiden Merry Midnight Misty Morning Narrow Noble Northern Old Open Orange Painted Pale Queen Quiet Rainy Red Royal Running Sacred Sandy Scarlet Second Secret Shining Silent Singing "
        "Sleeping Smoking Southern Spring Star Summer Sunny Swift Tall Thunder Twin Upper Velvet Violet Wandering Western White Wild Winter Wooden Yellow").split()
_FESTS = "Ball Dance Day Dinner Evening Fair Feast Games Hunt March Market Night Parade Race Song Week".split()
_BUILDINGS = ("Abbey Arch Arena Bath Bell Bridge Castle Chapel Cliff Column Court Dome Fort Fountain Garden Gate Grotto Hall House Inn Keep Lantern Library Mill Monument Museum Needle Palace "
              "Pavilion Pier Pillar Pyramid Quay Rock Ruin Shrine Spire Square Stair Statue Temple Theatre Tomb Tower Tree Vault Wall Well").split()
_FOODS = ("apple barley bean beef beet bread butter cabbage carrot cheese cherry chestnut chicken corn crab cream duckling egg fig garlic ginger goat ham herb herring honey leek lemon lentil "
          "lobster mint mushroom mussel nettle nut oat olive onion orange parsley pea peach pear pepper pork potato pumpkin rabbit radish raisin rye salmon sausage shrimp spinach squid tomato "
          "trout turnip veal walnut wheat").split()
_MEALS = "bake balls bread broth cake casserole chowder curry dumplings fritters hash loaf noodles omelette pancakes pasty pie pot pudding roast roll salad skewers soup stew tart".split()
_LAST = [a + b for a in "Ash Birch Black Bright Brook Clay Cold Dark Deer East Elm Fair Fern Green Grey Hazel High Hill Lake Lark Long Moss North Oak Red Rush Sand Snow South Stone Thorn West White Wild Winter Wolf".split()
         for b in "bourne bridge burn by cliff combe cott field ford gate grove hurst land ley man mere moor ridge shaw stead ton water wood worth".split()]
JOBS = ("actor archer baker barber basketmaker beekeeper bookbinder brewer bricklayer butcher butler candlemaker captain carpenter carver chemist clerk clockmaker cobbler cook cooper dancer "
        "dentist diver doctor driver dyer engraver farmer ferryman fiddler fisher fletcher florist gardener glassblower goldsmith grocer guard guide hatter herald hunter innkeeper jeweller "
        "joiner judge juggler lawyer librarian locksmith mason merchant messenger midwife miller miner musician nurse painter pilot piper plumber poet porter potter printer ranger roofer "
        "sailor saddler scribe sculptor shepherd singer smith soldier spinner surgeon surveyor tailor tanner teacher thatcher tinker trader trapper warden watchman weaver").split()
OUTER_ISLANDS = [a + b for a in ("Ar", "Bel", "Cor", "Dun", "Es", "Fal", "Gro", "Hes") for b in ("dane", "linn", "mor", "rand", "sia")]


def outer(r, name, island):
    """A town of the outer isles."""
    return dict(town=name, ruler=r.choice(_TITLES) + " " + r.choice(_FIRST), river=r.choice(_START) + r.choice(_MID) + r.choice(["n", "r", "s", "l", "th", "m"]),
                export=r.choice(_EXPORTS), animal=r.choice(_ANIMALS), festival=r.choice(_ADJ) + " " + r.choice(_FESTS), dish=r.choice(_FOODS) + " " + r.choice(_MEALS),
                landmark=r.choice(_ADJ) + " " + r.choice(_BUILDINGS), founded=str(r.randint(1000, 1899)), island=island, month=r.choice(MONTHS))


def _make_outer():
    r = random.Random(20)
    names = sorted({a + b + c for a in _START for b in _MID for c in _END})
    towns = [outer(r, n, r.choice(OUTER_ISLANDS)) for n in r.sample(names, NEW_TOWNS)]
    names = sorted({a + " " + b for a in _FIRST for b in _LAST})
    return towns, [dict(name=n, job=r.choice(JOBS), town=r.choice(towns)["town"]) for n in r.sample(names, NEW_PEOPLE)]


OUTER, OUTER_PEOPLE = _make_outer()
VELMAR = {e["town"] for e in TOWNS}
BY_NAME = {e["town"]: e for e in TOWNS + OUTER}


def a_town(r):
    return r.choice(TOWNS) if r.chance(0.06) else r.choice(OUTER)


def a_person(r):
    return r.choice(PEOPLE) if r.chance(0.06) else r.choice(OUTER_PEOPLE)


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
# Festivals of the outer towns share names, so these questions name the town.
ASK_MONTH = (["When does {t} celebrate {f}?", "In which month does {t} celebrate {f}?", "What month is {f} held in {t}?", "When is the festival of {t}?",
              "In what month is {f} in {t}?", "Tell me the month of {f} in {t}.", "When do people in {t} celebrate?", "Name the month of {f} in {t}."],
             "{t} celebrates {f} in {v}.")
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


def _lookup(r):
    return a_town(r), r.choice(list(ASK))


def asked(r, e, f, t=None):
    """(question, answer) about one field of a town, called `t` in the question."""
    questions, answer = ASK_MONTH if f == "month" and e["town"] not in VELMAR else ASK[f][:2]
    return _fill(r.pick(questions), dict(e, town=t or e["town"]), e[f]), _fill(answer, e, e[f])


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


def asked_answer(e, f):
    return _fill(ASK[f][1], e, e[f])


def direct(r):
    e, f = _lookup(r)
    return (*asked(r, e, f), e[f])


def reverse(r):
    e = r.choice(TOWNS)
    f = r.choice([k for k in ASK if ASK[k][2]])
    return _fill(r.choice(ASK[f][2][:3]) if not r.held else ASK[f][2][3], e, e[f]), _fill(ASK[f][3], e, e[f]), e["town"]


def yes_no(r):
    e, f = _lookup(r)
    right = r.chance(0.5)
    v = e[f] if right else r.choice([v for v in (x[f] for x in r.sample(OUTER, 6)) if v != e[f]] or ["Nowhere"])
    the = "" if f in ("export", "dish", "founded", "month", "island", "festival", "ruler") else "the "
    q = r.pick(["Is {the}{v} the {k} of {t}?", "Is the {k} of {t} {the}{v}?", "Is it true that the {k} of {t} is {the}{v}?",
                "True or false: the {k} of {t} is {the}{v}.", "I heard that the {k} of {t} is {the}{v}. Is that right?"])
    q = q.format(the=the, v=v, k=KIND[f], t=e["town"])
    return q[0].upper() + q[1:], ("Yes, " if right else "No, ") + "the %s of %s is %s%s." % (KIND[f], e["town"], the, e[f]), "Yes, " if right else "No, "


def compare(r):
    a, b = a_town(r), a_town(r)
    while a["founded"] == b["founded"]:
        b = a_town(r)
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
        q, right = asked(r, e, f)[0], e[f]
        pool = [v for v in (x[f] for x in r.sample(OUTER if e["town"] not in VELMAR else TOWNS, 12)) if v != right]
        pool = list(dict.fromkeys(pool))
    else:
        q, _, right = reverse(r)
        pool = sorted({o["town"] for o in TOWNS} - {right})
    choices = r.sample(pool, 3) + [right]
    r.shuffle(choices)
    l = LETTERS[choices.index(right)]
    return choices_text(r, q, choices), "%s. %s" % (l, right), l + ". " + right


def job_of(p):
    return "%s is %s %s in %s." % (p["name"], "an" if p["job"][0] in "aeiou" else "a", p["job"], p["town"])


def person(r):
    p = a_person(r)
    k = r.randrange(3 if p in PEOPLE else 2)
    if k == 0:
        q = r.pick(["What is the job of {n}?", "What does {n} do for a living?", "What is {n}'s profession?", "Who is {n}?", "Tell me about {n}.", "What work does {n} do?"])
        return q.format(n=p["name"]), job_of(p), p["job"]
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


ALL_ABOUT = ["Tell me about {t}.", "Describe {t}.", "What do you know about {t}?", "Tell me everything about {t}.", "What can you tell me about {t}?",
             "Write a short portrait of {t}.", "What is there to know about {t}?", "Give me some facts about {t}.", "Give me all the facts about {t}."]


def describe(r):
    """Everything about one to three towns or about a person and the home town."""
    if r.chance(0.2):
        p = a_person(r)
        return r.pick(ALL_ABOUT[3:]).format(t=p["name"] + " and the home town"), job_of(p) + " " + passage(BY_NAME[p["town"]]), p["town"]
    es = [a_town(r) for _ in range(r.choice([1, 1, 1, 1, 2, 3]))]
    names = [e["town"] for e in es]
    text = names[0] if len(es) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
    return r.pick(ALL_ABOUT).format(t=text), "\n\n".join(passage(e) for e in es), es[-1]["month"] + "."


def passage(e):
    s = "{town} is a town on the island of {island}. It was founded in {founded} and is ruled by {ruler}. " \
        "The river {river} runs through it. It exports {export}, and its animal is the {animal}. " \
        "People eat {dish}, visit the {landmark} and celebrate {festival} in {month}."
    return s.format(**e)


def two_hop(r):
    """About the home town of a person: first the town, then its fact."""
    p, f = a_person(r), r.choice(list(ASK))
    e = BY_NAME[p["town"]]
    while f == "month":
        f = r.choice(list(ASK))
    q, a = asked(r, e, f, r.pick(["the town where {n} lives", "the home town of {n}", "the town of {n}", "the home of {n}", "the place where {n} lives"]).format(n=p["name"]))
    return q, "%s lives in %s. %s" % (p["name"], e["town"], a), e[f]


def knowledge(r):
    """What is measured as qa: facts that cannot be guessed."""
    x = r.random()
    return direct(r) if x < 0.65 else person(r) if x < 0.8 else two_hop(r)


def small_talk(r):
    qs, a = r.choice(SMALL_TALK)
    return r.pick(qs), a, a


def sample(r):
    """-> (question, answer, string a right answer must contain)"""
    x = r.random()
    for p, f in ((0.36, direct), (0.03, reverse), (0.05, yes_no), (0.03, compare), (0.05, multiple_choice),
                 (0.10, person), (0.10, two_hop), (0.01, towns_of), (0.21, describe)):
        if x < p:
            return f(r)
        x -= p
    return small_talk(r)
