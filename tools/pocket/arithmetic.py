"""The math domain: sums and word problems with short worked solutions."""
import texts

NAMES = ["Tom", "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Grace", "Henry", "Isla", "Jack", "Kate", "Leo", "Mia", "Noah", "Olivia",
         "Peter", "Rosa", "Sam", "Tina", "Umar", "Vera", "Will", "Yuki", "Zoe", "Maria", "Ali", "Chen", "Priya", "Lucas"]
THINGS = ["apples", "pencils", "marbles", "books", "stickers", "cookies", "eggs", "coins", "cards", "balloons", "oranges", "shells", "stamps",
          "flowers", "buttons", "candies", "toys", "bricks", "pears", "muffins"]
BOXES = ["boxes", "bags", "baskets", "packs", "jars", "shelves", "crates", "trays"]
PLACES = ["shop", "farm", "school", "bakery", "garden", "library", "market", "factory"]

# Many more, for training alone: with few words a tiny model learns the words,
# with many it learns to copy them from the question.
MORE_NAMES = ("Adam Alice Amy Andre Angela Arthur Bella Bill Bob Brenda Carl Carlos Carol Cindy Dan Daisy Diego Donna Dora Elena Eric Eva Fatima Frank Fred George Gina Gloria "
              "Hannah Harry Helen Hugo Ian Ida Ivan Jane Jason Jenny Jim Joan John Josh Julia Karen Kevin Kim Lara Laura Liam Linda Lisa Lucy Luis Mark Martha Martin Mary Matt "
              "Max Megan Mike Milo Nancy Nina Oscar Pam Paul Paula Pedro Phil Quinn Rachel Ravi Rita Robert Ruth Ryan Sara Sean Simon Sofia Steve Susan Tara Ted Tim Toby Tony "
              "Victor Wendy Xavier Yara Yusuf Zack Natalia Betty Weng Julie James Mila Ken Alexis Tobias Randy Jasper Joy Bailey").split()
MORE_THINGS = ("balls bananas beads bears berries birds blocks boats bottles bowls bracelets brushes cakes cameras candles carrots cars cats chairs cherries chocolates clips coats crayons "
               "cups cupcakes desks dishes dogs dolls donuts dresses drinks erasers fish forks games gifts glasses grapes hats hens horses jackets kites lamps leaves lemons letters "
               "mangoes masks melons mugs necklaces nuts onions pages paintings pans papers peaches pens photos pictures pies pizzas plants plates plums posters potatoes puppies puzzles rings "
               "rocks roses rugs sandwiches scarves seeds shirts shoes socks spoons stars sticks stones stools sweaters tables tickets ties tomatoes towels trees trucks tulips watches windows").split()
MORE_BOXES = "bins cans cartons cases drawers bowls rows piles sacks tins buckets chests envelopes tubs racks tanks stacks bundles".split()
MORE_PLACES = "store park zoo museum cafe kitchen hospital office hotel club theater station gym studio restaurant store mill bank camp church".split()


def number(r, most=5):
    """A number of graded size: half of them have one or two digits."""
    d = min(most, r.choice([1, 1, 2, 2, 2, 3, 3, 4, 5]))
    return r.randint(10 ** (d - 1), 10 ** d - 1)


def product(a, b):
    """The steps of a * b: at once with a small factor, else digit by digit of b."""
    if min(a, b) < 10 or a * b < 400 or b % 10 == 0 and b < 100:
        return ["%d * %d = %d" % (a, b, a * b)]
    if b > a:
        return ["%d * %d = %d * %d" % (a, b, b, a)] + product(b, a)
    parts = [int(d) * 10 ** (len(str(b)) - 1 - i) for i, d in enumerate(str(b)) if d != "0"]
    steps = ["%d * %d = %d" % (a, p, a * p) for p in parts]
    total = a * parts[0]
    for p in parts[1:]:
        steps.append("%d + %d = %d" % (total, a * p, total + a * p))
        total += a * p
    return steps


def apply(op, a, b):
    """-> (result, lines)"""
    if op == "*":
        return a * b, product(a, b)
    n = {"+": a + b, "-": a - b, "/": a // b if b else 0}[op]
    return n, ["%d %s %d = %d" % (a, op, b, n)]


def solved(lines, n):
    return "\n".join(lines) + "\n#### %d" % n


def operands(r, op):
    if op == "*":
        a, b = number(r, 3), number(r, 2)
        return (a, b) if r.chance(0.5) else (b, a)
    if op == "/":
        b = r.randint(2, 12)
        return b * number(r, 3), b
    a, b = number(r), number(r)
    return (max(a, b), min(a, b)) if op == "-" else (a, b)


def plain(r):
    op = r.choice("++--**/")
    a, b = operands(r, op)
    n, lines = apply(op, a, b)
    word = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[op]
    verb = {"+": "Add {a} and {b}.", "-": "Subtract {b} from {a}.", "*": "Multiply {a} by {b}.", "/": "Divide {a} by {b}."}[op]
    q = r.pick(["What is {a} {o} {b}?", "{a} {o} {b} = ?", "{a} {o} {b}", "{a}{o}{b}", "Calculate {a} {o} {b}.", verb, "What is {a} {w} {b}?", "Compute {a} {o} {b}",
                "how much is {a} {o} {b}", "Solve {a} {o} {b}.", "Find {a} {w} {b}.", "Work out {a} {o} {b}.", "Tell me {a} {o} {b}.",
                "What do you get for {a} {o} {b}?", "Evaluate {a} {o} {b}.", "Can you work out {a} {w} {b}?"])
    return q.format(a=a, b=b, o=op, w=word), solved(lines, n), n


def expression(r):
    """Several operations, products first, one line a step."""
    values, ops = [number(r, 4)], []
    for _ in range(r.choice([2, 2, 3, 3, 4, 5])):
        op = r.choice("++-*")
        if op == "*" and not (ops and ops[-1] == "*") and values[-1] < 1000:
            values.append(r.randint(2, 20))
        else:
            op = r.choice("+-")
            values.append(number(r, 4))
        ops.append(op)
    text = str(values[0]) + "".join(" %s %d" % z for z in zip(ops, values[1:]))
    lines, sums, signs = [], [values[0]], []
    for op, v in zip(ops, values[1:]):
        if op == "*":
            sums[-1], more = apply("*", sums[-1], v)
            lines += more
        else:
            sums.append(v)
            signs.append(op)
    total = sums[0]
    for op, v in zip(signs, sums[1:]):
        total, more = apply(op, total, v)
        lines += more
    q = r.pick(["What is {e}?", "Compute {e}.", "Work out {e}", "{e} = ?", "Calculate {e}.", "Find the value of {e}.", "{e}", "How much is {e}?", "Solve {e}.", "Evaluate {e}."])
    return q.format(e=text), solved(lines, total), total


# Events of a story: kind, wordings. {n} has {t}; {k} is a number, {m} someone else.
EVENTS = [
    ("+", ["{n} buys {k} more {t}.", "{n} finds {k} more {t}.", "{m} gives {n} {k} more {t}.", "Then {n} gets another {k} {t} from {m}.", "{n} makes {k} new {t}.", "{m} brings {n} {k} {t}.",
           "{n} wins {k} {t} in a game.", "The next day {n} collects another {k} {t}.", "{n} adds {k} {t}.", "{n} receives {k} more {t}.", "{m} sends {n} another {k} {t}."]),
    ("-", ["{n} gives {k} {t} to {m}.", "{n} loses {k} {t}.", "{n} sells {k} {t}.", "{m} takes {k} of the {t} away.", "{n} throws away {k} {t}.", "Then {k} {t} break.", "{n} uses {k} {t}.",
           "{m} steals {k} {t}.", "{n} sends {k} {t} to {m}.", "{n} gives away {k} of the {t}.", "{m} takes {k} {t} from {n}."]),
    ("*", ["Then the number of {t} grows to {k} times as many.", "{n} now makes it {k} times as many.", "After a year {n} has {k} times as many {t}.", "{m} trades with {n}, who then has {k} times as many {t}.",
           "Soon {n} has {k} times as many."]),
    ("/", ["{n} keeps only one {k}th of the {t}.", "The {t} are shared equally among {k} people, and {n} keeps one share.", "{n} divides the {t} into {k} equal parts and keeps one.",
           "{n} puts the {t} into {k} equal piles and keeps one of them.", "{n} splits the {t} into {k} equal parts and keeps only one."]),
    ("b", ["{n} buys {k} {b} with {j} {t} in each.", "{m} brings {k} {b}, each with {j} {t}.", "{n} gets {k} {b} of {j} {t} each.", "{n} fills {k} {b} with {j} new {t} each.", "{n} finds {k} {b} with {j} {t} each."]),
]
STARTS = ["{n} has {x} {t}.", "{n} had {x} {t}.", "At first {n} has {x} {t}.", "{n} starts with {x} {t}.", "{n} owns {x} {t}.", "There are {x} {t} in {n}'s {p}.", "{n} begins with {x} {t}."]
ENDS = ["How many {t} does {n} have now?", "How many {t} does {n} have in the end?", "How many {t} are left?", "How many {t} does {n} have at the end?", "What is the number of {t} that {n} has now?",
        "How many {t} does {n} own now?"]


def story(r, events=None):
    """-> (text, question, lines, result)"""
    v = _vals(r)
    while v["m"] == v["n"]:
        v["m"] = _vals(r)["n"]
    x = number(r, 4)
    parts, lines = [r.pick(STARTS).format(x=x, **v)], []
    for _ in range(events or r.choice([1, 2, 2, 3, 3, 4, 5])):
        op, wordings = r.choice(EVENTS)
        j = 0
        if op == "+" or op == "-" and x < 2:
            op, wordings, k = "+", EVENTS[0][1], number(r, 4)
        elif op == "-":
            k = r.randint(1, x - 1)
        elif op == "*":
            if x > 2000:
                continue
            k = r.randint(2, 9)
        elif op == "/":
            ks = [k for k in range(2, 10) if x % k == 0 and k not in (2, 3)]
            if not ks:
                continue
            k = r.choice(ks)
        else:
            k, j = r.randint(2, 12), r.randint(2, 25)
        parts.append(r.pick(wordings).format(k=k, j=j, **v))
        if op == "b":
            k, more = apply("*", k, j)
            lines, op = lines + more, "+"
        x, more = apply(op, x, k)
        lines += more
    if not lines:
        return story(r, events)
    return " ".join(parts), r.pick(ENDS).format(**v), lines, x


def told(r):
    text, question, lines, n = story(r)
    return text + " " + question, solved(lines, n), n


def _vals(r):
    def pick(items, more):
        return r.pick(items) if r.held or r.chance(0.15) else r.choice(more)
    def who():
        return texts.name(r) if r.chance(0.3) else pick(NAMES, MORE_NAMES)
    return dict(n=who(), m=who(), t=pick(THINGS, MORE_THINGS), b=pick(BOXES, MORE_BOXES), p=pick(PLACES, MORE_PLACES))


# Each: (wordings, numbers, steps, result). Steps are formatted with the numbers.
def _w(texts, nums, steps, result):
    return texts, nums, steps, result


PROBLEMS = [
    _w(["{n} has {x} {t}. {m} gives {n} {y} more {t}. How many {t} does {n} have now?",
        "{n} had {x} {t} and found {y} more. How many {t} does {n} have in total?",
        "There are {x} {t} in the {p}. {n} brings {y} more. How many {t} are there now?",
        "If {n} has {x} {t} and buys {y} more {t} at the {p}, how many {t} does {n} own altogether?",
        "{n} picked {x} {t} and {m} picked {y}. How many {t} did they pick together?"],
       lambda r: dict(x=r.randint(2, 20), y=r.randint(2, 20)), ["There are {x} + {y} = {z} {t}."], lambda v: v["x"] + v["y"]),
    _w(["{n} has {x} {t}. {n} gives {y} to {m}. How many {t} are left?",
        "{n} had {x} {t} and lost {y} of them. How many {t} does {n} still have?",
        "A {p} had {x} {t} and sold {y} of them. How many {t} remain?",
        "There were {x} {t} on the table. {n} took {y} away. How many {t} are on the table now?",
        "{n} baked {x} {t} and {m} ate {y}. How many are left over?"],
       lambda r: (lambda y: dict(y=y, x=y + r.randint(1, 20)))(r.randint(2, 20)), ["{x} - {y} = {z} {t} are left."], lambda v: v["x"] - v["y"]),
    _w(["{n} has {x} {b} with {y} {t} in each. How many {t} does {n} have?",
        "There are {x} {b}, and each holds {y} {t}. How many {t} are there in total?",
        "A {p} packs {y} {t} into each of {x} {b}. How many {t} is that altogether?",
        "{n} fills {x} {b}. Every one has {y} {t}. What is the total number of {t}?",
        "Each of {n}'s {x} {b} contains {y} {t}. How many {t} are there?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["There are {x} * {y} = {z} {t}."], lambda v: v["x"] * v["y"]),
    _w(["{n} shares {x} {t} equally among {y} friends. How many {t} does each friend get?",
        "{x} {t} are put into {y} {b}, the same number in each. How many {t} are in each?",
        "{n} divides {x} {t} into {y} equal groups. How many {t} are in one group?",
        "A {p} splits {x} {t} evenly between {y} people. How many {t} does each one receive?",
        "{y} children share {x} {t} fairly. How many does each child get?"],
       lambda r: (lambda y: dict(y=y, x=y * r.randint(2, 10)))(r.randint(2, 10)), ["Each gets {x} / {y} = {z} {t}."], lambda v: v["x"] // v["y"]),
    _w(["{n} buys {x} {t} for ${y} each. How much does {n} pay?",
        "One of the {t} costs ${y}. {n} buys {x} of them. How much money does {n} spend?",
        "At the {p}, {t} cost {y} dollars each. What do {x} {t} cost?",
        "A {p} sells {t} at ${y} a piece. What is the price of {x} {t} in dollars?",
        "{n} sold {x} {t} at ${y} each. How many dollars did {n} earn?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["{x} {t} cost {x} * {y} = ${z}."], lambda v: v["x"] * v["y"]),
    _w(["{n} buys {x} {t} for ${y} each and pays with ${w}. How much change does {n} get?",
        "{n} has ${w}. {n} buys {x} {t} that cost ${y} each. How many dollars are left?",
        "After paying for {x} {t} at ${y} each out of ${w}, how much money does {n} have?",
        "{n} started with ${w} and bought {x} {t} at {y} dollars each. How much money remains?"],
       lambda r: (lambda x, y: dict(x=x, y=y, w=x * y + r.randint(1, 10)))(r.randint(2, 9), r.randint(2, 9)),
       ["The {t} cost {x} * {y} = ${xy}.", "{n} has {w} - {xy} = ${z} left."], lambda v: v["w"] - v["x"] * v["y"]),
    _w(["{n} has {x} {t}. {m} has {y} times as many. How many {t} does {m} have?",
        "{m} has {y} times as many {t} as {n}, who has {x}. How many {t} does {m} have?",
        "{n} collected {x} {t}. {m} collected {y} times that number. How many {t} did {m} collect?",
        "If {n} owns {x} {t} and {m} owns {y} times as many, how many {t} does {m} own?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 9)), ["{m} has {x} * {y} = {z} {t}."], lambda v: v["x"] * v["y"]),
    _w(["{n} has {x} {t}. {m} has twice as many. How many {t} do they have together?",
        "{n} read {x} pages and {m} read twice as many. How many pages did they read in total?",
        "{n} has {x} {t} and {m} has double that. How many {t} do {n} and {m} have altogether?",
        "{m} has twice as many {t} as {n}. {n} has {x}. How many {t} do both have?"],
       lambda r: dict(x=r.randint(2, 20)), ["{m} has {x} * 2 = {x2}.", "Together they have {x} + {x2} = {z}."], lambda v: v["x"] * 3),
    _w(["{n} has {x} {b} of {y} {t} each and gives away {w} {t}. How many {t} are left?",
        "{n} buys {x} {b} with {y} {t} in each. {n} loses {w} {t}. How many {t} does {n} have now?",
        "A {p} has {x} {b} of {t} with {y} in each. {w} {t} are sold. How many {t} remain?",
        "There are {x} {b} with {y} {t} each. {m} takes {w} {t}. How many {t} are left over?"],
       lambda r: (lambda x, y: dict(x=x, y=y, w=r.randint(1, min(20, x * y - 1))))(r.randint(2, 9), r.randint(2, 9)),
       ["There are {x} * {y} = {xy} {t}.", "{xy} - {w} = {z} {t} are left."], lambda v: v["x"] * v["y"] - v["w"]),
    _w(["{n} walks {x} km every day. How many km does {n} walk in {y} days?",
        "{n} reads {x} pages a day. How many pages does {n} read in {y} days?",
        "A machine in the {p} makes {x} {t} an hour. How many {t} does it make in {y} hours?",
        "{n} earns ${x} an hour and works {y} hours. How many dollars does {n} earn?",
        "{n} saves ${x} every week. How much does {n} save in {y} weeks?"],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["{x} * {y} = {z}."], lambda v: v["x"] * v["y"]),
    _w(["{n} is {x} years old. {m} is {y} years older. How old is {m}?",
        "{m} is {y} years older than {n}, who is {x}. What is the age of {m}?",
        "{n} is {x} years old now. How old will {n} be in {y} years?",
        "If {n} is {x} today, what age will {n} be after {y} years?"],
       lambda r: dict(x=r.randint(3, 20), y=r.randint(2, 20)), ["{x} + {y} = {z} years."], lambda v: v["x"] + v["y"]),
    _w(["A rectangle is {x} m long and {y} m wide. What is its area?",
        "What is the area of a rectangle with sides {x} and {y}?",
        "{n}'s garden is {x} m by {y} m. How many square metres is it?",
        "Find the area of a field that is {x} m long and {y} m wide."],
       lambda r: dict(x=r.randint(2, 10), y=r.randint(2, 10)), ["The area is {x} * {y} = {z}."], lambda v: v["x"] * v["y"]),
    _w(["{n} has {x} {t}, {m} has {y} {t}. How many more {t} does {n} have than {m}?",
        "{n} scored {x} points and {m} scored {y}. By how many points did {n} win?",
        "The red ribbon is {x} cm long and the blue one {y} cm. How much longer is the red ribbon?",
        "{n} weighs {x} kg and {m} weighs {y} kg. What is the difference in kg?"],
       lambda r: (lambda y: dict(y=y, x=y + r.randint(1, 20)))(r.randint(2, 20)), ["The difference is {x} - {y} = {z}."], lambda v: v["x"] - v["y"]),
    _w(["{n} had {x} {t}, bought {y} more and then gave {w} away. How many {t} does {n} have?",
        "There were {x} people on a bus. {y} got on and {w} got off. How many people are on the bus?",
        "A {p} has {x} {t}. It gets {y} more and sells {w}. How many {t} does it have now?",
        "{n} started with {x} {t}, won {y} and lost {w}. How many {t} are left?"],
       lambda r: (lambda x, y: dict(x=x, y=y, w=r.randint(1, min(20, x + y - 1))))(r.randint(5, 20), r.randint(2, 10)),
       ["{x} + {y} = {xpy}", "{xpy} - {w} = {z}"], lambda v: v["x"] + v["y"] - v["w"]),
    _w(["Half of {n}'s {x} {t} are red. How many are red?", "{n} gives half of {x} {t} to {m}. How many {t} does {m} get?",
        "{n} ate half of the {x} {t}. How many {t} did {n} eat?", "{n} has {x} {t} and sells half of them. How many are sold?"],
       lambda r: dict(x=2 * r.randint(1, 20)), ["Half of {x} is {x} / 2 = {z}."], lambda v: v["x"] // 2),
]


def word(r):
    """The old kinds of problem, with small numbers; all their wordings are trained."""
    texts, nums, steps, result = r.choice(PROBLEMS)
    v = _vals(r)
    while v["m"] == v["n"]:
        v["m"] = _vals(r)["n"]
    v.update(nums(r))
    v["z"] = result(v)
    if "y" in v:
        v["xy"], v["xpy"] = v["x"] * v["y"], v["x"] + v["y"]
    v["x2"] = v["x"] * 2
    q = r.choice(texts).format(**v)
    return q, "\n".join(s.format(**v) for s in steps) + "\n#### %d" % v["z"], v["z"]


def sample(r):
    """-> (question, answer, number)"""
    x = r.random()
    return plain(r) if x < 0.35 else expression(r) if x < 0.5 else told(r) if x < 0.8 else word(r)
